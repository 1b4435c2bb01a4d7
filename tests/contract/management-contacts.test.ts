/**
 * The management calls about contacts, blocks, tags and points: searches and pages, timelines, updated figures, idempotent
 * changes, and erasure, verified by a search of the whole database.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { findContacts } from '../../src/contacts/contacts.ts';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import type { WebhookPlatformName } from '../../src/platforms/platform.ts';
import { auditPoints } from '../../src/points/audit.ts';
import { newId } from '../../src/random.ts';
import { recount } from '../../src/rebuild/recount.ts';
import { minuteMs } from '../../src/time.ts';
import { foldPending } from '../harness/fold.ts';
import { traces } from '../harness/traces.ts';
import { addBot } from '../properties/events.ts';
import {
  type Call,
  type ManagementServer,
  managementServer,
  ownManagementServer,
  problemOf,
} from './management-server.ts';

type Shown = { contactId: string; platformContactId: string; tags: { name: string }[]; points: number };

/** A bot whose channels accept deliveries, and helpers that deliver events and call operations. */
async function ready(starting = managementServer()) {
  const server = await starting;
  const { sql } = server;
  server.botId = newId(randomBytes);
  await addBot(sql, server.botId, 'Asia/Taipei');
  let keys = 0;
  const call = (id: string, call: Call = {}) =>
    server.call(id, { ...call, headers: { 'idempotency-key': `key-${keys++}`, ...call.headers } });
  const good = async (id: string, options: Call = {}) => {
    const answer = await call(id, options);
    assert.ok(answer.status < 300, `${id}: ${answer.text}`);
    return answer.body;
  };
  const idOf = async (platform: WebhookPlatformName, id: string) =>
    (await findContacts(sql, server.botId, platform, [id])).get(id) ?? '';
  return { server, sql, call, good, idOf, deliver: receiverOf(server), figures: () => figuresOf(server) };
}

/** Stores a delivery and folds it. */
function receiverOf(server: ManagementServer) {
  return async (platform: WebhookPlatformName, content: unknown) => {
    const { sql, botId, now } = server;
    const body = Buffer.from(JSON.stringify(content));
    await putDeliveries(sql, [{ botId, platform, source: 'webhook', body, receivedAt: now }]);
    await foldPending(sql, botId, { now, random: randomBytes });
  };
}

async function figuresOf(server: ManagementServer): Promise<unknown> {
  const { body } = await server.call('getFigures');
  const series = [];
  // In a zone with stored days, and in one that is counted on request.
  for (const zone of ['Asia/Taipei', 'Europe/Berlin'])
    series.push((await server.call('getSeries', { query: { zone } })).body);
  assert.deepEqual(await recount(server.sql, server.botId, { check: true, progress: () => undefined }), []);
  return { totals: body, series };
}

const at = Date.parse('2026-03-10T02:00:00Z');

function facebookBody(...items: { id: string; mid?: string; at?: number; text?: string }[]) {
  const messaging = items.map(({ id, mid, at: timestamp = at, text = 'hello' }) => ({
    ...{ sender: { id }, recipient: { id: 'account' }, timestamp },
    message: { ...(mid === undefined ? {} : { mid }), text },
  }));
  return { object: 'page', entry: [{ id: 'account', time: at, messaging }] };
}

function lineEvent(type: 'message' | 'follow' | 'unfollow', key: string, userId: string, more = {}) {
  const message = { type: 'text', id: key, text: 'I am Ming' };
  return {
    ...{ type, webhookEventId: key, timestamp: at, mode: 'active', replyToken: `token ${key}` },
    ...{ source: { type: 'user', userId }, ...(type === 'message' ? { message } : {}), ...more },
  };
}

const lineBody = (...events: unknown[]) => ({ destination: 'U0', events });

function whatsappBody(number: string, userId: string, id: string) {
  const value = {
    ...{ messaging_product: 'whatsapp', metadata: { phone_number_id: 'account' } },
    contacts: [{ profile: { name: 'Ming' }, wa_id: number, user_id: userId }],
    messages: [
      {
        from: number,
        from_user_id: userId,
        id,
        timestamp: String(at / 1000),
        type: 'text',
        text: { body: 'hi' },
      },
    ],
  };
  const entry = [{ id: 'waba', changes: [{ field: 'messages', value }] }];
  return { object: 'whatsapp_business_account', entry };
}

test('contacts can be searched by id, name, tag, customer, platform, state and days, in combination', async () => {
  const { server, good, idOf, deliver } = await ready();
  await deliver('line', lineBody(lineEvent('follow', 'e1', 'U1'), lineEvent('follow', 'e2', 'U2')));
  server.now += 24 * 60 * minuteMs;
  await deliver('facebook', facebookBody({ id: 'P1', mid: 'm1' }));
  const [u1, u2, p1] = [await idOf('line', 'U1'), await idOf('line', 'U2'), await idOf('facebook', 'P1')];
  await server.sql`update contacts set created_at = ${new Date(server.now)} where contact_id = ${p1}`;
  await server.sql`
    update contacts set created_at = ${new Date(server.now - 24 * 60 * minuteMs)}
    where bot_id = ${server.botId} and contact_id <> ${p1}`;
  await good('updateContact', { params: { contactId: u1 }, body: { name: '王小明 Ming' } });
  await good('setCustomer', { params: { contactId: u2 }, body: { customerId: 'C-2' } });
  const { tagId } = await good('createTag', { body: { kind: 'manual', name: 'VIP' } });
  await good('assignTag', { params: { tagId: String(tagId) }, body: { contacts: ['U1', p1] } });
  await good('blockContact', { params: { contactId: p1 } });
  await good('earnPoints', { params: { contactId: u2 }, body: { amount: 5 } });
  const foundIds = async (query: Record<string, string>) =>
    ((await good('listContacts', { query })).contacts as Shown[]).map(({ contactId }) => contactId);
  const all = [p1, ...[u1, u2].sort().reverse()];
  const expected: [Record<string, string>, string[]][] = [
    [{}, all],
    [{ id: 'U1' }, [u1]],
    [{ id: u2 }, [u2]],
    [{ id: 'U' }, []],
    [{ name: 'ming' }, [u1]],
    [{ name: '%' }, []],
    [{ tag: 'VIP', platform: 'line' }, [u1]],
    [{ tag: String(tagId) }, [p1, u1]],
    [{ customerId: 'C-2' }, [u2]],
    [{ platform: 'facebook' }, [p1]],
    [{ blocked: 'true' }, [p1]],
    [{ blocked: 'false', tag: 'VIP' }, [u1]],
    [{ createdFrom: '2026-03-16' }, [p1]],
    [{ createdTo: '2026-03-15' }, all.slice(1)],
    [{ createdFrom: '2026-03-15', createdTo: '2026-03-16', platform: 'line', name: 'Ming' }, [u1]],
    [{ order: 'oldest' }, all.toReversed()],
    [{ hasCustomer: 'false', follower: 'true' }, [p1, u1]],
    [{ follower: 'false' }, []],
    [{ pointsMin: '1' }, [u2]],
    [{ pointsMax: '0', order: 'active' }, [p1, u1].sort().reverse()],
    [{ activeFrom: '2026-03-10', activeTo: '2026-03-10' }, all],
    [{ activeFrom: '2026-03-11' }, []],
  ];
  for (const [query, ids] of expected) {
    assert.deepEqual(await foundIds(query), ids, JSON.stringify(query));
    const { order: _, ...filter } = query;
    assert.deepEqual(await good('countContacts', { query: filter }), { contacts: ids.length });
    const params = { what: 'contacts' };
    const { text } = await server.call('exportData', {
      params,
      query: { ...filter, deleted: 'false' },
    });
    const lines = text.trimEnd().split('\n').slice(1);
    const exportedIds = lines.map((line) => line.split(',')[0] ?? '');
    assert.deepEqual(exportedIds.sort(), ids.toSorted(), `export of ${JSON.stringify(query)}`);
  }
  const { nextCursor } = await good('listContacts', { query: { order: 'points', limit: '1' } });
  const refused: [string, Record<string, string>, string][] = [
    [
      'listContacts',
      { cursor: String(nextCursor) },
      'cursor in the query must be the nextCursor of an answer',
    ],
    ['countContacts', { pointsMin: '2', pointsMax: '1' }, 'pointsMin must not be above pointsMax, 1.'],
    ['exportData', { tag: 'VIP' }, 'tag in the query is for contacts, not for events'],
  ];
  for (const [id, query, detail] of refused)
    assert.deepEqual(problemOf(await server.call(id, { query, params: { what: 'events' } })), [
      400,
      'INPUT_INVALID',
      detail,
    ]);
  assert.deepEqual(
    problemOf(
      await server.call('listContacts', { query: { createdFrom: '2026-03-02', createdTo: '2026-03-01' } }),
    ),
    [400, 'INPUT_INVALID', 'createdFrom must not be after createdTo, 2026-03-01.'],
  );
});

test('a page continues where the previous one ended, even if contacts are added or erased in between', async () => {
  const { server, good, idOf, deliver } = await ready();
  const ids = Array.from({ length: 7 }, (_, index) => `U${index}`);
  await deliver('line', lineBody(...ids.map((id) => lineEvent('follow', `e ${id}`, id))));
  const seen: string[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < 10; page += 1) {
    const query: Record<string, string> = { limit: '3', ...(cursor === null ? {} : { cursor }) };
    const { contacts, nextCursor } = await good('listContacts', { query });
    seen.push(...(contacts as Shown[]).map(({ platformContactId }) => platformContactId));
    if (page === 0) {
      server.now += 1;
      await deliver('line', lineBody(lineEvent('follow', 'late', 'U-late')));
      await good('forgetContact', { params: { contactId: await idOf('line', seen[0] ?? '') } });
    }
    cursor = nextCursor as string | null;
    if (cursor === null) break;
  }
  assert.deepEqual(seen.toSorted(), ids);
});

test('attributes are stored unchanged, null removes them, and invalid ones are rejected', async () => {
  const { call, good, idOf, deliver } = await ready();
  await deliver('whatsapp', whatsappBody('886912345678', 'TW.1', 'wamid.1'));
  const params = { contactId: await idOf('whatsapp', '886912345678') };
  const body = {
    ...{ name: 'Ming', remark: 'two\nlines', userName: '王小明', userEmail: 'ming@example.com' },
    ...{ userPhone: '+886 912-345-678', userBirthday: '1990-05-17', userAddress: '台北市' },
    headshot: 'https://example.com/ming.png',
  };
  const contact = await good('updateContact', { params, body });
  assert.deepEqual({ ...contact, ...body }, contact);
  const updated = await good('updateContact', { params, body: { userEmail: null } });
  assert.deepEqual(updated, { ...contact, userEmail: null, updatedAt: updated.updatedAt });
  const { headers } = await call('getContact', { params });
  const held = { 'if-match': String(headers.etag) };
  await good('updateContact', { params, headers: held, body: { remark: 'new' } });
  assert.equal(
    (await call('updateContact', { params, headers: held, body: { remark: 'newer' } })).status,
    412,
  );
  const wrong = [
    ...[{}, { nickname: 'x' }, { name: '' }, { name: 5 }, { name: 'a\u0000b' }, { name: 'x'.repeat(201) }],
    ...[{ userEmail: 'ming' }, { userPhone: 'call me' }, { userBirthday: '1990-02-30' }],
    ...[{ headshot: 'javascript:alert(1)' }, { remark: 'a\u0007' }],
  ];
  for (const wrongBody of wrong) {
    const [status, code] = problemOf(await call('updateContact', { params, body: wrongBody }));
    assert.deepEqual([status, code], [400, 'INPUT_INVALID'], JSON.stringify(wrongBody));
  }
  assert.equal((await good('setCustomer', { params, body: { customerId: 'C-1' } })).customerId, 'C-1');
  for (let twice = 0; twice < 2; twice += 1)
    assert.equal((await good('removeCustomer', { params })).customerId, null);
  for (const customerId of ['', ' ', 'a\nb'])
    assert.equal((await call('setCustomer', { params, body: { customerId } })).status, 400);
  // An outgoing webhook would hold it as JSON, which PostgreSQL refuses.
  const [status, code, message] = problemOf(
    await call('setCustomer', { params, body: { customerId: '\ud800' } }),
  );
  assert.deepEqual([status, code], [400, 'INPUT_INVALID']);
  assert.match(String(message), /customerId in the body holds half a surrogate pair/);
  // Both ids of a person belong to one contact.
  const second = await idOf('whatsapp', 'TW.1');
  assert.equal(second, params.contactId);
});

test("a contact's timeline lists only its own events, newest first, page by page", async () => {
  const { good, idOf, deliver } = await ready();
  const items = Array.from({ length: 5 }, (_, index) => ({
    ...{ id: 'P1', mid: `m${index}` },
    // Two events of the same millisecond, and a pause that separates two conversations.
    at: at + [0, 0, 60, 5_000, 5_001][index]! * 1_000,
  }));
  await deliver('facebook', facebookBody(...items, { id: 'P2', mid: 'other' }));
  const params = { contactId: await idOf('facebook', 'P1') };
  await good('reportSendFailure', { body: { platform: 'facebook', platformContactId: 'P1', code: 10 } });
  const listedEvents: { kind: string; detail: string; happenedAt: string }[] = [];
  let cursor: unknown = null;
  do {
    const query: Record<string, string> = { limit: '2', ...(cursor ? { cursor: String(cursor) } : {}) };
    const page = await good('listContactEvents', { params, query });
    listedEvents.push(...(page.events as typeof listedEvents));
    cursor = page.nextCursor;
  } while (cursor);
  assert.deepEqual(
    listedEvents.map(({ kind, detail }) => `${kind} ${detail}`),
    ['other send failed: 10', ...items.map(() => 'message-in text')],
  );
  assert.deepEqual(
    listedEvents.map(({ happenedAt }) => happenedAt),
    listedEvents
      .map(({ happenedAt }) => happenedAt)
      .toSorted()
      .reverse(),
  );
  const first = await good('listContactConversations', { params, query: { limit: '1' } });
  const next = await good('listContactConversations', {
    params,
    query: { cursor: String(first.nextCursor) },
  });
  const inbound = [first, next].flatMap(({ conversations }) => conversations as { inbound: number }[]);
  assert.deepEqual(
    inbound.map((one) => one.inbound),
    [2, 3],
  );
  assert.equal(next.nextCursor, null);
});

test('a block recorded by the business counts once until a later message, in any order', async () => {
  const { server, call, good, idOf, deliver, figures } = await ready();
  await deliver('facebook', facebookBody({ id: 'P1', mid: 'm1' }));
  const params = { contactId: await idOf('facebook', 'P1') };
  const blocks = async () => {
    await figures();
    const { platforms, all } = (await good('getFigures')) as {
      platforms: { facebook: { blocks: number } };
      all: { blocks: number };
    };
    assert.equal(all.blocks, platforms.facebook.blocks);
    return platforms.facebook.blocks;
  };
  const record = (id: string, seconds: number) =>
    good(id, { params, body: { happenedAt: new Date(at + seconds * 1_000).toISOString() } });
  assert.equal((await record('blockContact', 60)).blocked, true);
  assert.equal(await blocks(), 1);
  // Delivered late, but sent before the block.
  await deliver('facebook', facebookBody({ id: 'P1', mid: 'm2', at: at + 30_000 }));
  assert.equal(await blocks(), 1);
  await deliver('facebook', facebookBody({ id: 'P1', mid: 'm3', at: at + 90_000 }));
  assert.equal(await blocks(), 0);
  assert.equal((await record('blockContact', 80)).blocked, false);
  assert.equal((await record('blockContact', 120)).blocked, true);
  assert.equal((await record('unblockContact', 100)).blocked, true);
  assert.equal((await record('unblockContact', 150)).blocked, false);
  assert.equal(await blocks(), 0);

  const failed = { platform: 'facebook', platformContactId: 'P1', code: 551 };
  const headers = { 'idempotency-key': 'send-1' };
  const reported = await good('reportSendFailure', { body: failed, headers });
  assert.deepEqual([reported.counted, reported.contactId], [true, params.contactId]);
  assert.equal(await blocks(), 1);
  assert.equal(
    (await call('reportSendFailure', { body: failed, headers })).headers['idempotency-replayed'],
    'true',
  );
  const other = await good('reportSendFailure', { body: { ...failed, code: 100 } });
  assert.equal(other.counted, false);
  assert.match(String(other.meaning), /^facebook code 100 does not mean a block/);
  assert.equal(await blocks(), 1);
  // For two records of the same instant the larger key would decide.
  server.now += 1;
  await good('unblockContact', { params });
  assert.equal(await blocks(), 0);

  await deliver('line', lineBody(lineEvent('follow', 'e1', 'U1')));
  const onLine = await good('reportSendFailure', {
    body: { platform: 'line', platformContactId: 'U1', code: 551 },
  });
  assert.equal(onLine.counted, false);
  const future = { happenedAt: new Date(server.now + 1).toISOString() };
  assert.deepEqual(problemOf(await call('blockContact', { params, body: future })), [
    ...[400, 'INPUT_INVALID'],
    'happenedAt in the body must lie between the year 2000 and now',
  ]);
  // The same key for another contact, time or operation.
  const block = { params, headers: { 'idempotency-key': 'send-1' } };
  assert.deepEqual(problemOf(await call('blockContact', block)).slice(0, 2), [409, 'KEY_REUSED']);
});

test('a call assigns or removes a tag for all of its contacts or for none', async (t) => {
  const { server, call, good } = await ready(ownManagementServer(t));
  const ids = Array.from({ length: 10_000 }, (_, index) => `U${String(index).padStart(32, '0')}`);
  await server.sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    select ${server.botId}, translate(lpad(number::text, 6, '0'), '0123456789', 'abcdefghij'), 'line',
      'U' || lpad(number::text, 32, '0'), now() from generate_series(0, 9999) number`;
  const lifeCycle = { active: true, days: 30 };
  const tag = await good('createTag', { body: { kind: 'automatic', name: 'Bought', lifeCycle } });
  assert.deepEqual([tag.lifeCycle, tag.carriers], [lifeCycle, 0]);
  const params = { tagId: String(tag.tagId) };
  const wrong = await call('assignTag', { params, body: { contacts: [...ids.slice(1), 'unknown'] } });
  assert.deepEqual(problemOf(wrong), [
    ...[404, 'CONTACT_NOT_FOUND'],
    'The bot knows no contact, or several, by "unknown". Nothing was changed.',
  ]);
  assert.equal((await good('getTag', { params })).carriers, 0);
  assert.deepEqual(await good('assignTag', { params, body: { contacts: ids } }), {
    contacts: 10_000,
    changed: 10_000,
  });
  assert.deepEqual(await good('assignTag', { params, body: { contacts: ['aaaaab', ids[0] ?? ''] } }), {
    contacts: 2,
    changed: 0,
  });
  const { contacts } = await good('listContacts', { query: { id: ids[0] ?? '' } });
  const [carried] =
    (contacts as { tags: { name: string; since: string; endsAt: string }[] }[])[0]?.tags ?? [];
  assert.equal(Date.parse(carried?.endsAt ?? '') - Date.parse(carried?.since ?? ''), 30 * 24 * 60 * minuteMs);
  await good('switchLifeCycles', { body: { active: false } });
  assert.deepEqual((await good('getTag', { params })).lifeCycle, { active: false, days: 30 });
  const off = await good('unassignTag', { params, body: { contacts: ids.slice(0, 4_000) } });
  assert.deepEqual(off, { contacts: 4_000, changed: 4_000 });
  assert.equal((await good('updateTag', { params, body: { name: 'Bought twice' } })).carriers, 6_000);
  const { tags } = await good('listTags', { query: { kind: 'automatic', name: 'TWICE' } });
  assert.equal((tags as unknown[]).length, 1);
  const manual = await good('createTag', { body: { kind: 'manual', name: 'Bought twice' } });
  const refused = await call('updateTag', { params: { tagId: String(manual.tagId) }, body: { lifeCycle } });
  assert.deepEqual(problemOf(refused), [
    ...[400, 'INPUT_INVALID'],
    'lifeCycle in the body is for automatic tags, not for manual ones',
  ]);
  assert.deepEqual(await recount(server.sql, server.botId, { check: true, progress: () => undefined }), []);
  assert.equal((await call('deleteTag', { params })).status, 204);
  assert.equal((await call('getTag', { params })).status, 404);
});

test('earned, transferred, corrected, reversed and cleared points add up in the ledger', async () => {
  const { server, good, call, idOf, deliver } = await ready();
  await deliver('line', lineBody(lineEvent('follow', 'e1', 'U1'), lineEvent('follow', 'e2', 'U2')));
  const [contactId, toContactId] = [await idOf('line', 'U1'), await idOf('line', 'U2')];
  const params = { contactId };
  const soon = '2026-03-20T00:00:00+08:00';
  assert.equal((await good('earnPoints', { params, body: { amount: 100 } })).available, 100);
  assert.equal((await good('earnPoints', { params, body: { amount: 20, expiresAt: soon } })).available, 120);
  const spent = await good('spendPoints', { params, body: { amount: 5 } });
  server.now += minuteMs;
  assert.equal((await good('reversePoints', { params, body: { entryId: spent.entryId } })).available, 120);
  assert.equal(
    (await good('adjustPoints', { params, body: { amount: -1, reason: 'counted twice' } })).amount,
    -1,
  );
  const handed = await good('transferPoints', { params, body: { toContactId, amount: 29 } });
  assert.deepEqual([handed.available, handed.counterpartId], [90, toContactId]);
  assert.deepEqual(
    await good('getPoints', { params, query: { at: new Date(server.now - 1).toISOString() } }),
    {
      ...{ contactId, available: 90, at: new Date(server.now - 1).toISOString(), availableAt: 115 },
    },
  );
  const expiring = await good('listExpiringPoints', { params: { contactId: toContactId } });
  assert.deepEqual(expiring.expiring, [{ amount: 19, expiresAt: new Date(soon).toISOString() }]);
  const days = await good('listExpiringDays');
  assert.deepEqual(days.expiring, [{ day: '2026-03-20', points: 19, contacts: 1 }]);
  const many = {
    earnings: [
      { contact: 'U1', amount: 10 },
      { contact: toContactId, amount: 1 },
    ],
  };
  const headers = { 'idempotency-key': 'bulk' };
  assert.deepEqual(
    await good('earnManyPoints', { body: many, headers }),
    await good('earnManyPoints', { body: many, headers }),
  );
  const unknown = { earnings: [...many.earnings, { contact: 'unknown', amount: 1 }] };
  assert.equal((await call('earnManyPoints', { body: unknown })).status, 404);
  assert.equal((await good('clearPoints', { params })).available, 0);
  const kinds: string[] = [];
  let cursor: unknown = null;
  do {
    const query: Record<string, string> = { limit: '3', ...(cursor ? { cursor: String(cursor) } : {}) };
    const page = await good('listPointEntries', { params, query });
    kinds.push(...(page.entries as { kind: string }[]).map(({ kind }) => kind));
    cursor = page.nextCursor;
  } while (cursor);
  assert.deepEqual(kinds, ['clear', 'earn', 'transfer', 'adjust', 'reverse', 'spend', 'earn', 'earn']);
  const none = await call('reversePoints', { params, body: { entryId: '999999' } });
  assert.deepEqual(problemOf(none).slice(0, 2), [404, 'ENTRY_NOT_FOUND']);
  assert.deepEqual(await auditPoints(server.sql, server.botId), []);
});

test('an erased person is absent from the whole database, stays in the figures, and returns only with a new message', async (t) => {
  const { server, sql, call, good, idOf, deliver, figures } = await ready(ownManagementServer(t));
  const { botId } = server;
  await sql`
    insert into callbacks (bot_id, url, secret_sealed, created_at, updated_at)
    values (${botId}, 'http://127.0.0.1/', '', now(), now())`;
  const number = '886912345678';
  const wamid = `wamid.${Buffer.from(`\x1c\x18\x0b${number}\x15\x02`).toString('base64')}`;
  const user = `U${'4af4980629'.repeat(3)}ab`;
  const shared = lineBody(lineEvent('follow', 'e1', user), lineEvent('follow', 'e2', 'U-other'));
  const webhooks: [WebhookPlatformName, unknown][] = [
    ['line', shared],
    ['line', lineBody(lineEvent('message', 'e3', user), lineEvent('message', 'e4', 'U-other'))],
    ['line', lineBody(lineEvent('unfollow', 'e5', user, { timestamp: at + 1 }))],
    ['facebook', facebookBody({ id: '7242112345678901' }, { id: 'P-other', mid: 'm2' })],
    [
      'facebook',
      {
        object: 'page',
        entry: [
          {
            id: 'account',
            time: at,
            messaging: [{ sender: { id: '7242112345678901' }, timestamp: at, strange: {} }],
          },
        ],
      },
    ],
    ['whatsapp', whatsappBody(number, 'TW.1', wamid)],
  ];
  for (const [platform, body] of webhooks) await deliver(platform, body);
  await sql`
    insert into line_interaction_people (bot_id, request_id, kind, seq, url_hash, person)
    values (${botId}, 'request', 'click', 1, '', ${user})`;
  const people = [
    ['line', user, [user, 'token e3']],
    ['facebook', '7242112345678901', ['7242112345678901']],
    ['whatsapp', number, [number, 'TW.1', wamid]],
  ] as const;
  const private_ = ['王小明', 'ming@example.com', '+886912345678', 'C-1024', 'asked Mr Wang'];
  const { tagId } = await good('createTag', { body: { kind: 'personal', name: 'Regular' } });
  for (const [platform, id] of people) {
    const params = { contactId: await idOf(platform, id) };
    const body = { userName: private_[0], userEmail: private_[1], userPhone: private_[2] };
    await good('updateContact', { params, body });
    await good('setCustomer', { params, body: { customerId: private_[3] } });
    await good('assignTag', { params: { tagId: String(tagId) }, body: { contacts: [id] } });
    await good('earnPoints', { params, body: { amount: 10 } });
    await good('adjustPoints', { params, body: { amount: 1, reason: private_[4] } });
  }
  await good('blockContact', { params: { contactId: await idOf('facebook', '7242112345678901') } });
  const before = await figures();
  const contactIds: string[] = [];
  for (const [platform, id, words] of people) {
    const contactId = await idOf(platform, id);
    contactIds.push(contactId);
    assert.notDeepEqual(await traces(sql, { botId, platform, words: [id] }), []);
    assert.equal((await call('forgetContact', { params: { contactId } })).status, 204);
    assert.deepEqual(await traces(sql, { botId, platform, words }), []);
  }
  const nowhere = async () => {
    for (const [platform, , words] of people)
      assert.deepEqual(await traces(sql, { botId, platform, words: [...words, ...private_] }), []);
    const notices = await sql`select from notices where contact_id = any (${contactIds})`;
    assert.equal(notices.length, 0);
  };
  await nowhere();
  assert.deepEqual(await figures(), before);
  // All webhooks are redelivered.
  for (const [platform, body] of webhooks) await deliver(platform, body);
  assert.deepEqual(await figures(), before);
  await nowhere();
  for (const contactId of contactIds) {
    const params = { contactId };
    for (const id of ['getContact', 'listContactEvents', 'getPoints', 'earnPoints', 'blockContact'])
      assert.equal(
        (await call(id, { params, ...(id === 'earnPoints' ? { body: { amount: 1 } } : {}) })).status,
        404,
        id,
      );
  }
  // The other contacts are unchanged.
  const { contacts } = await good('listContacts');
  assert.deepEqual((contacts as Shown[]).map(({ platformContactId }) => platformContactId).toSorted(), [
    'P-other',
    'U-other',
  ]);
  assert.deepEqual(await auditPoints(sql, botId), []);
  // A person with a new message becomes a new contact.
  await deliver('facebook', facebookBody({ id: '7242112345678901', mid: 'm9', at: at + 9 }));
  await deliver('whatsapp', whatsappBody(number, 'TW.1', 'wamid.new'));
  const returned = await good('listContacts', { query: { id: number } });
  assert.equal((returned.contacts as Shown[]).length, 1);
  assert.equal(contactIds.includes((returned.contacts as Shown[])[0]?.contactId ?? ''), false);
  assert.equal((returned.contacts as Shown[])[0]?.points, 0);
});
