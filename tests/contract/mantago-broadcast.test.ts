/** MantaGo's broadcast, from the call to the platforms' hosts and the stored results. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { pino } from 'pino';
import { setChannel } from '../../src/bots/set-channel.ts';
import { createContacts, findContacts } from '../../src/contacts/contacts.ts';
import { LineAccess } from '../../src/line/access.ts';
import { Posting } from '../../src/live-chat/posting.ts';
import type { PlatformName } from '../../src/platforms/platform.ts';
import { workLane } from '../../src/sends/job.ts';
import { openSenders } from '../../src/sends/senders.ts';
import { listSends, setState } from '../../src/sends/sends.ts';
import { createTemplate } from '../../src/sends/templates.ts';
import { fakeGraph, type GraphCall, graphError } from '../harness/fake-graph.ts';
import { fakeLine } from '../harness/fake-line.ts';
import { foldPending } from '../harness/fold.ts';
import { oncePerFile } from '../harness/scope.ts';
import { errorOf, type MantagoServer, mantagoServer } from './mantago-server.ts';

const line = oncePerFile(fakeLine);
const graph = oncePerFile(fakeGraph);
const success = { success: true, message: 'Send customer broadcast successfully' };
const lineUser = (index: number) => `U${String(index).padStart(32, '0')}`;

/** A bot with a channel and contacts on it. */
async function shop(
  platform: PlatformName,
  ids: readonly string[],
  lineAccess: object = { accessToken: 'token' },
) {
  const server = await mantagoServer();
  const { sql, keys, now, bot } = server;
  const { botId } = bot;
  const random = randomBytes;
  const meta = { accountId: '17', secret: 'hush', verifyToken: 'v', accessToken: 'token' };
  const settings = { line: { secret: 'hush', ...lineAccess }, liveChat: {} }[platform as 'line'] ?? meta;
  await setChannel(sql, { botId, platform, ...settings }, { now, random, keys });
  await createContacts(sql, botId, platform, ids, { now, random });
  const contacts = await findContacts(sql, botId, platform, ids);
  const broadcast = (body: Record<string, unknown>) =>
    server.call('sendBroadcast', { body: { platform, clientIds: ids, name: 'Openapi Broadcast', ...body } });
  return { server, botId, contacts, broadcast, work: () => work(server, platform) };
}

/** Does the due sends of the channel. Returns the newest one with the states of its recipients. */
async function work({ sql, keys, now, bot: { botId } }: MantagoServer, platform: PlatformName) {
  const clock = () => now;
  const log = pino({ level: 'silent' });
  const posting = new Posting(sql, {
    clock,
    log,
    byteLimits: { visitor: 0, address: 0, bot: 0 },
    stored: () => undefined,
  });
  const hosts = {
    lineApi: `${(await line()).address}/`,
    graphApi: `${(await graph()).address}/`,
    instagramApi: 'http://127.0.0.1:9',
  };
  const text = JSON.stringify({ access_token: 'issued', expires_in: 900 });
  const issuer = { askForToken: async () => ({ outcome: 'answered' as const, text }) };
  const access = new LineAccess(issuer, { clock, onCall: () => undefined });
  const { senders, close } = openSenders({ ...hosts, access, posting, clock });
  const onStored = () => undefined;
  await workLane({ botId, platform }, { sql, keys, senders, clock, random: randomBytes, log, onStored });
  await close();
  const [send] = await listSends(sql, botId, { limit: 1, beforeId: null });
  assert.ok(send);
  const rows = await sql<{ state: string; code: string | null; messageId: string | null }[]>`
    select state, code, message_id as "messageId" from send_recipients
    where bot_id = ${botId} and send_id = ${send.sendId} order by position`;
  return { send, rows };
}

test('a broadcast on LINE is one multicast for several clients and a push for one, and counts as the gateway counts sends', async () => {
  const ids = [lineUser(1), lineUser(2), lineUser(3)];
  const { server, botId, broadcast, contacts, work } = await shop('line', ids);
  const { requests } = await line();
  requests.length = 0;
  // The encoded id of the third client, a repeated id, and an unknown one.
  const clientIds = [lineUser(1), lineUser(2), contacts.get(lineUser(3)), lineUser(2), lineUser(9)];
  assert.deepEqual((await broadcast({ message: 'Hello', clientIds })).body, success);
  const { send, rows } = await work();
  assert.deepEqual(
    requests.map(({ url, body }) => [url, JSON.parse(`${body}`)]),
    [['/v2/bot/message/multicast', { to: ids, messages: [{ type: 'text', text: 'Hello' }] }]],
  );
  assert.equal(requests[0]?.headers.authorization, 'Bearer token');
  assert.match(
    String(requests[0]?.headers['x-line-retry-key']),
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.deepEqual([send.state, send.recipients, send.accepted, send.unknownContacts], ['done', 3, 3, 1]);
  assert.equal(new Set(rows.map(({ state, messageId }) => `${state} ${messageId}`)).size, 1);
  await broadcast({ message: 'Hello', clientIds: [lineUser(1)] });
  await work();
  assert.deepEqual(JSON.parse(`${requests[1]?.body}`).to, lineUser(1));
  const records = await server.sql<{ body: Uint8Array }[]>`
    select body from deliveries where bot_id = ${botId} and source = 'line-send' order by delivery_id`;
  assert.deepEqual(
    records
      .map(({ body }) => JSON.parse(`${Buffer.from(body)}`))
      .map(({ kind, recipients, person }) => [kind, recipients, person]),
    [
      ['multicast', 3, null],
      ['push', 1, lineUser(1)],
    ],
  );
});

test('a broadcast on a LINE channel with a channel id only uses an issued token', async () => {
  const { broadcast, work } = await shop('line', [lineUser(1)], { channelId: '1657000000' });
  const { requests } = await line();
  requests.length = 0;
  assert.deepEqual((await broadcast({ message: 'Hello' })).body, success);
  const { send } = await work();
  assert.deepEqual([send.state, send.accepted, send.failure], ['done', 1, null]);
  assert.deepEqual(
    requests.map(({ url, headers }) => [url, headers.authorization]),
    [['/v2/bot/message/push', 'Bearer issued']],
  );
});

test('clients that have blocked the account are left out, and a send that LINE limits continues later with the same key', async () => {
  const { server, botId, broadcast, work } = await shop('line', [lineUser(1), lineUser(2)]);
  const fake = await line();
  fake.requests.length = 0;
  await server.sql`
    update contacts set blocked = true where bot_id = ${botId} and platform_contact_id = ${lineUser(2)}`;
  await broadcast({ message: 'Hello' });
  fake.answerWith((_, response) => void response.writeHead(429).end('{"message":"limited"}'));
  const limited = await work();
  fake.answerWith(null);
  assert.deepEqual(
    [limited.send.state, limited.send.blocked, limited.send.failure],
    ['running', 1, 'LINE answered 429: limited.'],
  );
  server.now += 10_000;
  const { send } = await work();
  assert.deepEqual([send.state, send.accepted, send.failure], ['done', 1, null]);
  const keys = fake.requests.map(({ headers }) => headers['x-line-retry-key']);
  assert.deepEqual(keys, [keys[0], keys[0]]);
});

test('a broadcast on Facebook has its tag, each refusal is kept with its code, and 551 counts as a block', async () => {
  const { server, botId, broadcast, work } = await shop('facebook', ['10001', '10002', '10003']);
  const fake = await graph();
  fake.calls.length = 0;
  const refuse = { '10002': graphError(551, 1545041), '10003': null };
  fake.answerWith(({ body }) => refuse[(body.recipient as { id: '10002' }).id]);
  assert.deepEqual((await broadcast({ message: 'Your order', fbTag: 'POST_PURCHASE_UPDATE' })).body, success);
  const { send, rows } = await work();
  fake.answerWith(null);
  const first = fake.calls.find(({ body }) => (body.recipient as { id: string }).id === '10001');
  assert.deepEqual(first, {
    path: '/v24.0/17/messages',
    authorization: 'Bearer token',
    body: {
      recipient: { id: '10001' },
      messaging_type: 'MESSAGE_TAG',
      tag: 'POST_PURCHASE_UPDATE',
      message: { text: 'Your order' },
    },
  });
  assert.deepEqual(
    rows.map(({ state, code }) => [state, code]),
    [
      ['accepted', null],
      ['refused', '551-1545041'],
      ['unknown', null],
    ],
  );
  assert.deepEqual([send.state, send.accepted, send.refused, send.unknown], ['done', 1, 1, 1]);
  // Meta has no retry key, so a message whose answer was lost is not repeated.
  assert.equal(fake.calls.length, 3);
  await foldPending(server.sql, botId, { now: server.now, random: randomBytes });
  const blocked = await server.sql`
    select platform_contact_id as id, event.kind, event.detail
    from contacts join events event on event.bot_id = contacts.bot_id and event.contact_id = contacts.contact_id
    where contacts.bot_id = ${botId} and contacts.blocked`;
  assert.deepEqual([...blocked], [{ id: '10002', kind: 'block', detail: 'send failed: 551' }]);
});

test('a refused access token pauses the send, and no client is lost', async () => {
  const { server, broadcast, work } = await shop('instagram', ['20001', '20002']);
  const fake = await graph();
  fake.answerWith(() => graphError(190));
  await broadcast({ message: 'Hello' });
  const paused = await work();
  fake.answerWith(null);
  assert.deepEqual(
    [paused.send.state, paused.send.failure],
    ['paused', 'Meta answered 400 with the code 190.'],
  );
  await setState(server.sql, paused.send, { state: 'running', now: server.now });
  const { send, rows } = await work();
  assert.deepEqual([send.state, send.accepted], ['done', 2]);
  assert.deepEqual(
    rows.map(({ state }) => state),
    ['accepted', 'accepted'],
  );
});

test('WhatsApp gets a text within 24 hours, otherwise the template with its parameters, otherwise nothing', async () => {
  const ids = ['886911000001', '886911000002'];
  const { server, botId, broadcast, contacts, work } = await shop('whatsapp', ids);
  const { sql, now } = server;
  const fake = await graph();
  fake.calls.length = 0;
  await sql`
    insert into events (bot_id, platform, key, kind, detail, contact_id, happened_at, received_at)
    values (${botId}, 'whatsapp', 'message:1', 'message-in', 'text', ${contacts.get(ids[0] ?? '') ?? ''}, ${new Date(now - 3_600_000)}, ${new Date(now)})`;
  await broadcast({ message: 'Hello' });
  const first = await work();
  assert.deepEqual(
    first.rows.map(({ state, code }) => [state, code]),
    [
      ['accepted', null],
      ['refused', 'outside-window'],
    ],
  );
  const content = {
    text: 'Hi {{name|there}}',
    quickReplies: ['Yes', 'No'],
    whatsAppTemplate: { name: 'order', language: 'zh_TW', parameters: ['{{name|customer}}'] },
    platforms: {},
  };
  const { templateId } = await createTemplate(
    sql,
    { botId, name: 'Order', content },
    { now, random: randomBytes },
  );
  assert.deepEqual((await broadcast({ intentId: templateId })).body, success);
  await work();
  const bodyTo = (to: string) =>
    fake.calls.filter(({ body }) => body.to === to).map(({ body }: GraphCall) => body);
  assert.deepEqual(bodyTo(ids[0] ?? ''), [
    {
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: ids[0],
      type: 'text',
      text: { body: 'Hello' },
    },
    {
      ...{ messaging_product: 'whatsapp', recipient_type: 'individual', to: ids[0], type: 'interactive' },
      interactive: {
        type: 'button',
        body: { text: 'Hi there' },
        action: { buttons: ['Yes', 'No'].map((title) => ({ type: 'reply', reply: { id: title, title } })) },
      },
    },
  ]);
  assert.deepEqual(bodyTo(ids[1] ?? ''), [
    {
      ...{ messaging_product: 'whatsapp', recipient_type: 'individual', to: ids[1], type: 'template' },
      template: {
        name: 'order',
        language: { code: 'zh_TW' },
        components: [{ type: 'body', parameters: [{ type: 'text', text: 'customer' }] }],
      },
    },
  ]);
});

test('two WhatsApp contacts that turn out to be one person get one message', async () => {
  const ids = ['886911000003', 'TW.123'];
  const { server, botId, broadcast, contacts, work } = await shop('whatsapp', ids);
  const content = {
    text: null,
    quickReplies: [],
    whatsAppTemplate: { name: 'hi', language: 'en', parameters: [] },
    platforms: {},
  };
  const made = { now: server.now, random: randomBytes };
  const { templateId } = await createTemplate(server.sql, { botId, name: 'Hi', content }, made);
  await broadcast({ intentId: templateId });
  const [number = '', userId = ''] = ids.map((id) => contacts.get(id));
  await server.sql`update contacts set merged_into = ${userId} where bot_id = ${botId} and contact_id = ${number}`;
  const { send, rows } = await work();
  assert.deepEqual(
    rows.map(({ state, code }) => [state, code]),
    [
      ['accepted', null],
      ['refused', 'same-person'],
    ],
  );
  assert.deepEqual([send.state, send.accepted, send.refused], ['done', 1, 1]);
});

test('a broadcast in live chat is a message in each chat', async () => {
  const { server, botId, broadcast, work } = await shop('liveChat', ['v_one']);
  const { sql, now } = server;
  await sql`insert into chat_visitors (bot_id, visitor_id, created_at, session_at)
    values (${botId}, 'v_one', ${new Date(now)}, ${new Date(now)})`;
  await broadcast({ message: 'Hello' });
  const { send } = await work();
  assert.deepEqual([send.state, send.accepted], ['done', 1]);
  const messages = await sql`select sender, text from chat_messages where bot_id = ${botId}`;
  assert.deepEqual([...messages], [{ sender: 'bot', text: 'Hello' }]);
});

test('a broadcast that cannot be created has the published code', async () => {
  const { server, broadcast } = await shop('line', [lineUser(1)]);
  const codeOf = async (body: Record<string, unknown>) => {
    const { status, code, message } = errorOf(await broadcast(body));
    return [status, code, message];
  };
  const variables = 'Get correct request variables failed';
  assert.deepEqual(await codeOf({ message: 'Hello', clientIds: [lineUser(7)] }), [
    404,
    37011,
    'Get client failed',
  ]);
  assert.deepEqual(await codeOf({ message: 'Hello', platform: 'whatsapp' }), [
    ...[404, 11001, '尋找Integration資訊失敗,無此IntegrationId'],
  ]);
  assert.deepEqual(await codeOf({ intentId: 'VolejRejN' }), [403, 36000, 'Create broadcast failed']);
  for (const [body, problem] of [
    [{}, 'message in the body is missing; else intentId is needed'],
    [{ message: 'Hello', clientIds: [] }, 'clientIds in the body is missing or empty'],
    [{ message: 'Hello', platform: 'facebook' }, 'fbTag in the body is missing; facebook needs one'],
    [{ message: 'x'.repeat(5_001) }, 'A text on line must have 1 to 5000 characters.'],
    [{ message: 'Hello', name: ' ' }, 'name in the body must have 1 to 200 characters'],
  ] as const) {
    assert.deepEqual(await codeOf(body), [404, 110000, `${variables}: ${problem}`]);
  }
  const [{ count } = { count: -1 }] = await server.sql<{ count: number }[]>`
    select count(*) as count from sends where bot_id = ${server.bot.botId}`;
  assert.equal(count, 0);
});
