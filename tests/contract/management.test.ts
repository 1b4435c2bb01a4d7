/**
 * The management calls against their contract: each documented operation and response, permissions, and the effect of each
 * operation. Every response is checked against the contract's schema, with no additional property.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { adminScopes } from '../../src/auth/admin-tokens.ts';
import { createSetupLink } from '../../src/auth/setup-links.ts';
import { createContacts, findContacts } from '../../src/contacts/contacts.ts';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { parseYaml } from '../harness/yaml.ts';
import {
  addContact,
  addGrant,
  gif,
  good,
  ready,
  reportOf,
  successOf,
  ulidOf,
  untagged,
  visitorId,
} from './management-calls.ts';
import {
  answered,
  type Call,
  contract,
  type ManagementServer,
  operationOf,
  ownManagementServer,
  password,
  problemOf,
  sessionOnly,
} from './management-server.ts';

/** All operations except signing in. */
const guarded = contract.operations.filter(({ scopes }) => scopes.length > 0);
const ids = guarded.map(({ id }) => id);
const document = parseYaml(
  await readFile(new URL('../../contracts/management.yaml', import.meta.url), 'utf8'),
);

const documented = Object.values<Record<string, DocumentedOperation>>(document.paths).flatMap((item) =>
  Object.values(item),
);
type DocumentedOperation = {
  operationId?: string;
  requestBody?: object;
  parameters?: { $ref?: string }[];
  responses?: Record<string, { $ref?: string }>;
};
/** Operations with a body. */
const withBody = documented.flatMap(({ operationId, requestBody }) =>
  operationId && requestBody ? [operationId] : [],
);
/** Operations that require an idempotency key. */
const keyed = documented.flatMap(({ operationId, parameters = [] }) =>
  operationId && parameters.some(({ $ref }) => $ref?.endsWith('/IdempotencyKey')) ? [operationId] : [],
);

test('each operation returns its success status, and a read of an unchanged resource returns 304', async () => {
  const { call, server } = await ready();
  const session = await server.session(await server.addUser());
  for (const { id, method } of contract.operations) {
    // Each call with a token opens a session, which would change the list of sessions.
    const caller = id === 'listOwnSessions' ? { token: null, headers: session } : {};
    const { status, headers } = await call(id, caller);
    assert.equal(status, successOf(id), id);
    assert.equal(headers['x-content-type-options'], 'nosniff', id);
    const isTagged = method === 'GET' && !untagged.includes(id);
    assert.equal(headers['cache-control'], isTagged ? 'private, no-cache' : 'no-store', id);
    if (!isTagged) continue;
    for (const held of [headers.etag, `W/${headers.etag}`, `"other", ${headers.etag}`, '*']) {
      const again = await call(id, {
        ...caller,
        headers: { ...caller.headers, 'if-none-match': String(held) },
      });
      assert.deepEqual([again.status, again.text, again.headers.etag], [304, '', headers.etag], id);
    }
    const other = await call(id, { ...caller, headers: { ...caller.headers, 'if-none-match': '"other"' } });
    assert.equal(other.status, 200, id);
  }
});

test('without a valid token every operation returns 401, and revocation takes effect at once', async () => {
  const { call, server } = await ready();
  const { token, tokenId } = await server.addToken('admin');
  assert.equal((await call('listBots', { token })).status, 200);
  await call('revokeAdminToken', { params: { tokenId } });
  const unknown = `shoal_admin_${'A'.repeat(43)}`;
  for (const id of ids) {
    for (const wrong of [null, '', 'nonsense', unknown, `${server.token}x`, token, 'x'.repeat(500)]) {
      const answer = await call(id, { token: wrong });
      const detail = 'There is no admin token, or it is not a valid one.';
      assert.deepEqual(problemOf(answer), [401, 'TOKEN_INVALID', detail], id);
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="shoal"');
    }
  }
});

test('each scope allows exactly the operations that name it', async () => {
  const { call, server } = await ready();
  for (const { id, scopes } of guarded) {
    for (const scope of adminScopes) {
      const { token } = await server.addToken(scope);
      // A token revoked by the previous operation cannot be revoked again.
      const { tokenId } = await server.addToken('read');
      const answer = await call(id, { token, params: { tokenId } });
      const isEnough = adminScopes.indexOf(scope) >= ['read', 'write', 'admin'].indexOf(String(scopes[0]));
      assert.equal(answer.status, isEnough ? successOf(id) : 403, `${id} with ${scope}`);
      if (isEnough) continue;
      const detail = `${id} needs a token with the scope ${scopes[0]}; this one has ${scope}.`;
      assert.deepEqual(problemOf(answer), [403, 'SCOPE_TOO_SMALL', detail]);
    }
  }
});

test('a token for one bot gives access to that bot, and other bots look like ones that do not exist', async () => {
  const { call, server, botId, sql } = await ready();
  const otherId = await server.addBot();
  const { token } = await server.addToken('admin', [botId]);
  const { token: all } = await server.addToken('admin');
  const before = await sql`select * from bots where bot_id = ${otherId}`;
  for (const id of ids.filter((id) => operationOf(id).path.includes('{botId}'))) {
    assert.equal((await call(id, { token })).status, successOf(id), id);
    for (const [caller, stranger] of [
      [token, otherId],
      [token, 'unknown'],
      [all, 'unknown'],
    ] as const) {
      const answer = await call(id, { token: caller, params: { botId: stranger } });
      assert.deepEqual(problemOf(answer), [404, 'BOT_NOT_FOUND', `There is no bot ${stranger}.`], id);
    }
  }
  assert.deepEqual(await sql`select * from bots where bot_id = ${otherId}`, before);
  const { body } = await call('listBots', { token });
  assert.deepEqual(
    (body.bots as { botId: string }[]).map((bot) => bot.botId),
    [botId],
  );
  const refused = await call('createBot', { token });
  assert.deepEqual(problemOf(refused), [403, 'SCOPE_TOO_SMALL', 'Only a token for all bots may create one.']);
});

test('another bot cannot be reached through the ids of its data', async () => {
  const { call, server, botId, deliveryId } = await ready();
  const otherId = await server.addBot();
  const { token } = await server.addToken('admin', [otherId]);
  for (const id of ['getDelivery', 'getDeliveryBody', 'replayDelivery']) {
    const answer = await call(id, { token, params: { botId: otherId } });
    const detail = `Bot ${otherId} has no delivery ${deliveryId}.`;
    assert.deepEqual(problemOf(answer), [404, 'DELIVERY_NOT_FOUND', detail]);
  }
  for (const id of ['getNotice', 'replayNotice']) {
    const answer = await call(id, { token, params: { botId: otherId } });
    assert.deepEqual(problemOf(answer).slice(0, 2), [404, 'NOTICE_NOT_FOUND']);
  }
  assert.equal((await call('getDelivery')).body.state, 'set-aside');
  const { body } = await call('listDeliveries', { token, params: { botId: otherId } });
  assert.deepEqual(body.deliveries, []);
  assert.notEqual(botId, otherId);
});

test('the deliveries of a contact are listed page by page, and an unknown contact returns 404', async () => {
  const { call, server } = await ready();
  const { sql, botId, now } = server;
  const user = (number: number) => `U${String(number).padStart(32, '0')}`;
  await createContacts(sql, botId, 'line', [user(71)], { now, random: randomBytes });
  const contactId = (await findContacts(sql, botId, 'line', [user(71)])).get(user(71)) ?? '';
  const deliveries = [71, 72, 71, 71].map((number) => ({
    ...({ botId, platform: 'line', source: 'webhook', receivedAt: now } as const),
    body: Buffer.from(
      JSON.stringify({ destination: user(0), events: [{ source: { userId: user(number) } }] }),
    ),
  }));
  await putDeliveries(sql, deliveries);
  const pages: unknown[][] = [];
  for (let cursor: unknown; cursor !== null; ) {
    const query = { contactId, limit: '2', state: 'pending', ...(cursor ? { cursor: String(cursor) } : {}) };
    const { body } = await call('listDeliveries', { query });
    pages.push(body.deliveries as unknown[]);
    cursor = body.nextCursor;
  }
  assert.deepEqual(
    pages.map(({ length }) => length),
    [2, 1],
  );
  const { body } = await call('listDeliveries', { query: { contactId, state: 'set-aside' } });
  assert.deepEqual(body, { deliveries: [], nextCursor: null });
  const unknown = await call('listDeliveries', { query: { contactId: 'unknown' } });
  assert.deepEqual(problemOf(unknown), [404, 'CONTACT_NOT_FOUND', 'The bot knows no contact unknown.']);
});

test('a token for LINE’s calls can be created with a scope and an expiry time, listed without its secret, and revoked', async () => {
  const { call, server } = await ready();
  const madeAt = new Date(server.now).toISOString();
  server.now += 1;
  const expiresAt = new Date(server.now + 60_000).toISOString();
  const { body: refused } = await call('createLineToken', { body: { scope: 'send', expiresAt } });
  const { token, ...entry } = refused;
  assert.match(String(token), /^[\w-]{43}$/);
  const createdAt = new Date(server.now).toISOString();
  assert.deepEqual(entry, {
    ...{ tokenId: entry.tokenId, scope: 'send', createdAt, expiresAt, revokedAt: null },
  });
  const list = async () => (await call('listLineTokens')).body.lineTokens as Record<string, unknown>[];
  const tokens = (await list()).map(({ tokenId: _, ...rest }) => rest);
  assert.deepEqual(tokens, [
    { scope: 'insight', createdAt: madeAt, expiresAt: null, revokedAt: null },
    { scope: 'send', createdAt, expiresAt, revokedAt: null },
  ]);
  const params = { lineTokenId: String(entry.tokenId) };
  for (const _ of [1, 2]) assert.equal((await call('revokeLineToken', { params })).status, 204);
  assert.equal((await list())[1]?.revokedAt, createdAt);

  const otherId = await server.addBot();
  const strange = await call('revokeLineToken', { params: { ...params, botId: otherId } });
  const detail = `Bot ${otherId} has no LINE token ${entry.tokenId}.`;
  assert.deepEqual(problemOf(strange), [404, 'LINE_TOKEN_NOT_FOUND', detail]);
  const noChannel = await call('createLineToken', { params: { botId: otherId } });
  assert.deepEqual(problemOf(noChannel).slice(0, 2), [404, 'CHANNEL_NOT_FOUND']);
  for (const wrong of [createdAt, '2020-01-01T00:00:00Z', '2026-12-31T23:59:60Z', 'soon']) {
    const refused = await call('createLineToken', { body: { expiresAt: wrong } });
    assert.equal(refused.status, 400, wrong);
  }
});

test('a token for some bots lists, creates and revokes tokens for these bots only', async () => {
  const { call, server, botId } = await ready();
  const otherId = await server.addBot();
  const { token, tokenId } = await server.addToken('admin', [botId]);
  const strangers = [
    await server.addToken('read', [otherId]),
    await server.addToken('read', [botId, otherId]),
    await server.addToken('read'),
  ];
  const { body } = await call('listAdminTokens', { token });
  assert.deepEqual(
    (body.adminTokens as { tokenId: string }[]).map((one) => one.tokenId),
    [tokenId],
  );
  for (const stranger of [...strangers.map((one) => one.tokenId), 'unknown']) {
    const answer = await call('revokeAdminToken', { token, params: { tokenId: stranger } });
    const detail = `There is no admin token ${stranger}.`;
    assert.deepEqual(problemOf(answer), [404, 'ADMIN_TOKEN_NOT_FOUND', detail]);
  }
  for (const one of strangers) {
    assert.equal((await call('getOwnToken', { token: one.token })).body.revokedAt, null);
  }
  const wider = await call('createAdminToken', { token, body: { scope: 'read' } });
  const onlyAll = 'Only a token for all bots may create one for all: name botIds.';
  assert.deepEqual(problemOf(wider), [403, 'SCOPE_TOO_SMALL', onlyAll]);
  for (const foreign of [otherId, 'unknown']) {
    const refused = await call('createAdminToken', {
      token,
      body: { scope: 'read', botIds: [botId, foreign] },
    });
    assert.deepEqual(problemOf(refused), [404, 'BOT_NOT_FOUND', `There is no bot ${foreign}.`]);
  }
  const narrow = await call('createAdminToken', { token, body: { scope: 'admin', botIds: [botId, botId] } });
  assert.deepEqual([narrow.status, narrow.body.botIds], [201, [botId]]);
});

test('an error names the invalid parameter or field and the expected value', async () => {
  const { call } = await ready();
  for (const id of ids) {
    const [status, code, detail] = problemOf(
      await call(id, { query: { ...good[id]?.query, nonsense: '1' } }),
    );
    assert.deepEqual([status, code], [400, 'INPUT_INVALID'], id);
    assert.match(String(detail), /^nonsense in the query is not known; there is /);
  }
  const detailOf = async (id: string, wrong: Call) => {
    const [status, code, detail] = problemOf(await call(id, wrong));
    assert.deepEqual([status, code], [400, 'INPUT_INVALID'], `${id} ${JSON.stringify(wrong)}`);
    return detail;
  };
  const inBody = (id: string, body: unknown) => detailOf(id, { body });
  const inQuery = (id: string, query: Record<string, string>) => detailOf(id, { query });
  assert.equal(await inQuery('getBot', { x: '' }), 'x in the query is not known; there is none');
  assert.equal(await inQuery('listBots', { limit: '201' }), 'limit in the query must be <= 200');
  assert.equal(
    await inQuery('listBots', { limit: 'x' }),
    'limit in the query must be a whole number, not a string',
  );
  const cursor = 'cursor in the query must be the nextCursor of an answer';
  const forged = [{}, { botId: 1 }, { deliveryId: 1.5 }, { firstAt: 1e300, contactId: 'A' }, []].map(
    (place) => Buffer.from(JSON.stringify(place)).toString('base64url'),
  );
  for (const forgedCursor of ['nonsense', ...forged]) {
    assert.equal(await inQuery('listBots', { cursor: forgedCursor }), cursor);
    assert.equal(await inQuery('listDeliveries', { cursor: forgedCursor }), cursor);
    assert.equal(await inQuery('listConversations', { cursor: forgedCursor }), cursor);
    assert.equal(await inQuery('listLineSends', { cursor: forgedCursor }), cursor);
    assert.equal(await inQuery('listNotices', { cursor: forgedCursor }), cursor);
  }
  assert.match(String(await inQuery('listBots', { cursor: "' or 1=1" })), /^cursor in the query must match/);
  const day = 'from in the query must be a calendar day from 2000-01-01 to 2199-12-31, not "2026-02-30"';
  const ranged = [
    ...[
      'getSeries',
      'getReconciliation',
      'getPlatformReconciliation',
      'listConversations',
      'getOverview',
      'getMessageHours',
    ],
    ...['getConversationSpread', 'getLineDeliveries', 'listLineSends', 'getPointSeries'],
  ];
  for (const id of ranged) {
    assert.equal(await inQuery(id, { from: '2026-02-30' }), day);
    assert.match(String(await inQuery(id, { from: '2026-03-02', to: '2026-03-01' })), /^from must/i);
  }
  const zone = 'zone must be a name such as Asia/Taipei, not "Mars/Olympus".';
  assert.equal(await inQuery('getSeries', { zone: 'Mars/Olympus' }), zone);
  assert.equal(await inQuery('listConversations', { zone: 'Mars/Olympus' }), zone);
  assert.match(
    String(await inQuery('getSeries', { figures: 'followers,likes' })),
    /^figures\[1\] in the query must be one of followers, .*, not "likes"$/,
  );
  assert.match(
    String(await inQuery('getSeries', { platforms: 'line,line' })),
    /^platforms in the query must NOT/,
  );
  assert.match(
    String(await inQuery('getSeries', { platforms: '' })),
    /^platforms\[0\] in the query must be one/,
  );
  assert.equal(
    await inQuery('getSeries', { from: '1999-12-31' }),
    'from in the query must be a calendar day from 2000-01-01 to 2199-12-31, not "1999-12-31"',
  );
  assert.equal(
    await inQuery('getSeries', { from: '2000-01-01', to: '2020-01-01' }),
    'a range has at most 3700 periods, not 7306.',
  );
  const year = { from: '2026-01-01', to: '2027-01-02' };
  const most = 'from must be at most 365 days before to, 2027-01-02.';
  assert.equal(await inQuery('getConversationSpread', year), most);
  const long = { from: '2013-01-01', to: '2026-03-01' };
  assert.equal(await inQuery('getOverview', long), 'from must be 0 to 3699 days before to (2026-03-01).');
  assert.match(String(await inQuery('listLineSends', { kinds: 'mail' })), /^kinds\[0\] in the query must be/);
  assert.match(String(await inBody('setCallback', { url: 'no address' })), /^The callback is refused: /);
  assert.equal(
    await detailOf('getBot', { params: { botId: '%00' } }),
    'botId in the path must match pattern "^[A-Za-z]{1,64}$"',
  );
  assert.equal(
    await detailOf('getDelivery', { params: { deliveryId: '1e99' } }),
    'deliveryId in the path must be <= 9007199254740991',
  );
  assert.match(
    String(await detailOf('enableChannel', { params: { platform: 'telegram' } })),
    /must be one of line,/,
  );
  assert.equal(await inBody('createBot', {}), 'name in the body is missing');
  assert.equal(await inBody('createBot', { name: 5 }), 'name in the body must be a string, not a number');
  assert.equal(await inBody('createBot', '{"name":'), 'the body is not JSON');
  assert.equal(await inBody('createBot', ''), 'the body is empty, JSON was expected');
  assert.equal(await inBody('createBot', []), 'the body must be an object, not an array');
  assert.match(String(await inBody('createBot', { name: 'a\nb' })), /^A bot's name has 1 to 200 characters/);
  assert.match(
    String(await inBody('createBot', { name: 'a', timeZone: 'x' })),
    /^The time zone must be a name/,
  );
  assert.match(String(await inBody('updateBot', {})), /^the body is empty; there is name, timeZone,/);
  assert.match(
    String(await inBody('updateBot', { nam: 'x' })),
    /^nam in the body is not known; there is name, timeZone, /,
  );
  assert.match(
    String(await inBody('updateBot', { lineProgram: 'x' })),
    /^lineProgram in the body must be one of/,
  );
  assert.equal(
    await inBody('createAdminToken', { scope: 'all' }),
    'scope in the body must be one of read, write, admin, not "all"',
  );
  assert.match(
    String(await inBody('createAdminToken', { scope: 'read', name: 'a\u0001' })),
    /no control characters/,
  );
  assert.equal(
    await detailOf('setChannel', { params: { platform: 'facebook' } }),
    'A new facebook channel needs its account id.',
  );
  assert.equal(
    await inBody('setChannel', { newWidgetKey: true }),
    'newWidgetKey in the body is for liveChat, not for line',
  );
});

/** Operations that name many contacts. */
const lists = [
  ...['assignTag', 'unassignTag', 'earnManyPoints', 'createSend', 'previewSend'],
  'startMantagoImport',
];

test('a body that is too large or has another content type is rejected before it is read', async () => {
  const { call } = await ready();
  for (const id of withBody.filter((id) => id !== 'sendChatImage')) {
    const isList = lists.includes(id);
    const most = id === 'importData' ? 8_192 : isList ? 2_048 : 64;
    const text = 'x'.repeat(most * 1_024 + 1);
    const large = await call(id, { body: id === 'importData' ? text : { name: text } });
    assert.deepEqual(problemOf(large), [413, 'BODY_TOO_LARGE', `the body must have at most ${most} KiB`], id);
    const typed = await call(id, { body: 'name=x', headers: { 'content-type': 'application/xml' } });
    const types = id === 'importData' ? 'text/csv or application/x-ndjson' : 'application/json';
    const detail = `the body must be sent as ${types}`;
    assert.deepEqual(problemOf(typed), [415, 'MEDIA_TYPE_UNSUPPORTED', detail], id);
  }
  const large = await call('sendChatImage', { body: gif.padEnd(5 * 1_024 * 1_024 + 1) });
  assert.deepEqual(problemOf(large), [413, 'BODY_TOO_LARGE', 'the body must have at most 5120 KiB']);
  const types = 'image/png or image/jpeg or image/gif or image/webp';
  const typed = await call('sendChatImage', { headers: { 'content-type': 'image/svg+xml' } });
  assert.deepEqual(problemOf(typed), [415, 'MEDIA_TYPE_UNSUPPORTED', `the body must be sent as ${types}`]);
  const page = await call('sendChatImage', { body: '<script>' });
  const detail = 'the body must be an image: image/png, image/jpeg, image/gif, image/webp';
  assert.deepEqual(problemOf(page), [415, 'MEDIA_TYPE_UNSUPPORTED', detail]);
});

test('an operation without a body rejects one that is too large or has another content type', async () => {
  const { call } = await ready();
  const withoutBody = documented.flatMap(({ operationId, requestBody, responses = {} }) =>
    operationId && !requestBody && '415' in responses ? [operationId] : [],
  );
  assert.ok(withoutBody.length > 15);
  for (const id of withoutBody) {
    const large = await call(id, { body: { name: 'x'.repeat(1024 * 1024) } });
    assert.deepEqual(problemOf(large).slice(0, 2), [413, 'BODY_TOO_LARGE'], id);
    const typed = await call(id, { body: 'name=x', headers: { 'content-type': 'application/xml' } });
    assert.deepEqual(problemOf(typed).slice(0, 2), [415, 'MEDIA_TYPE_UNSUPPORTED'], id);
  }
});

test('a message to a visitor is stored once by its id, and another message with that id is rejected', async (t) => {
  const { call, sql } = await ready(ownManagementServer(t));
  const chat = async () => (await call('getChat')).body;
  const body = { messageId: ulidOf(9), text: '謝謝', quickReplies: ['好', '不用'], agentName: 'Mei' };
  const firstSend = await call('sendChatMessage', { body });
  assert.equal(firstSend.headers['idempotency-replayed'], 'false');
  const again = await call('sendChatMessage', { body });
  assert.deepEqual([again.headers['idempotency-replayed'], again.body], ['true', firstSend.body]);
  assert.deepEqual((await chat()).lastMessage, firstSend.body);
  const conflict = [409, 'MESSAGE_ID_TAKEN', `Another message has the id ${ulidOf(9)}.`];
  for (const other of [
    { ...body, text: '不' },
    { ...body, from: 'bot' },
  ])
    assert.deepEqual(problemOf(await call('sendChatMessage', { body: other })), conflict);
  assert.deepEqual(problemOf(await call('sendChatImage', { query: { messageId: ulidOf(9) } })), conflict);
  for (const wrong of [
    { ...body, text: ' \n' },
    { ...body, text: 'x'.repeat(2_001) },
    { ...body, messageId: 'x' },
    { ...body, from: 'visitor' },
    { ...body, quickReplies: Array(11).fill('x') },
  ])
    assert.deepEqual(problemOf(await call('sendChatMessage', { body: wrong })).slice(0, 2), [
      400,
      'INPUT_INVALID',
    ]);
  await sql`alter table chat_messages rename to elsewhere`;
  for (const id of ['sendChatMessage', 'sendChatImage']) {
    const lost = await call(id);
    assert.deepEqual(problemOf(lost).slice(0, 2), [503, 'CHAT_UNAVAILABLE']);
    assert.equal(lost.headers['retry-after'], '2');
  }
});

test('a chat can be found by state and text, marked as seen and closed, and reopens with the next message', async () => {
  const { call, sql, botId } = await ready();
  const ids = async (query: Record<string, string>) =>
    ((await call('listChats', { query })).body.chats as { visitorId: string }[]).map(
      (chat) => chat.visitorId,
    );
  await sql`update chat_visitors set name = '王小明', identifier = 'C-1024' where bot_id = ${botId}`;
  for (const search of ['小明', 'c-10', visitorId]) assert.deepEqual(await ids({ search }), [visitorId]);
  assert.deepEqual(await ids({ search: 'unknown' }), []);
  assert.equal((await call('getChat')).body.unread, 1);
  const unread = async () => (await call('getUnreadChats')).body;
  assert.deepEqual(await unread(), { unread: 1, connected: false });
  await call('closeChat');
  assert.equal((await unread()).unread, 0);
  await call('openChat');
  await call('seeChat');
  assert.equal((await call('getChat')).body.unread, 0);
  assert.equal((await unread()).unread, 0);
  assert.equal((await call('closeChat')).body.state, 'closed');
  assert.deepEqual([await ids({ state: 'open' }), await ids({ state: 'closed' })], [[], [visitorId]]);
  await call('sendChatMessage');
  assert.deepEqual(await ids({ state: 'open' }), [visitorId]);
  const unknown = { params: { visitorId: 'v_nobody' } };
  for (const id of [
    'getChat',
    'listChatMessages',
    'sendChatMessage',
    'sendChatImage',
    'seeChat',
    'closeChat',
  ])
    assert.deepEqual(problemOf(await call(id, unknown)).slice(0, 2), [404, 'CHAT_NOT_FOUND'], id);
  const missingImage = await call('getChatImage', unknown);
  assert.deepEqual(problemOf(missingImage).slice(0, 2), [404, 'IMAGE_NOT_FOUND']);
});

test('a chat is assigned to a user of the bot, and its notes are stored once and deleted', async () => {
  const { call, addUser } = await ready();
  const { userId } = await addUser({ scope: 'write' });
  const reader = await addUser({ scope: 'read' });
  const users = (await call('listChatAssignees')).body.users as { userId: string; name: string }[];
  assert.ok(users.some((user) => user.userId === userId));
  assert.ok(!users.some((user) => user.userId === reader.userId));
  const assigned = await call('assignChat', { body: { userId } });
  assert.equal((assigned.body.assignee as { userId: string }).userId, userId);
  const refused = await call('assignChat', { body: { userId: reader.userId } });
  assert.deepEqual(problemOf(refused).slice(0, 2), [404, 'USER_NOT_FOUND']);
  await call('assignChat');
  assert.equal((await call('getChat')).body.assignee, null);
  const body = { noteId: ulidOf(77), text: '熟客' };
  const note = (await call('addChatNote', { body })).body;
  assert.deepEqual((await call('addChatNote', { body: { ...body, text: 'other' } })).body, note);
  const notes = async () => (await call('listChatNotes')).body.notes as unknown[];
  assert.ok((await notes()).some((one) => JSON.stringify(one) === JSON.stringify(note)));
  assert.ok(!JSON.stringify((await call('listChatMessages')).body).includes('熟客'));
  for (const _ of [1, 2]) await call('removeChatNote', { params: { noteId: body.noteId } });
  assert.ok(!JSON.stringify(await notes()).includes(body.noteId));
  for (const id of ['assignChat', 'addChatNote', 'listChatNotes']) {
    const unknown = await call(id, { params: { visitorId: 'v_unknown' } });
    assert.deepEqual(problemOf(unknown).slice(0, 2), [404, 'CHAT_NOT_FOUND'], id);
  }
});

test('a token over its calls per minute is delayed, each counted response shows the rest, and other tokens are unaffected', async (t) => {
  const limited = async (id: string, server: ManagementServer) => {
    const { token } = await server.addToken('admin');
    const limits = ({ headers }: { headers: Record<string, unknown> }) =>
      ['limit', 'remaining', 'reset'].map((name) => headers[`ratelimit-${name}`]);
    assert.deepEqual(limits(await server.call(id, { ...good[id], token })), ['1', '0', '60'], id);
    const refused = await server.call(id, { ...good[id], token });
    assert.deepEqual(problemOf(refused), [429, 'RATE_LIMITED', 'The token has used up its calls.']);
    assert.equal(refused.headers['retry-after'], '60');
    assert.deepEqual(limits(refused), ['1', '0', '60']);
  };
  const { server } = await ready(ownManagementServer(t, { rateLimit: 1 }));
  for (const id of ids) await limited(id, server);
});

test('a server error returns 500, with its details in the log only', async (t) => {
  const { call, server } = await ready(ownManagementServer(t));
  const session = await server.session(await server.addUser());
  await server.sql`alter table admin_tokens rename to elsewhere`;
  for (const { id } of contract.operations) {
    const { status, body } = await call(
      id,
      sessionOnly.includes(id) ? { headers: session, token: null } : {},
    );
    assert.deepEqual([status, body.code, body.detail], [500, 'INTERNAL', 'A fault of the server.'], id);
  }
  assert.equal(server.logged.length, 2 * contract.operations.length);
});

test('the log contains every change and every rejected caller, but no secret', async () => {
  const { call, server } = await ready();
  const { token } = await server.addToken('read');
  for (const { id } of contract.operations) await call(id);
  const changes = server.infos
    .filter((line) => typeof line === 'object')
    .map((line) => Object(line).operation);
  assert.deepEqual(
    changes,
    contract.operations
      .filter(({ id, method }) => method !== 'GET' || id === 'exportData')
      .map(({ id }) => id),
  );
  server.infos.length = 0;
  await call('createBot', { token });
  await call('getBot', { token: null });
  assert.deepEqual(
    server.infos.filter((line) => typeof line === 'object').map((line) => Object(line).code),
    ['SCOPE_TOO_SMALL', 'TOKEN_INVALID'],
  );
  await call('setChannel', { body: { secret: 'very secret', accessToken: 'rather secret' } });
  const text = JSON.stringify([server.infos, server.logged]);
  for (const secret of ['very secret', 'rather secret', token, server.token])
    assert.equal(text.includes(secret), false);
});

test('calls outside of the contract are rejected with a problem', async () => {
  const { app } = await ready();
  const send = async (method: 'GET' | 'PUT', url: string) => {
    const response = await app.inject({ method, url });
    return { status: response.statusCode, body: response.json(), text: '', headers: response.headers };
  };
  assert.deepEqual(problemOf(await send('GET', '/api/v1/nothing?secret=hush')), [
    404,
    'OPERATION_NOT_FOUND',
    'There is no GET /api/v1/nothing',
  ]);
  const wrong = await send('PUT', '/api/v1/bots');
  assert.deepEqual(problemOf(wrong), [
    405,
    'METHOD_NOT_ALLOWED',
    '/api/v1/bots takes GET, POST, HEAD, not PUT',
  ]);
  assert.equal(wrong.headers.allow, 'GET, POST, HEAD');
});

test('a channel that the bot does not have, and the audit log of another bot, return 404', async () => {
  const { call, botId, server } = await ready();
  const { token } = await server.addToken('admin', [botId]);
  for (const id of ['listAuditEntries', 'exportAuditEntries'])
    assert.equal((await call(id, { token, query: { botId: 'unknown' } })).status, 404, id);
  for (const id of ['enableChannel', 'disableChannel']) {
    const answer = await call(id, { params: { platform: 'instagram' } });
    const detail = `Bot ${botId} has no instagram channel.`;
    assert.deepEqual(problemOf(answer), [404, 'CHANNEL_NOT_FOUND', detail]);
  }
});

test('a change with If-Match is rejected after another change', async () => {
  const { call } = await ready();
  const { headers } = await call('getBot');
  const held = { 'if-match': String(headers.etag) };
  const renamed = await call('updateBot', { body: { name: 'First' }, headers: held });
  assert.deepEqual([renamed.status, renamed.body.name], [200, 'First']);
  const late = await call('updateBot', { body: { name: 'Second' }, headers: held });
  assert.deepEqual(problemOf(late), [412, 'PRECONDITION_FAILED', 'The bot is no longer as If-Match says.']);
  // A weak tag does not guarantee that nothing changed.
  const now = (await call('getBot')).headers.etag;
  assert.equal((await call('updateBot', { headers: { 'if-match': `W/${now}` } })).status, 412);
  assert.equal((await call('updateBot', { headers: { 'if-match': '*' } })).status, 200);
  assert.equal((await call('getBot')).body.name, 'Renamed');
});

test('a rejected change names the conflict and changes nothing', async () => {
  const { call, server } = await ready();
  const { sql, botId, now } = server;
  const stale = { headers: { 'if-match': '"other"' } };
  const changed = (what: string) => [412, 'PRECONDITION_FAILED', `${what} is no longer as If-Match says.`];
  assert.deepEqual(problemOf(await call('updateContact', stale)), changed('The contact'));
  assert.deepEqual(problemOf(await call('updateTag', stale)), changed('The tag'));
  const duplicate = { body: { kind: 'automatic', name: 'Old' } };
  const exists = [409, 'TAG_EXISTS', 'Another automatic tag already has that name.'];
  assert.deepEqual(problemOf(await call('createTag', duplicate)), exists);
  assert.deepEqual(problemOf(await call('updateTag', { body: { name: 'Old' } })), exists);

  await createContacts(sql, botId, 'line', ['U00000000000000000000000000000001'], {
    now,
    random: randomBytes,
  });
  const params = {
    contactId:
      (await findContacts(sql, botId, 'line', ['U00000000000000000000000000000001'])).get(
        'U00000000000000000000000000000001',
      ) ?? '',
  };
  for (const id of ['blockContact', 'unblockContact']) {
    const why = 'Blocks are recorded for facebook and liveChat contacts: LINE reports blocks itself.';
    assert.deepEqual(problemOf(await call(id, { params })), [409, 'BLOCK_NOT_RECORDABLE', why]);
  }
  // Each call has another contact, in the path or in the body.
  const others: Record<string, unknown> = {
    reportSendFailure: { ...Object(good.reportSendFailure?.body), code: 10 },
    earnManyPoints: { earnings: [{ contact: 'P0', amount: 6 }] },
  };
  for (const id of [...keyed.filter((id) => id.endsWith('Points')), 'reportSendFailure']) {
    const headers = { 'idempotency-key': `again-${id}` };
    assert.equal((await call(id, { headers })).status, 200, id);
    const again = await call(id, { headers, ...(others[id] ? { body: others[id] } : {}) });
    assert.deepEqual(problemOf(again).slice(0, 2), [409, 'KEY_REUSED'], id);
  }
  const poor = await call('spendPoints', { body: { amount: 101 } });
  assert.deepEqual(problemOf(poor).slice(0, 2), [409, 'POINTS_INSUFFICIENT']);
});

test('a non-idempotent change requires a key, and a repeat with the key is marked as replayed', async () => {
  const { call, server, ids } = await ready();
  for (const id of keyed) {
    const { contactId, entryId } = await addContact(server, `K ${id}`);
    const specialBodies = {
      transferPoints: { toContactId: (await addContact(server, `L ${id}`)).contactId, amount: 5 },
    };
    const { giftId } = ids;
    const body =
      { ...specialBodies, reversePoints: { entryId }, grantGift: { giftId } }[id] ?? good[id]?.body;
    const grantId = await addGrant(server, contactId, ids.giftId);
    const input = { params: { contactId, grantId }, ...(body ? { body } : {}) };
    const missing = await server.call(id, input);
    assert.deepEqual(
      problemOf(missing),
      [400, 'INPUT_INVALID', 'idempotency-key in the headers is missing'],
      id,
    );
    for (const wrong of ['', 'a b', 'é', 'x'.repeat(201)]) {
      const refused = await call(id, { ...input, headers: { 'idempotency-key': wrong } });
      assert.deepEqual(problemOf(refused).slice(0, 2), [400, 'INPUT_INVALID'], id);
    }
    const headers = { 'idempotency-key': `once-${id}` };
    const first = await call(id, { ...input, headers });
    assert.deepEqual([first.status, first.headers['idempotency-replayed']], [successOf(id), 'false'], id);
    const again = await call(id, { ...input, headers });
    assert.deepEqual([again.status, again.headers['idempotency-replayed']], [successOf(id), 'true'], id);
    assert.deepEqual(again.body, first.body, id);
  }
  assert.ok(keyed.length >= 10);
});

test('rejected sign-ins and changes of users name the reason', async (t) => {
  const { call, server, botId } = await ready(ownManagementServer(t));
  const { userId, name } = await server.addUser();
  const session = await server.session({ userId });
  const headers = { cookie: session.cookie };
  const withSession = (id: string, body?: unknown) => call(id, { token: null, headers: session, body });
  const csrf = 'The header X-CSRF-Token must be the csrfToken of the session.';
  for (const id of sessionOnly.filter((id) => operationOf(id).method !== 'GET'))
    assert.deepEqual(problemOf(await call(id, { token: null, headers })), [403, 'CSRF_TOKEN_INVALID', csrf]);
  assert.deepEqual(problemOf(await withSession('getOwnToken')).slice(0, 2), [404, 'ADMIN_TOKEN_NOT_FOUND']);
  const { name: taken } = await server.addUser();
  const rename = { currentPassword: password, name: taken };
  const conflict = problemOf(await withSession('updateOwnAccount', rename));
  assert.deepEqual(conflict.slice(0, 2), [409, 'USER_EXISTS']);
  const strange = await call('endOwnSession', {
    token: null,
    headers: session,
    params: { sessionId: '0'.repeat(32) },
  });
  assert.equal(strange.status, 404);
  const wrong = { currentPassword: 'wrong', password };
  const refused = problemOf(await withSession('changeOwnPassword', wrong));
  assert.deepEqual(refused.slice(0, 2), [401, 'SIGN_IN_FAILED']);
  const signIn = (body: unknown) => call('createSession', { token: null, body });
  for (let failures = 1; failures <= 4; failures += 1)
    assert.equal((await signIn({ userName: name, password: 'wrong' })).status, 401);
  const limited = await signIn({ userName: name, password });
  const detail = 'Too many failed attempts. Try again in 5 seconds.';
  assert.deepEqual(problemOf(limited), [429, 'SIGN_IN_LIMITED', detail]);
  assert.equal(limited.headers['retry-after'], '5');
  for (const body of [{}, { userName: name }, { token: server.token, password }]) {
    const either = 'the body must have userName and password, or token';
    assert.deepEqual(problemOf(await signIn(body)), [400, 'INPUT_INVALID', either]);
  }

  const setUp = (body: object) => call('createFirstUser', { token: null, body });
  const person = { userName: 'first', password };
  const { url } = await createSetupLink(server.sql, { address: '', now: server.now, random: randomBytes });
  const link = url.slice(url.indexOf('#') + 1);
  assert.deepEqual(
    problemOf(await setUp({ ...person, token: link, password: 'aaaaaaaaaaaaa' })).slice(0, 2),
    [400, 'INPUT_INVALID'],
  );
  assert.deepEqual(problemOf(await setUp({ ...person, token: link, userName: name })).slice(0, 2), [
    409,
    'USER_EXISTS',
  ]);
  assert.equal((await setUp({ ...person, token: link })).status, 200);
  const invalid = 'The setup link has expired or was used. `npx shoal setup-link` prints a new one.';
  assert.deepEqual(problemOf(await setUp({ ...person, token: link })), [401, 'SETUP_LINK_INVALID', invalid]);
  for (let tries = 0, status = 401; status !== 429; tries += 1) {
    ({ status } = await setUp({ ...person, token: 'guess' }));
    assert.ok(tries < 21, 'guesses are never limited');
  }

  const duplicate = { name: name.toUpperCase(), scope: 'read', password };
  const exists = [409, 'USER_EXISTS', `A user ${JSON.stringify(duplicate.name)} already exists.`];
  assert.deepEqual(problemOf(await call('createUser', { body: duplicate })), exists);
  assert.deepEqual(problemOf(await call('updateUser', { body: { name: duplicate.name } })), exists);
  const nowhere = { body: { ...duplicate, name: 'New', botIds: ['unknown'] } };
  const noBot = [404, 'BOT_NOT_FOUND', 'There is no bot unknown.'];
  assert.deepEqual(problemOf(await call('createUser', nowhere)), noBot);
  assert.deepEqual(problemOf(await call('updateUser', { body: { botIds: ['unknown'] } })), noBot);
  const { token } = await server.addToken('admin', [botId]);
  for (const id of ['updateUser', 'removeUser']) {
    const noUser = [404, 'USER_NOT_FOUND', `There is no user "${userId}".`];
    assert.deepEqual(problemOf(await call(id, { token, params: { userId } })), noUser);
  }
});

test('rejected invitations, and the removal of the last administrator, name the reason', async (t) => {
  const { call, server } = await ready(ownManagementServer(t));
  const { userId, name } = await server.addUser({ scope: 'admin' });
  const last = problemOf(await call('removeUser', { params: { userId } }));
  assert.deepEqual(last.slice(0, 2), [409, 'LAST_ADMIN']);
  const nowhere = await call('createInvitation', { body: { scope: 'read', botIds: ['unknown'] } });
  assert.deepEqual(problemOf(nowhere).slice(0, 2), [404, 'BOT_NOT_FOUND']);
  const made = await call('createInvitation', { body: { scope: 'read', botIds: [server.botId] } });
  const token = String(made.body.path).slice('/invitation#'.length);
  const accept = (body: object) =>
    call('acceptInvitation', { token: null, body: { token, userName: 'invited', password, ...body } });
  const refusal = async (body: object) => problemOf(await accept(body)).slice(0, 2);
  assert.deepEqual(await refusal({ password: 'short' }), [400, 'INPUT_INVALID']);
  assert.deepEqual(await refusal({ userName: name }), [409, 'USER_EXISTS']);
  await server.sql`update invitations set bot_ids = ${['gone']}::text[] where bot_ids = ${[server.botId]}::text[]`;
  assert.deepEqual(await refusal({}), [404, 'BOT_NOT_FOUND']);
  assert.deepEqual(await refusal({ token: 'guess' }), [401, 'INVITATION_INVALID']);
  for (let tries = 0, status = 401; status !== 429; tries += 1) {
    ({ status } = await accept({ token: 'guess' }));
    assert.ok(tries < 21, 'guesses are never limited');
  }
});

test('erasing a person waits until the pending deliveries of that person are counted', async () => {
  const { server } = await ready();
  const { sql, botId, now } = server;
  const call = (id: string) => server.call(id, { params });
  await createContacts(sql, botId, 'line', ['U00000000000000000000000000000001'], {
    now,
    random: randomBytes,
  });
  const params = {
    contactId:
      (await findContacts(sql, botId, 'line', ['U00000000000000000000000000000001'])).get(
        'U00000000000000000000000000000001',
      ) ?? '',
  };
  const body = Buffer.from(
    JSON.stringify({
      destination: 'U00000000000000000000000000000000',
      events: [{ source: { userId: 'U00000000000000000000000000000001' } }],
    }),
  );
  await putDeliveries(sql, [{ botId, platform: 'line', source: 'webhook', body, receivedAt: now }]);
  const released = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const holding = sql.begin(async (tx) => {
    await tx`select from bots where bot_id = ${botId} for update`;
    locked.resolve();
    await released.promise;
  });
  await locked.promise;
  const { status, body: answer, headers } = await call('forgetContact');
  const { jobId, ...job } = answer.job as Record<string, unknown>;
  assert.deepEqual([status, headers.location], [202, `/api/v1/bots/${botId}/jobs/${jobId}`]);
  assert.deepEqual([job.kind, job.contactId, job.state], ['forget', params.contactId, 'running']);
  assert.deepEqual((await server.call('getJob', { params: { jobId: String(jobId) } })).body, answer.job);
  assert.equal((await call('getContact')).status, 200);
  released.resolve();
  await holding;
  assert.equal((await call('forgetContact')).status, 204);
  assert.deepEqual(problemOf(await call('getContact')).slice(0, 2), [404, 'CONTACT_NOT_FOUND']);
  assert.equal((await call('forgetContact')).status, 204);
});

test('a call does not recount a bot with too many events, and leaves it unchanged', async (t) => {
  const { call, sql, botId } = await ready(ownManagementServer(t));
  await sql`
    insert into events (bot_id, platform, key, kind, happened_at, received_at)
    select ${botId}, 'line', number::text, 'other', now(), now() from generate_series(1, 100001) number`;
  const refused = await call('updateBot', { body: { name: 'New', timeZone: 'Asia/Tokyo' } });
  assert.deepEqual(problemOf(refused).slice(0, 2), [409, 'RECOUNT_TOO_LARGE']);
  const recount = await call('recountFigures', { body: { check: false } });
  assert.deepEqual(problemOf(recount).slice(0, 2), [409, 'RECOUNT_TOO_LARGE']);
  const { body } = await call('getBot');
  assert.deepEqual([body.name, body.timeZone], ['Shop', 'Asia/Taipei']);
  assert.equal((await call('updateBot', { body: { name: 'New', timeZone: 'Asia/Taipei' } })).status, 200);
});

test('a read that counts events or conversations times out', async () => {
  const { call, sql } = await ready();
  // Reads of these tables now wait.
  const released = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const holding = sql.begin(async (tx) => {
    await tx`lock table events, conversations, sends`;
    locked.resolve();
    await released.promise;
  });
  await locked.promise;
  const reads = {
    '%width_bucket%': () => call('getSeries', { query: { zone: 'Europe/Berlin', figures: 'inbound' } }),
    '%grouping sets%': () => call('getConversationSpread'),
    '%strpos%': () => call('search', { query: { q: 'a' } }),
    '%sort_key%': () => call('listContacts'),
    '%as count from contacts%': () => call('countContacts', { query: { activeFrom: '2026-03-01' } }),
  };
  for (const [text, read] of Object.entries(reads)) {
    const late = read();
    const waiting = sql`from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like ${text}`;
    while ((await sql`select ${waiting}`).length === 0);
    await sql`select pg_cancel_backend(pid) ${waiting}`;
    assert.deepEqual(problemOf(await late).slice(0, 2), [503, 'READ_TOO_LONG']);
  }
  released.resolve();
  await holding;
});

test('an export of people needs a larger scope than an export of counts', async () => {
  const { call, server } = await ready();
  const { token } = await server.addToken('read');
  for (const what of ['messages', 'figures', 'catalogue']) {
    assert.equal((await call('exportData', { token, params: { what } })).status, 200);
  }
  for (const what of ['contacts', 'events', 'conversations', 'points', 'gifts', 'recipients']) {
    const refused = await call('exportData', { token, params: { what } });
    const detail = `An export of ${what} needs a token with the scope write; this one has read.`;
    assert.deepEqual(problemOf(refused), [403, 'SCOPE_TOO_SMALL', detail]);
  }
});

test('a token can run two exports and two imports at a time, and a third is rejected', async () => {
  const { call, sql, server } = await ready();
  const held = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const holding = sql.begin(async (tx) => {
    await tx`lock table events`;
    await tx`select from bots where bot_id = ${server.botId} for update`;
    held.resolve();
    await over.promise;
  });
  await held.promise;
  const waiting = async (query: string) => {
    const look = () => sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like ${query}`;
    while ((await look()).length < 2);
  };
  const exported = () => call('exportData', { params: { what: 'events' } });
  // The bot is locked, so these calls cannot run setup queries.
  const imported = () => server.call('importData', good.importData);
  const runs = [exported(), exported(), imported(), imported()];
  await Promise.all([waiting('%declare exported%'), waiting('%for no key update%')]);
  for (const busy of [await exported(), await imported()]) {
    const detail = 'Too many transfers at a time: 2 of this token.';
    assert.deepEqual(problemOf(busy), [503, 'TRANSFERS_BUSY', detail]);
    assert.equal(busy.headers['retry-after'], '10');
  }
  const { token } = await server.addToken('write');
  const sameBot = await call('exportData', { params: { what: 'contacts' }, token });
  assert.deepEqual(problemOf(sameBot), [
    503,
    'TRANSFERS_BUSY',
    'Too many transfers at a time: 2 of this bot.',
  ]);
  const botId = await server.addBot();
  const other = call('exportData', { params: { botId, what: 'contacts' }, token });
  over.resolve();
  await holding;
  for (const { status } of [await other, ...(await Promise.all(runs))]) assert.equal(status, 200);
  for (const { status } of [await exported(), await imported()]) assert.equal(status, 200);
});

test('an invalid import is rejected as a whole, with the numbers of the invalid lines', async () => {
  const { call, sql, botId } = await ready();
  const points = (body: string, query = {}) =>
    call('importData', { params: { what: 'points' }, body, query });
  const csv =
    'platform,contact,amount,key\nline,U00000000000000000000000000000001,5,a\nline,U00000000000000000000000000000001,-6,b\n';
  assert.deepEqual(problemOf(await points(csv)).slice(0, 2), [404, 'CONTACT_NOT_FOUND']);
  const overspent = await points(csv, { createContacts: 'true' });
  assert.deepEqual(problemOf(overspent).slice(0, 2), [409, 'POINTS_INSUFFICIENT']);
  assert.match(
    String(overspent.body.detail),
    /^Nothing was imported\.\n {2}line 3: Insufficient points: \d+ requested, 5 available/,
  );
  assert.equal((await sql`select from contacts where bot_id = ${botId} and platform = 'line'`).length, 0);
  const right = await points(csv.replace('-6', '-4'), { createContacts: 'true' });
  assert.deepEqual([right.body.lines, right.body.written, right.body.repeated], [2, 2, 0]);
  const lines = '{"platform":"line","contact":"U00000000000000000000000000000001","amount":5,"key":"a"}';
  const headers = { 'content-type': 'application/x-ndjson; charset=utf-8' };
  const again = await call('importData', { params: { what: 'points' }, body: lines, headers });
  assert.deepEqual([again.body.written, again.body.repeated], [0, 1]);
  const problemDetail = async (wrong: Call) => problemOf(await call('importData', wrong)).slice(1);
  assert.match(
    String(await problemDetail({ body: '' })),
    /^INPUT_INVALID,The column "platform" is missing\..* The first line must name the columns/,
  );
  assert.match(
    String(await problemDetail({ query: { createContacts: 'true' } })),
    /Only imports of points and gifts can create contacts/,
  );
  const many = `platform,platform_contact_id\n${'line,U\n'.repeat(20_001)}`;
  assert.match(String(await problemDetail({ body: many })), /The body has more than 20000 lines/);
  assert.match(
    String(await problemDetail({ headers: { 'content-type': 'application/json' } })),
    /must be sent as text\/csv/,
  );
});

test('a key of another change and a taken name are rejected', async () => {
  const { call, ids } = await ready();
  const { giftId } = ids;
  const headers = { 'idempotency-key': 'taken' };
  await call('createSend', { headers });
  const other = { name: 'Spring', platform: 'line', message: { text: 'Hi' }, filter: {} };
  assert.deepEqual(problemOf(await call('createSend', { headers, body: other })).slice(0, 2), [
    409,
    'KEY_REUSED',
  ]);
  const body = { name: 'Taken', text: 'Hi' };
  await call('createMessageTemplate', { body });
  for (const id of ['createMessageTemplate', 'replaceMessageTemplate'])
    assert.deepEqual(problemOf(await call(id, { body })).slice(0, 2), [409, 'TEMPLATE_EXISTS']);
  const unchecked = await call('setChannel', { body: { channelId: '1657000000' } });
  assert.deepEqual(problemOf(unchecked).slice(0, 2), [502, 'LINE_UNREACHABLE']);
  const gift = { name: 'Taken', kind: 'ticket', resource: 'shop' };
  await call('createGift', { body: gift });
  assert.deepEqual(problemOf(await call('createGift', { body: gift })).slice(0, 2), [409, 'GIFT_EXISTS']);
  const rename = { params: { giftId }, body: { name: 'Taken' } };
  assert.deepEqual(problemOf(await call('updateGift', rename)).slice(0, 2), [409, 'GIFT_EXISTS']);
  for (const id of ['grantGift', 'redeemGift']) {
    await call(id, { headers });
    assert.deepEqual(problemOf(await call(id, { headers })).slice(0, 2), [409, 'KEY_REUSED'], id);
  }
});

test('an unknown report or bot of a report is not found, and without an SMTP server none is sent', async (t) => {
  const { call } = await ready();
  const params = { reportId: 'unknown' };
  for (const id of ['get', 'replace', 'delete', 'preview', 'send'].map((name) => `${name}MailReport`)) {
    assert.deepEqual(problemOf(await call(id, { params })).slice(0, 2), [404, 'MAIL_REPORT_NOT_FOUND'], id);
  }
  const body = reportOf('unknown');
  for (const id of ['createMailReport', 'replaceMailReport'])
    assert.deepEqual(problemOf(await call(id, { body })).slice(0, 2), [404, 'BOT_NOT_FOUND'], id);
  const { call: callWithout } = await ready(ownManagementServer(t, { smtpUrl: null }));
  assert.equal((await callWithout('listMailReports')).body.isConfigured, false);
  for (const id of ['previewMailReport', 'sendMailReport'])
    assert.deepEqual(problemOf(await callWithout(id)).slice(0, 2), [409, 'MAIL_NOT_CONFIGURED'], id);
});

test('the tests cover every documented response of every operation', () => {
  for (const { operationId, responses } of documented) {
    if (operationId === undefined || responses === undefined) continue;
    const answeredStatuses = [...(answered.get(operationId) ?? [])].map(String).sort();
    // Live chat tests cover an open socket; tests/http-forms.test.ts covers responses of the HTTP server itself.
    const elsewhere = ['101', '405', '414', '431'];
    // tests/database-outage.test.ts covers an unavailable database for the whole API.
    const statuses = Object.entries(responses)
      .filter(([status, { $ref }]) => !elsewhere.includes(status) && !$ref?.endsWith('/DatabaseUnavailable'))
      .map(([status]) => status);
    assert.deepEqual(answeredStatuses, statuses.sort(), operationId);
  }
});
