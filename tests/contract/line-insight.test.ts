/**
 * The LINE Insight API against its contract: every operation with every response that LINE documents.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLineToken, listLineTokens, revokeLineToken } from '../../src/bots/line-tokens.ts';
import { addInteractions, type Interaction } from '../../src/line/interactions.ts';
import { importSnapshots } from '../../src/line/snapshots.ts';
import { Tally } from '../../src/rollups/counters.ts';
import { dayMs } from '../../src/time.ts';
import { recordSend } from '../harness/line-figures.ts';
import { seededBytes } from '../harness/random.ts';
import {
  contract,
  exampleAnswers,
  type InsightServer,
  insightServer,
  ownInsightServer,
} from './insight-server.ts';

const fourNulls = { message: null, key: null, stacktrace: null, code: null };
const requestId = 'f70dd685-499a-4231-a441-f24b8d4fba21';
const unitQuery = { customAggregationUnit: 'promotion_a', from: '20260201', to: '20260228' };
const queries: Record<string, Record<string, string>> = {
  getFriendsDemographics: {},
  getNumberOfMessageDeliveries: { date: '20260301' },
  getNumberOfFollowers: { date: '20260301' },
  getMessageEvent: { requestId },
  getStatisticsPerUnit: unitQuery,
};

function queryOf(operationId: string): Record<string, string> {
  const query = queries[operationId];
  assert.ok(query, operationId);
  return query;
}

function at(time: string): number {
  return Date.parse(`${time}+09:00`);
}

async function follow(
  server: InsightServer,
  changes: readonly [string, { followers?: number; blocks?: number }][],
) {
  const tally = new Tally('Asia/Taipei');
  for (const [time, change] of changes) tally.add('line', at(time), change);
  await tally.write(server.sql, server.botId);
}

function importEntries({ sql, botId, now }: InsightServer, entries: object[]) {
  return importSnapshots(sql, { botId, entries }, { now });
}

test('every example response of the contract is reproduced from its data', async () => {
  const server = await insightServer();
  const examples = await exampleAnswers();
  assert.deepEqual([...examples.keys()].sort(), contract.operations.map(({ id }) => id).sort());
  const value = (id: string) => examples.get(id);
  await importEntries(server, [
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
  ]);
  for (const [id, example] of examples) {
    const answer = await server.call(id, queryOf(id));
    assert.deepEqual({ status: answer.status, body: answer.body }, { status: 200, body: example }, id);
  }
});

test('without a token, with another scheme and with a wrong token every call returns 401 with LINE’s message', async () => {
  const server = await insightServer();
  for (const { id, path } of contract.operations) {
    const none = await server.call(id, queryOf(id), null);
    const noHeader = {
      message:
        "Authorization header required. Must follow the scheme, 'Authorization: Bearer <ACCESS TOKEN>'",
    };
    assert.deepEqual([none.status, none.body], [401, noHeader]);
    const basic = await server.app.inject({
      url: path,
      query: queryOf(id),
      headers: { authorization: 'Basic YTpi' },
    });
    assert.deepEqual([basic.statusCode, basic.json()], [401, noHeader]);
    // A caller without a token learns nothing about errors in the query.
    for (const query of [queryOf(id), { date: 'soon' }]) {
      const wrong = await server.call(id, query, 'not-a-token');
      assert.deepEqual(
        [wrong.status, wrong.body],
        [
          401,
          {
            message:
              'Authentication failed. Confirm that the access token in the authorization header is valid.',
          },
        ],
      );
    }
  }
});

test('missing or invalid dates return 400 with LINE’s message', async () => {
  const server = await insightServer();
  for (const id of ['getNumberOfFollowers', 'getNumberOfMessageDeliveries']) {
    const missing = await server.call(id);
    assert.deepEqual([missing.status, missing.body], [400, { message: 'date is required' }]);
    for (const date of [
      '',
      '2026-03-01',
      '20260230',
      '20261301',
      '2026030',
      '202603011',
      'yesterday',
      '２０２６０３０１',
    ]) {
      const wrong = await server.call(id, { date });
      assert.deepEqual([wrong.status, wrong.body], [400, { message: 'Bad Request' }], date);
    }
  }
  for (const query of [{}, { requestId: '' }]) {
    const { status, body } = await server.call('getMessageEvent', query);
    assert.deepEqual([status, body], [400, { message: 'Bad Request' }]);
  }
  const twice = await server.app.inject({
    url: '/v2/bot/insight/followers?date=20260301&date=20260302',
    headers: { authorization: `Bearer ${server.accessToken}` },
  });
  assert.deepEqual([twice.statusCode, twice.json()], [400, { message: 'Bad Request' }]);
});

test('every invalid call for a unit returns LINE’s four nulls', async () => {
  const server = await insightServer();
  const { customAggregationUnit, from, to } = unitQuery;
  const wrong: Record<string, string>[] = [
    {},
    { from, to },
    { customAggregationUnit, to },
    { customAggregationUnit, from },
    { ...unitQuery, customAggregationUnit: 'with-hyphen' },
    { ...unitQuery, customAggregationUnit: 'x'.repeat(31) },
    { ...unitQuery, from: '20260230' },
    { ...unitQuery, to: '20260131' },
    { ...unitQuery, to: '20260304' },
  ];
  for (const query of wrong) {
    const { status, body } = await server.call('getStatisticsPerUnit', query);
    assert.deepEqual([status, body], [400, fourNulls], JSON.stringify(query));
  }
  const longest = await server.call('getStatisticsPerUnit', { ...unitQuery, to: '20260303' });
  const none = {
    uniqueImpression: null,
    uniqueClick: null,
    uniqueMediaPlayed: null,
    uniqueMediaPlayed100Percent: null,
  };
  assert.deepEqual([longest.status, longest.body], [200, { overview: none, messages: [], clicks: [] }]);
});

test('an unknown request id, path or method returns LINE’s error format with an id', async () => {
  const server = await insightServer();
  const unknown = await server.call('getMessageEvent', { requestId: 'never-sent' });
  assert.deepEqual([unknown.status, unknown.body], [404, { message: 'Not found' }]);
  const path = await server.app.inject({ url: '/v2/bot/insight/nothing' });
  assert.deepEqual([path.statusCode, path.json()], [404, { message: 'Not found' }]);
  assert.ok(path.headers['x-line-request-id']);
  const method = await server.app.inject({ method: 'POST', url: '/v2/bot/insight/followers' });
  assert.deepEqual([method.statusCode, method.json()], [405, { message: 'Method not allowed' }]);
  assert.ok(method.headers['x-line-request-id']);
});

test('a server error is logged and not included in the response', async (t) => {
  const server = await ownInsightServer(t);
  await server.sql`alter table days rename to gone`;
  const { status, body } = await server.call('getNumberOfFollowers', { date: '20260301' });
  assert.deepEqual([status, body], [500, { message: 'Internal server error' }]);
  assert.match(JSON.stringify(server.logged), /a LINE call failed/);
});

test('a rate limit allows each channel a number of calls an hour at each address', async (t) => {
  const server = await ownInsightServer(t, { rateLimit: 3 });
  await server.addBot('second');
  const lineToken = await createLineToken(
    server.sql,
    server.botId,
    {},
    { now: server.now, random: seededBytes(2) },
  );
  const followers = async (token?: string) =>
    (await server.call('getNumberOfFollowers', { date: '20260301' }, token)).status;
  assert.deepEqual([await followers(), await followers(lineToken.token), await followers()], [200, 200, 200]);
  const refused = await server.call('getNumberOfFollowers', { date: '20260301' });
  assert.deepEqual(
    [refused.status, refused.body],
    [429, { message: 'The API rate limit has been exceeded. Try again later.' }],
  );
  assert.equal(await followers(lineToken.token), 429);
  assert.equal((await server.call('getNumberOfFollowers', {})).status, 429);
  assert.equal((await server.call('getNumberOfMessageDeliveries', { date: '20260301' })).status, 200);
  assert.equal(await followers('second'), 200);
  server.now += 20 * 60_000;
  assert.deepEqual([await followers(), await followers()], [200, 429]);
});

test('a token gives access to its own bot’s channel only, until it is replaced or revoked', async () => {
  const server = await insightServer();
  const second = await server.addBot('second');
  await follow(server, [['2026-02-01T12:00:00', { followers: 5 }]]);
  const followers = async (token: string) => {
    const { status, body } = await server.call('getNumberOfFollowers', { date: '20260301' }, token);
    return status === 200 ? body.followers : status;
  };
  const { token, tokenId } = await createLineToken(
    server.sql,
    server.botId,
    {},
    {
      now: server.now,
      random: seededBytes(3),
    },
  );
  assert.deepEqual(await Promise.all([followers(token), followers('second')]), [5, 0]);
  await assert.rejects(revokeLineToken(server.sql, { botId: second, tokenId, now: server.now }), {
    code: 'LINE_TOKEN_NOT_FOUND',
  });
  assert.equal(await followers(token), 5);
  for (const _ of [1, 2])
    await revokeLineToken(server.sql, { botId: server.botId, tokenId, now: server.now });
  assert.equal(await followers(token), 401);
  assert.deepEqual(
    [...(await listLineTokens(server.sql, server.botId))],
    [
      {
        ...{ tokenId, scope: 'insight', expiresAt: null },
        ...{ createdAt: new Date(server.now), revokedAt: new Date(server.now) },
      },
    ],
  );
  await server.setToken(server.botId, 'newer');
  assert.deepEqual(await Promise.all([followers('newer'), followers(server.accessToken)]), [5, 401]);
  // The same LINE channel set for another bot belongs to that bot from then on.
  server.now += 1;
  await server.setToken(second, 'newer');
  assert.deepEqual(await Promise.all([followers('newer'), followers('second')]), [0, 401]);
});

test('no token is stored in a usable form', async () => {
  const server = await insightServer();
  const { token } = await createLineToken(
    server.sql,
    server.botId,
    {},
    {
      now: server.now,
      random: seededBytes(4),
    },
  );
  const rows = await server.sql`select * from line_tokens where bot_id = ${server.botId}`;
  assert.equal(rows.length, 2);
  assert.ok(rows.every((row) => !Buffer.from(row.token_hash).equals(Buffer.from(token))));
  assert.doesNotMatch(JSON.stringify(rows), new RegExp(`${token}|channel-access-token`));
});

test('followers: counted figures at the end of the day in UTC+9, and the status of days without figures', async () => {
  const server = await insightServer();
  await follow(server, [
    ['2026-02-01T23:59:59', { followers: 30 }],
    ['2026-02-02T00:00:00', { followers: 2, blocks: 4 }],
    ['2026-02-03T12:00:00', { blocks: -3 }],
  ]);
  const on = async (date: string) => (await server.call('getNumberOfFollowers', { date })).body;
  assert.deepEqual(await on('20251231'), { status: 'out_of_service' });
  assert.deepEqual(await on('20260101'), { status: 'ready', followers: 0, targetedReaches: 0, blocks: 0 });
  assert.deepEqual(await on('20260201'), { status: 'ready', followers: 30, targetedReaches: 30, blocks: 0 });
  assert.deepEqual(await on('20260202'), { status: 'ready', followers: 32, targetedReaches: 28, blocks: 4 });
  assert.deepEqual(await on('20260314'), { status: 'ready', followers: 32, targetedReaches: 31, blocks: 1 });
  assert.deepEqual(await on('20260315'), { status: 'unready' });
  assert.deepEqual(await on('20270101'), { status: 'unready' });
  // The day in UTC+9 begins while it is still the previous day in Taipei.
  server.now = at('2026-03-16T00:00:00') - 1;
  assert.deepEqual(await on('20260315'), { status: 'unready' });
  server.now += 1;
  assert.deepEqual(await on('20260315'), { status: 'ready', followers: 32, targetedReaches: 31, blocks: 1 });
});

test('followers: LINE’s own figure of the day, carried forward over days that LINE has not reported', async () => {
  const server = await insightServer();
  await follow(server, [
    ['2026-02-01T10:00:00', { followers: 9, blocks: 1 }],
    ['2026-02-02T10:00:00', { followers: 3, blocks: 2 }],
    ['2026-02-03T10:00:00', { blocks: -2 }],
  ]);
  const value = { status: 'ready', followers: 7620, targetedReaches: 5848, blocks: 1 };
  await importEntries(server, [
    { kind: 'followers', day: '20260201', value },
    { kind: 'followers', day: '20260202', value: { status: 'unready', followers: null, blocks: null } },
  ]);
  const on = async (date: string) => (await server.call('getNumberOfFollowers', { date })).body;
  assert.deepEqual(await on('20260131'), { status: 'ready', followers: 0, targetedReaches: 0, blocks: 0 });
  assert.deepEqual(await on('20260201'), value);
  assert.deepEqual(await on('20260202'), {
    status: 'ready',
    followers: 7623,
    targetedReaches: 7620,
    blocks: 3,
  });
  assert.deepEqual(await on('20260203'), {
    status: 'ready',
    followers: 7623,
    targetedReaches: 7622,
    blocks: 1,
  });
});

test('a day reported by LINE is read once, and again after a snapshot changes', async () => {
  const server = await insightServer();
  const reported = { status: 'ready', followers: 7620, targetedReaches: 5848, blocks: 1 };
  const corrected = { ...reported, followers: 7621 };
  const entries = (value: object) => [{ kind: 'followers', day: '20260201', value }];
  const followers = async () =>
    (await server.call('getNumberOfFollowers', { date: '20260201' })).body.followers;
  await importEntries(server, entries(reported));
  assert.equal(await followers(), 7620);
  await server.sql`update snapshots set value = ${server.sql.json(corrected)} where bot_id = ${server.botId}`;
  assert.equal(await followers(), 7620);
  await importEntries(server, entries(corrected));
  assert.equal(await followers(), 7621);
});

test('a channel exists from its first event or LINE’s first ready snapshot', async () => {
  const server = await insightServer();
  await follow(server, [['2025-06-01T10:00:00', { followers: 1 }]]);
  await importEntries(server, [
    {
      kind: 'delivery',
      day: '20250301',
      value: { status: 'ready', broadcast: 7, chat: null, stepMessage: 2 },
    },
    {
      kind: 'followers',
      day: '20250301',
      value: { status: 'ready', followers: 50, targetedReaches: null, blocks: 5 },
    },
  ]);
  const on = async (id: string, date: string) => (await server.call(id, { date })).body;
  assert.deepEqual(await on('getNumberOfMessageDeliveries', '20250301'), { status: 'ready', broadcast: 7 });
  assert.deepEqual(await on('getNumberOfFollowers', '20250301'), {
    status: 'ready',
    followers: 50,
    blocks: 5,
  });
  assert.deepEqual(await on('getNumberOfFollowers', '20250302'), {
    ...{ status: 'ready', followers: 50, targetedReaches: 45, blocks: 5 },
  });
  assert.deepEqual(await on('getNumberOfMessageDeliveries', '20250531'), { status: 'ready' });
  for (const id of ['getNumberOfFollowers', 'getNumberOfMessageDeliveries'])
    assert.deepEqual(await on(id, '20250228'), { status: 'out_of_service' });
  assert.deepEqual(await on('getNumberOfMessageDeliveries', '20250601'), { status: 'ready' });
  assert.equal((await on('getNumberOfFollowers', '20250601')).followers, 51);
});

test('dates before LINE had figures are out of service, even if events exist', async () => {
  const server = await insightServer();
  await follow(server, [['2015-06-01T10:00:00', { followers: 1 }]]);
  const status = async (id: string, date: string) => (await server.call(id, { date })).body.status;
  assert.equal(await status('getNumberOfFollowers', '20161031'), 'out_of_service');
  assert.equal(await status('getNumberOfFollowers', '20161101'), 'ready');
  assert.equal(await status('getNumberOfMessageDeliveries', '20170228'), 'out_of_service');
  assert.equal(await status('getNumberOfMessageDeliveries', '20170301'), 'ready');
});

test('deliveries: the sends of the gateway that day by kind and recipient, without unknown figures', async () => {
  const server = await insightServer();
  const send = (
    id: string,
    kind: 'push' | 'multicast' | 'broadcast' | 'reply',
    recipients: number | null,
    time: string,
  ) =>
    recordSend(server.sql, server.botId, { requestId: id, kind, unit: null, recipients, sentAt: at(time) });
  await send('1', 'push', 1, '2026-03-01T00:00:00');
  for (const _ of [1, 2]) await send('2', 'push', 1, '2026-03-01T23:59:59.999');
  await send('3', 'multicast', 150, '2026-03-01T12:00:00');
  await send('4', 'broadcast', null, '2026-03-01T12:00:00');
  await send('5', 'reply', 1, '2026-03-02T00:00:00');
  const on = async (date: string) => (await server.call('getNumberOfMessageDeliveries', { date })).body;
  assert.deepEqual(await on('20260228'), { status: 'ready' });
  assert.deepEqual(await on('20260301'), { status: 'ready', apiPush: 2, apiMulticast: 150 });
  assert.deepEqual(await on('20260302'), { status: 'ready', apiReply: 1 });
  const overview = { requestId: '4', timestamp: at('2026-03-01T12:00:00') / 1_000, delivered: 320 };
  await importEntries(server, [
    { kind: 'message-event', requestId: '4', value: { overview, messages: [], clicks: [] } },
  ]);
  assert.deepEqual(await on('20260301'), {
    status: 'ready',
    apiBroadcast: 320,
    apiPush: 2,
    apiMulticast: 150,
  });
  const value = { status: 'ready', broadcast: 1, apiPush: 3 };
  await importEntries(server, [{ kind: 'delivery', day: '20260301', value }]);
  assert.deepEqual(await on('20260301'), value);
});

test('demographics: missing, not available, and the latest one in LINE’s format', async () => {
  const server = await insightServer();
  const none = { available: false, genders: [], ages: [], areas: [], appTypes: [], subscriptionPeriods: [] };
  const demographics = async () => (await server.call('getFriendsDemographics')).body;
  assert.deepEqual(await demographics(), none);
  await importEntries(server, [{ kind: 'demographic', day: '20260301', value: { available: false } }]);
  assert.deepEqual(await demographics(), none);
  const ages = [
    { age: 'from50', percentage: 30.3 },
    { age: 'from50to54', percentage: 20.1 },
    { age: 'from55to59', percentage: 10.2 },
    { age: 'unknown', percentage: 69.7 },
  ];
  const areas = [
    { area: '新北市', percentage: 60 },
    { area: '台北市', percentage: 40 },
  ];
  const value = { available: true, genders: [], ages, areas, appTypes: [], subscriptionPeriods: [] };
  await importEntries(server, [{ kind: 'demographic', day: '20260302', value }]);
  assert.deepEqual(await demographics(), value);
});

/** The same interaction for a number of people, each a number of times. */
function crowd(
  people: number,
  interaction: Partial<Interaction> & Pick<Interaction, 'kind'>,
  { times = 1, from = 0 } = {},
): Interaction[] {
  return Array.from({ length: people * times }, (_, index) => ({
    requestId,
    seq: 1,
    url: '',
    person: `U${from + (index % people)}`,
    at: at('2026-03-01T13:00:00'),
    ...interaction,
  }));
}

async function addSend(server: InsightServer, id = requestId, kind: 'broadcast' | 'push' = 'broadcast') {
  await recordSend(server.sql, server.botId, {
    requestId: id,
    kind,
    unit: kind === 'push' ? 'promotion_a' : null,
    recipients: 320,
    sentAt: at('2026-03-01T12:00:00'),
  });
}

function interact(server: InsightServer, interactions: Interaction[]) {
  return server.sql.begin((tx) => addInteractions(tx, server.botId, interactions));
}

const noMedia = {
  mediaPlayed: null,
  mediaPlayed25Percent: null,
  mediaPlayed50Percent: null,
  mediaPlayed75Percent: null,
  mediaPlayed100Percent: null,
  uniqueMediaPlayed: null,
  uniqueMediaPlayed25Percent: null,
  uniqueMediaPlayed50Percent: null,
  uniqueMediaPlayed75Percent: null,
  uniqueMediaPlayed100Percent: null,
};

test('message event: each person counts once, and figures of fewer than 20 people are null', async () => {
  const server = await insightServer();
  await addSend(server);
  const [first, second] = ['https://line.me/', 'https://www.linebiz.com/'];
  await interact(server, [
    ...crowd(82, { kind: 'impression' }),
    ...crowd(54, { kind: 'impression' }),
    ...crowd(19, { kind: 'impression', seq: 2 }, { times: 5 }),
    ...crowd(19, { kind: 'media-play' }, { times: 2 }),
    ...crowd(30, { kind: 'click', url: first }),
    ...crowd(11, { kind: 'click', url: first }),
    ...crowd(38, { kind: 'click', url: second }, { from: 13 }),
    ...crowd(19, { kind: 'click', url: second, seq: 2 }, { from: 45 }),
  ]);
  // The same people again, in another transaction.
  await interact(server, crowd(21, { kind: 'click', url: second }, { from: 13 }));
  const { body } = await server.call('getMessageEvent', { requestId });
  assert.deepEqual(body, {
    overview: {
      requestId,
      timestamp: at('2026-03-01T12:00:00') / 1_000,
      delivered: 320,
      uniqueImpression: 82,
      uniqueClick: 64,
      uniqueMediaPlayed: null,
      uniqueMediaPlayed100Percent: null,
    },
    messages: [
      { seq: 1, impression: 136, ...noMedia },
      { seq: 2, impression: null, ...noMedia },
    ],
    clicks: [
      { seq: 1, url: first, click: 41, uniqueClick: 30, uniqueClickOfRequest: 30 },
      { seq: 1, url: second, click: 59, uniqueClick: 38, uniqueClickOfRequest: 51 },
      { seq: 2, url: second, click: null, uniqueClick: null, uniqueClickOfRequest: 51 },
    ],
  });
});

test('message event: LINE’s statistics are served once stored, with Shoal’s clicks where LINE has none', async () => {
  const server = await insightServer();
  await addSend(server);
  const end = at('2026-03-01T12:00:00') + 14 * dayMs;
  server.now = end - 1;
  await interact(server, crowd(20, { kind: 'impression', at: end - 1 }));
  assert.equal(await interact(server, crowd(5, { kind: 'impression', at: end }, { from: 20 })), 0);
  assert.equal(await interact(server, crowd(1, { kind: 'impression', requestId: 'unknown' })), 0);
  const overview = {
    requestId,
    timestamp: at('2026-03-01T12:00:00') / 1_000,
    delivered: null,
    uniqueImpression: 99,
  };
  await importEntries(server, [
    { kind: 'message-event', requestId, value: { overview, messages: [], clicks: [] } },
  ]);
  const answer = async () => (await server.call('getMessageEvent', { requestId })).body;
  const { delivered: _, ...withoutDelivered } = overview;
  assert.deepEqual(await answer(), { overview: withoutDelivered, messages: [], clicks: [] });
  const url = 'https://line.me/';
  await interact(server, crowd(19, { kind: 'click', url }));
  const hidden = { seq: 1, url, click: null, uniqueClick: null, uniqueClickOfRequest: null };
  assert.deepEqual(await answer(), { overview: withoutDelivered, messages: [], clicks: [hidden] });
  await interact(server, crowd(21, { kind: 'click', url }));
  const ownClicks = { seq: 1, url, click: 40, uniqueClick: 21, uniqueClickOfRequest: 21 };
  const withClicks = { ...withoutDelivered, uniqueClick: 21 };
  assert.deepEqual(await answer(), { overview: withClicks, messages: [], clicks: [ownClicks] });
  const clicks = [{ ...ownClicks, click: 50, uniqueClick: 30, uniqueClickOfRequest: 30 }];
  const value = { overview: { ...overview, uniqueClick: 30 }, messages: [], clicks };
  await importEntries(server, [{ kind: 'message-event', requestId, value }]);
  assert.deepEqual(await answer(), {
    ...{ overview: { ...withoutDelivered, uniqueClick: 30 }, messages: [], clicks },
  });
  server.now = end;
  assert.deepEqual((await answer()).clicks, clicks);
});

test('message event: a send outside of the gateway has LINE’s statistics at once', async () => {
  const server = await insightServer();
  const overview = { requestId, timestamp: at('2026-03-15T11:00:00') / 1_000, delivered: 5 };
  await importEntries(server, [
    { kind: 'message-event', requestId, value: { overview, messages: [], clicks: [] } },
  ]);
  const { body } = await server.call('getMessageEvent', { requestId });
  assert.deepEqual(body, { overview, messages: [], clicks: [] });
});

test('statistics per unit: each person counts once over the pushes and multicasts of the days', async () => {
  const server = await insightServer();
  const url = 'https://developers.line.biz/';
  const sends: [string, 'push' | 'multicast' | 'broadcast', string, string][] = [
    ['before', 'push', 'promotion_a', '2026-02-28T23:59:59'],
    ['first', 'push', 'promotion_a', '2026-03-01T00:00:00'],
    ['last', 'multicast', 'promotion_a', '2026-03-02T23:59:59'],
    ['after', 'push', 'promotion_a', '2026-03-03T00:00:00'],
    ['case', 'push', 'Promotion_a', '2026-03-01T12:00:00'],
    ['broadcast', 'broadcast', 'promotion_a', '2026-03-01T12:00:00'],
  ];
  for (const [id, kind, unit, time] of sends) {
    await recordSend(server.sql, server.botId, {
      requestId: id,
      kind,
      unit,
      recipients: 50,
      sentAt: at(time),
    });
    await interact(server, [
      ...crowd(15, { requestId: id, kind: 'impression' }, { from: id === 'last' ? 10 : 0 }),
      ...crowd(15, { requestId: id, kind: 'click', url }, { from: id === 'last' ? 10 : 0 }),
      ...crowd(10, { requestId: id, kind: 'media-play-100', seq: 2 }),
    ]);
  }
  const query = { customAggregationUnit: 'promotion_a', from: '20260301', to: '20260302' };
  const { body } = await server.call('getStatisticsPerUnit', query);
  assert.deepEqual(body, {
    overview: {
      uniqueImpression: 25,
      uniqueClick: 25,
      uniqueMediaPlayed: null,
      uniqueMediaPlayed100Percent: null,
    },
    messages: [
      { seq: 1, impression: 30, uniqueImpression: 25, ...noMedia },
      { seq: 2, impression: null, uniqueImpression: null, ...noMedia },
    ],
    clicks: [{ seq: 1, url, click: 30, uniqueClick: 25, uniqueClickOfRequest: 25 }],
  });
  const value = { overview: { uniqueImpression: 77 }, messages: [], clicks: [] };
  await importEntries(server, [
    { kind: 'unit', unit: 'promotion_a', from: '20260301', to: '20260302', value },
  ]);
  const withLine = (await server.call('getStatisticsPerUnit', query)).body;
  assert.deepEqual(withLine.overview, { uniqueImpression: 77, uniqueClick: 25 });
  assert.deepEqual(withLine.clicks, body.clicks);
});

test('a rejected import of statistics names each invalid entry and stores nothing', async () => {
  const server = await insightServer();
  const value = { overview: {}, messages: [], clicks: [] };
  const entries = [
    { kind: 'message-event', requestId, value },
    { kind: 'message-event', value },
    { kind: 'unit', unit: 'a-b', from: '20260301', to: '20260302', value },
    { kind: 'unit', unit: 'a', from: '20260301', to: '20260401', value },
    { kind: 'message-event', requestId, value: { overview: {}, messages: null, clicks: [] } },
    { kind: 'friends', day: '20260301', value },
  ];
  await assert.rejects(importEntries(server, entries), (error: Error) => {
    for (const index of [1, 2, 3, 4, 5]) assert.match(error.message, new RegExp(`index ${index}`));
    assert.doesNotMatch(error.message, /index 0/);
    return true;
  });
  const { status } = await server.call('getMessageEvent', { requestId });
  assert.equal(status, 404);
});
