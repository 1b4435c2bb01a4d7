/** `shoal alerts`: rules, targets, the secret that is shown once, tests, and refusals. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { seededBytes } from '../../tests/harness/random.ts';
import { openKeys } from '../auth/keys.ts';
import { readConfig } from '../config.ts';
import { register } from './alerts.ts';
import { ShoalCommand } from './command.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const random = seededBytes(7);

test('rules are changed, and targets added, tested, listed and removed', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('shop', 'Shop')`;
  const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });
  const run = async (...words: string[]): Promise<string> => {
    const printed: string[] = [];
    const context = {
      withDatabase: <Value>(work: (database: typeof sql) => Promise<Value>) => work(sql),
      ...{ config: () => readConfig({}, {}), keys: async () => keys, clock: () => now, random },
      out: (text: string) => void printed.push(text),
    };
    const program = new ShoalCommand('shoal', context)
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    register(program, context);
    await program.parseAsync(['alerts', ...words], { from: 'user' });
    return printed.join('\n');
  };
  assert.match(
    await run('rules', 'shop'),
    /^no-delivery {2}on {2}12 hours {2}9-21 on days 1,2,3,4,5,6,7\n.*collection-stopped {2}on\n/s,
  );
  const changed = ['--threshold', '4', '--hours', '10-20', '--weekdays', '5,1'];
  assert.equal(
    await run('set', 'shop', 'no-delivery', ...changed),
    'no-delivery  on  4 hours  10-20 on days 1,5',
  );
  assert.equal(
    await run('set', 'shop', 'no-delivery', '--off'),
    'no-delivery  off  4 hours  10-20 on days 1,5',
  );
  await assert.rejects(run('set', 'shop', 'blocks', '--threshold', '0'), /must be from 1 to/);
  await assert.rejects(run('set', 'shop', 'blocks', '--hours', '9-18'), /no business hours/);
  await assert.rejects(run('set', 'shop', 'quota-full', '--threshold', '90'), /no threshold to set/);
  await assert.rejects(run('set', 'shop', 'everything', '--off'), /Must be one of/);
  await assert.rejects(run('rules', 'nobot'), /There is no bot/);

  const added = JSON.parse(await run('add', 'shop', 'webhook', 'https://93.184.215.14/a', '--json'));
  assert.match(added.secret, /^whsec_/);
  const { targetId } = added.target;
  await assert.rejects(run('add', 'shop', 'webhook', 'http://127.0.0.1/a'), /private, local or reserved/);
  await assert.rejects(run('add', 'shop', 'email', 'ming'), /not an e-mail address/);
  assert.equal(await run('targets', 'shop'), `${targetId}  webhook  en  https://93.184.215.14/a`);
  assert.match(await run('test', 'shop', String(targetId)), /^The test is queued/);
  assert.match(await run('list', 'shop'), /test {2}since .*\n\s+test {2}pending {2}webhook {2}https:/);
  assert.ok(!(await run('list', 'shop', '--json')).includes('whsec_'));
  assert.equal(await run('remove', 'shop', String(targetId)), 'Removed.');
  await assert.rejects(run('test', 'shop', String(targetId)), /no target/);
  assert.equal(await run('list', 'shop', '--state', 'running'), 'None.');
});
