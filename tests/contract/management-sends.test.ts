/** Sends and message templates in the management API. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { lockBot } from '../../src/bots/bots.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import { createContacts, findContacts } from '../../src/contacts/contacts.ts';
import { workLane } from '../../src/sends/job.ts';
import { readReceipts } from '../../src/sends/receipts.ts';
import type { Sender } from '../../src/sends/sender.ts';
import { createTemplate, updateTemplate } from '../../src/sends/templates.ts';
import { addTags } from '../../src/tags/tags.ts';
import { putSnapshot } from '../harness/line-figures.ts';
import { type ManagementServer, managementServer, problemOf } from './management-server.ts';

const lineUser = (index: number) => `U${String(index).padStart(32, '0')}`;

/** A bot with contacts on LINE and WhatsApp; the first contact of each has the tag VIP, the last LINE contact has blocked the account. */
async function shop() {
  const server = await managementServer();
  const { sql, keys, now, botId } = server;
  const random = randomBytes;
  const users = [1, 2, 3].map(lineUser);
  const numbers = ['886911000001', '886911000002'];
  await setChannel(sql, { botId, platform: 'line', secret: 'hush', accessToken: 't' }, { now, random, keys });
  const meta = { accountId: '17', secret: 'hush', verifyToken: 'v', accessToken: 't' };
  await setChannel(sql, { botId, platform: 'whatsapp', ...meta }, { now, random, keys });
  await createContacts(sql, botId, 'line', users, { now, random });
  await createContacts(sql, botId, 'whatsapp', numbers, { now, random });
  const contacts = new Map([
    ...(await findContacts(sql, botId, 'line', users)),
    ...(await findContacts(sql, botId, 'whatsapp', numbers)),
  ]);
  const vips = [users[0], numbers[0]].map((id) => ({ contactId: contacts.get(id ?? '') ?? '', tag: 'VIP' }));
  await sql.begin((tx) => addTags(tx, { botId, tags: vips }, { now, random }));
  await sql`update contacts set blocked = true where bot_id = ${botId} and platform_contact_id = ${lineUser(3)}`;
  const create = (body: object, key = 'one') =>
    server.call('createSend', {
      body: { name: 'Autumn', platform: 'line', message: { text: 'Hi' }, ...body },
      headers: { 'idempotency-key': key },
    });
  return { server, contacts, create };
}

/** Does the due sends of a platform with a sender that accepts everything. */
async function work(
  { sql, keys, botId, now }: ManagementServer,
  platform: 'line' | 'whatsapp',
): Promise<void> {
  const sender: Sender = {
    ...{ recipientsMax: 500, isRepeatable: true, needsLastInbound: false, isRecipient: () => true },
    callsPerSecond: { single: 100, multiple: 100 },
    send: async (_, { recipients }) => ({ kind: 'accepted', id: `id of ${recipients[0]?.id}` }),
  };
  const senders = {
    line: sender,
    facebook: sender,
    instagram: sender,
    whatsapp: { ...sender, recipientsMax: 1 },
    liveChat: sender,
  };
  const log = { error: (...entry: unknown[]) => assert.fail(JSON.stringify(entry)) };
  const options = {
    sql,
    keys,
    senders,
    clock: () => now,
    random: randomBytes,
    log,
    onStored: () => undefined,
  };
  await workLane({ botId, platform }, options);
}

test('a send to contacts that meet a filter is previewed with its quota, created once for its key, and lists its recipients', async () => {
  const { server, contacts, create } = await shop();
  const { sql, botId, now } = server;
  await putSnapshot(sql, {
    botId,
    kind: 'quota',
    day: '20260315',
    receivedAt: now,
    value: { type: 'limited', value: 200, totalUsage: 199 },
  });
  const preview = async (body: object) =>
    (await server.call('previewSend', { body: { platform: 'line', ...body } })).body;
  assert.deepEqual(await preview({ filter: {} }), {
    ...{ recipients: 2, blocked: 1, unknownContacts: 0 },
    quota: { quota: 200, used: 199, needed: 2, remaining: -1 },
  });
  assert.equal((await preview({ filter: { tag: 'VIP' } })).recipients, 1);
  const named = await preview({ contacts: [lineUser(1), lineUser(3), 'missing'] });
  assert.deepEqual([named.recipients, named.blocked, named.unknownContacts], [1, 1, 1]);
  const created = await create({ filter: {} });
  const again = await create({ filter: {} });
  assert.deepEqual([created.status, again.status, again.headers['idempotency-replayed']], [201, 201, 'true']);
  assert.equal(again.body.sendId, created.body.sendId);
  assert.deepEqual(problemOf(await create({ filter: { tag: 'VIP' } })).slice(0, 2), [409, 'KEY_REUSED']);
  await work(server, 'line');
  const { sendId } = created.body;
  const params = { sendId: String(sendId) };
  const { body } = await server.call('getSend', { params });
  assert.deepEqual(
    [body.state, body.recipients, body.accepted, body.blocked, body.pending, body.isPlanned],
    ['done', 2, 2, 1, 0, true],
  );
  const page = await server.call('listSendRecipients', { params, query: { limit: '1', state: 'accepted' } });
  const next = await server.call('listSendRecipients', {
    params,
    query: { cursor: String(page.body.nextCursor), state: 'accepted' },
  });
  const ids = [
    ...(page.body.recipients as { contactId: string }[]),
    ...(next.body.recipients as { contactId: string }[]),
  ];
  assert.deepEqual(
    new Set(ids.map(({ contactId }) => contactId)),
    new Set([contacts.get(lineUser(1)), contacts.get(lineUser(2))]),
  );
  assert.deepEqual(
    (await server.call('listSendRecipients', { params, query: { state: 'refused' } })).body.recipients,
    [],
  );
});

test('an export of recipients has the rows of the API, of one send and in one state', async () => {
  const { server, create } = await shop();
  const { body } = await create({ filter: {} });
  await create({ contacts: [lineUser(1)] }, 'another');
  await work(server, 'line');
  const sendId = String(body.sendId);
  await server.sql`
    update send_recipients set state = case when position = 1 then 'refused' else 'waiting' end, code = 'http-400'
    where bot_id = ${server.botId} and send_id = ${sendId}`;
  const fieldsOf = (values: unknown[]) => values.map((value) => String(value ?? ''));
  for (const state of ['refused', 'pending', 'accepted', undefined]) {
    const query = state === undefined ? {} : { state };
    const listed = await server.call('listSendRecipients', { params: { sendId }, query });
    const exported = await server.call('exportData', {
      params: { what: 'recipients' },
      query: { sendId, ...query },
    });
    const rows: Record<string, string>[] = parse(exported.text, { columns: true });
    assert.deepEqual(
      rows.map((row) =>
        fieldsOf([row.position, row.contact_id, row.state, row.code, row.message_id, row.settled_at]),
      ),
      (listed.body.recipients as Record<string, unknown>[]).map((row) =>
        fieldsOf([row.position, row.contactId, row.state, row.code, row.messageId, row.settledAt]),
      ),
      state,
    );
    assert.equal(rows.length, { refused: 1, pending: 1, accepted: 0 }[state ?? ''] ?? 2);
  }
  const all = await server.call('exportData', { params: { what: 'recipients' } });
  assert.equal(all.text.split('\n').length, 1 + 3 + 1);
  const wrong = await server.call('exportData', { params: { what: 'gifts' }, query: { sendId } });
  assert.deepEqual(problemOf(wrong).slice(1), [
    'INPUT_INVALID',
    'sendId in the query is for recipients, not for gifts',
  ]);
});

test('the templates of the WhatsApp account are listed, or the answer says why not', async () => {
  const { server } = await shop();
  const { sql, keys, now, botId } = server;
  const answer = async () => (await server.call('listWhatsAppTemplates')).body;
  assert.deepEqual(await answer(), {
    templates: [],
    problem: 'The channel has no access token or no business account id.',
  });
  await setChannel(
    sql,
    { botId, platform: 'whatsapp', businessAccountId: '23' },
    { now, random: randomBytes, keys },
  );
  assert.deepEqual(await answer(), { templates: [], problem: 'there is no Meta' });
  await sql`delete from channels where bot_id = ${botId} and platform = 'whatsapp'`;
  assert.equal(problemOf(await server.call('listWhatsAppTemplates'))[1], 'CHANNEL_NOT_FOUND');
});

test('a send waits for its local time and for the end of the quiet hours', async () => {
  const { server, create } = await shop();
  // 2026-03-15 12:00 in Taipei.
  const { body } = await create({
    filter: {},
    startAt: '2026-03-15T21:30',
    quietHours: { from: '21:00', until: '08:00' },
  });
  assert.deepEqual(
    [body.state, body.startsAt, body.zone],
    ['scheduled', '2026-03-15T13:30:00.000Z', 'Asia/Taipei'],
  );
  const stateAt = async (instant: string) => {
    server.now = Date.parse(instant);
    await work(server, 'line');
    const { state, accepted } = (await server.call('getSend', { params: { sendId: String(body.sendId) } }))
      .body;
    return [state, accepted];
  };
  assert.deepEqual(await stateAt('2026-03-15T13:29:00Z'), ['scheduled', 0]);
  assert.deepEqual(await stateAt('2026-03-15T13:30:00Z'), ['running', 0]);
  assert.deepEqual(await stateAt('2026-03-15T23:59:59Z'), ['running', 0]);
  assert.deepEqual(await stateAt('2026-03-16T00:00:00Z'), ['done', 2]);
});

test('a send can be paused, resumed and stopped, and a send that has ended stays as it is', async () => {
  const { server, create } = await shop();
  const { body } = await create({ contacts: [lineUser(1)], platform: 'line' });
  const params = { sendId: String(body.sendId) };
  const change = async (id: string) => (await server.call(id, { params })).body.state;
  assert.equal(await change('pauseSend'), 'paused');
  await work(server, 'line');
  assert.equal((await server.call('getSend', { params })).body.pending, 1);
  assert.equal(await change('resumeSend'), 'running');
  assert.equal(await change('stopSend'), 'stopped');
  assert.equal(await change('resumeSend'), 'stopped');
  await work(server, 'line');
  assert.equal((await server.call('getSend', { params })).body.accepted, 0);
});

test('delivered, read and failed messages on WhatsApp are counted from its statuses', async () => {
  const { server, contacts, create } = await shop();
  const { sql, botId, now } = server;
  const { body } = await create({ filter: {}, platform: 'whatsapp' });
  await work(server, 'whatsapp');
  const at = new Date(now);
  const status = (number: string, word: string) => sql`
    insert into events (bot_id, platform, key, kind, detail, contact_id, happened_at, received_at)
    values (${botId}, 'whatsapp', ${`status:id of ${number}:${word}`}, 'status', ${word}, ${contacts.get(number) ?? ''}, ${at}, ${at})`;
  await status('886911000001', 'read');
  await status('886911000002', 'failed');
  const read = () => readReceipts(sql, { now }, () => false);
  await read();
  await read();
  const shown = (await server.call('getSend', { params: { sendId: String(body.sendId) } })).body;
  assert.deepEqual([shown.accepted, shown.refused, shown.delivered, shown.read], [1, 1, 1, 1]);
});

test('a message template keeps its texts, serves sends, and a send keeps its text when the template changes', async () => {
  const { server, create } = await shop();
  const content = {
    name: 'Thanks',
    text: 'Thank you, {{name|customer}}',
    quickReplies: ['More'],
    platforms: { line: { text: 'Thank you on LINE' } },
  };
  const { status, body: template } = await server.call('createMessageTemplate', { body: content });
  assert.equal(status, 201);
  const params = { templateId: String(template.templateId) };
  assert.deepEqual(problemOf(await server.call('createMessageTemplate', { body: content })).slice(0, 2), [
    409,
    'TEMPLATE_EXISTS',
  ]);
  const send = await create({ filter: {}, message: undefined, templateId: template.templateId });
  const message = { text: 'Thank you on LINE', quickReplies: ['More'], whatsAppTemplate: null, tag: null };
  assert.deepEqual(send.body.message, message);
  const changed = await server.call('replaceMessageTemplate', {
    params,
    body: { name: 'Thanks', text: 'Thanks' },
  });
  assert.deepEqual([changed.body.text, changed.body.platforms], ['Thanks', {}]);
  assert.deepEqual(
    (await server.call('getSend', { params: { sendId: String(send.body.sendId) } })).body.message,
    message,
  );
  const list = await server.call('listMessageTemplates');
  assert.deepEqual(
    (list.body.templates as { name: string }[]).map(({ name }) => name),
    ['Thanks'],
  );
  assert.equal((await server.call('deleteMessageTemplate', { params })).status, 204);
  assert.deepEqual(problemOf(await server.call('getMessageTemplate', { params })).slice(0, 2), [
    404,
    'TEMPLATE_NOT_FOUND',
  ]);
});

test('a send that cannot be created is refused with the reason', async () => {
  const { create } = await shop();
  let keys = 0;
  const refusal = async (body: object) => problemOf(await create(body, `key-${keys++}`)).slice(1);
  assert.deepEqual(await refusal({}), ['INPUT_INVALID', 'the body must have either contacts or filter']);
  assert.deepEqual(await refusal({ filter: {}, templateId: 'A' }), [
    'INPUT_INVALID',
    'the body must have either message or templateId',
  ]);
  assert.deepEqual(await refusal({ filter: {}, message: {} }), [
    'INPUT_INVALID',
    'A message on line needs a text.',
  ]);
  assert.deepEqual(await refusal({ filter: {}, message: { text: 'Hi {{nickname}}' } }), [
    'INPUT_INVALID',
    'There is no variable nickname; the variables are name, customerId, userName, userEmail, userPhone, userBirthday, userAddress.',
  ]);
  assert.deepEqual(await refusal({ filter: {}, tag: 'ACCOUNT_UPDATE' }), [
    'INPUT_INVALID',
    'A message on line has no tag.',
  ]);
  assert.deepEqual(await refusal({ filter: {}, zone: 'Mars' }), [
    'INPUT_INVALID',
    'zone in the body must be a time zone, like Asia/Taipei, not Mars',
  ]);
  assert.deepEqual(await refusal({ filter: {}, startAt: '2026-02-30T10:00' }), [
    'INPUT_INVALID',
    'There is no day 2026-02-30.',
  ]);
  assert.deepEqual((await refusal({ contacts: ['missing'] }))[0], 'CONTACT_NOT_FOUND');
  assert.deepEqual((await refusal({ filter: {}, platform: 'facebook' }))[0], 'CHANNEL_NOT_FOUND');
});

test('a repeated create returns its send, whatever has changed since: contacts, templates, the time zone', async () => {
  const { server, create } = await shop();
  const { sql, botId } = server;
  const content = { name: 'Hello', text: 'Hi', quickReplies: [] };
  const template = (await server.call('createMessageTemplate', { body: content })).body as {
    templateId: string;
  };
  const body = { message: undefined, templateId: template.templateId, contacts: [lineUser(1), lineUser(9)] };
  const first = await create(body);
  await createContacts(sql, botId, 'line', [lineUser(9)], { now: server.now, random: randomBytes });
  await sql`delete from message_templates where bot_id = ${botId}`;
  const repeated = await create(body);
  assert.deepEqual([repeated.status, repeated.body], [first.status, first.body]);
  assert.equal(problemOf(await create({ ...body, name: 'Winter' }))[1], 'KEY_REUSED');
});

test('of two templates that get one name at the same time, the later one is refused', async () => {
  const { sql, botId, now } = (await shop()).server;
  const content = { text: 'Hi', quickReplies: [], whatsAppTemplate: null, platforms: {} };
  const make = (name: string) => createTemplate(sql, { botId, name, content }, { now, random: randomBytes });
  const first = await make('first');
  const { templateId } = await make('second');
  let later: Promise<string> = Promise.resolve('');
  await sql.begin(async (tx) => {
    await lockBot(tx, botId);
    await tx`
      update message_templates set name = 'same' where bot_id = ${botId} and template_id = ${first.templateId}`;
    later = updateTemplate(sql, { botId, templateId, name: 'same', content }, { now }).then(
      () => 'renamed',
      (error) => error.code,
    );
    for (let isWaiting = false; !isWaiting; ) {
      const [waits] = await sql`
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      isWaiting = waits !== undefined;
    }
  });
  assert.equal(await later, 'TEMPLATE_EXISTS');
});
