/**
 * Deletion of contacts, with deliveries that are pending, shared with others or redelivered later. Every figure still matches the
 * definitions, a recount finds no difference, and the sums of tags and points stay. Nothing in the database names the person.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Sql } from '../../src/database/client.ts';
import { indexedDeliveries, indexPeople } from '../../src/inbox/delivery-people.ts';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import type { PlatformName } from '../../src/platforms/platform.ts';
import { auditPoints } from '../../src/points/audit.ts';
import { recount } from '../../src/rebuild/recount.ts';
import { addTags } from '../../src/tags/tags.ts';
import { minuteMs } from '../../src/time.ts';
import { testDatabase } from '../harness/database.ts';
import { forgetContact } from '../harness/forget.ts';
import { adjust, earn, transfer } from '../harness/points.ts';
import { holds } from '../harness/property.ts';
import { seededBytes } from '../harness/random.ts';
import { traces } from '../harness/traces.ts';
import { bodyOfAll, type ReportedEvent, scopedId } from './bodies.ts';
import { addBot, anchors, consistent, foldAll, reportedEvents } from './events.ts';
import { keptFigures, naiveFigures } from './naive-model.ts';

const now = Date.parse('2026-12-01T00:00:00Z');
const random = seededBytes(7);

const plan = fc.record({
  events: fc.array(reportedEvents(anchors), { minLength: 1, maxLength: 40 }),
  order: fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
});

type Owned = { contactId: string; platform: PlatformName; ids: string[] };

test('after a deletion every figure is the same and nothing names the person', async (t) => {
  const { sql } = await testDatabase(t);
  let bots = 0;
  await holds(
    t,
    fc.asyncProperty(plan, async ({ events, order }) => {
      const botId = `bot${bots++}`;
      await addBot(sql, botId, 'Asia/Taipei');
      const chance = order[Symbol.iterator]();
      const next = (): number => chance.next().value ?? 0;
      const once = consistent(events);
      const expected = naiveFigures(once, 'Asia/Taipei');
      const deliveries = deliveriesOf([...once, ...once.filter(() => next() < 0.2)], next);
      // Pending deliveries may name new people, or show that two contacts are one person.
      const waiting = next() < 0.5 ? deliveries.splice(Math.ceil(deliveries.length * next())) : [];
      // Some of them long enough ago to be indexed.
      const settled = next() < 0.5 ? now - minuteMs : now;
      await put(sql, botId, deliveries.slice(0, deliveries.length / 2), settled);
      await put(sql, botId, deliveries.slice(deliveries.length / 2));
      if (next() < 0.3) await index(sql, botId, now);
      await foldAll(sql, botId, { batch: 3, folds: 1 });
      if (next() < 0.5) await index(sql, botId, now);
      const owners = await give(sql, botId, next);
      const before = await sumsOf(sql, botId);
      await put(sql, botId, waiting);

      // Some come again before, and wait.
      await put(
        sql,
        botId,
        deliveries.filter(() => next() < 0.3),
      );
      const deletedOwners = owners.filter(() => next() < 0.5);
      const forget = async () => {
        for (const { contactId } of deletedOwners) {
          await forgetContact(sql, { botId, contactId }, { now, random });
          await forgetContact(sql, { botId, contactId }, { now, random });
        }
      };
      // With a worker at the same time, or without.
      await Promise.all([
        forget(),
        next() < 0.5 ? foldAll(sql, botId, { batch: 1, folds: 1, chunkSize: 2 }) : undefined,
      ]);
      // A sender in a group is no contact, so such a message cannot be assigned to a deleted contact.
      await put(
        sql,
        botId,
        deliveries.filter(({ body }) => next() < 0.5 && !body.includes('group-message')),
      );
      if (next() < 0.5) await index(sql, botId, now + minuteMs);
      await foldAll(sql, botId, { batch: 3, folds: 2, chunkSize: 2 });
      await index(sql, botId, now + minuteMs);

      assert.deepEqual(await keptFigures(sql, botId), expected);
      assert.deepEqual(await recount(sql, botId, { check: true, progress: () => undefined }), []);
      if (waiting.length === 0) assert.deepEqual(await sumsOf(sql, botId), before);
      assert.deepEqual(await auditPoints(sql, botId), []);
      for (const { platform, ids, contactId } of deletedOwners) {
        assert.deepEqual(
          await traces(sql, { botId, platform, words: [...ids, reasonOf(contactId)] }),
          [],
          contactId,
        );
        assert.deepEqual(await indexedDeliveries(sql, botId, { platform, ids }), [], contactId);
        const remaining = await sql`
          select from events where bot_id = ${botId} and contact_id = ${contactId}`;
        assert.equal(remaining.length, 0);
      }
    }),
    { runs: 25 },
  );
});

test('forgetting contacts whose ids are words of the format changes nothing of others', async (t) => {
  const { sql } = await testDatabase(t);
  const botId = 'words';
  await addBot(sql, botId, 'Asia/Taipei');
  const reports: ReportedEvent[] = [
    { platform: 'line', kind: 'message', id: 1, person: 1, at: now },
    { platform: 'line', kind: 'group-message', id: 2, person: 2, at: now },
    { platform: 'facebook', kind: 'message', id: 3, person: 1, at: now },
    { platform: 'whatsapp', kind: 'message', id: 4, person: 1, named: 'both', at: now },
  ];
  const unknownItem = (sender: string) =>
    JSON.stringify({
      object: 'page',
      entry: [{ id: 'account', messaging: [{ sender: { id: sender }, timestamp: now, novelty: {} }] }],
    });
  const others = [...reports.map((one) => ({ platform: one.platform, body: bodyOfAll([one]) }))];
  others.push({ platform: 'facebook', body: unknownItem(scopedId(1)) });
  await put(sql, botId, others);
  // A person whose id is written with escapes, and named by an event without a contact.
  const escaped = unknownItem('sender').replace('"sender"}', String.raw`"\u0073ender"}`);
  await put(sql, botId, [{ platform: 'facebook', body: escaped }]);
  await foldAll(sql, botId, { batch: 10, folds: 1 });
  const stored = await deliveriesAndKeys(sql, botId);

  const words = { line: ['user', 'U', '1'], facebook: ['message', '7', 'sender'], whatsapp: ['in4', '8869'] };
  for (const [platform, ids] of Object.entries(words)) {
    for (const id of ids) {
      const contactId = `${platform}${id}`;
      await sql`
        insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
        values (${botId}, ${contactId}, ${platform}, ${id}, now())`;
      await forgetContact(sql, { botId, contactId }, { now, random });
    }
  }
  const remaining = await deliveriesAndKeys(sql, botId);
  assert.deepEqual(remaining.bodies, [
    ...others.map(({ body }) => body),
    JSON.stringify({ object: 'page', entry: [{ id: 'account', messaging: [] }] }),
  ]);
  const renamed = stored.keys.filter((key) => !remaining.keys.includes(key));
  assert.deepEqual(
    renamed.map((key) => key.split(':').slice(0, 2)),
    [['unknown', 'sender']],
  );
});

async function deliveriesAndKeys(sql: Sql, botId: string): Promise<{ bodies: string[]; keys: string[] }> {
  const bodies = await sql<{ body: Uint8Array }[]>`
    select body from deliveries where bot_id = ${botId} order by delivery_id`;
  const keys = await sql<{ key: string }[]>`select key from events where bot_id = ${botId} order by key`;
  return {
    bodies: bodies.map(({ body }) => Buffer.from(body).toString()),
    keys: keys.map(({ key }) => key),
  };
}

test("a WhatsApp number within the base64 of another account's message id is forgotten, too", async (t) => {
  const { sql } = await testDatabase(t);
  const botId = 'base64';
  await addBot(sql, botId, 'Asia/Taipei');
  const number = '886900000001';
  const statusOf = (digits: string, account: string, before: number) => {
    const id = `wamid.${Buffer.concat([Buffer.alloc(before, 29), Buffer.from(`${digits}!?`)]).toString('base64')}`;
    const value = {
      metadata: { phone_number_id: account },
      statuses: [{ id, status: 'read', timestamp: '1795500000' }],
    };
    return JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [{ id: '1', changes: [{ field: 'messages', value }] }],
    });
  };
  const bodies = [0, 1, 2].map((before) => statusOf(number, before === 0 ? 'other' : 'account', before));
  await put(
    sql,
    botId,
    [...bodies, statusOf('886900000002', 'account', 1)].map((body) => ({ platform: 'whatsapp', body })),
  );
  await foldAll(sql, botId, { batch: 10, folds: 1 });
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    values (${botId}, 'A', 'whatsapp', ${number}, now())`;
  await forgetContact(sql, { botId, contactId: 'A' }, { now, random });
  const { keys } = await deliveriesAndKeys(sql, botId);
  const originalKeys = keys.filter((key) => !key.startsWith('forgotten:'));
  assert.deepEqual([keys.length, originalKeys.length], [8, 2]);
});

function reasonOf(contactId: string): string {
  return `for ${contactId}`;
}

/** Deliveries of one to four events of a platform each; live chat has one delivery for each message. */
function deliveriesOf(reports: readonly ReportedEvent[], next: () => number): Sent[] {
  const deliveries: Sent[] = [];
  for (const [platform, own] of Map.groupBy(reports, (event) => event.platform)) {
    const shuffledEvents = own.map((event) => ({ event, place: next() })).sort((a, b) => a.place - b.place);
    while (shuffledEvents.length > 0) {
      const most = platform === 'liveChat' ? 1 : 4;
      const part = shuffledEvents.splice(0, 1 + Math.floor(next() * most)).map(({ event }) => event);
      deliveries.push({ platform, body: bodyOfAll(part) });
    }
  }
  return deliveries;
}

type Sent = { platform: ReportedEvent['platform']; body: string };

async function index(sql: Sql, botId: string, at: number): Promise<void> {
  for (let indexed = 1; indexed > 0; ) indexed = await indexPeople(sql, botId, { now: at });
}

async function put(sql: Sql, botId: string, deliveries: readonly Sent[], receivedAt = now): Promise<void> {
  for (const { platform, body } of deliveries) {
    await putDeliveries(sql, [{ botId, platform, source: 'webhook', body: Buffer.from(body), receivedAt }]);
  }
}

/** Gives people profiles, tags and points, and returns the people. */
async function give(sql: Sql, botId: string, next: () => number): Promise<Owned[]> {
  const owners = await people(sql, botId);
  const tagged = owners.filter(() => next() < 0.5);
  await sql.begin((tx) =>
    addTags(tx, { botId, tags: tagged.map(({ contactId }) => ({ contactId, tag: 'VIP' })) }, { now, random }),
  );
  for (const { contactId } of owners) {
    await earn(sql, { botId, contactId, key: `gift ${contactId}`, amount: 5, expiresAt: null }, { now });
    const adjustment = { amount: 2, expiresAt: null, reason: reasonOf(contactId) };
    await adjust(sql, { botId, contactId, key: `more ${contactId}`, ...adjustment }, { now });
    const { contactId: toContactId } = owners[Math.floor(next() * owners.length)] ?? { contactId };
    if (toContactId === contactId) continue;
    await transfer(sql, { botId, contactId, toContactId, key: `hand ${contactId}`, amount: 3 }, { now });
  }
  return owners;
}

async function people(sql: Sql, botId: string): Promise<Owned[]> {
  return sql<Owned[]>`
    select coalesce(merged_into, contact_id) as "contactId", platform, array_agg(platform_contact_id) as ids
    from contacts where bot_id = ${botId} and forgotten_at is null group by 1, 2 order by 1`;
}

async function sumsOf(sql: Sql, botId: string): Promise<unknown> {
  const [row] = await sql`
    select (select coalesce(sum(tagged_contacts), 0)::integer from totals where bot_id = ${botId}) as tagged,
      (select coalesce(sum(balance), 0)::integer from point_accounts where bot_id = ${botId}) as points,
      (select count(*)::integer from events where bot_id = ${botId}) as events`;
  return { ...row };
}
