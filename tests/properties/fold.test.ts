/**
 * The fold against a naive model: for one set of events the stored rows are the same for any order of arrival, repetition, batching
 * and number of parallel folds, and they match the definitions.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Sql } from '../../src/database/client.ts';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { recount } from '../../src/rebuild/recount.ts';
import { testDatabase } from '../harness/database.ts';
import { holds } from '../harness/property.ts';
import { bodyOf } from './bodies.ts';
import { addBot, anchors, conflicting, consistent, foldAll, reportedEvents } from './events.ts';
import { keptFigures, naiveFigures } from './naive-model.ts';

const zones = [
  'Asia/Taipei',
  'Asia/Tokyo',
  'America/New_York',
  'Europe/London',
  'Asia/Kathmandu',
  'Pacific/Auckland',
];

const plan = fc.record({
  zone: fc.constantFrom(...zones),
  events: fc.array(reportedEvents(anchors), { minLength: 1, maxLength: 60 }),
  order: fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
  batch: fc.integer({ min: 1, max: 9 }),
  folds: fc.integer({ min: 1, max: 3 }),
  chunkSize: fc.integer({ min: 1, max: 12 }),
  isTold: fc.boolean(),
});
type Plan = typeof plan extends fc.Arbitrary<infer Value> ? Value : never;
const runs = 60;

test('any order, repetition, batching and number of folds gives the figures of the definitions', async (t) => {
  const { sql } = await testDatabase(t);
  let bots = 0;
  await holds(
    t,
    fc.asyncProperty(plan, async ({ events, isTold, ...asked }) => {
      const botId = `bot${bots++}`;
      await addBot(sql, botId, asked.zone);
      if (isTold) await addCallback(sql, botId);
      await foldAndCompare(sql, botId, { ...asked, events: consistent(events) });
      if (isTold) await compareDispatched(sql, botId);
    }),
    { runs },
  );
});

test('reports of one event that name other people, kinds and times give the same figures in any order', async (t) => {
  const { sql } = await testDatabase(t);
  let bots = 0;
  await holds(
    t,
    fc.asyncProperty(plan, async ({ events, ...asked }) => {
      const botId = `bot${bots++}`;
      await addBot(sql, botId, asked.zone);
      await foldAndCompare(sql, botId, { ...asked, events: conflicting(events) });
    }),
    { runs },
  );
});

async function foldAndCompare(
  sql: Sql,
  botId: string,
  { zone, events, order, batch, folds, chunkSize }: Omit<Plan, 'isTold'>,
): Promise<void> {
  const chance = order[Symbol.iterator]();
  const next = (): number => chance.next().value ?? 0;
  const shuffledEvents = [...events, ...events.filter(() => next() < 0.3)]
    .map((event) => ({ event, place: next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ event }) => event);
  while (shuffledEvents.length > 0) {
    const part = shuffledEvents.splice(0, 1 + Math.floor(next() * 20));
    await putDeliveries(
      sql,
      part.map((event) => ({
        botId,
        platform: event.platform,
        source: 'webhook',
        body: Buffer.from(bodyOf(event)),
        receivedAt: Date.parse('2026-12-01T00:00:00Z'),
      })),
    );
    if (next() < 0.5) await foldAll(sql, botId, { batch, folds, chunkSize });
  }
  await foldAll(sql, botId, { batch, folds, chunkSize });
  assert.deepEqual(await keptFigures(sql, botId), naiveFigures(events, zone));
  assert.deepEqual(await recount(sql, botId, { check: true, progress: () => undefined }), []);
}

async function addCallback(sql: Sql, botId: string): Promise<void> {
  await sql`
    insert into callbacks (bot_id, url, secret_sealed, created_at, updated_at)
    values (${botId}, 'http://127.0.0.1/', '', now(), now())`;
}

/** The webhook messages, in order, give the states: each follow once, block and unblock in turn. */
async function compareDispatched(sql: Sql, botId: string): Promise<void> {
  const dispatched = await sql<{ contactId: string; follows: number; states: string[] | null }[]>`
    select contact_id as "contactId", count(*) filter (where type = 'contact.followed')::integer as follows,
      array_agg(type order by notice_id) filter (where type like 'contact.%blocked') as states
    from notices where bot_id = ${botId} group by contact_id`;
  const contacts = await sql<
    { contactId: string; merged: string | null; followed: boolean; blocked: boolean }[]
  >`
    select contact_id as "contactId", merged_into as merged, followed_at is not null as followed, blocked
    from contacts where bot_id = ${botId}`;
  const dispatchedOf = new Map(dispatched.map((row) => [row.contactId, row]));
  for (const { contactId, merged, followed, blocked } of contacts) {
    const { follows = 0, states = null } = dispatchedOf.get(contactId) ?? {};
    if (merged !== null) assert.ok(follows <= 1);
    // A contact that takes over another whose follow was dispatched dispatches none of its own.
    else {
      const absorbed = contacts.filter((other) => other.merged === contactId);
      const total = absorbed.reduce(
        (sum, other) => sum + (dispatchedOf.get(other.contactId)?.follows ?? 0),
        follows,
      );
      assert.equal(total >= 1, followed);
      assert.ok(follows <= 1);
    }
    const inTurn = (states ?? []).map((_, index) =>
      index % 2 === 0 ? 'contact.blocked' : 'contact.unblocked',
    );
    assert.deepEqual(states ?? [], inTurn);
    assert.equal(inTurn.at(-1) === 'contact.blocked', merged === null && blocked);
  }
}
