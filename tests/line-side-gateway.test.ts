/**
 * A bot that sends through Shoal to LINE's side: what Shoal counts of the sends is what LINE's side says it sent, and a reply is
 * part of the conversation with the person who wrote.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messagingApi } from '@line/bot-sdk';
import { recount } from '../src/rebuild/recount.ts';
import { readFigures } from '../src/reports/totals.ts';
import { lineClient, testLineSide } from './harness/line-side.ts';
import { testServer } from './harness/server.ts';

const messages = [{ type: 'text' as const, text: 'Thank you!' }];

test('sends through Shoal are counted as LINE’s side counts them, also when its answer was lost', async (t) => {
  // Nobody else: time goes on in this world, and others would write and leave in it.
  const side = await testLineSide(t, { clock: Date.now, people: 0 });
  const server = await testServer(t, { lineApi: side.address });
  const { destination, channelSecret, accessToken } = side.credentials;
  const { botId } = await server.addBot();
  const channel = { accountId: destination, secret: channelSecret, accessToken };
  await server.addChannel(botId, { platform: 'line', ...channel });
  await lineClient(side).setWebhookEndpoint({ endpoint: `${server.address}/webhooks/${botId}/line` });
  const bot = new messagingApi.MessagingApiClient({
    channelAccessToken: accessToken,
    baseURL: server.address,
  });

  const { userId } = await side.control.act({ action: 'follow' });
  await side.control.act({ action: 'write', userId });
  await bot.replyMessage({ replyToken: await latestReplyToken(), messages });
  await bot.pushMessage({ to: userId, messages });
  assert.equal((await bot.getProfile(userId)).userId, userId);
  const retryKey = '123e4567-e89b-42d3-a456-426614174000';
  side.control.fail({ kind: 'cut', path: '/v2/bot/message/push', when: 'after' });
  await assert.rejects(bot.pushMessage({ to: userId, messages }, retryKey), { status: 502 });
  await assert.rejects(bot.pushMessage({ to: userId, messages }, retryKey), { status: 409 });
  await server.folded();

  const { sends } = side.control.truth();
  const told = sends.map(({ requestId, kind, recipients }) => [requestId, kind, recipients.length]);
  const kept = await server.sql<{ request_id: string; kind: string; recipients: number }[]>`
    select request_id, kind, recipients from line_sends where bot_id = ${botId} order by sent_at`;
  assert.deepEqual(
    kept.map(({ request_id, kind, recipients }) => [request_id, kind, recipients]),
    told,
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
