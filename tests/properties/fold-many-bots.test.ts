/**
 * The fold of many bots at once: folds in parallel, each over any of the bots in any order, give each bot the figures of the
 * definitions. None waits for another forever, and none counts an event twice.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { recount } from '../../src/rebuild/recount.ts';
import { testDatabase } from '../harness/database.ts';
import { foldPending } from '../harness/fold.ts';
import { holds } from '../harness/property.ts';
import { bodyOf } from './bodies.ts';
import { addBot, anchors, conflicting, consistent, reportedEvents } from './events.ts';
import { keptFigures, naiveFigures } from './naive-model.ts';

const receivedAt = Date.parse('2026-12-01T00:00:00Z');
const zones = ['Asia/Taipei', 'Asia/Tokyo', 'America/New_York', 'Asia/Kathmandu'];
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const plan = fc.record({
  bots: fc.array(
    fc.record({
      zone: fc.constantFrom(...zones),
      events: fc.array(reportedEvents(anchors), { minLength: 1, maxLength: 20 }),
      isConflicting: fc.boolean(),
    }),
    { minLength: 2, maxLength: 6 },
  ),
  order: fc.infiniteStream(chance),
  folds: fc.integer({ min: 1, max: 3 }),
  countMax: fc.integer({ min: 1, max: 40 }),
  chunkSize: fc.integer({ min: 1, max: 20 }),
});

test('parallel folds of the same bots in any order give each bot its own figures', async (t) => {
  const { sql } = await testDatabase(t);
  let count = 0;
  await holds(
    t,
    fc.asyncProperty(plan, async ({ bots, order, folds, countMax, chunkSize }) => {
      const values = order[Symbol.iterator]();
      const next = (): number => values.next().value ?? 0;
      const shuffled = <Item>(items: readonly Item[]): Item[] =>
        items
          .map((item) => ({ item, place: next() }))
          .sort((a, b) => a.place - b.place)
          .map(({ item }) => item);
      const named = bots.map(({ zone, events, isConflicting }) => ({
        ...{ zone, botId: `bot${count++}` },
        events: isConflicting ? conflicting(events) : consistent(events),
      }));
      for (const { botId, zone } of named) await addBot(sql, botId, zone);
      const botIds = named.map(({ botId }) => botId);
      const foldAny = async (): Promise<void> => {
        for (let pending = 1; pending > 0; ) {
          const some = next() < 0.3 ? botIds : botIds.filter(() => next() < 0.7);
          const options = { now: 0, random: randomBytes, countMax, chunkSize };
          const outcome = await foldPending(sql, shuffled(some.length > 0 ? some : botIds), options);
          assert.deepEqual(outcome.setAside, []);
          const [row] = await sql<{ pending: number }[]>`
            select count(*)::integer as pending from pending_bundles where bot_id = any (${botIds}::text[])`;
          pending = row?.pending ?? 0;
        }
      };
      const foldAll = () => Promise.all(Array.from({ length: folds }, foldAny));
      const deliveries = shuffled(
        named.flatMap(({ botId, events }) =>
          [...events, ...events.filter(() => next() < 0.3)].map((event) => ({
            ...{ botId, platform: event.platform, source: 'webhook' as const, receivedAt },
            body: Buffer.from(bodyOf(event)),
          })),
        ),
      );
      while (deliveries.length > 0) {
        await putDeliveries(sql, deliveries.splice(0, 1 + Math.floor(next() * 30)));
        if (next() < 0.3) await foldAll();
      }
      await foldAll();
      for (const { botId, zone, events } of named) {
        assert.deepEqual(await keptFigures(sql, botId), naiveFigures(events, zone));
        assert.deepEqual(await recount(sql, botId, { check: true, progress: () => undefined }), []);
      }
    }),
    { runs: 40 },
  );
});
