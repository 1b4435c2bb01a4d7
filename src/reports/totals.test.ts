import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { readFigures } from './totals.ts';

test('figures are the same object while nothing has changed, and a change shows at once', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name, time_zone) values ('shop', 'Shop', 'UTC')`;
  await sql`
    insert into api_pairs (bot_id, pair_id, secret_hash, created_at, expires_at)
    values ('shop', 'first', ${new Uint8Array(32).fill(7)}, now(), now())`;
  const now = Date.parse('2026-03-01T00:00:00Z');
  const read = () => readFigures(sql, 'shop', now);
  const first = await read();
  assert.deepEqual(first?.credential, { pairId: 'first', secretHash: Buffer.alloc(32, 7) });
  assert.equal(await read(), first);
  await sql`update api_pairs set replaced_at = now()`;
  assert.equal((await read())?.credential, null);
  await sql`update api_pairs set replaced_at = null`;
  assert.deepEqual(await read(), first);
  await sql`update bots set line_program = '高用量'`;
  assert.equal((await read())?.lineProgram, '高用量');
  await sql`delete from api_pairs`;
  await sql`delete from bots`;
  assert.equal(await read(), null);
});
