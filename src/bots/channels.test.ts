import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { openKeys } from '../auth/keys.ts';
import { Refusal } from '../errors.ts';
import { findChannel, findChannels } from './channels.ts';
import { setChannel } from './set-channel.ts';

const now = Date.parse('2026-03-18T03:00:00.000Z');

test('several channels are read in their order, and one that cannot be opened fails alone', async (t) => {
  const { sql } = await testDatabase(t);
  const open = (secretKey: string) => openKeys({ secretKey, dataFolder: '/nowhere', random: randomBytes });
  const keys = await open('a secret key for tests, long enough');
  const otherKeys = await open('another secret key, also long enough');
  const making = { now, random: randomBytes, keys };
  for (const botId of ['a', 'b', 'c']) {
    await sql`insert into bots (bot_id, name, time_zone) values (${botId}, ${botId}, 'Asia/Taipei')`;
    const secret = `${botId}`.repeat(32);
    await setChannel(
      sql,
      { botId, platform: 'line', secret },
      { ...making, keys: botId === 'b' ? otherKeys : keys },
    );
  }
  const ids = ['c', 'b', 'none', 'a', 'c'].map((botId) => ({ botId, platform: 'line' as const }));
  const [c, b, none, a, again] = await findChannels(sql, keys, ids, { now });
  assert.deepEqual(c, await findChannel(sql, keys, { botId: 'c', platform: 'line', now }));
  assert.deepEqual(a, await findChannel(sql, keys, { botId: 'a', platform: 'line', now }));
  assert.deepEqual(again, c);
  assert.equal(none, null);
  assert.ok(b instanceof Refusal);
});
