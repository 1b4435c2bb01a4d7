/** `shoal callback`: its answers, its refusals, and the secret that is shown once. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { seededBytes } from '../../tests/harness/random.ts';
import { receiver, status } from '../../tests/harness/receiver.ts';
import { openKeys } from '../auth/keys.ts';
import { readConfig } from '../config.ts';
import { openGate } from '../webhooks-out/addresses.ts';
import { Dispatcher } from '../webhooks-out/dispatcher.ts';
import { enqueueMessages } from '../webhooks-out/outbox.ts';
import { type CallbackContext, register } from './callback.ts';
import { ShoalCommand } from './command.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const random = seededBytes(7);
const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });

async function commands(t: TestContext) {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('shop', 'Shop')`;
  const printed: string[] = [];
  const env = { SHOAL_CALLBACK_PRIVATE: 'false' };
  const context: CallbackContext = {
    withDatabase: (run) => run(sql),
    config: () => readConfig({}, env),
    keys: async () => keys,
    clock: () => now,
    random,
    out: (text) => void printed.push(text),
    log: () => undefined,
  };
  const run = async (...words: string[]): Promise<string> => {
    const program = new ShoalCommand('shoal', context)
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    register(program, context);
    printed.length = 0;
    await program.parseAsync(['callback', ...words], { from: 'user' });
    return printed.join('\n');
  };
  return { sql, run, env };
}

test('only set and rotate show the secret, once, when they create it', async (t) => {
  const { run } = await commands(t);
  const url = 'https://93.184.215.14/hook';
  const created = JSON.parse(await run('set', 'shop', url, '--json'));
  assert.deepEqual(Object.keys(created), ['botId', 'url', 'secret']);
  assert.equal(await run('set', 'shop', `${url}/other`), 'Set. The secret is unchanged.');
  assert.deepEqual(Object.keys(JSON.parse(await run('set', 'shop', url, '--json'))), ['botId', 'url']);
  assert.equal(await run('show', 'shop'), `${url}\nin use\n0 waiting`);
  const rotated = JSON.parse(await run('rotate', 'shop', '--json'));
  assert.match(rotated.secret, /^whsec_/);
  assert.notEqual(rotated.secret, created.secret);
  assert.equal(rotated.previousSecretUntil, '2026-03-08T00:00:00.000Z');
  const output = await run('show', 'shop', '--json');
  assert.equal(JSON.parse(output).callback.previousSecretUntil, '2026-03-08T00:00:00.000Z');
  for (const secret of [created.secret, rotated.secret]) assert.equal(output.includes(secret), false);
  assert.match(
    await run('rotate', 'shop', '--retire-secret'),
    /^Secret, shown only once: whsec_.*\nThe previous one is revoked\.$/,
  );
  assert.equal(await run('remove', 'shop'), 'Removed.');
  assert.equal(await run('show', 'shop'), 'None.');
});

test('a private address, an unknown bot and a bot without an endpoint are refused', async (t) => {
  const { run, env } = await commands(t);
  await assert.rejects(run('set', 'shop', 'http://127.0.0.1/'), {
    code: 'INPUT_INVALID',
    message: /SHOAL_CALLBACK_PRIVATE/,
  });
  env.SHOAL_CALLBACK_PRIVATE = 'maybe';
  await assert.rejects(run('set', 'shop', 'http://127.0.0.1/'), {
    message: /must be true or false, not "maybe"/,
  });
  env.SHOAL_CALLBACK_PRIVATE = 'true';
  for (const words of [
    ['rotate', 'shop'],
    ['remove', 'shop'],
    ['deliveries', 'replay', 'shop', '1'],
  ])
    await assert.rejects(run(...words), { code: 'INPUT_INVALID', message: /no callback address/ });
  assert.match(await run('set', 'shop', 'http://127.0.0.1/'), /^Set\. Secret/);
  for (const words of [
    ['show'],
    ['rotate'],
    ['remove'],
    ['deliveries', 'list'],
    ['deliveries', 'replay', '--all-given-up'],
  ]) {
    await assert.rejects(run(...words, 'missing'), { code: 'BOT_NOT_FOUND' }, words.join(' '));
  }
  await assert.rejects(run('set', 'missing', 'http://127.0.0.1/'), { code: 'BOT_NOT_FOUND' });
});

test('webhook messages are listed and shown with their attempts, and replayed by number or webhook-id', async (t) => {
  const { sql, run, env } = await commands(t);
  env.SHOAL_CALLBACK_PRIVATE = 'true';
  const shop = await receiver(t);
  shop.answer = status(503, {}, 'closed today');
  await run('set', 'shop', shop.url);
  const data = { tag: 'VIP', kind: 'manual' as const };
  await sql.begin((tx) =>
    enqueueMessages(tx, 'shop', [{ type: 'contact.tagged', contactId: 'Ada', at: now, data }], { now }),
  );
  const gate = openGate({ allowPrivate: true });
  const log = { error: assert.fail };
  const sender = new Dispatcher(sql, {
    gate,
    keys,
    random,
    log,
    clock: () => now,
    attempted: () => undefined,
  });
  t.after(() => sender.stop());
  await sender.dispatchDue();

  const [{ id = '' } = {}] = shop.received;
  assert.match(
    await run('deliveries', 'list', 'shop'),
    new RegExp(`^${id}  2026-03-01T00:00:00.000Z  contact.tagged  Ada  pending  due \\S+  answered 503$`),
  );
  const { notices } = JSON.parse(await run('deliveries', 'list', 'shop', '--state', 'pending', '--json'));
  assert.deepEqual([notices.length, notices[0].webhookId, notices[0].status], [1, id, 503]);
  assert.equal(await run('deliveries', 'list', 'shop', '--state', 'given-up'), 'None.');
  assert.equal(await run('deliveries', 'list', 'shop', '--before', id), 'None.');
  const output = (await run('deliveries', 'show', 'shop', id)).split('\n');
  assert.equal(output[1], '{"tag":"VIP","kind":"manual"}');
  assert.match(output[2] ?? '', /^2026-03-01T00:00:00.000Z {2}\d+ ms {2}answered 503 {2}closed today$/);

  shop.answer = status(200);
  assert.equal(
    await run('deliveries', 'replay', 'shop', id),
    'Queued 1 again. A running server sends them now.',
  );
  await sender.dispatchDue();
  assert.equal(shop.received.at(-1)?.id, id);
  const { state, attempts } = JSON.parse(
    await run('deliveries', 'show', 'shop', String(notices[0].noticeId), '--json'),
  );
  assert.deepEqual([state, attempts.length], ['told', 2]);
  assert.deepEqual(
    JSON.parse(await run('deliveries', 'replay', 'shop', '--all-given-up', '--json')).replayed,
    0,
  );
  await assert.rejects(run('deliveries', 'show', 'shop', '999'), { message: /no webhook message 999/ });
  await assert.rejects(run('deliveries', 'replay', 'shop'), { message: /--all-given-up/ });
  await assert.rejects(run('deliveries', 'replay', 'shop', '1', '--all-given-up'), {
    message: /--all-given-up/,
  });
});
