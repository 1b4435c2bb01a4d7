import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { seededBytes } from '../../tests/harness/random.ts';
import { openKeys } from '../auth/keys.ts';
import { createBot } from './bots.ts';
import { listChannels } from './channels.ts';
import { findTokenId, putTokenCheck } from './meta-tokens.ts';
import { setChannel } from './set-channel.ts';

test('a check of an access token is not stored after another token was set', async (t) => {
  const { sql } = await testDatabase(t);
  const random = seededBytes(1);
  const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });
  const now = Date.parse('2026-03-01T00:00:00Z');
  const { botId } = await createBot(sql, { name: 'Shop', timeZone: 'Asia/Taipei' }, { now, random, keys });
  const platform = 'facebook';
  const set = (accessToken: string) =>
    setChannel(
      sql,
      { botId, platform, accountId: '12', secret: 'secret', verifyToken: 'verify', accessToken },
      { now, random, keys },
    );
  const problemNow = async () => (await listChannels(sql, botId, now))[0]?.tokenCheck?.problem ?? null;
  const put = async (tokenId: string | null) =>
    putTokenCheck(
      sql,
      { botId, platform, tokenId: tokenId ?? '', checkedAt: now },
      { expiresAt: null, missingPermissions: [], problem: 'The token belongs to another page.' },
    );
  await set('first');
  const first = await findTokenId(sql, { botId, platform });
  await set('second');
  await put(first);
  assert.equal(await problemNow(), null);
  await put(await findTokenId(sql, { botId, platform }));
  assert.equal(await problemNow(), 'The token belongs to another page.');
});
