/** Every change of state, tag and points becomes a notice, in the transaction that makes it; nothing else does. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { foldPending } from '../../tests/harness/fold.ts';
import { clear, earn, spend } from '../../tests/harness/points.ts';
import { seededBytes } from '../../tests/harness/random.ts';
import { type LineHappening, lineBody, lineUser } from '../../tests/harness/webhooks.ts';
import { bindCustomer, type ProfileChange, unbindCustomer, writeProfiles } from '../contacts/profiles.ts';
import type { Sql } from '../database/client.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import { writePoints } from '../points/ledger.ts';
import { recount } from '../rebuild/recount.ts';
import { assignTags, unassignTags } from '../tags/assignments.ts';
import { purgeExpired, reportExpired } from '../tags/expiry.ts';
import { addTags, createTag, deleteTag, removeTags, setLifeCycle } from '../tags/tags.ts';
import { dayMs, minuteMs } from '../time.ts';
import { deleteMessagesOf, listMessages } from './log.ts';
import { enqueueMessages } from './outbox.ts';

const now = Date.parse('2026-03-02T00:00:00Z');
const first = Date.parse('2026-03-01T00:00:00Z');
const random = seededBytes(1);

async function shop(t: TestContext, { callback = true } = {}) {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('shop', 'Shop')`;
  await sql`insert into channels (bot_id, platform, secret_sealed) values ('shop', 'line', '')`;
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at) values
      ('shop', 'Ada', 'line', 'U1', now()), ('shop', 'Ben', 'line', 'U2', now())`;
  if (callback) {
    await sql`
      insert into callbacks (bot_id, url, secret_sealed, created_at, updated_at)
      values ('shop', 'http://127.0.0.1/', '', now(), now())`;
  }
  return sql;
}

/** The messages since the last call: type, contact, minutes since `first`, data. */
async function newMessages(sql: Sql): Promise<unknown[]> {
  const rows = await listMessages(sql, 'shop', { state: null, limit: 1_000, beforeId: null });
  await sql`delete from notices`;
  const people = await sql<{ contact_id: string; name: string }[]>`
    select contact_id, platform_contact_id as name from contacts`;
  const names = new Map(people.map(({ contact_id, name }) => [contact_id, nameOf.get(name) ?? name]));
  return rows.reverse().map(({ type, contactId, happenedAt, data }) => {
    const at = (happenedAt.getTime() - first) / minuteMs;
    return [type, names.get(contactId), at, ...(Object.keys(data).length > 0 ? [data] : [])];
  });
}

const nameOf = new Map(['Cleo', 'Dan'].map((name) => [lineUser(name), name]));
let ids = 0;

/** As `newMessages`, sorted by contact: PostgreSQL deletes in any order. */
async function sorted(sql: Sql): Promise<unknown[]> {
  const changes = await newMessages(sql);
  return changes
    .map((change) => JSON.stringify(change))
    .sort()
    .map((change) => JSON.parse(change));
}

async function automaticTag(sql: Sql, { days }: { days: number }): Promise<string> {
  return sql.begin(async (tx) => {
    const tag = { botId: 'shop', kind: 'automatic' as const, name: 'interested' };
    const tagId = await createTag(tx, tag, { now, random });
    await setLifeCycle(tx, { botId: 'shop', tagId, active: true, days }, { now });
    return tagId;
  });
}

function event(type: LineHappening['type'], user: string, minute: number): LineHappening {
  ids += 1;
  return { type, id: `event-${ids}`, user, at: first + minute * minuteMs };
}

/** One batch. */
async function fold(sql: Sql, ...events: LineHappening[]): Promise<void> {
  const body = Buffer.from(lineBody(events));
  await putDeliveries(sql, [{ botId: 'shop', platform: 'line', source: 'webhook', body, receivedAt: now }]);
  const { setAside } = await foldPending(sql, 'shop', { now, random });
  assert.deepEqual(setAside, []);
}

test("a follow, a block and an unblock each write one message with the platform's time", async (t) => {
  const sql = await shop(t);
  const follow = event('follow', 'Cleo', 0);
  await fold(sql, follow);
  assert.deepEqual(await newMessages(sql), [['contact.followed', 'Cleo', 0]]);
  await fold(sql, follow, event('message', 'Cleo', 1));
  assert.deepEqual(await newMessages(sql), []);
  await fold(sql, event('unfollow', 'Cleo', 2));
  assert.deepEqual(await newMessages(sql), [['contact.blocked', 'Cleo', 2]]);
  await fold(sql, event('follow', 'Cleo', 3));
  assert.deepEqual(await newMessages(sql), [['contact.unblocked', 'Cleo', 3]]);
  assert.deepEqual(await recount(sql, 'shop', { check: false, progress: () => undefined }), []);
  assert.deepEqual(await newMessages(sql), []);
});

test('a block by an unknown person reports a follow and then the block', async (t) => {
  const sql = await shop(t);
  await fold(sql, event('unfollow', 'Cleo', 5));
  assert.deepEqual(await newMessages(sql), [
    ['contact.followed', 'Cleo', 5],
    ['contact.blocked', 'Cleo', 5],
  ]);
});

test('a late event reports only changes of the current state', async (t) => {
  const sql = await shop(t);
  await fold(sql, event('unfollow', 'Cleo', 10));
  await newMessages(sql);
  // Older than the block: she is a follower already, and blocked still.
  await fold(sql, event('follow', 'Cleo', 0));
  assert.deepEqual(await newMessages(sql), []);
  await fold(sql, event('follow', 'Cleo', 30));
  assert.deepEqual(await newMessages(sql), [['contact.unblocked', 'Cleo', 30]]);
  // A block that was over long since.
  await fold(sql, event('unfollow', 'Cleo', 20));
  assert.deepEqual(await newMessages(sql), []);
  // Both within one batch: as before.
  await fold(sql, event('follow', 'Cleo', 50), event('unfollow', 'Cleo', 40));
  assert.deepEqual(await newMessages(sql), []);
  await fold(sql, event('unfollow', 'Cleo', 70), event('follow', 'Dan', 1), event('follow', 'Cleo', 60));
  assert.deepEqual(await newMessages(sql), [
    ['contact.blocked', 'Cleo', 70],
    ['contact.followed', 'Dan', 1],
  ]);
});

const people = [
  { contactId: 'Ada', tag: 'VIP' },
  { contactId: 'Ben', tag: '客人' },
];
const at = (now - first) / minuteMs;
const tagged = (contact: string, tag: string, kind: string, minute = at) => [
  ...['contact.tagged', contact, minute],
  { tag, kind },
];
const untagged = (contact: string, tag: string, kind: string, minute = at) => [
  ...['contact.untagged', contact, minute],
  { tag, kind },
];

test('each kind of tag is reported once when it is added and removed, for the contact that has it', async (t) => {
  const sql = await shop(t);
  for (const [kind, toldKind] of [
    ['manual', 'manual'],
    ['personal', 'personal'],
    ['automatic', 'auto'],
  ] as const) {
    const add = () => sql.begin((tx) => addTags(tx, { botId: 'shop', kind, tags: people }, { now, random }));
    const remove = () => sql.begin((tx) => removeTags(tx, { botId: 'shop', kind, tags: people }, { now }));
    await add();
    await add();
    assert.deepEqual(await newMessages(sql), [tagged('U1', 'VIP', toldKind), tagged('U2', '客人', toldKind)]);
    await remove();
    await remove();
    assert.deepEqual(await sorted(sql), [untagged('U1', 'VIP', toldKind), untagged('U2', '客人', toldKind)]);
  }
});

test('a deleted tag is reported once for each of its contacts', async (t) => {
  const sql = await shop(t);
  const tagId = await automaticTag(sql, { days: 1 });
  const assign = (contactId: string, time: number) =>
    sql.begin((tx) => assignTags(tx, { botId: 'shop', assignments: [{ contactId, tagId }] }, { now: time }));
  await assign('Ada', now - dayMs - minuteMs);
  await assign('Ben', now);
  await newMessages(sql);
  await sql.begin((tx) => deleteTag(tx, { botId: 'shop', kind: 'automatic', tagId }, { now }));
  // Ada's had expired, and no check ran since.
  assert.deepEqual(await sorted(sql), [
    untagged('U1', 'interested', 'auto', at - 1),
    untagged('U2', 'interested', 'auto'),
  ]);
});

test('an expired automatic tag is reported once with its end, by the check or by an earlier change', async (t) => {
  const sql = await shop(t);
  const tagId = await automaticTag(sql, { days: 1 });
  const ada = { botId: 'shop', assignments: [{ contactId: 'Ada', tagId }] };
  const day = dayMs / minuteMs;
  const end = now + dayMs;
  const assign = (time: number) => sql.begin((tx) => assignTags(tx, ada, { now: time }));
  await assign(now);
  await reportExpired(sql, { now: end - 1 });
  assert.deepEqual(await newMessages(sql), [tagged('U1', 'interested', 'auto')]);
  await Promise.all([reportExpired(sql, { now: end }), reportExpired(sql, { now: end })]);
  await reportExpired(sql, { now: end + dayMs });
  assert.deepEqual(await newMessages(sql), [untagged('U1', 'interested', 'auto', at + day)]);

  await assign(now);
  await assign(end + minuteMs);
  assert.deepEqual(await newMessages(sql), [
    tagged('U1', 'interested', 'auto'),
    untagged('U1', 'interested', 'auto', at + day),
    tagged('U1', 'interested', 'auto', at + day + 1),
  ]);
  const removed = sql.begin((tx) => unassignTags(tx, ada, { now: end + minuteMs + 2 * dayMs }));
  assert.equal(await removed, 0);
  assert.deepEqual(await newMessages(sql), [untagged('U1', 'interested', 'auto', at + 2 * day + 1)]);
});

test('the check for expired tags skips bots without a callback address', async (t) => {
  const sql = await shop(t, { callback: false });
  const tagId = await automaticTag(sql, { days: 1 });
  const ada = { botId: 'shop', assignments: [{ contactId: 'Ada', tagId }] };
  await sql.begin((tx) => assignTags(tx, ada, { now }));
  await reportExpired(sql, { now: now + 2 * dayMs });
  assert.equal((await sql`select from contact_tags`).length, 1);
  await purgeExpired(sql, 'shop', { now: now + 2 * dayMs });
  assert.equal((await sql`select from contact_tags`).length, 0);
  assert.deepEqual(await newMessages(sql), []);
});

test('a new binding reports the end of the previous one first, and an unchanged binding reports nothing', async (t) => {
  const sql = await shop(t);
  const bind = (customerId: string) =>
    sql.begin((tx) => bindCustomer(tx, { botId: 'shop', contact: 'Ada', customerId }, { now }));
  const unbind = (customerId: string) =>
    sql.begin((tx) => unbindCustomer(tx, { botId: 'shop', contact: 'Ada', customerId }, { now }));
  await bind('one');
  await bind('one');
  assert.deepEqual(await newMessages(sql), [['contact.bound', 'U1', at, { customerId: 'one' }]]);
  await bind('two');
  assert.deepEqual(await newMessages(sql), [
    ['contact.unbound', 'U1', at, { customerId: 'one' }],
    ['contact.bound', 'U1', at, { customerId: 'two' }],
  ]);
  await assert.rejects(unbind('one'), { code: 'UNBIND_FAILED' });
  await unbind('two');
  await assert.rejects(unbind('two'), { code: 'UNBIND_FAILED' });
  assert.deepEqual(await newMessages(sql), [['contact.unbound', 'U1', at, { customerId: 'two' }]]);
});

test('written profiles report the contacts whose customer changed', async (t) => {
  const sql = await shop(t);
  const write = (...changes: ProfileChange[]) =>
    sql.begin((tx) => writeProfiles(tx, 'shop', changes, { now }));
  await write({ contactId: 'Ada', customer_id: 'one' }, { contactId: 'Ben', name: 'Ben' });
  assert.deepEqual(await newMessages(sql), [['contact.bound', 'U1', at, { customerId: 'one' }]]);
  await write({ contactId: 'Ada', customer_id: 'one' }, { contactId: 'Ben', customer_id: 'other' });
  assert.deepEqual(await newMessages(sql), [['contact.bound', 'U2', at, { customerId: 'other' }]]);
  await write({ contactId: 'Ada', customer_id: 'two' });
  assert.deepEqual(await newMessages(sql), [
    ['contact.unbound', 'U1', at, { customerId: 'one' }],
    ['contact.bound', 'U1', at, { customerId: 'two' }],
  ]);
});

test('a batch that changes no state does not read the callback', async (t) => {
  const sql = await shop(t);
  await fold(sql, event('follow', 'Cleo', 0));
  // A read would fail.
  await sql`alter table callbacks rename to hidden`;
  await fold(sql, event('message', 'Cleo', 1));
  await assert.rejects(fold(sql, event('unfollow', 'Cleo', 2)), /callbacks/);
});

test('every change of points is reported with the available points after it; repetitions and refusals are not', async (t) => {
  const sql = await shop(t);
  const contact = { botId: 'shop', contactId: 'Ada' };
  const expiresAt = now + minuteMs;
  await earn(sql, { ...contact, key: 'a', amount: 100, expiresAt }, { now });
  await earn(sql, { ...contact, key: 'a', amount: 100, expiresAt }, { now });
  await spend(sql, { ...contact, key: 'b', amount: 30 }, { now });
  await assert.rejects(spend(sql, { ...contact, key: 'c', amount: 71 }, { now }), {
    code: 'POINTS_INSUFFICIENT',
  });
  await earn(sql, { ...contact, key: 'd', amount: 5, expiresAt: null }, { now: expiresAt });
  await clear(sql, { ...contact, key: 'e' }, { now: expiresAt });
  await clear(sql, { ...contact, key: 'f' }, { now: expiresAt });
  const at = (now - first) / minuteMs;
  const expires = new Date(expiresAt).toISOString();
  const points = (
    kind: string,
    amount: number,
    available: number,
    key: string | null,
    end: string | null = null,
  ) => ({
    ...{ kind, amount, available, key, expiresAt: end },
  });
  assert.deepEqual(await newMessages(sql), [
    ['points.changed', 'U1', at, points('earn', 100, 100, 'a', expires)],
    ['points.changed', 'U1', at, points('spend', -30, 70, 'b')],
    ['points.changed', 'U1', at + 1, points('expire', -70, 0, null, expires)],
    ['points.changed', 'U1', at + 1, points('earn', 5, 5, 'd')],
    ['points.changed', 'U1', at + 1, points('clear', -5, 0, 'e')],
  ]);
});

test('a rolled back transaction reports nothing', async (t) => {
  const sql = await shop(t);
  const undone = sql.begin(async (tx) => {
    await addTags(tx, { botId: 'shop', tags: [{ contactId: 'Ada', tag: 'VIP' }] }, { now, random });
    await writePoints(
      tx,
      'shop',
      [{ kind: 'earn', contactId: 'Ada', key: 'a', amount: 1, expiresAt: null }],
      { now },
    );
    throw new Error('taken back');
  });
  await assert.rejects(undone, /taken back/);
  assert.deepEqual(await newMessages(sql), []);
});

test('a bot without an address or with a disabled one gets no messages', async (t) => {
  const sql = await shop(t, { callback: false });
  const change = async () => {
    await fold(sql, event('follow', 'Cleo', 0), event('unfollow', 'Dan', 0));
    const tags = [{ contactId: 'Ada', tag: `tag ${ids}` }];
    await sql.begin((tx) => addTags(tx, { botId: 'shop', tags }, { now, random }));
    await earn(
      sql,
      { botId: 'shop', contactId: 'Ada', key: `key ${ids}`, amount: 1, expiresAt: null },
      { now },
    );
  };
  await change();
  await sql`
    insert into callbacks (bot_id, url, secret_sealed, disabled_at, created_at, updated_at)
    values ('shop', 'http://127.0.0.1/', '', now(), now(), now())`;
  await change();
  assert.deepEqual(await newMessages(sql), []);
  const [pending] = await sql`select count(*)::integer as count from pending_notices`;
  assert.equal(pending?.count, 0);
});

test('ten thousand changes are one statement in their order, and deleting a contact deletes its messages', async (t) => {
  const sql = await shop(t);
  const changes = Array.from({ length: 10_000 }, (_, index) => ({
    type: 'contact.bound' as const,
    contactId: index % 2 === 0 ? 'Ada' : 'Ben',
    at: now,
    data: { customerId: `customer ${index}` },
  }));
  await sql.begin((tx) => enqueueMessages(tx, 'shop', changes, { now }));
  const pending = await sql<{ customer: string }[]>`
    select data->>'customerId' as customer from notices join pending_notices using (bot_id, notice_id) order by notice_id`;
  assert.deepEqual(
    pending.map(({ customer }) => customer),
    changes.map(({ data }) => data.customerId),
  );
  await sql.begin((tx) => deleteMessagesOf(tx, 'shop', ['Ada']));
  const remaining = await sql`
    select contact_id, count(*)::integer as count from notices join pending_notices using (bot_id, notice_id) group by 1`;
  assert.deepEqual([...remaining], [{ contact_id: 'Ben', count: 5_000 }]);
});
