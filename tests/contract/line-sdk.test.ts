/**
 * LINE's official client, unmodified except for its base URL: all calls and their errors over real HTTP.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HTTPFetchError, insight, LineBotClient } from '@line/bot-sdk';
import { importSnapshots } from '../../src/line/snapshots.ts';
import { dayOf, lineZone, minuteMs } from '../../src/time.ts';
import { oncePerFile } from '../harness/scope.ts';
import { type TestServer, testServer } from '../harness/server.ts';
import { deliver, lineBody, lineSecret } from '../harness/webhooks.ts';
import { exampleAnswers } from './insight-server.ts';

const sharedServer = oncePerFile(testServer);
const requestId = 'f70dd685-499a-4231-a441-f24b8d4fba21';

async function connectedBot(server: TestServer): Promise<{ botId: string; channelAccessToken: string }> {
  const { botId } = await server.addBot();
  const channelAccessToken = `the token that LINE gave to ${botId}`.replaceAll(' ', '-');
  await server.addChannel(botId, { platform: 'line', secret: lineSecret, accessToken: channelAccessToken });
  return { botId, channelAccessToken };
}

/** Status and message of a failed call, after a check of its request id. */
async function failureOf(call: Promise<unknown>): Promise<unknown[]> {
  const error = await call.then(
    () => assert.fail('the call succeeded'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof HTTPFetchError, String(error));
  assert.match(error.headers.get('x-line-request-id') ?? '', /^[0-9a-f-]{36}$/);
  return [error.status, JSON.parse(error.body)];
}

test('LINE’s own client receives the responses to its five calls', async () => {
  const server = await sharedServer();
  const { botId, channelAccessToken } = await connectedBot(server);
  const examples = await exampleAnswers();
  const value = (id: string) => examples.get(id);
  const entries = [
    { kind: 'demographic', day: '20260301', value: value('getFriendsDemographics') },
    { kind: 'delivery', day: '20260301', value: value('getNumberOfMessageDeliveries') },
    { kind: 'followers', day: '20260301', value: value('getNumberOfFollowers') },
    { kind: 'message-event', requestId, value: value('getMessageEvent') },
    {
      kind: 'unit',
      unit: 'promotion_a',
      from: '20260201',
      to: '20260228',
      value: value('getStatisticsPerUnit'),
    },
  ];
  await importSnapshots(server.sql, { botId, entries }, { now: Date.now() });
  const clients = [
    new insight.InsightClient({ channelAccessToken, baseURL: server.address }),
    LineBotClient.fromChannelAccessToken({ channelAccessToken, apiBaseURL: server.address }),
  ];
  for (const client of clients) {
    assert.deepEqual(await client.getFriendsDemographics(), value('getFriendsDemographics'));
    assert.deepEqual(
      await client.getNumberOfMessageDeliveries('20260301'),
      value('getNumberOfMessageDeliveries'),
    );
    assert.deepEqual(await client.getNumberOfFollowers('20260301'), value('getNumberOfFollowers'));
    assert.deepEqual(await client.getMessageEvent(requestId), value('getMessageEvent'));
    assert.deepEqual(
      await client.getStatisticsPerUnit('promotion_a', '20260201', '20260228'),
      value('getStatisticsPerUnit'),
    );
  }
});

test('a successful response has its id in the header that LINE’s client reads', async () => {
  const server = await sharedServer();
  const { channelAccessToken } = await connectedBot(server);
  const client = new insight.InsightClient({ channelAccessToken, baseURL: server.address });
  const { httpResponse, body } = await client.getNumberOfFollowersWithHttpInfo(
    dayOf(Date.now(), lineZone).replaceAll('-', ''),
  );
  assert.deepEqual(body, { status: 'unready' });
  assert.match(httpResponse.headers.get('x-line-request-id') ?? '', /^[0-9a-f-]{36}$/);
  assert.match(httpResponse.headers.get('content-type') ?? '', /^application\/json/);
});

test('follow events of webhooks appear as the followers of their day', async () => {
  const server = await sharedServer();
  const { botId, channelAccessToken } = await connectedBot(server);
  const day = dayOf(Date.now() - 3 * 24 * 60 * minuteMs, lineZone);
  const noon = Date.parse(`${day}T12:00:00+09:00`);
  const body = lineBody([
    { type: 'follow', id: '01HAAAAAAAAAAAAAAAAAAAAAA1', user: 'A', at: noon },
    { type: 'follow', id: '01HAAAAAAAAAAAAAAAAAAAAAA2', user: 'B', at: noon + 1 },
    { type: 'unfollow', id: '01HAAAAAAAAAAAAAAAAAAAAAA3', user: 'B', at: noon + 2 },
  ]);
  assert.equal((await deliver(server.address, { botId, platform: 'line' }, body)).status, 200);
  await server.folded();
  const client = new insight.InsightClient({ channelAccessToken, baseURL: server.address });
  const followers = await client.getNumberOfFollowers(day.replaceAll('-', ''));
  assert.deepEqual(followers, { status: 'ready', followers: 2, targetedReaches: 1, blocks: 1 });
});

test('LINE’s client receives errors in LINE’s format', async (t) => {
  const server = await testServer(t, { insightRateLimit: 1 });
  const { channelAccessToken } = await connectedBot(server);
  const client = (token: string) =>
    new insight.InsightClient({ channelAccessToken: token, baseURL: server.address });
  const notAuthenticated = {
    message: 'Authentication failed. Confirm that the access token in the authorization header is valid.',
  };
  const wrong = client('some-other-token');
  for (const call of [
    () => wrong.getFriendsDemographics(),
    () => wrong.getNumberOfMessageDeliveries('20260301'),
    () => wrong.getNumberOfFollowers('20260301'),
    () => wrong.getMessageEvent(requestId),
    () => wrong.getStatisticsPerUnit('promotion_a', '20260201', '20260228'),
  ]) {
    assert.deepEqual(await failureOf(call()), [401, notAuthenticated]);
  }
  const lineClient = client(channelAccessToken);
  assert.deepEqual(await failureOf(lineClient.getNumberOfMessageDeliveries('20260230')), [
    400,
    { message: 'Bad Request' },
  ]);
  assert.deepEqual(await failureOf(lineClient.getNumberOfFollowers()), [
    400,
    { message: 'date is required' },
  ]);
  assert.deepEqual(await failureOf(lineClient.getMessageEvent(requestId)), [404, { message: 'Not found' }]);
  assert.deepEqual(await failureOf(lineClient.getStatisticsPerUnit('promotion_a', '20260201', '20260401')), [
    400,
    { message: null, key: null, stacktrace: null, code: null },
  ]);
  assert.deepEqual(await failureOf(lineClient.getNumberOfFollowers('20260301')), [
    429,
    { message: 'The API rate limit has been exceeded. Try again later.' },
  ]);
});
