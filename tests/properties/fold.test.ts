/**
 * The fold against a naive model: for one set of events the kept rows are the same whatever the order of arrival, the
 * repetition, the batching and the number of folds at work, and they are what the definitions say.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { recount } from '../../src/rollups/recount.ts';
import { testDatabase } from '../harness/database.ts';
import { bodyOf } from './bodies.ts';
import { addBot, anchors, consistent, foldAll, toldEvents } from './events.ts';
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
  events: fc.array(toldEvents(anchors), { minLength: 1, maxLength: 60 }),
  order: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
  batch: fc.integer({ min: 1, max: 9 }),
  folds: fc.integer({ min: 1, max: 3 }),
});

test('any order, repetition, batching and number of folds gives the figures of the definitions', async (t) => {
  const { sql } = await testDatabase(t);
  let bots = 0;
  await fc.assert(
    fc.asyncProperty(plan, async ({ zone, events, order, batch, folds }) => {
      const botId = `bot${bots++}`;
      await addBot(sql, botId, zone);
      const once = consistent(events);
      const chance = order[Symbol.iterator]();
      const next = (): number => chance.next().value ?? 0;
      const sent = [...once, ...once.filter(() => next() < 0.3)]
        .map((event) => ({ event, place: next() }))
        .sort((a, b) => a.place - b.place)
        .map(({ event }) => event);
      while (sent.length > 0) {
        const part = sent.splice(0, 1 + Math.floor(next() * 20));
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
        if (next() < 0.5) await foldAll(sql, botId, batch, folds);
      }
      await foldAll(sql, botId, batch, folds);
      assert.deepEqual(await keptFigures(sql, botId), naiveFigures(once, zone));
      assert.deepEqual(await recount(sql, botId, { check: true, progress: () => undefined }), []);
    }),
    { numRuns: Number(process.env.SHOAL_PROPERTY_RUNS ?? 60) },
  );
});
