/** The Insight calls and counters with LINE's official client: readiness, null rules, rate limits, and LINE's messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HTTPFetchError, insight } from '@line/bot-sdk';
import { addDays } from '../../src/time.ts';
import { lineClient, testLineSimulator } from '../../tests/harness/line-simulator.ts';

const hello = [{ type: 'text' as const, text: 'Look: https://example.com/a and https://example.com/b' }];
const compact = (day: string) => day.replaceAll('-', '');

async function errorOf(call: Promise<unknown>): Promise<[number, unknown]> {
  const error = await call.then(
    () => assert.fail('the call was answered'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof HTTPFetchError, String(error));
  return [error.status, JSON.parse(error.body)];
}

test('a day is ready at 10:00 of the next, UTC+9, with the true figures', async (t) => {
  const simulator = await testLineSimulator(t);
  const client = lineClient(simulator);
  await client.broadcast({ messages: hello });
  const today = '20260318';
  const unready = { status: 'unready', followers: null, targetedReaches: null, blocks: null };
  await simulator.control.run({ until: '2026-03-19T09:59:59+09:00' });
  assert.deepEqual(await client.getNumberOfFollowers(today), unready);
  assert.deepEqual(await client.getNumberOfMessageDeliveries(today), { status: 'unready' });
  assert.deepEqual(await client.getNumberOfSentBroadcastMessages(today), { status: 'unready' });
  await simulator.control.run({ seconds: 1 });
  const truth = simulator.control.truth().days.find(({ day }) => compact(day) === today);
  const { followers, blocks } = await client.getNumberOfFollowers(today);
  assert.deepEqual({ followers, blocks }, { followers: truth?.followers, blocks: truth?.blocks });
  const deliveries = await client.getNumberOfMessageDeliveries(today);
  assert.deepEqual(deliveries, { status: 'ready', ...truth?.messagesOut });
  const broadcast = await client.getNumberOfSentBroadcastMessages(today);
  assert.deepEqual(broadcast, { status: 'ready', success: truth?.messagesOut.apiBroadcast });
  assert.deepEqual(await client.getNumberOfSentReplyMessages(today), { status: 'ready', success: 0 });
  simulator.control.set({ readyAfterHours: 100 });
  assert.deepEqual(await client.getNumberOfFollowers(today), unready);
});

test('days before the account’s first are out of service, and every later day has figures', async (t) => {
  const simulator = await testLineSimulator(t, { callsPerHour: null });
  const client = lineClient(simulator);
  const { firstDay, days } = simulator.control.truth();
  const before = compact(addDays(firstDay, -1));
  assert.equal((await client.getNumberOfFollowers(before)).status, 'out_of_service');
  assert.equal((await client.getNumberOfMessageDeliveries(before)).status, 'out_of_service');
  assert.equal((await client.getNumberOfSentPushMessages(before)).status, 'out_of_service');
  let last = 0;
  for (const { day, followers, blocks } of days.slice(0, -1)) {
    const answer = await client.getNumberOfFollowers(compact(day));
    assert.deepEqual([answer.followers, answer.blocks], [followers, blocks], day);
    assert.ok(followers >= last, 'followers never decrease');
    last = followers;
  }
  assert.ok(last > 30 && last < 100, String(last));
});

test('errors have LINE’s messages', async (t) => {
  const simulator = await testLineSimulator(t);
  const client = lineClient(simulator);
  const get = async (path: string, authorization = `Bearer ${simulator.credentials.accessToken}`) => {
    const response = await fetch(simulator.address + path, {
      headers: authorization === '' ? {} : { authorization },
    });
    assert.match(response.headers.get('x-line-request-id') ?? '', /^[0-9a-f-]{36}$/);
    return [response.status, await response.json()];
  };
  assert.deepEqual(await get('/v2/bot/insight/followers'), [400, { message: 'date is required' }]);
  assert.deepEqual(await get('/v2/bot/insight/message/delivery'), [400, { message: 'Bad Request' }]);
  assert.deepEqual(await errorOf(client.getNumberOfFollowers('20260230')), [400, { message: 'Bad Request' }]);
  const date = { message: "The value for the 'date' parameter is invalid" };
  assert.deepEqual(await errorOf(client.getNumberOfSentPushMessages('tomorrow')), [400, date]);
  assert.deepEqual(await errorOf(client.getMessageEvent(crypto.randomUUID())), [
    404,
    { message: 'Not found' },
  ]);
  const nulls = { message: null, key: null, stacktrace: null, code: null };
  const unit = client.getStatisticsPerUnit('spring', '20260301', '20260401');
  assert.deepEqual(await errorOf(unit), [400, nulls]);
  assert.deepEqual(await get('/v2/bot/insight/followers?date=20260301', ''), [
    401,
    {
      message:
        "Authorization header required. Must follow the scheme, 'Authorization: Bearer <ACCESS TOKEN>'",
    },
  ]);
  const stranger = new insight.InsightClient({ channelAccessToken: 'another', baseURL: simulator.address });
  assert.deepEqual(await errorOf(stranger.getFriendsDemographics()), [
    401,
    { message: 'Authentication failed. Confirm that the access token in the authorization header is valid.' },
  ]);
  assert.deepEqual(await get('/v2/bot/nothing'), [404, { message: 'Not found' }]);
});

test('values of fewer than 20 people are null, and actions after 14 days are not counted', async (t) => {
  const simulator = await testLineSimulator(t, { people: 150 });
  const client = lineClient(simulator);
  const { httpResponse } = await client.broadcastWithHttpInfo({ messages: hello });
  const requestId = httpResponse.headers.get('x-line-request-id') ?? '';
  const first = await client.getMessageEvent(requestId);
  const recipients = simulator.control.truth().sends[0]?.recipients ?? [];
  assert.equal(first.overview?.delivered, recipients.length);
  assert.equal(first.overview?.uniqueImpression, null);
  assert.equal(first.clicks?.[0]?.click, null);
  await simulator.control.run({ days: 13, hours: 23 });
  const late = await client.getMessageEvent(requestId);
  const truth = simulator.control.truth().sends[0];
  assert.equal(late.overview?.uniqueImpression, truth?.uniqueImpressions);
  assert.equal(late.messages?.[0]?.impression, truth?.impressions);
  const [click] = late.clicks ?? [];
  const { url, clicks, people } = truth?.clicks[0] ?? {};
  assert.deepEqual([click?.url, click?.click, click?.uniqueClick], [url, clicks, people]);
  assert.ok((people ?? 0) >= 20 && (clicks ?? 0) > (people ?? 0), `${people} people, ${clicks} clicks`);
  const frozen = await client.getMessageEvent(requestId);
  await simulator.control.run({ days: 10 });
  const after = await client.getMessageEvent(requestId);
  const gain = (after.messages?.[0]?.impression ?? 0) - (frozen.messages?.[0]?.impression ?? 0);
  const impressions = simulator.control.truth().sends[0]?.impressions ?? 0;
  assert.ok(gain <= 2, `${gain} in the last hour`);
  assert.ok(impressions > (after.messages?.[0]?.impression ?? 0), 'people still view it');
});

test('counts are null up to 19 people; a video counts by the percentages played', async (t) => {
  const simulator = await testLineSimulator(t, { people: 100 });
  const client = lineClient(simulator);
  const media = {
    originalContentUrl: 'https://example.com/v.mp4',
    previewImageUrl: 'https://example.com/v.jpg',
  };
  const { httpResponse } = await client.broadcastWithHttpInfo({ messages: [{ type: 'video', ...media }] });
  const requestId = httpResponse.headers.get('x-line-request-id') ?? '';
  const { recipients } = simulator.control.truth().sends[0] ?? { recipients: [] };
  // The same instant, before any other person has viewed it.
  const play = async (userId: string, percent: 0 | 25) =>
    simulator.control.interact({ requestId, userId, kind: 'play', percent });
  for (const userId of recipients.slice(0, 19)) for (let time = 0; time < 2; time += 1) await play(userId, 0);
  const statistics = async () => (await client.getMessageEvent(requestId)).messages?.[0];
  assert.deepEqual(
    [(await statistics())?.mediaPlayed, (await statistics())?.uniqueMediaPlayed],
    [null, null],
  );
  await play(recipients[19] ?? '', 0);
  await play(recipients[19] ?? '', 25);
  assert.deepEqual([(await statistics())?.mediaPlayed, (await statistics())?.uniqueMediaPlayed], [39, 20]);
  assert.deepEqual((await statistics())?.mediaPlayed25Percent, null);
});

test('a unit sums its pushes and multicasts of the requested days', async (t) => {
  const simulator = await testLineSimulator(t, { people: 150 });
  const client = lineClient(simulator);
  const { userIds } = await client.getFollowers(undefined, 1_000);
  const units = { customAggregationUnits: ['spring'] };
  await client.multicast({ to: userIds, messages: hello, ...units });
  await client.pushMessage({ to: userIds[0] ?? '', messages: hello, ...units });
  await client.multicast({ to: userIds, messages: hello });
  await simulator.control.run({ days: 14 });
  const statistics = await client.getStatisticsPerUnit('spring', '20260318', '20260318');
  const [multicast, push] = simulator.control.truth().sends;
  const impressions = (multicast?.impressions ?? 0) + (push?.impressions ?? 0);
  const [bubble] = statistics.messages;
  assert.ok(
    Math.abs((bubble?.impression ?? 0) - impressions) <= 2,
    `${bubble?.impression} of ${impressions}`,
  );
  assert.ok((bubble?.impression ?? 0) > (multicast?.recipients.length ?? 0) / 2);
  assert.ok((bubble?.uniqueImpression ?? 0) >= 20);
  const nothing = await client.getStatisticsPerUnit('Spring', '20260318', '20260318');
  const nulls = {
    uniqueImpression: null,
    uniqueClick: null,
    uniqueMediaPlayed: null,
    uniqueMediaPlayed100Percent: null,
  };
  assert.deepEqual(nothing, { overview: nulls, messages: [], clicks: [] });
});

test('demographics are those of the friends, and not available for few friends', async (t) => {
  const simulator = await testLineSimulator(t, { people: 300 });
  const {
    genders = [],
    ages = [],
    subscriptionPeriods = [],
  } = await lineClient(simulator).getFriendsDemographics();
  const sum = (list: readonly { percentage?: number }[]) =>
    list.reduce((total, { percentage = 0 }) => total + percentage, 0);
  assert.ok(Math.abs(sum(genders) - 100) < 1, JSON.stringify(genders));
  const shares = genders.map(({ percentage = 0 }) => percentage);
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => b - a),
  );
  const parts = ages.filter(({ age }) => /^from(5[05]to|6|70)/.test(age ?? ''));
  const over50 = ages.find(({ age }) => age === 'from50')?.percentage ?? 0;
  assert.equal(over50.toFixed(1), sum(parts).toFixed(1));
  assert.ok(subscriptionPeriods.length >= 2);
  const few = await testLineSimulator(t, { people: 10 });
  assert.equal((await lineClient(few).getFriendsDemographics()).available, false);
});

test('each operation allows 60 calls per hour, in a bucket that fills evenly', async (t) => {
  const simulator = await testLineSimulator(t);
  const client = lineClient(simulator);
  const limit = { message: 'The API rate limit has been exceeded. Try again later.' };
  for (let call = 0; call < 60; call += 1) await client.getNumberOfFollowers('20260301');
  assert.deepEqual(await errorOf(client.getNumberOfFollowers('20260302')), [429, limit]);
  assert.ok(await client.getNumberOfMessageDeliveries('20260301'), 'each operation has its own bucket');
  await simulator.control.run({ seconds: 59 });
  assert.equal((await errorOf(client.getNumberOfFollowers('20260302')))[0], 429);
  await simulator.control.run({ seconds: 1 });
  assert.ok(await client.getNumberOfFollowers('20260302'));
  assert.equal((await errorOf(client.getNumberOfFollowers('20260302')))[0], 429);
  simulator.control.set({ callsPerHour: null });
  for (let call = 0; call < 100; call += 1) await client.getNumberOfFollowers('20260301');
});

test('profiles, followers in pages, and the bot itself', async (t) => {
  const simulator = await testLineSimulator(t);
  const client = lineClient(simulator);
  const info = await client.getBotInfo();
  assert.equal(info.userId, simulator.credentials.destination);
  const all: string[] = [];
  for (let start: string | undefined, more = true; more; more = start !== undefined) {
    const page = await client.getFollowers(start, 7);
    all.push(...page.userIds);
    start = page.next;
  }
  const { followers, blocks } = simulator.control.truth();
  assert.equal(new Set(all).size, followers - blocks);
  const userId = all[0] ?? '';
  assert.equal((await client.getProfile(userId)).userId, userId);
  await simulator.control.act({ action: 'block', userId });
  assert.deepEqual(await errorOf(client.getProfile(userId)), [404, { message: 'Not found' }]);
  assert.equal((await errorOf(client.getProfile('me')))[0], 400);
  assert.equal((await client.getFollowers(undefined, 1_000)).userIds.includes(userId), false);
  const { next } = await client.getFollowers(undefined, 7);
  await simulator.control.run({ hours: 25 });
  assert.deepEqual(await errorOf(client.getFollowers(next, 7)), [400, { message: 'Invalid start param' }]);
  simulator.control.set({ isVerified: false });
  const message = 'Access to this API is not available for your account';
  assert.deepEqual(await errorOf(client.getFollowers()), [403, { message }]);
});
