/**
 * Channels: storage, rotation, and credentials that are never returned.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { openKeys } from '../auth/keys.ts';
import type { Sql } from '../database/client.ts';
import { dayMs } from '../time.ts';
import { createBot } from './bots.ts';
import type { ChannelSettings } from './channel-settings.ts';
import { enableChannel, findChannel, listChannels } from './channels.ts';
import { setChannel } from './set-channel.ts';

const keys = await openKeys({
  secretKey: 'a secret key for tests, long enough',
  dataFolder: '',
  random: randomBytes,
});
const now = Date.parse('2026-03-01T00:00:00Z');
const destination = `U${'0123456789abcdef'.repeat(2)}`;

async function withBot(sql: Sql) {
  const random = randomBytes;
  const { botId } = await createBot(sql, { name: 'Shop', timeZone: 'Asia/Taipei' }, { now, random, keys });
  return {
    botId,
    set: (settings: ChannelSettings, at = now, of = keys) =>
      setChannel(sql, { botId, ...settings }, { now: at, random, keys: of }),
    find: (platform: ChannelSettings['platform'], at = now) =>
      findChannel(sql, keys, { botId, platform, now: at }),
  };
}

test('a channel is found with its settings, and has its row of totals', async (t) => {
  const { sql } = await testDatabase(t);
  const { botId, set, find } = await withBot(sql);
  assert.equal(await find('line'), null);
  await set({ platform: 'line', secret: 'one', accountId: destination, accessToken: 'token+/=' });
  await set({ platform: 'whatsapp', secret: 'app', accountId: '1', verifyToken: 'verify' });
  assert.deepEqual(await find('line'), {
    botId,
    platform: 'line',
    enabled: true,
    accountId: destination,
    secrets: ['one'],
    verifyToken: null,
    accessToken: 'token+/=',
    allowedOrigins: [],
    identityRequired: false,
    identityKey: null,
  });
  assert.equal((await find('whatsapp'))?.verifyToken, 'verify');
  const totals = await sql`select platform from totals where bot_id = ${botId} order by platform`;
  assert.deepEqual(
    totals.map(({ platform }) => platform),
    ['line', 'whatsapp'],
  );
});

test('setting one value again keeps the others', async (t) => {
  const { sql } = await testDatabase(t);
  const { set, find } = await withBot(sql);
  await set({
    platform: 'facebook',
    secret: 'app',
    accountId: '1',
    verifyToken: 'verify',
    accessToken: 'token',
  });
  await set({ platform: 'facebook', verifyToken: 'other' });
  const channel = await find('facebook');
  assert.deepEqual(channel?.secrets, ['app']);
  assert.equal(channel?.accountId, '1');
  assert.equal(channel?.verifyToken, 'other');
  assert.equal(channel?.accessToken, 'token');
});

test('a replaced secret stays valid for 7 days behind the new one, and the same secret again changes nothing', async (t) => {
  const { sql } = await testDatabase(t);
  const { set, find } = await withBot(sql);
  await set({ platform: 'line', secret: 'one' });
  await set({ platform: 'line', secret: 'two' });
  await set({ platform: 'line', secret: 'two' }, now + dayMs);
  assert.deepEqual((await find('line', now + 7 * dayMs - 1))?.secrets, ['two', 'one']);
  assert.deepEqual((await find('line', now + 7 * dayMs))?.secrets, ['two']);
});

test('a rotation can be undone, and ended at once', async (t) => {
  const { sql } = await testDatabase(t);
  const { set, find } = await withBot(sql);
  await set({ platform: 'line', secret: 'one' });
  await set({ platform: 'line', secret: 'two' });
  await set({ platform: 'line', secret: 'one' });
  assert.deepEqual((await find('line'))?.secrets, ['one', 'two']);
  await set({ platform: 'line', retireSecret: true });
  assert.deepEqual((await find('line'))?.secrets, ['one']);
  await set({ platform: 'line', secret: 'three', retireSecret: true });
  assert.deepEqual((await find('line'))?.secrets, ['three']);
});

test('with another key no credential opens, one clear error reports it, and credentials can be set again', async (t) => {
  const { sql } = await testDatabase(t);
  const { botId, set, find } = await withBot(sql);
  const lostKeys = await openKeys({ secretKey: 'x'.repeat(32), dataFolder: '', random: randomBytes });
  await set({ platform: 'line', secret: 'one' }, now, lostKeys);
  await assert.rejects(find('line'), /secret key is not the one it was sealed with/);
  await set({ platform: 'line', secret: 'two' });
  assert.deepEqual((await find('line'))?.secrets, ['two']);
  assert.equal((await listChannels(sql, botId, now)).length, 1);
});

test('a channel can be disabled and enabled; its credentials stay', async (t) => {
  const { sql } = await testDatabase(t);
  const { botId, set, find } = await withBot(sql);
  await set({ platform: 'line', secret: 'one' });
  await enableChannel(sql, { botId, platform: 'line', enabled: false, now });
  await set({ platform: 'line', accountId: destination });
  assert.equal((await find('line'))?.enabled, false);
  await enableChannel(sql, { botId, platform: 'line', enabled: true, now });
  assert.deepEqual((await find('line'))?.secrets, ['one']);
  const unknown = enableChannel(sql, { botId, platform: 'facebook', enabled: true, now });
  await assert.rejects(unknown, { code: 'CHANNEL_NOT_FOUND' });
});

test('live chat gets a widget key and keeps it, and its origins stay unchanged', async (t) => {
  const { sql } = await testDatabase(t);
  const { set, find } = await withBot(sql);
  await set({ platform: 'liveChat', allowedOrigins: ['https://shop.example', 'http://localhost:3000'] });
  const first = await find('liveChat');
  assert.match(first?.secrets[0] ?? '', /^[\w-]{32}$/);
  await set({ platform: 'liveChat' });
  assert.deepEqual(await find('liveChat'), first);
  assert.deepEqual(first?.allowedOrigins, ['https://shop.example', 'http://localhost:3000']);
});

test('a missing or malformed setting is refused, and the message does not contain a secret', async (t) => {
  const { sql } = await testDatabase(t);
  const { botId, set } = await withBot(sql);
  const wrong: [ChannelSettings, RegExp][] = [
    [{ platform: 'line' }, /needs its channel secret/],
    [{ platform: 'line', secret: 'one', accountId: 'U123' }, /U and 32 hexadecimal digits, not "U123"/],
    [{ platform: 'line', secret: 'one', verifyToken: 'v' }, /line channel has no verifyToken/],
    [{ platform: 'facebook', secret: 'one', verifyToken: 'v' }, /needs its account id/],
    [{ platform: 'facebook', secret: 'one', accountId: '1' }, /needs its verify token/],
    [
      { platform: 'whatsapp', secret: 'one', verifyToken: 'v', accountId: '+886' },
      /phone number id .* digits only/,
    ],
    [{ platform: 'liveChat', allowedOrigins: ['https://shop.example/page'] }, /without a path/],
    [{ platform: 'liveChat', allowedOrigins: ['shop.example'] }, /like https:/],
  ];
  for (const [settings, message] of wrong) {
    await assert.rejects(set(settings), { code: 'INPUT_INVALID', message }, String(message));
  }
  for (const secret of ['', 'with space', 'line\nbreak', 'x'.repeat(1_001)]) {
    await assert.rejects(
      set({ platform: 'line', secret }),
      /1 to 1000 visible ASCII characters and no spaces/,
    );
  }
  assert.deepEqual([...(await listChannels(sql, botId, now))], []);
  const options = { now, random: randomBytes, keys };
  await assert.rejects(setChannel(sql, { botId: 'unknown', platform: 'line', secret: 'one' }, options), {
    code: 'BOT_NOT_FOUND',
  });
});

test('neither a list nor the database contains a readable credential', async (t) => {
  const { sql } = await testDatabase(t);
  const { botId, set } = await withBot(sql);
  await set({
    platform: 'instagram',
    secret: 'hush-1',
    accountId: '17',
    verifyToken: 'hush-2',
    accessToken: 'hush-3',
  });
  await set({ platform: 'instagram', secret: 'hush-4' });
  const listed = await listChannels(sql, botId, now);
  assert.deepEqual(
    [...listed],
    [
      {
        platform: 'instagram',
        enabled: true,
        accountId: '17',
        allowedOrigins: [],
        identityRequired: false,
        identityKeySet: false,
        verifyTokenSet: true,
        accessTokenSet: true,
        previousSecretUntil: new Date(now + 7 * dayMs),
      },
    ],
  );
  const [row] = await sql`select * from channels`;
  const kept = Object.values(row ?? {}).map((value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value),
  );
  assert.doesNotMatch(kept.join('\n'), /hush/);
});
