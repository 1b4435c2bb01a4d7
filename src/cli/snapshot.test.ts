import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandRunner, temporaryFile } from '../../tests/harness/command.ts';
import { testDatabase } from '../../tests/harness/database.ts';
import { register } from './snapshot.ts';

const now = Date.parse('2026-03-10T00:00:00Z');

test('snapshots are imported from a file, with or without byte order mark', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('shop', 'Shop')`;
  const run = commandRunner(sql, register, { now });
  const entries = [
    { kind: 'delivery', day: '20260301', value: { status: 'ready', broadcast: 4 } },
    { kind: 'delivery', day: '20260301', value: { status: 'unready' } },
  ];
  const path = await temporaryFile(t, `\uFEFF${JSON.stringify(entries)}`);
  const { out } = await run('snapshot', 'import', 'shop', path, '--json');
  assert.deepEqual(JSON.parse(out), { botId: 'shop', stored: 1, passedOver: 1 });
  assert.match((await run('snapshot', 'import', 'shop', path)).out, /^1 snapshots stored; 1 skipped/);
});

test('a missing file, invalid JSON and JSON without an array are refused', async (t) => {
  const { sql } = await testDatabase(t);
  const run = commandRunner(sql, register, { now });
  const importing = (path: string) => run('snapshot', 'import', 'shop', path);
  await assert.rejects(importing('/no/such/file'), { code: 'INPUT_INVALID', message: /cannot be read/ });
  await assert.rejects(importing(await temporaryFile(t, '[')), {
    code: 'INPUT_INVALID',
    message: /is not JSON/,
  });
  await assert.rejects(importing(await temporaryFile(t, '{}')), {
    code: 'INPUT_INVALID',
    message: /JSON array/,
  });
});
