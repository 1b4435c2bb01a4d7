/**
 * The MantaGo calls against their contract: each documented operation and response, the order of the checks, and the
 * published examples. Every response is checked against the contract's schema, with no additional property.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import postgres from 'postgres';
import { mantagoOperations } from '../../src/api/mantago/operations.ts';
import { replacePair } from '../../src/auth/api-pairs.ts';
import { enableChannel } from '../../src/bots/channels.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import type { Sql } from '../../src/database/client.ts';
import { platformNames } from '../../src/platforms/platform.ts';
import { dayMs } from '../../src/time.ts';
import { findCallback, rotateSecret } from '../../src/webhooks-out/endpoints.ts';
import { testDatabase } from '../harness/database.ts';
import { putSnapshot } from '../harness/line-figures.ts';
import { earn } from '../harness/points.ts';
import { seededBytes } from '../harness/random.ts';
import { parseYaml } from '../harness/yaml.ts';
import {
  type Call,
  contract,
  errorOf,
  type MantagoServer,
  mantagoServer,
  ownMantagoServer,
} from './mantago-server.ts';

const [document, partial] = await Promise.all(
  ['mantago.yaml', 'mantago-partial.yaml'].map(async (name) =>
    parseYaml(await readFile(new URL(`../../contracts/${name}`, import.meta.url), 'utf8')),
  ),
);
const built = contract.operations.map(({ id }) => id);
const ids = { clientIds: ['VolejRejN'] };
const callback = 'https://example.com/callback';
/** Valid input of the implemented operations, for a bot created by `ready`. */
const bodies: Record<string, Record<string, unknown>> = {
  getClientPoints: ids,
  clearClientPoints: ids,
  setCustomerCallback: { callback },
  getClientGifts: { clientId: 'VolejRejN' },
  sendBroadcast: { platform: 'line', clientIds: ['VolejRejN'], message: 'Hello', name: 'Openapi Broadcast' },
  bindCustomer: { clientId: 'VolejRejN', customerId: 'customer_456' },
  unbindCustomer: { clientId: 'VolejRejN', customerId: 'customer_456' },
  updateAutoTagLifeCycle: { isActive: true, lifeCycle: 30 },
  updateAllAutoTagLifeCycles: { isActive: true },
  ...Object.fromEntries(
    ['createClientTag', 'createPersonalTag', 'createAutoTag'].map((id) => [id, { name: 'New' }]),
  ),
  ...Object.fromEntries(
    ['updateClientTag', 'updatePersonalTag', 'updateAutoTag'].map((id) => [id, { name: 'Other' }]),
  ),
  ...Object.fromEntries(
    ['ClientTag', 'PersonalTag', 'AutoTag'].flatMap((tag) => {
      const idName = tag === 'AutoTag' ? 'autoTagId' : 'tagId';
      return [`create${tag}Mapping`, `delete${tag}Mapping`].map((id) => [
        id,
        { [idName]: tag, clientId: 'VolejRejN' },
      ]);
    }),
  ),
};
const queries: Record<string, Record<string, string>> = {
  setCustomerCallback: { customerCallbackUrl: callback },
};
/** The tag in an operation's path. */
function paramsOf(id: string): Record<string, string> {
  const [tag] = /(Client|Personal|Auto)Tag/.exec(id) ?? [];
  return tag === undefined ? {} : { tagId: tag, autoTagId: tag };
}

const tokenError = { status: 401, code: 1004, message: 'Token is invalid or expired' };
const permissionError = { status: 403, code: 1002, message: 'permission denied' };
const unknownBot = { status: 404, code: 5001, message: '尋找Bot資訊失敗,無此botId' };
const replacedPair = { status: 404, code: 120_000, message: 'Get open api failed' };
const unknownClient = { status: 404, code: 37_011, message: 'Get client failed' };

function variables(problem: string) {
  return { status: 404, code: 110_000, message: `Get correct request variables failed: ${problem}` };
}

function operationOf(id: string) {
  const operation = contract.operations.find((candidate) => candidate.id === id);
  assert.ok(operation, id);
  return operation;
}

type Contact = { contactId?: string; platform?: string; id?: string };

async function addContact(sql: Sql, botId: string, contact: Contact = {}): Promise<void> {
  const { contactId = 'VolejRejN', platform = 'line' } = contact;
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    values (${botId}, ${contactId}, ${platform}, ${contact.id ?? `U${contactId}`}, now())`;
}

async function addPoints(
  { sql, bot, now }: MantagoServer,
  contactId: string,
  amount: number,
  expiresAt: number | null = null,
) {
  await earn(sql, { botId: bot.botId, contactId, amount, expiresAt, key: `${contactId} ${amount}` }, { now });
}

async function ready(server = mantagoServer()): Promise<MantagoServer> {
  const ready = await server;
  const { botId } = ready.bot;
  await addContact(ready.sql, botId);
  await ready.sql`
    insert into contact_profiles (bot_id, contact_id, customer_id, updated_at)
    values (${botId}, 'VolejRejN', 'customer_456', now())`;
  await ready.sql`
    insert into tags (bot_id, tag_id, kind, name, created_at, updated_at) values
      (${botId}, 'ClientTag', 'manual', 'VIP', now(), now()),
      (${botId}, 'PersonalTag', 'personal', 'VIP', now(), now()),
      (${botId}, 'AutoTag', 'automatic', 'VIP', now(), now())`;
  return ready;
}

test('each implemented operation returns 200 with the message of the contract at both base paths', async () => {
  const server = await ready();
  await server.sql`
    insert into channels (bot_id, platform, secret_sealed, access_token_sealed) values (${server.bot.botId}, 'line', '', '')`;
  const isOnce = (id: string) => /^(create|unbind|delete)/.test(id);
  // Removing and then deleting a tag come last.
  const rank = (id: string) => (id.startsWith('delete') ? (id.endsWith('Mapping') ? 1 : 2) : 0);
  const inOrder = built.filter((id) => id !== 'refreshToken').sort((a, b) => rank(a) - rank(b));
  for (const id of inOrder) {
    const { path, method } = operationOf(id);
    const item = (document.paths[path] ?? partial.paths[path])[method.toLowerCase()];
    const message = item.responses['200'].content['application/json'].example?.message;
    const answers = [];
    const bases = isOnce(id) ? [''] : ['/api', ''];
    for (const base of bases) {
      const call = { base, params: paramsOf(id), query: queries[id] ?? {}, body: bodies[id] ?? {} };
      answers.push(await server.call(id, call));
    }
    assert.deepEqual(answers[0]?.body, answers.at(-1)?.body);
    assert.equal(answers[0]?.status, 200, `${id} ${JSON.stringify(answers[0]?.body)}`);
    assert.equal(answers[0]?.body.success, true);
    assert.equal(answers[0]?.body.message, message ?? answers[0]?.body.message, id);
  }
  for (const base of ['/api', '']) {
    const { status, body } = await server.call('refreshToken', { base });
    assert.deepEqual([status, body.success, body.message], [200, true, 'Operation completed successfully']);
    Object.assign(server.bot, { apiToken: body.apiToken, apiSecret: body.apiSecret });
  }
});

test('each operation, implemented or not, checks in order: 401, 404 unknown bot, 403, 404 replaced pair, 404 variables', async () => {
  const server = await ready();
  const other = await server.addBot();
  const { body } = await server.call('refreshToken');
  const old = { ...server.bot };
  Object.assign(server.bot, { apiToken: body.apiToken, apiSecret: body.apiSecret });
  const wrong: [Call, ReturnType<typeof errorOf>][] = [
    [{ token: null }, tokenError],
    [{ token: 'a.b.c' }, tokenError],
    [{ token: `${server.bot.apiToken}x` }, tokenError],
    [{ botId: null }, variables('botId in the query is missing, or not one value')],
    [{ botId: 'AbCdEfGhI' }, unknownBot],
    [{ botId: other.botId }, permissionError],
    [{ token: other.apiToken }, permissionError],
    [{ token: old.apiToken }, replacedPair],
    [{ secret: old.apiSecret }, permissionError],
    [{ secret: other.apiSecret }, permissionError],
    [{ secret: '' }, permissionError],
    [{ secret: null }, variables('secret in the body is missing')],
    [{ secret: 5 }, variables('secret in the body must be a string')],
    [{ raw: { payload: '{"secret":', contentType: 'application/json' } }, variables('the body is not JSON')],
  ];
  for (const { id } of contract.operations) {
    for (const [call, expected] of wrong) {
      const answer = await server.call(id, { body: bodies[id] ?? {}, ...call });
      assert.deepEqual(errorOf(answer), expected, `${id} ${JSON.stringify(call)}`);
    }
  }
});

test('an error names the requested bot', async () => {
  const server = await ready();
  const { body } = await server.call('getClientAnalysis', { token: null, botId: 'lNbWoobyg' });
  const errResponse = { message: 'Token is invalid or expired', code: 1004, botId: 'lNbWoobyg' };
  assert.deepEqual(body, { success: false, errResponse });
  const { body: unnamed } = await server.call('getClientAnalysis', { token: null, botId: 'x'.repeat(65) });
  assert.deepEqual(unnamed, {
    success: false,
    errResponse: { message: 'Token is invalid or expired', code: 1004 },
  });
});

test('of several errors the first in the order of the checks is reported', async () => {
  const server = await ready();
  const other = await server.addBot();
  const bad = { secret: 'wrong', body: { clientIds: 5 } };
  const call = async (faults: Call) => errorOf(await server.call('getClientPoints', faults));
  assert.deepEqual(await call({ token: null, botId: 'unknown', ...bad }), tokenError);
  assert.deepEqual(await call({ botId: 'unknown', ...bad }), unknownBot);
  assert.deepEqual(await call({ botId: other.botId, ...bad }), permissionError);
  assert.deepEqual(await call(bad), permissionError);
  const numberForArray = variables('clientIds in the body must be an array, not a number');
  assert.deepEqual(await call({ body: bad.body }), numberForArray);
  const cut = { payload: '{', contentType: 'application/json' };
  assert.deepEqual(await call({ botId: 'unknown', raw: cut }), unknownBot);
  assert.deepEqual(await call({ token: other.apiToken, raw: cut }), permissionError);
});

test('a token expires on its 30th day, but can still be refreshed with its secret', async () => {
  const server = await ready();
  server.now += 30 * dayMs - 1;
  assert.equal((await server.call('getClientAnalysis')).status, 200);
  server.now += 1;
  assert.deepEqual(errorOf(await server.call('getClientAnalysis')), tokenError);
  assert.deepEqual(errorOf(await server.call('refreshToken', { secret: 'wrong' })), permissionError);
  const { status, body } = await server.call('refreshToken');
  assert.equal(status, 200);
  assert.deepEqual(errorOf(await server.call('refreshToken')), replacedPair);
  Object.assign(server.bot, { apiToken: body.apiToken, apiSecret: body.apiSecret });
  assert.equal((await server.call('getClientAnalysis')).status, 200);
});

test('of several concurrent refreshes one receives the new pair, which is valid', async () => {
  const server = await ready();
  const answers = await Promise.all(Array.from({ length: 5 }, () => server.call('refreshToken')));
  const [pair, ...more] = answers.filter(({ status }) => status === 200);
  assert.deepEqual(more, []);
  for (const answer of answers) if (answer !== pair) assert.deepEqual(errorOf(answer), replacedPair);
  Object.assign(server.bot, { apiToken: pair?.body.apiToken, apiSecret: pair?.body.apiSecret });
  assert.equal((await server.call('getMessageAnalysis')).status, 200);
});

test('calls outside of the contract are rejected in the same envelope', async () => {
  const { app } = await ready();
  const send = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string) => {
    const response = await app.inject({ method, url });
    return { status: response.statusCode, body: response.json(), headers: response.headers };
  };
  for (const base of ['/api', '']) {
    const missing = await send('POST', `${base}/openapi/nothing?botId=lNbWoobyg`);
    assert.deepEqual(errorOf(missing), {
      status: 404,
      code: 404,
      message: `There is no POST ${base}/openapi/nothing`,
    });
    const wrongMethod = await send('GET', `${base}/openapi/client/point`);
    const message = `${base}/openapi/client/point takes POST, DELETE, not GET`;
    assert.deepEqual(errorOf(wrongMethod), { status: 405, code: 405, message });
    assert.equal(wrongMethod.headers.allow, 'POST, DELETE');
    assert.equal((await send('DELETE', `${base}/openapi/token`)).headers.allow, 'POST');
  }
});

test('a body that is not a JSON object is rejected with the expected type', async () => {
  const server = await ready();
  const detailOf = async (payload: string, contentType = 'application/json') =>
    errorOf(await server.call('getClientAnalysis', { raw: { payload, contentType } })).message.split(': ')[1];
  assert.equal(await detailOf('nonsense'), 'the body is not JSON');
  assert.equal(await detailOf(''), 'the body is not JSON');
  for (const payload of ['[]', '"text"', '5', 'null'])
    assert.equal(await detailOf(payload), 'the body must be a JSON object');
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense']) {
    const refused = await server.call('getClientAnalysis', { raw: { payload: '{}', contentType: type } });
    const message = 'the body must be sent as application/json';
    assert.deepEqual(errorOf(refused), { status: 415, code: 415, message });
  }
  const large = { payload: ' '.repeat(1_048_577), contentType: 'application/json' };
  assert.deepEqual(errorOf(await server.call('getClientAnalysis', { raw: large })), {
    status: 413,
    code: 413,
    message: 'the body must have at most 1024 KiB',
  });
  const charset = {
    payload: JSON.stringify({ secret: server.bot.apiSecret }),
    contentType: 'application/json; charset=UTF-8',
  };
  assert.equal((await server.call('getClientAnalysis', { raw: charset })).status, 200);
});

test('an error names the invalid field and the expected value', async () => {
  const server = await ready();
  const detailOf = async (id: string, body: Record<string, unknown>) => {
    const { status, code, message } = errorOf(await server.call(id, { body }));
    assert.deepEqual([status, code], [404, 110_000]);
    return message.replace('Get correct request variables failed: ', '');
  };
  const platforms = 'must be one of line, facebook, instagram, liveChat, whatsapp';
  assert.equal(
    await detailOf('getClientAnalysis', { platform: 'telegram' }),
    `platform in the body ${platforms}, not "telegram"`,
  );
  assert.equal(
    await detailOf('getClientAnalysis', { platform: 'LINE' }),
    `platform in the body ${platforms}, not "LINE"`,
  );
  assert.equal(
    await detailOf('getClientAnalysis', { platform: 5 }),
    'platform in the body must be a string, not a number',
  );
  assert.equal(
    await detailOf('getClientAnalysis', { platform: null }),
    'platform in the body must be a string, not null',
  );
  const points = (body: Record<string, unknown>) => detailOf('getClientPoints', body);
  const noIds = 'at least one id is needed: clientIds, or platform with platformClientIds';
  const together = 'platform and platformClientIds go together';
  const many = Array.from({ length: 101 }, (_, index) => `id${index}`);
  assert.equal(await points({}), noIds);
  assert.equal(await points({ clientIds: [] }), noIds);
  assert.equal(await points({ platform: 'line', platformClientIds: [] }), noIds);
  assert.equal(await points({ platform: 'line' }), `platformClientIds in the body is missing; ${together}`);
  assert.equal(
    await points({ ...ids, platform: 'line' }),
    `platformClientIds in the body is missing; ${together}`,
  );
  assert.equal(await points({ platformClientIds: ['U1'] }), `platform in the body is missing; ${together}`);
  assert.equal(
    await points({ platform: 'all', platformClientIds: ['U1'] }),
    `platform in the body ${platforms}, not "all"`,
  );
  assert.equal(
    await points({ clientIds: many }),
    'clientIds in the body must have at most 100 entries, not 101',
  );
  assert.equal(
    await points({ platform: 'line', platformClientIds: many }),
    'platformClientIds in the body must have at most 100 entries, not 101',
  );
  assert.equal(
    await points({ clientIds: ['a', null] }),
    'clientIds[1] in the body must be a string, not null',
  );
  assert.equal(await points({ clientIds: 'a' }), 'clientIds in the body must be an array, not a string');
});

test('a requested platform returns its fields only, and "all" returns every field', async () => {
  const server = await ready();
  const fieldsOf = async (body: Record<string, unknown>) => {
    const { clientAnalysis } = (await server.call('getClientAnalysis', { body })).body;
    return Object.keys(clientAnalysis ?? {});
  };
  const documented: [string, { 'x-returned-for': string }][] = Object.entries(
    document.components.schemas.ClientAnalysis.properties,
  );
  for (const platform of ['line', 'facebook', 'instagram', 'liveChat', 'whatsapp']) {
    const platformFields = documented
      .filter(([, field]) => field['x-returned-for'] === platform)
      .map(([name]) => name);
    assert.deepEqual(await fieldsOf({ platform }), platformFields);
  }
  const all = documented.map(([name]) => name);
  assert.deepEqual(await fieldsOf({}), all);
  assert.deepEqual(await fieldsOf({ platform: 'all' }), all);
});

test("the published example of the client analysis, except for the ages and the cover rate, which LINE's figures cannot produce", async () => {
  const server = await ready();
  const { sql, bot, keys, now } = server;
  const random = randomBytes;
  await setChannel(sql, { botId: bot.botId, platform: 'line', secret: 'hush' }, { now, random, keys });
  await sql`update totals set inbound = 5000, outbound = 420 where bot_id = ${bot.botId}`;
  const snapshot = { botId: bot.botId, day: '2026-03-14', receivedAt: now };
  await putSnapshot(sql, {
    ...snapshot,
    kind: 'followers',
    value: { status: 'ready', followers: 1250, blocks: 15, targetedReaches: 1 },
  });
  const value = {
    available: true,
    genders: [
      { gender: 'unknown', percentage: 37.6 },
      { gender: 'male', percentage: 31.8 },
      { gender: 'female', percentage: 30.6 },
    ],
    areas: [
      { area: '台北市', percentage: 20.1 },
      { area: 'unknown', percentage: 42 },
      { area: '新北市', percentage: 25 },
      { area: '新竹縣', percentage: 12.8 },
      { area: '基隆市', percentage: 0.1 },
    ],
    appTypes: [
      { appType: 'ios', percentage: 62.4 },
      { appType: 'android', percentage: 27.7 },
      { appType: 'others', percentage: 9.9 },
    ],
  };
  await putSnapshot(sql, { ...snapshot, kind: 'demographic', value });
  const { body } = await server.call('getClientAnalysis', { body: { platform: 'line' } });
  assert.deepEqual(body, {
    success: true,
    message: 'Get client analysis successfully',
    clientAnalysis: {
      lineFollowers: 1250,
      lineBlocks: 15,
      // Largest first, unlike the published example.
      lineGenders: [
        { name: '未知', percentage: 37.6 },
        { name: '男性', percentage: 31.8 },
        { name: '女性', percentage: 30.6 },
      ],
      lineAges: [],
      lineAreas: [
        { name: '北北基', percentage: 45.2 },
        { name: '未知', percentage: 42 },
        { name: '桃竹苗', percentage: 12.8 },
      ],
      lineAppTypes: [
        { name: 'iOS', percentage: 62.4 },
        { name: 'Android', percentage: 27.7 },
        { name: '未知', percentage: 9.9 },
      ],
      lineMessageNumbers: 5420,
      lineIsIntegration: true,
      lineTagCoverRate: 0,
    },
  });
});

test('the published example of the message analysis, field by field', async () => {
  const server = await ready();
  const { sql, bot, keys, now } = server;
  const random = randomBytes;
  const averages = {
    line: [8, 120],
    facebook: [6, 95],
    instagram: [4, 75],
    liveChat: [12, 180],
    whatsapp: [7, 110],
  };
  for (const [platform, [messages = 0, seconds = 0]] of Object.entries(averages)) {
    await sql`
      insert into totals (bot_id, platform, conversations, conversation_messages, conversation_ms)
      values (${bot.botId}, ${platform}, 2, ${2 * messages}, ${2_000 * seconds})`;
  }
  const meta = { secret: 'hush', accountId: '1', verifyToken: 'hush' };
  const channels = {
    line: { secret: 'hush' },
    facebook: meta,
    instagram: meta,
    liveChat: {},
    whatsapp: meta,
  };
  for (const platform of platformNames) {
    const settings = { botId: bot.botId, platform, ...channels[platform] };
    await setChannel(sql, settings, { now, random, keys });
  }
  for (const platform of ['instagram', 'whatsapp'] as const) {
    await enableChannel(sql, { botId: bot.botId, platform, enabled: false, now });
  }
  const snapshot = { botId: bot.botId, receivedAt: now };
  const deliveries = (apiReply: number, apiPush: number, apiBroadcast: number) => ({
    status: 'ready',
    apiReply,
    apiPush,
    apiBroadcast,
  });
  await putSnapshot(sql, {
    ...snapshot,
    kind: 'delivery',
    day: '2026-02-28',
    value: deliveries(100, 100, 100),
  });
  await putSnapshot(sql, { ...snapshot, kind: 'delivery', day: '2026-03-01', value: deliveries(40, 2, 0) });
  await putSnapshot(sql, { ...snapshot, kind: 'delivery', day: '2026-03-14', value: deliveries(5, 10, 3) });
  await putSnapshot(sql, {
    ...snapshot,
    kind: 'quota',
    day: '2026-03-15',
    value: { type: 'limited', value: 1000, totalUsage: 250 },
  });
  const { example } =
    document.paths['/openapi/message/analysis'].post.responses['200'].content['application/json'];
  const { body } = await server.call('getMessageAnalysis');
  assert.deepEqual(body, example);
  assert.deepEqual(Object.keys(body), Object.keys(example));
});

test('the published example of the points call', async () => {
  const server = await mantagoServer();
  await addContact(server.sql, server.bot.botId, { contactId: 'VolejRejN' });
  await addContact(server.sql, server.bot.botId, { contactId: 'Other', id: 'U1234567890abcdef' });
  await addPoints(server, 'VolejRejN', 150);
  await addPoints(server, 'Other', 200);
  const { requestBody, responses } = document.paths['/openapi/client/point'].post;
  const { secret: _, ...requestBodyWithoutSecret } = requestBody.content['application/json'].example;
  const { body } = await server.call('getClientPoints', { body: requestBodyWithoutSecret });
  assert.deepEqual(body, responses['200'].content['application/json'].example);
});

test('the published example of the callback: the URL is stored, and the generated secret is not returned', async () => {
  const server = await mantagoServer();
  const { sql, bot, keys, now } = server;
  const { requestBody, responses } = document.paths['/openapi/set/callback'].post;
  const { secret: _, ...requestBodyWithoutSecret } = requestBody.content['application/json'].example;
  const query = { customerCallbackUrl: requestBodyWithoutSecret.callback };
  for (let time = 1; time <= 2; time += 1) {
    const { status, body } = await server.call('setCustomerCallback', {
      body: requestBodyWithoutSecret,
      query,
    });
    assert.equal(status, 200);
    assert.deepEqual(body, responses['200'].content['application/json'].example);
  }
  assert.equal((await findCallback(sql, bot.botId, now))?.url, 'https://example.com/callback');
  const { secret } = await rotateSecret(
    sql,
    { botId: bot.botId, retire: false },
    { now, keys, random: randomBytes },
  );
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
});

test('a callback URL that is missing, inconsistent with the query, invalid or not public is rejected and changes nothing', async () => {
  const server = await mantagoServer();
  const { sql, bot, now } = server;
  const set = (url: string, again = url) =>
    server.call('setCustomerCallback', { body: { callback: url }, query: { customerCallbackUrl: again } });
  assert.equal((await set('http://example.com:8443/hook?shop=1')).status, 200);
  const detailOf = async (answer: ReturnType<typeof set>) => {
    const { status, code, message } = errorOf(await answer);
    assert.deepEqual([status, code], [404, 110_000]);
    return message.replace('Get correct request variables failed: ', '');
  };
  assert.equal(
    await detailOf(server.call('setCustomerCallback', { body: { callback } })),
    'customerCallbackUrl in the query is missing',
  );
  assert.equal(
    await detailOf(server.call('setCustomerCallback', { query: { customerCallbackUrl: callback } })),
    'callback in the body is missing',
  );
  assert.equal(
    await detailOf(set(callback, 'https://example.com/other')),
    'callback in the body and customerCallbackUrl in the query must be the same',
  );
  assert.match(await detailOf(set('example.com')), /^customerCallbackUrl in the query /);
  assert.match(await detailOf(set('ftp://example.com/')), /must begin with https:/);
  assert.match(await detailOf(set('https://shop:pass@example.com/')), /user name or a password/);
  for (const url of ['http://127.0.0.1/', 'http://2130706433/', 'http://[::1]/', 'https://inside.example/'])
    assert.match(await detailOf(set(url)), /private, local or reserved/);
  assert.equal((await findCallback(sql, bot.botId, now))?.url, 'http://example.com:8443/hook?shop=1');
});

test('points are returned in the requested order, repeated ids each time, without unknown ids and ids of other bots', async () => {
  const server = await mantagoServer();
  const { sql, bot } = server;
  const other = await server.addBot();
  await addContact(sql, bot.botId, { contactId: 'One', id: 'U1' });
  await addContact(sql, bot.botId, { contactId: 'Two', id: '2', platform: 'facebook' });
  await addContact(sql, other.botId, { contactId: 'Theirs', id: 'U9' });
  await addPoints(server, 'One', 10);
  const pointsOf = async (body: Record<string, unknown>) =>
    (await server.call('getClientPoints', { body })).body.points;
  const one = { platform: 'line', clientId: 'One', points: 10 };
  const two = { platform: 'facebook', clientId: 'Two', points: 0 };
  assert.deepEqual(await pointsOf({ clientIds: ['Two', 'One', 'unknown', 'Two', 'Theirs'] }), [
    two,
    one,
    two,
  ]);
  const byPlatformIds = { platform: 'line', platformClientIds: ['U9', 'U1', '2', 'U1', '__proto__'] };
  const byPlatform = { platform: 'line', platformClientId: 'U1', points: 10 };
  assert.deepEqual(await pointsOf(byPlatformIds), [byPlatform, byPlatform]);
  assert.deepEqual(await pointsOf({ ...byPlatformIds, clientIds: ['One'] }), [one, byPlatform, byPlatform]);
  const withNul = await server.call('getClientPoints', {
    body: { ...byPlatformIds, clientIds: ['One', 'a\0b'] },
  });
  const message = 'Get correct request variables failed: clientIds in the body holds a NUL character';
  assert.deepEqual(errorOf(withNul), { status: 404, code: 110000, message });
  for (const unknown of [
    { clientIds: ['Theirs', 'unknown', ''] },
    { platform: 'whatsapp', platformClientIds: ['U1'] },
  ]) {
    assert.deepEqual(errorOf(await server.call('getClientPoints', { body: unknown })), unknownClient);
  }
});

test('a WhatsApp number in any notation returns its points, and the response repeats the requested notation', async () => {
  const server = await mantagoServer();
  await addContact(server.sql, server.bot.botId, {
    contactId: 'One',
    id: '886933333333',
    platform: 'whatsapp',
  });
  await addPoints(server, 'One', 5);
  const platformClientIds = ['+886 933-333-333', '886933333333'];
  const { body } = await server.call('getClientPoints', {
    body: { platform: 'whatsapp', platformClientIds },
  });
  assert.deepEqual(
    body.points,
    platformClientIds.map((platformClientId) => ({ platform: 'whatsapp', platformClientId, points: 5 })),
  );
  await server.call('clearClientPoints', { body: { platform: 'whatsapp', platformClientIds } });
  const { body: after } = await server.call('getClientPoints', { body: { clientIds: ['One'] } });
  assert.deepEqual(after.points, [{ platform: 'whatsapp', clientId: 'One', points: 0 }]);
});

test('expired points are not reported, and both ids of a person return the same points', async () => {
  const server = await mantagoServer();
  const { sql, bot } = server;
  await addContact(sql, bot.botId, { contactId: 'One', id: '1', platform: 'whatsapp' });
  await addContact(sql, bot.botId, { contactId: 'Second', id: '2', platform: 'whatsapp' });
  await sql`update contacts set merged_into = 'One' where bot_id = ${bot.botId} and contact_id = 'Second'`;
  await addPoints(server, 'One', 5);
  await addPoints(server, 'One', 7, server.now + dayMs);
  const body = { clientIds: ['Second', 'One'], platform: 'whatsapp', platformClientIds: ['2', '1'] };
  const balances = async () => {
    const { points } = (await server.call('getClientPoints', { body })).body;
    return Array.isArray(points) ? points.map((entry) => entry.points) : points;
  };
  assert.deepEqual(await balances(), [12, 12, 12, 12]);
  server.now += dayMs;
  assert.deepEqual(await balances(), [5, 5, 5, 5]);
});

test('clearing points by either kind of id clears each contact once, is idempotent, and affects no other contact', async () => {
  const server = await mantagoServer();
  const { sql, bot } = server;
  const other = await server.addBot();
  await addContact(sql, bot.botId, { contactId: 'One', id: 'U1' });
  await addContact(sql, bot.botId, { contactId: 'Two', id: 'U2' });
  await addContact(sql, bot.botId, { contactId: 'Three', id: 'U3' });
  await addContact(sql, bot.botId, { contactId: 'Poor', id: 'U4' });
  await addContact(sql, other.botId, { contactId: 'Theirs', id: 'U9' });
  for (const contactId of ['One', 'Two', 'Three']) await addPoints(server, contactId, 10);
  const body = {
    clientIds: ['One', 'Theirs', 'Poor'],
    platform: 'line',
    platformClientIds: ['U1', 'U2', 'U9'],
  };
  const clear = () => server.call('clearClientPoints', { body });
  assert.deepEqual((await clear()).body, { success: true, message: 'Clear client points successfully' });
  assert.equal((await clear()).status, 200);
  const cleared = await sql`
    select contact_id, amount from point_entries where bot_id = ${bot.botId} and kind = 'clear' order by contact_id`;
  assert.deepEqual(
    [...cleared],
    [
      { contact_id: 'One', amount: -10 },
      { contact_id: 'Two', amount: -10 },
    ],
  );
  const three = await server.call('getClientPoints', { body: { clientIds: ['One', 'Three'] } });
  assert.deepEqual(
    Object(three.body.points).map(({ points }: { points: number }) => points),
    [0, 10],
  );
  const unknown = await server.call('clearClientPoints', { body: { clientIds: ['Theirs'] } });
  assert.deepEqual(errorOf(unknown), unknownClient);
});

test('a call can request a hundred ids of each kind', async () => {
  const server = await mantagoServer();
  const clientIds = Array.from({ length: 100 }, (_, index) => `Client${index}`);
  for (const contactId of clientIds) await addContact(server.sql, server.bot.botId, { contactId });
  const platformClientIds = clientIds.map((id) => `U${id}`).reverse();
  const { body } = await server.call('getClientPoints', {
    body: { clientIds, platform: 'line', platformClientIds },
  });
  const answeredIds = Array.isArray(body.points)
    ? body.points.map((entry) => entry.clientId ?? entry.platformClientId)
    : [];
  assert.deepEqual(answeredIds, [...clientIds, ...platformClientIds]);
});

test('calls over the limit per minute return 429 with the seconds to wait, and each counted response shows the rest', async (t) => {
  const server = await ready(ownMantagoServer(t, { rateLimit: 3 }));
  const other = await server.addBot();
  const limits = ({ headers }: { headers: Record<string, unknown> }) =>
    ['limit', 'remaining', 'reset'].map((name) => headers[`ratelimit-${name}`]);
  assert.deepEqual(limits(await server.call('getClientAnalysis')), ['3', '2', '20']);
  assert.deepEqual(limits(await server.call('getClientAnalysis', { secret: 'wrong' })), ['3', '1', '40']);
  assert.deepEqual(limits(await server.call('getClientPoints', { body: ids })), ['3', '0', '60']);
  for (const id of built) {
    const refused = await server.call(id, { params: paramsOf(id), body: bodies[id] ?? {} });
    assert.deepEqual(errorOf(refused), { status: 429, code: 429, message: 'Rate limit exceeded' });
    assert.equal(refused.headers['retry-after'], '20');
    assert.deepEqual(limits(refused), ['3', '0', '60']);
  }
  assert.deepEqual(limits(await server.call('getClientAnalysis', { token: null })), [
    undefined,
    undefined,
    undefined,
  ]);
  const { apiToken: token, apiSecret: secret, botId } = other;
  assert.equal((await server.call('getClientAnalysis', { token, secret, botId })).status, 200);
  server.now += 20_000;
  assert.equal((await server.call('getClientAnalysis')).status, 200);
  assert.equal((await server.call('getClientAnalysis')).status, 429);
});

test('calls with a replaced pair do not count against the limit of the valid pair', async (t) => {
  const server = await ready(ownMantagoServer(t, { rateLimit: 3 }));
  const { botId } = server.bot;
  const making = { now: server.now, random: seededBytes(7), keys: server.keys };
  const next = await server.sql.begin((tx) => replacePair(tx, botId, making));
  const statuses: number[] = [];
  for (let count = 0; count < 6; count += 1) statuses.push((await server.call('getClientAnalysis')).status);
  assert.deepEqual(statuses, [404, 404, 404, 404, 429, 429]);
  const valid = { token: next.apiToken, secret: next.apiSecret };
  assert.equal((await server.call('getClientAnalysis', valid)).headers['ratelimit-remaining'], '2');
});

test('a server error returns 500 in the envelope, with its details in the log only', async (t) => {
  const server = await ready(ownMantagoServer(t));
  await server.sql`alter table api_pairs rename to elsewhere`;
  for (const id of built) {
    const answer = await server.call(id, { params: paramsOf(id), body: bodies[id] ?? {} });
    assert.deepEqual(errorOf(answer), { status: 500, code: 500, message: 'Internal server error' });
  }
  assert.equal(server.logged.length, 2 * built.length);
  const errors = JSON.stringify(server.logged, (_, value) =>
    value instanceof Error ? { ...value, message: value.message } : value,
  );
  assert.match(errors, /api_pairs/);
  for (const secret of [server.bot.apiSecret, server.bot.apiToken])
    assert.equal(errors.includes(secret), false);
});

test('a response includes everything committed before its call, even among many concurrent calls', async () => {
  const server = await ready();
  const { sql, bot, keys, now } = server;
  await setChannel(
    sql,
    { botId: bot.botId, platform: 'line', secret: 'hush' },
    { now, random: randomBytes, keys },
  );
  const calls: Promise<void>[] = [];
  for (let followers = 1; followers <= 30; followers += 1) {
    await sql`update totals set followers = ${followers} where bot_id = ${bot.botId}`;
    for (let call = 0; call < 4; call += 1) {
      calls.push(
        server.call('getClientAnalysis', { body: { platform: 'line' } }).then(({ body }) => {
          const reported = Object(body.clientAnalysis).lineFollowers;
          assert.ok(reported >= followers, `${reported} was reported after ${followers} were committed`);
        }),
      );
    }
  }
  await Promise.all(calls);
});

test('the most frequent calls query the database once', async (t) => {
  const { sql, url } = await testDatabase(t);
  const server = await ready();
  const { keys, gate, now } = server;
  const queries: string[] = [];
  const watched = postgres(url, { max: 1, debug: (_connection, query) => queries.push(query) });
  t.after(() => watched.end());
  await sql`insert into bots (bot_id, name) values ('AbCdEfGhI', 'Shop')`;
  // The database client fetches the array types once.
  await watched`select 1`;
  const operations = mantagoOperations({ sql: watched, keys, gate, clock: () => now, random: randomBytes });
  const caller = { botId: 'AbCdEfGhI', pairId: 'x', expiresAt: now };
  const ids = ['getClientAnalysis', 'getMessageAnalysis', 'getClientPoints', 'refreshToken'] as const;
  for (const id of ids) {
    queries.length = 0;
    const body = { secret: 'x', clientIds: ['a'], platform: 'line' as const, platformClientIds: ['b'] };
    const query = { botId: 'AbCdEfGhI' };
    const access = await operations[id]?.read(caller, { body, query, params: {} });
    assert.deepEqual([access?.credential, queries.length], [null, 1], id);
  }
});

test('over real HTTP the calls return the same responses, including a DELETE with a body', async (t) => {
  const { app, bot } = await ready(ownMantagoServer(t));
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  const call = (path: string, method: string, fields: Record<string, unknown>) =>
    fetch(`${address}${path}?botId=${bot.botId}`, {
      method,
      headers: { authorization: `bearer ${bot.apiToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ secret: bot.apiSecret, ...fields }),
    });
  const answer = await call('/api/openapi/client/point', 'POST', ids);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(
    await answer.text(),
    '{"success":true,"message":"Get client points successfully","points":[{"platform":"line","clientId":"VolejRejN","points":0}]}',
  );
  const cleared = await call('/openapi/client/point', 'DELETE', ids);
  assert.equal(await cleared.text(), '{"success":true,"message":"Clear client points successfully"}');
  assert.equal((await call('/openapi/client/point', 'PATCH', ids)).status, 405);
  const large = await call('/openapi/client/point', 'POST', { clientIds: 'x'.repeat(2_000_000) });
  assert.equal(large.status, 413);
});
