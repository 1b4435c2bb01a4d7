/**
 * `shoal bot` and `shoal channel`: their answers and refusals, without secrets.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { seededBytes } from '../../tests/harness/random.ts';
import { findCredential, hashSecret, isSecretOf } from '../auth/api-pairs.ts';
import { openKeys } from '../auth/keys.ts';
import { findBot } from '../bots/bots.ts';
import { findChannel } from '../bots/channels.ts';
import * as bot from './bot.ts';
import * as channel from './channel.ts';
import { ShoalCommand } from './command.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const random = seededBytes(7);
const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });

async function commands(t: TestContext, { input = '' } = {}) {
  const { sql } = await testDatabase(t);
  const printed: string[] = [];
  const logged: string[] = [];
  const context: channel.ChannelContext = {
    withDatabase: (run) => run(sql),
    keys: async () => keys,
    // No platform: Meta's tokens are stored unchecked.
    config: () => ({
      lineApi: 'http://127.0.0.1:9',
      graphApi: 'http://127.0.0.1:9',
      instagramApi: 'http://127.0.0.1:9',
    }),
    clock: () => now,
    random,
    out: (text) => void printed.push(text),
    log: (text) => void logged.push(text),
  };
  const run = async (...words: string[]): Promise<string> => {
    const program = new ShoalCommand('shoal', context)
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    bot.register(program, context);
    channel.register(program, context, async () => input);
    printed.length = 0;
    await program.parseAsync(words, { from: 'user' });
    return printed.join('\n');
  };
  const made = JSON.parse(await run('bot', 'create', '--name', 'Shop', '--json'));
  return { sql, run, botId: String(made.botId), made };
}

test('bot create prints one JSON object with the pair, which is the valid one', async (t) => {
  const { sql, botId, made } = await commands(t);
  assert.deepEqual(Object.keys(made), ['botId', 'apiToken', 'apiSecret']);
  const credential = (await findCredential(sql, botId))?.credential;
  assert.ok(credential && isSecretOf(credential, hashSecret(made.apiSecret)));
  assert.equal((await findBot(sql, botId)).timeZone, 'Asia/Taipei');
});

test('without --json the pair is printed in lines, with its lifetime', async (t) => {
  const { run } = await commands(t);
  const output = await run('bot', 'create', '--name', '店', '--time-zone', 'Asia/Tokyo');
  assert.match(output, /^Bot id: [A-Za-z]{9}\nAPI token \(30 days\): ey\S+\nAPI secret: [\w-]{43}$/);
});

test('bot list shows every bot and no secret', async (t) => {
  const { run, botId, made } = await commands(t);
  const listed = await run('bot', 'list', '--json');
  const expected = {
    botId,
    name: 'Shop',
    timeZone: 'Asia/Taipei',
    conversationGapSeconds: 900,
    lineProgram: null,
  };
  assert.deepEqual(JSON.parse(listed), { bots: [expected] });
  for (const text of [listed, await run('bot', 'list')]) {
    for (const secret of [made.apiToken, made.apiSecret]) assert.equal(text.includes(secret), false);
  }
});

test('bot set changes the given values, and recounts if the figures need it', async (t) => {
  const { sql, run, botId } = await commands(t);
  const named = await run('bot', 'set', botId, '--name', 'Store', '--line-program', '高用量', '--json');
  assert.deepEqual(JSON.parse(named), { botId, recounted: false });
  const zoned = await run(
    'bot',
    'set',
    botId,
    '--time-zone',
    'Europe/Paris',
    '--conversation-gap',
    '60',
    '--json',
  );
  assert.deepEqual(JSON.parse(zoned), { botId, recounted: true });
  await run('bot', 'set', botId, '--line-program', 'none');
  const expected = {
    botId,
    name: 'Store',
    timeZone: 'Europe/Paris',
    conversationGapSeconds: 60,
    lineProgram: null,
  };
  assert.deepEqual(await findBot(sql, botId), expected);
  await assert.rejects(run('bot', 'set', botId), /Nothing to change/);
  await assert.rejects(run('bot', 'set', botId, '--conversation-gap', 'x'), /whole number/);
  await assert.rejects(run('bot', 'set', 'missing', '--name', 'x'), { code: 'BOT_NOT_FOUND' });
});

test('bot refresh-token creates a new pair and revokes the old one', async (t) => {
  const { sql, run, botId, made } = await commands(t);
  const { apiSecret } = JSON.parse(await run('bot', 'refresh-token', botId, '--json'));
  const credential = (await findCredential(sql, botId))?.credential;
  assert.ok(credential);
  assert.deepEqual(
    [isSecretOf(credential, hashSecret(apiSecret)), isSecretOf(credential, hashSecret(made.apiSecret))],
    [true, false],
  );
});

test('channel set connects each platform with its own options, and prints the path of its webhook', async (t) => {
  const { sql, run, botId } = await commands(t);
  const meta = ['--app-secret', 'app', '--verify-token', 'verify'];
  const destination = `U${'a1'.repeat(16)}`;
  const typed = {
    line: ['--channel-secret', 'secret', '--channel-access-token', 'token', '--destination', destination],
    facebook: ['--account-id', '12', ...meta],
    instagram: ['--account-id', '34', ...meta, '--access-token', 'token'],
    whatsapp: ['--phone-number-id', '56', ...meta],
  };
  const accounts = { line: destination, facebook: '12', instagram: '34', whatsapp: '56' };
  for (const platform of ['line', 'facebook', 'instagram', 'whatsapp'] as const) {
    const output = await run('channel', 'set', botId, platform, ...typed[platform], '--json');
    const unchecked = platform === 'instagram' ? { tokenCheck: null } : {};
    const webhookPath = `/webhooks/${botId}/${platform}`;
    assert.deepEqual(JSON.parse(output), { botId, platform, webhookPath, ...unchecked });
    const set = await findChannel(sql, keys, { botId, platform, now });
    assert.equal(set?.accountId, accounts[platform]);
    assert.deepEqual(set?.secrets, [platform === 'line' ? 'secret' : 'app']);
  }
  assert.equal((await findChannel(sql, keys, { botId, platform: 'instagram', now }))?.accessToken, 'token');
});

test('channel set liveChat prints the widget key, unchanged until a new one is requested', async (t) => {
  const { sql, run, botId } = await commands(t);
  const set = async (...more: string[]) =>
    JSON.parse(await run('channel', 'set', botId, 'liveChat', ...more, '--json')).widgetKey;
  const key = await set('--allowed-origin', 'https://a.example', 'https://b.example');
  assert.match(key, /^[\w-]{32}$/);
  assert.equal(await set(), key);
  const stored = await findChannel(sql, keys, { botId, platform: 'liveChat', now });
  assert.deepEqual(stored?.allowedOrigins, ['https://a.example', 'https://b.example']);
  const next = await set('--new-widget-key');
  assert.notEqual(next, key);
  assert.deepEqual((await findChannel(sql, keys, { botId, platform: 'liveChat', now }))?.secrets, [
    next,
    key,
  ]);
});

test('an identity key is shown only when it is created, and identity can be required only with one', async (t) => {
  const { sql, run, botId } = await commands(t);
  const set = async (...more: string[]) =>
    JSON.parse(await run('channel', 'set', botId, 'liveChat', ...more, '--json'));
  await assert.rejects(set('--identity-required'), /only be required with an identity key/);
  const { identityKey } = await set('--new-identity-key', '--identity-required');
  assert.match(identityKey, /^[\w-]{43}$/);
  assert.equal((await set()).identityKey, undefined);
  const stored = await findChannel(sql, keys, { botId, platform: 'liveChat', now });
  assert.deepEqual([stored?.identityKey, stored?.identityRequired], [identityKey, true]);
  assert.equal(
    await run('channel', 'list', botId),
    'liveChat  enabled  any account  identity key set  identity required',
  );
  await set('--no-identity-required');
  assert.equal(await run('channel', 'list', botId), 'liveChat  enabled  any account  identity key set');
  assert.match(
    await run('channel', 'set', botId, 'liveChat', '--new-identity-key'),
    /\nIdentity key, shown only once: \S{43}$/,
  );
});

test('one secret per call can be read from stdin', async (t) => {
  const { sql, run, botId } = await commands(t, { input: 'from-stdin\n' });
  await run('channel', 'set', botId, 'line', '--channel-secret', '-');
  assert.deepEqual((await findChannel(sql, keys, { botId, platform: 'line', now }))?.secrets, ['from-stdin']);
  const two = run('channel', 'set', botId, 'facebook', '--app-secret', '-', '--verify-token', '-');
  await assert.rejects(two, /Only one value can be read from stdin \(-\)/);
});

test('a flag of another platform, a wrong value or an unknown bot is refused, without the secret', async (t) => {
  const { run, botId } = await commands(t);
  const wrong: [string[], RegExp][] = [
    [[botId, 'line', '--app-secret', 'hush'], /--app-secret is not for line\. Use --channel-secret/],
    [[botId, 'whatsapp', '--account-id', '1'], /--account-id is not for whatsapp\. Use --phone-number-id/],
    [[botId, 'telegram'], /must be one of line, facebook, instagram, liveChat, whatsapp/],
    [[botId, 'line'], /needs its channel secret/],
    [[botId, 'line', '--channel-secret', 'hush hush'], /no spaces/],
    [[botId, 'line', '--channel-secret', 'hush', '--destination', 'U1'], /U and 32 hexadecimal digits/],
    [['missing', 'line', '--channel-secret', 'hush'], /no bot missing/],
  ];
  for (const [words, message] of wrong) {
    await assert.rejects(run('channel', 'set', ...words), (error: Error) => {
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /hush/);
      return true;
    });
  }
});

test('channel list shows which credentials are set, without their values; enable and disable switch', async (t) => {
  const { run, botId } = await commands(t);
  await run(
    'channel',
    'set',
    botId,
    'facebook',
    '--account-id',
    '12',
    '--app-secret',
    'hush-1',
    '--verify-token',
    'hush-2',
  );
  await run('channel', 'set', botId, 'facebook', '--app-secret', 'hush-3');
  await run('channel', 'disable', botId, 'facebook');
  const listed = await run('channel', 'list', botId, '--json');
  const expected = {
    platform: 'facebook',
    enabled: false,
    accountId: '12',
    channelId: null,
    assertionKeySet: false,
    businessAccountId: null,
    allowedOrigins: [],
    verifyTokenSet: true,
    accessTokenSet: false,
    identityRequired: false,
    identityKeySet: false,
    tokenCheck: null,
    previousSecretUntil: '2026-03-08T00:00:00.000Z',
  };
  assert.deepEqual(JSON.parse(listed), { botId, channels: [expected] });
  assert.equal(await run('channel', 'enable', botId, 'facebook'), 'facebook is enabled.');
  const text = await run('channel', 'list', botId);
  assert.equal(
    text,
    'facebook  enabled  12  verify token set  previous secret valid until 2026-03-08T00:00:00.000Z',
  );
  assert.doesNotMatch(listed + text, /hush/);
  await run('channel', 'set', botId, 'facebook', '--retire-secret');
  assert.doesNotMatch(await run('channel', 'list', botId), /previous secret/);
  await assert.rejects(run('channel', 'list', 'missing'), { code: 'BOT_NOT_FOUND' });
  await assert.rejects(run('channel', 'disable', botId, 'line'), { code: 'CHANNEL_NOT_FOUND' });
});

test('click counting is switched on and off for a LINE channel, and refused without one', async (t) => {
  const { sql, run, botId } = await commands(t);
  await assert.rejects(run('channel', 'track-clicks', botId, 'on'), { code: 'CHANNEL_NOT_FOUND' });
  await sql`insert into channels (bot_id, platform, secret_sealed) values (${botId}, 'line', 'sealed')`;
  const isOn = async () =>
    (await sql<{ track_clicks: boolean }[]>`select track_clicks from channels`)[0]?.track_clicks;
  assert.equal(await run('channel', 'track-clicks', botId, 'on'), 'Clicks are counted.');
  assert.equal(await isOn(), true);
  const out = await run('channel', 'track-clicks', botId, 'off', '--json');
  assert.deepEqual(JSON.parse(out), { botId, trackClicks: false });
  assert.equal(await isOn(), false);
});
