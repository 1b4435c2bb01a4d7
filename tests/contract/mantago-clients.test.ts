/**
 * MantaGo's calls about clients: list, profile, rewards, statistics, binding. `call` checks every response against the
 * contract, with no additional property.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setChannel } from '../../src/bots/set-channel.ts';
import { isObject } from '../../src/json.ts';
import { createGift, type GiftKind } from '../../src/rewards/gifts.ts';
import { grantGift, redeemGift } from '../../src/rewards/grants.ts';
import { addTags, setLifeCycle } from '../../src/tags/tags.ts';
import { dayMs } from '../../src/time.ts';
import { putSnapshot } from '../harness/line-figures.ts';
import { seededBytes } from '../harness/random.ts';
import { type Answer, type Call, errorOf, type MantagoServer, mantagoServer } from './mantago-server.ts';

const unknownClient = { status: 404, code: 37_011, message: 'Get client failed' };
const random = seededBytes(1);

function variables(problem: string) {
  return { status: 404, code: 110_000, message: `Get correct request variables failed: ${problem}` };
}

const at = (text: string) => new Date(`2026-03-${text}Z`);

/** Five contacts, added one by one; Second is a second id of Cleo. */
async function shop(): Promise<MantagoServer> {
  const server = await mantagoServer();
  const { sql, bot } = server;
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, merged_into, blocked, created_at) values
      (${bot.botId}, 'Ada', 'line', 'U1', null, true, ${at('01T10:00:00')}),
      (${bot.botId}, 'Ben', 'line', 'U2', null, false, ${at('02T10:00:00')}),
      (${bot.botId}, 'Cleo', 'whatsapp', '886900000003', null, false, ${at('03T10:00:00')}),
      (${bot.botId}, 'Second', 'whatsapp', 'cleo.user', 'Cleo', false, ${at('03T11:00:00')}),
      (${bot.botId}, 'Dora', 'facebook', '4', null, false, ${at('04T10:00:00')}),
      (${bot.botId}, 'Emil', 'instagram', '4', null, false, ${at('04T10:00:00')})`;
  return server;
}

function clientsIn({ body }: Answer): Record<string, unknown>[] {
  const { clientList } = body;
  assert.ok(isObject(clientList) && Array.isArray(clientList.list), JSON.stringify(body));
  return clientList.list;
}

function nextIn({ body }: Answer): string {
  assert.ok(isObject(body.clientList));
  return String(body.clientList.next);
}

test('the list and the profile return the published message', async () => {
  const server = await shop();
  for (const [id, call] of [
    ['listClients', {}],
    ['getClient', { params: { clientId: 'Ada' } }],
  ] as const)
    assert.equal((await server.call(id, call)).body.message, 'Operation completed successfully', id);
});

test('a client shows its known attributes in the documented fields, and no others', async () => {
  const server = await shop();
  const { sql, bot, now } = server;
  await sql`
    insert into contact_profiles (bot_id, contact_id, customer_id, name, headshot, remark, user_name, user_email, user_phone,
      user_birthday, user_address, updated_at)
    values (${bot.botId}, 'Ada', 'cust_12345', 'John Doe', 'https://example.com/john.jpg', 'VIP customer', 'John',
      'john@example.com', '+886912345678', '1990-01-01', '台北市信義區', ${at('05T00:00:00')})`;
  await sql`
    insert into events (bot_id, platform, key, kind, contact_id, happened_at, received_at) values
      (${bot.botId}, 'line', '1', 'message-in', 'Ada', ${at('06T01:00:00')}, now()),
      (${bot.botId}, 'line', '2', 'postback', 'Ada', ${at('06T02:00:00.5')}, now()),
      (${bot.botId}, 'line', '3', 'message-out', 'Ada', ${at('06T03:00:00')}, now()),
      (${bot.botId}, 'line', '4', 'status', 'Ada', ${at('06T04:00:00')}, now())`;
  for (const kind of ['manual', 'personal', 'automatic'] as const) {
    const tags = [{ contactId: 'Ada', tag: `${kind} tag` }];
    await sql.begin((tx) => addTags(tx, { botId: bot.botId, kind, tags }, { now, random }));
  }
  const createdAt = new Date(now).toISOString();
  const ada = {
    clientId: 'U1',
    clientName: 'John Doe',
    clientHeadshot: 'https://example.com/john.jpg',
    platform: 'line',
    remark: 'VIP customer',
    isBlock: true,
    customerId: 'cust_12345',
    userName: 'John',
    userEmail: 'john@example.com',
    userPhone: '+886912345678',
    userBirthday: '1990-01-01',
    userAddress: '台北市信義區',
    createdAt: '2026-03-01T10:00:00.000Z',
    updatedAt: '2026-03-05T00:00:00.000Z',
    lastInteractAt: '2026-03-06T02:00:00.500Z',
    autoTags: [{ name: 'automatic tag', createdAt }],
    tags: [{ name: 'manual tag', createdAt }],
    tourTags: [],
  };
  const ways: Call[] = [
    { params: { clientId: 'Ada' } },
    { params: { clientId: 'U1' } },
    { params: { clientId: '' }, query: { platform: 'line', platformClientId: 'U1' } },
    { params: { clientId: 'unknown' }, query: { platform: 'line', platformClientId: 'U1' } },
  ];
  for (const base of ['/api', '']) {
    for (const way of ways)
      assert.deepEqual((await server.call('getClient', { base, ...way })).body.client, ada);
  }
  const listed = clientsIn(await server.call('listClients', { query: { customerId: 'cust_12345' } }));
  assert.deepEqual(listed, [ada]);
  const { body } = await server.call('getClient', { params: { clientId: 'Ben' } });
  assert.deepEqual(body.client, {
    clientId: 'U2',
    platform: 'line',
    isBlock: false,
    createdAt: '2026-03-02T10:00:00.000Z',
    updatedAt: '2026-03-02T10:00:00.000Z',
    autoTags: [],
    tags: [],
    tourTags: [],
  });
});

test('both ids of a person identify one client, and an id of several platforms alone identifies none', async () => {
  const server = await shop();
  for (const clientId of ['Second', 'Cleo', 'cleo.user', '886900000003']) {
    const { body } = await server.call('getClient', { params: { clientId } });
    assert.equal(Object(body.client).clientId, '886900000003');
  }
  assert.deepEqual(errorOf(await server.call('getClient', { params: { clientId: '4' } })), unknownClient);
  const query = { platform: 'instagram', platformClientId: '4' };
  const { body } = await server.call('getClient', { params: { clientId: '' }, query });
  assert.equal(Object(body.client).platform, 'instagram');
});

test('profile and rewards reject a missing or unknown client', async () => {
  const server = await shop();
  const other = await server.addBot();
  await server.sql`
    update contacts set bot_id = ${other.botId} where bot_id = ${server.bot.botId} and contact_id = 'Ben'`;
  const refused = async (call: Call) => [
    errorOf(await server.call('getClient', { params: { clientId: '' }, ...call })),
    errorOf(await server.call('getClientGifts', call)),
  ];
  const twice = (error: unknown) => [error, error];
  const missing = variables('clientId is missing; else platform and platformClientId are needed');
  const together = 'platform and platformClientId go together';
  assert.deepEqual(await refused({}), twice(missing));
  assert.deepEqual(
    await refused({ query: { platform: 'line' } }),
    twice(variables(`platformClientId is missing; ${together}`)),
  );
  assert.deepEqual(
    await refused({ query: { platformClientId: 'U1' } }),
    twice(variables(`platform is missing; ${together}`)),
  );
  const unknown = { platform: 'facebook', platformClientId: 'U1' };
  assert.deepEqual(await refused({ query: unknown }), twice(unknownClient));
  for (const clientId of ['unknown', 'Ben', 'U2', "'; drop table contacts; --", '%']) {
    assert.deepEqual(errorOf(await server.call('getClient', { params: { clientId } })), unknownClient);
    assert.deepEqual(errorOf(await server.call('getClientGifts', { body: { clientId } })), unknownClient);
  }
  assert.deepEqual(
    errorOf(await server.call('getClient', { params: { clientId: 'a\0b' } })),
    variables('clientId in the path holds a NUL character'),
  );
});

test('the rewards of a client in the body or in the query are three empty lists', async () => {
  const server = await shop();
  const pair = { platform: 'line', platformClientId: 'U1' };
  for (const call of [{ body: { clientId: 'Ada' } }, { body: pair }, { query: pair }]) {
    assert.deepEqual((await server.call('getClientGifts', call)).body, {
      success: true,
      message: 'Get client gifts successfully',
      tickets: [],
      physicalGifts: [],
      virtualGifts: [],
    });
  }
});

test('the rewards of a client are its unused gifts, with the default one as tickets', async () => {
  const server = await shop();
  const { sql, bot, now } = server;
  const { botId } = bot;
  const add = async (name: string, kind: GiftKind, isDefault = false) => {
    const gift = { botId, name, kind, resource: 'lotteryGame', isDefault, stock: null, expiresAt: null };
    const { giftId } = await sql.begin((tx) => createGift(tx, gift, { now, random: randomBytes }));
    const change = { botId, giftId, contactId: 'Ada', key: name, by: null };
    return (await sql.begin((tx) => grantGift(tx, change, { now }))).grant.grantId;
  };
  await add('Coffee', 'virtual', true);
  await add('Premium Gift Box', 'physical');
  await add('50% Discount Coupon', 'virtual');
  const used = { botId, contactId: 'Ada', grantId: await add('Tea', 'ticket'), key: 'used', by: null };
  await sql.begin((tx) => redeemGift(tx, used, { now }));
  const createdAt = new Date(now).toISOString();
  const shown = (name: string) => ({ name, resource: 'lotteryGame', createdAt });
  const { body } = await server.call('getClientGifts', { body: { clientId: 'Ada' } });
  assert.deepEqual(
    [body.tickets, body.physicalGifts, body.virtualGifts],
    [[{ createdAt }], [shown('Premium Gift Box')], [shown('50% Discount Coupon')]],
  );
});

test('the list is newest first, ten to a page, and every filter narrows it', async () => {
  const server = await shop();
  const { sql, bot } = server;
  await sql`
    insert into contact_profiles (bot_id, contact_id, customer_id, name, updated_at) values
      (${bot.botId}, 'Ada', 'one', 'Ada 王 50%', now()), (${bot.botId}, 'Cleo', 'one', 'cleo', now())`;
  const clientIds = async (query: Record<string, string>) =>
    clientsIn(await server.call('listClients', { query })).map(
      ({ platform, clientId }) => `${platform} ${clientId}`,
    );
  const all = ['instagram 4', 'facebook 4', 'whatsapp 886900000003', 'line U2', 'line U1'];
  assert.deepEqual(await clientIds({}), all);
  assert.deepEqual(await clientIds({ platform: '', name: '', next: '', startAt: '' }), all);
  assert.deepEqual(await clientIds({ platform: 'line' }), ['line U2', 'line U1']);
  assert.deepEqual(await clientIds({ customerId: 'one' }), ['whatsapp 886900000003', 'line U1']);
  assert.deepEqual(await clientIds({ customerId: 'one', platform: 'line' }), ['line U1']);
  assert.deepEqual(await clientIds({ customerId: 'other' }), []);
  assert.deepEqual(await clientIds({ name: 'CLE' }), ['whatsapp 886900000003']);
  assert.deepEqual(await clientIds({ name: '王' }), ['line U1']);
  assert.deepEqual(await clientIds({ name: '%' }), ['line U1']);
  assert.deepEqual(await clientIds({ name: '_' }), []);
  const second = String(Date.parse('2026-03-02T10:00:00Z'));
  const third = String(Date.parse('2026-03-03T10:00:00Z'));
  assert.deepEqual(await clientIds({ startAt: second, endAt: third }), ['whatsapp 886900000003', 'line U2']);
  assert.deepEqual(await clientIds({ startAt: String(Number(second) + 1), endAt: third }), [
    'whatsapp 886900000003',
  ]);
  assert.deepEqual(await clientIds({ limit: '2', offset: '1' }), all.slice(1, 3));
  assert.deepEqual(await clientIds({ offset: '5' }), []);
});

test('pages by token contain every client once, even if more are added in between, and pages by offset follow the position', async () => {
  const server = await mantagoServer();
  const { sql, bot } = server;
  const add = (from: number, to: number, createdAt: Date) => sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    select ${bot.botId}, 'C' || lpad(n::text, 3, '0'), 'line', 'U' || n, ${createdAt}::timestamptz + n / 7 * interval '1 microsecond'
    from generate_series(${from}::integer, ${to}::integer) n`;
  await add(1, 25, at('01T00:00:00'));
  const seen: unknown[] = [];
  let next = '';
  do {
    const page = await server.call('listClients', { query: next === '' ? {} : { next, limit: '10' } });
    seen.push(...clientsIn(page).map(({ clientId }) => clientId));
    next = nextIn(page);
    await add(100 + seen.length, 100 + seen.length, at('02T00:00:00'));
  } while (next !== '');
  assert.deepEqual(
    seen,
    Array.from({ length: 25 }, (_, index) => `U${25 - index}`),
  );
  const exactly = await server.call('listClients', { query: { limit: '28' } });
  assert.deepEqual([clientsIn(exactly).length, nextIn(exactly)], [28, '']);
  const byOffset: unknown[] = [];
  for (let offset = 0; offset < 28; offset += 9) {
    const page = await server.call('listClients', { query: { limit: '9', offset: String(offset) } });
    byOffset.push(...clientsIn(page).map(({ clientId }) => clientId));
  }
  assert.equal(new Set(byOffset).size, 28);
});

test('an error of the list names the invalid parameter and the expected value', async () => {
  const server = await shop();
  const detailOf = async (query: Record<string, string>) =>
    errorOf(await server.call('listClients', { query })).message.split(': ')[1];
  assert.equal(await detailOf({ limit: '0' }), 'limit in the query must be >= 1');
  assert.equal(await detailOf({ limit: '101' }), 'limit in the query must be <= 100');
  assert.equal(await detailOf({ limit: 'ten' }), 'limit in the query must be a whole number, not a string');
  assert.equal(await detailOf({ offset: '-1' }), 'offset in the query must be >= 0');
  assert.equal(await detailOf({ offset: '1e99' }), 'offset in the query must be <= 2147483647');
  assert.equal(await detailOf({ startAt: '1772352000' }), 'startAt in the query must be >= 1000000000000');
  assert.match((await detailOf({ platform: 'sms' })) ?? '', /^platform in the query must be one of line, /);
  for (const next of ['x', 'nonsense', Buffer.from("1 ' or 1=1").toString('base64url')]) {
    assert.equal(await detailOf({ next }), 'next in the query must be the token of a page before');
  }
  const other = await server.addBot();
  const { apiToken: token, apiSecret: secret, botId } = other;
  const page = await server.call('listClients', { query: { limit: '1' } });
  const theirs = await server.call('listClients', { token, secret, botId, query: { next: nextIn(page) } });
  assert.deepEqual(clientsIn(theirs), [], "a token opens nothing of another bot's");
});

test('binding: a repeat changes nothing, another customer replaces it, and only a bound client can be unbound', async () => {
  const server = await shop();
  const bind = (clientId: string, customerId: string) =>
    server.call('bindCustomer', { body: { clientId, customerId } });
  const unbind = (clientId: string, customerId: string) =>
    server.call('unbindCustomer', { body: { clientId, customerId } });
  const customersOf = async () =>
    clientsIn(await server.call('listClients')).flatMap(({ clientId, customerId }) =>
      customerId === undefined ? [] : [`${clientId} ${customerId}`],
    );
  for (let time = 0; time < 2; time += 1) {
    const { status, body } = await bind('U1', 'customer_456');
    assert.deepEqual([status, body], [200, { success: true, message: 'Bind customer successfully' }]);
  }
  await bind('cleo.user', 'customer_456');
  assert.deepEqual(await customersOf(), ['886900000003 customer_456', 'U1 customer_456']);
  await bind('Cleo', 'customer_457');
  assert.deepEqual(await customersOf(), ['886900000003 customer_457', 'U1 customer_456']);

  const bindFailed = { status: 404, code: 60_001, message: 'Bind customer client failed' };
  const unbindFailed = { status: 404, code: 60_002, message: 'Unbind customer client failed' };
  for (const clientId of ['unknown', '4']) {
    assert.deepEqual(errorOf(await bind(clientId, 'customer_1')), bindFailed);
    assert.deepEqual(errorOf(await unbind(clientId, 'customer_1')), unbindFailed);
  }
  assert.deepEqual(errorOf(await unbind('U1', 'customer_457')), unbindFailed);
  const { body } = await unbind('U1', 'customer_456');
  assert.deepEqual(body, { success: true, message: 'Unbind customer successfully' });
  assert.deepEqual(errorOf(await unbind('U1', 'customer_456')), unbindFailed);
  assert.deepEqual(await customersOf(), ['886900000003 customer_457']);

  const length = 'customerId in the body must have 1 to 200 characters and no control characters';
  for (const customerId of ['', '  ', 'x'.repeat(201), 'a\nb'])
    assert.deepEqual(errorOf(await bind('U1', customerId)), variables(length));
  assert.deepEqual(errorOf(await bind('', 'customer_1')), variables('clientId in the body is empty'));
});

test('followers by day are running totals that end today at the figure of the client analysis', async () => {
  const server = await shop();
  const { sql, bot, keys, now } = server;
  const { botId } = bot;
  for (const platform of ['line', 'facebook'] as const) {
    const meta = { secret: 'hush', accountId: '1', verifyToken: 'hush' };
    const settings = { botId, platform, ...(platform === 'line' ? { secret: 'hush' } : meta) };
    await setChannel(sql, settings, { now, random: randomBytes, keys });
  }
  await sql`
    insert into totals (bot_id, platform, followers) values (${botId}, 'line', 10), (${botId}, 'facebook', 6)
    on conflict (bot_id, platform) do update set followers = excluded.followers`;
  await sql`
    insert into days (bot_id, platform, zone, day, followers)
    select ${botId}, 'facebook', 'Asia/Taipei', day::date, 2
    from unnest(array['2026-01-01', '2026-03-10', '2026-03-15']) day
    union all select ${botId}, 'line', zone, day::date, followers
    from unnest(array['Asia/Taipei', 'Asia/Tokyo']) zone
    cross join (values ('2026-03-09', 4), ('2026-03-12', 5), ('2026-03-15', 1)) line_days (day, followers)`;
  const statistics = async (body: Record<string, unknown> = {}) => {
    const answer = await server.call('getClientStatistics', { body });
    assert.equal(answer.body.message, 'Get client statistics successfully', JSON.stringify(answer.body));
    return answer.body.clientStatistics as Record<string, { date: string; count: number }[]>;
  };
  const counts = (series: { count: number }[] | undefined) => series?.map(({ count }) => count);

  // It is 12:00 on 03-15 in Taipei, so the range is the last 7 days and today.
  const week = await statistics();
  assert.deepEqual(Object.keys(week), [
    'lineFollowers',
    'fbFollowers',
    'igFollowers',
    'liveChatFollowers',
    'whatsappFollowers',
  ]);
  assert.deepEqual(week.fbFollowers?.[0], { date: '2026-03-08', count: 2 });
  assert.deepEqual(week.fbFollowers?.at(-1), { date: '2026-03-15', count: 6 });
  assert.deepEqual(counts(week.fbFollowers), [2, 2, 4, 4, 4, 4, 4, 6]);
  assert.deepEqual(counts(week.lineFollowers), [0, 4, 4, 4, 9, 9, 9, 10]);
  assert.deepEqual(counts(week.igFollowers), [0, 0, 0, 0, 0, 0, 0, 0]);

  // Each day shows LINE's latest own figure, as LINE's Insight call does.
  const snapshot = { botId, kind: 'followers', receivedAt: now } as const;
  for (const [day, followers] of [
    ['2026-03-10', 1250],
    ['2026-03-13', 1260],
  ] as const) {
    const value = { status: 'ready', followers, blocks: 0, targetedReaches: followers };
    await putSnapshot(sql, { ...snapshot, day, value });
  }
  const line = await statistics({ platform: 'line' });
  assert.deepEqual(Object.keys(line), ['lineFollowers']);
  assert.deepEqual(counts(line.lineFollowers), [0, 4, 1250, 1250, 1255, 1260, 1260, 1261]);
  const { body } = await server.call('getClientAnalysis');
  const { lineFollowers, fbFollowers } = Object(body.clientAnalysis);
  assert.deepEqual([lineFollowers, fbFollowers], [1261, 6]);

  const range = await statistics({
    platform: 'facebook',
    startTime: '2020-01-01',
    endTime: '2026-03-10',
    type: 'follower',
  });
  assert.deepEqual([range.fbFollowers?.length, range.fbFollowers?.[0]?.date], [366, '2025-03-10']);
  assert.deepEqual(counts(range.fbFollowers?.slice(-2)), [2, 4]);
  const ahead = await statistics({ platform: 'facebook', startTime: '2026-03-14', endTime: '2026-03-20' });
  assert.deepEqual(
    ahead.fbFollowers?.map(({ date }) => date),
    ['2026-03-14', '2026-03-15'],
  );
  const past = await statistics({ platform: 'facebook', endTime: '2026-01-02' });
  assert.deepEqual(counts(past.fbFollowers), [0, 0, 0, 0, 0, 0, 2, 2]);
});

test('statistics for invalid days, another type or a reversed range are rejected', async () => {
  const server = await shop();
  const detailOf = async (body: Record<string, unknown>) => {
    const { status, code, message } = errorOf(await server.call('getClientStatistics', { body }));
    assert.deepEqual([status, code], [404, 110_000]);
    return message.split(': ')[1];
  };
  assert.equal(
    await detailOf({ startTime: '2026-02-30' }),
    'startTime in the body must be a calendar day from 2000-01-01 to 2199-12-31, not "2026-02-30"',
  );
  assert.equal(
    await detailOf({ endTime: '20260301' }),
    'endTime in the body must be a calendar day from 2000-01-01 to 2199-12-31, not "20260301"',
  );
  assert.equal(
    await detailOf({ type: 'message' }),
    'type in the body must be one of follower, not "message"',
  );
  assert.equal(
    await detailOf({ startTime: '2026-03-02', endTime: '2026-03-01' }),
    'startTime in the body must not be later than endTime',
  );
  assert.match((await detailOf({ platform: 'all' })) ?? '', /^platform in the body must be one of/);
});

test('a client shows an automatic tag until the millisecond it expires', async () => {
  const server = await shop();
  const { sql, bot, now } = server;
  const { botId } = bot;
  const tags = [{ contactId: 'Ada', tag: 'interested' }];
  await sql.begin((tx) => addTags(tx, { botId, kind: 'automatic', tags }, { now, random }));
  const [tag] = await sql<{ tagId: string }[]>`select tag_id as "tagId" from tags where bot_id = ${botId}`;
  const life = { botId, tagId: tag?.tagId ?? '', active: true, days: 2 };
  await sql.begin((tx) => setLifeCycle(tx, life, { now }));
  const autoTagCount = async () => {
    const { client } = (await server.call('getClient', { params: { clientId: 'Ada' } })).body;
    return Object(client).autoTags.length;
  };
  server.now += 2 * dayMs - 1;
  assert.equal(await autoTagCount(), 1);
  server.now += 1;
  assert.equal(await autoTagCount(), 0);
});
