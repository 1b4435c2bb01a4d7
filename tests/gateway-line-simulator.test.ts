/**
 * A bot that sends through Shoal's gateway to the LINE simulator: Shoal's counts of sends equal the simulator's, and a reply
 * belongs to the conversation of the message.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { messagingApi } from '@line/bot-sdk';
import { createLineToken, revokeLineToken } from '../src/bots/line-tokens.ts';
import { recount } from '../src/rebuild/recount.ts';
import { readFigures } from '../src/reports/totals.ts';
import { lineClient, testLineSimulator } from './harness/line-simulator.ts';
import { testServer } from './harness/server.ts';

const messages = [{ type: 'text' as const, text: 'Thank you!' }];

test('Shoal counts gateway sends as the LINE simulator does, even after a lost response', async (t) => {
  // No other people: their events would change the counts while the clock runs.
  const simulator = await testLineSimulator(t, { clock: Date.now, people: 0 });
  const server = await testServer(t, { lineApi: simulator.address });
  const { destination, channelSecret, accessToken } = simulator.credentials;
  const { botId } = await server.addBot();
  const channel = { accountId: destination, secret: channelSecret, accessToken };
  await server.addChannel(botId, { platform: 'line', ...channel });
  await lineClient(simulator).setWebhookEndpoint({ endpoint: `${server.address}/webhooks/${botId}/line` });
  const bot = new messagingApi.MessagingApiClient({
    channelAccessToken: accessToken,
    baseURL: server.address,
  });

  const { userId } = await simulator.control.act({ action: 'follow' });
  await simulator.control.act({ action: 'write', userId });
  await bot.replyMessage({ replyToken: await latestReplyToken(), messages });
  await bot.pushMessage({ to: userId, messages });
  assert.equal((await bot.getProfile(userId)).userId, userId);
  const retryKey = '123e4567-e89b-42d3-a456-426614174000';
  simulator.control.fail({ kind: 'cut', path: '/v2/bot/message/push', when: 'after' });
  await assert.rejects(bot.pushMessage({ to: userId, messages }, retryKey), { status: 502 });
  await assert.rejects(bot.pushMessage({ to: userId, messages }, retryKey), { status: 409 });
  await server.folded();

  const { sends } = simulator.control.truth();
  const expected = sends.map(({ requestId, kind, recipients }) => [requestId, kind, recipients.length]);
  const stored = await server.sql<{ request_id: string; kind: string; recipients: number }[]>`
    select request_id, kind, recipients from line_sends where bot_id = ${botId} order by sent_at`;
  assert.deepEqual(
    stored.map(({ request_id, kind, recipients }) => [request_id, kind, recipients]),
    expected,
  );
  const figures = await readFigures(server.sql, botId, Date.now());
  assert.deepEqual(figures?.lineSends, { reply: 1, push: 2, broadcast: 0 });
  const { conversations, conversationMessages } = figures.platforms.line;
  assert.deepEqual([conversations, conversationMessages], [1, 4]);
  assert.deepEqual(await recount(server.sql, botId, { check: true, progress: () => undefined }), []);

  async function latestReplyToken(): Promise<string> {
    const [row] = await server.sql<{ body: Uint8Array }[]>`
      select body from deliveries where bot_id = ${botId} order by delivery_id desc limit 1`;
    return JSON.parse(Buffer.from(row?.body ?? []).toString()).events.at(-1).replyToken;
  }
});

test('a channel with its channel id and secret needs no long-lived token, and callers may use any token of the channel', async (t) => {
  const simulator = await testLineSimulator(t, { clock: Date.now, people: 0 });
  const server = await testServer(t, { lineApi: simulator.address });
  const { destination, channelId, channelSecret } = simulator.credentials;
  const { botId } = await server.addBot();
  await server.addChannel(botId, {
    platform: 'line',
    accountId: destination,
    channelId,
    secret: channelSecret,
  });
  const { userId } = await simulator.control.act({ action: 'follow' });
  const callsTo = (path: string) => simulator.control.calls.filter((call) => call.path === path).length;
  const push = (token: string) =>
    new messagingApi.MessagingApiClient({ channelAccessToken: token, baseURL: server.address }).pushMessage({
      to: userId,
      messages,
    });

  const now = Date.now();
  const created = await createLineToken(server.sql, botId, { scope: 'send' }, { now, random: randomBytes });
  await push(created.token);
  await push(created.token);
  assert.equal(callsTo('/oauth2/v3/token'), 1, 'one issued token serves all calls');

  const form = { grant_type: 'client_credentials', client_id: channelId, client_secret: channelSecret };
  for (const path of ['/oauth2/v3/token', '/v2/oauth/accessToken']) {
    const issued = await fetch(simulator.address + path, { method: 'POST', body: new URLSearchParams(form) });
    const { access_token: token } = (await issued.json()) as { access_token: string };
    await push(token);
    await push(token);
    const insight = `${server.address}/v2/bot/insight/demographic`;
    assert.equal((await fetch(insight, { headers: { authorization: `Bearer ${token}` } })).status, 200);
  }
  assert.equal(callsTo('/oauth2/v2.1/verify'), 2, 'each token is verified once');
  await assert.rejects(push('x'.repeat(40)), { status: 401 });
  const verifications = callsTo('/oauth2/v2.1/verify');
  await revokeLineToken(server.sql, { botId, tokenId: created.tokenId, now });
  await assert.rejects(push(created.token), { status: 401 });
  assert.equal(callsTo('/oauth2/v2.1/verify'), verifications, 'LINE never receives a token of Shoal');
  await server.folded();
  const [row] = await server.sql`select count(*)::integer as sends from line_sends where bot_id = ${botId}`;
  assert.equal(row?.sends, 6);
});
