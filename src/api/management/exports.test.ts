import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { testDatabase } from '../../../tests/harness/database.ts';
import { findBot } from '../../bots/bots.ts';
import { Slots } from '../../http/slots.ts';
import { exportOperations } from './exports.ts';
import type { Call } from './operation.ts';

test('the export of a client that reads nothing ends after a while, and its slot is free again', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('shop', 'Shop')`;
  await sql`
    insert into events (bot_id, platform, key, kind, detail, happened_at, received_at)
    select 'shop', 'line', 'e' || number, 'other', repeat('x', 400), now(), now() from generate_series(1, 5000) number`;
  const logged: unknown[] = [];
  const log = { error: (...line: unknown[]) => void logged.push(line), info: () => undefined };
  const closing = new AbortController().signal;
  const { exportData } = exportOperations({ exportSql: sql, clock: () => 0, closing, log, stallMsMax: 100 });
  const call: Call<'exportData'> = {
    caller: { kind: 'token', id: 'T', name: '', scope: 'write', botIds: null, session: null },
    bot: await findBot(sql, 'shop'),
    params: { botId: 'shop', what: 'events' },
    query: { format: 'ndjson', bom: false },
    body: {},
    browser: { address: '', userAgent: null, sessionToken: null, hold: () => undefined },
    headers: {},
    upload: null,
    setReplayed: () => undefined,
  };
  for (let turn = 0; turn < 4; turn++) {
    const download = await exportData(call);
    assert.ok(typeof download.content === 'function');
    const stream = await download.content();
    const [error] = await once(stream, 'error').catch((thrown) => [thrown]);
    assert.match(String(error?.cause ?? error), /reads nothing|aborted/);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(logged, []);
});

test('the slots in all and of one caller are bounded, and each is freed once', async () => {
  const slots = new Slots({ max: 3, maxEach: 2 });
  const busy = { code: 'TRANSFERS_BUSY' };
  const [first, second] = [slots.take({ token: 'A' }), slots.take({ token: 'A' })];
  assert.throws(() => slots.take({ token: 'A' }), busy);
  const other = slots.take({ token: 'B' });
  assert.throws(() => slots.take({ token: 'C' }), busy);
  await Promise.all([first(), first()]);
  const third = slots.take({ token: 'C' });
  assert.throws(() => slots.take({ token: 'A' }), busy);
  await Promise.all([second(), other(), third()]);
  slots.take({ token: 'D' });
  slots.take({ token: 'D' });
  assert.throws(() => slots.take({ token: 'D' }), busy);
});

test('the tokens of one bot share the slots of one token, so another bot finds a free one', () => {
  const slots = new Slots({ max: 4, maxEach: 2 });
  slots.take({ token: 'A', bot: 'one' });
  slots.take({ token: 'B', bot: 'one' });
  assert.throws(() => slots.take({ token: 'C', bot: 'one' }), /2 of this bot/);
  slots.take({ token: 'C', bot: 'two' });
});
