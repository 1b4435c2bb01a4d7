/**
 * Points by day against the ledger's model, for any changes, time zones and stored days. Each day ends with the points available
 * to all contacts, and the day's changes explain the difference from the day before.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Sql } from '../../src/database/client.ts';
import { repeatedTransaction } from '../../src/database/repeated-transaction.ts';
import type { PointChange } from '../../src/points/change.ts';
import { writePoints } from '../../src/points/ledger.ts';
import { readPointPeriods, storePointDays, wrongPointDays } from '../../src/points/point-periods.ts';
import { testDatabase } from '../harness/database.ts';
import { holds } from '../harness/property.ts';
import { Model } from './ledger-model.ts';

const contactIds = ['ada', 'ben', 'cleo'];
const hourMs = 3_600_000;
const start = Date.parse('2026-03-07T10:00:00Z');
const days = Array.from({ length: 12 }, (_, index) =>
  new Date(Date.parse('2026-03-06') + index * 24 * hourMs).toISOString().slice(0, 10),
);

const step = fc.record({
  kind: fc.constantFrom('earn', 'earn', 'earn', 'spend', 'transfer', 'adjust', 'clear' as const),
  who: fc.nat({ max: 2 }),
  to: fc.nat({ max: 2 }),
  amount: fc.integer({ min: 1, max: 9 }),
  lastsHours: fc.constantFrom(null, 1, 5, 13, 24, 40),
  /** After which the next one is made. */
  pauseHours: fc.constantFrom(0, 1, 6, 11, 25),
  keeps: fc.boolean(),
});
const plan = fc.record({
  zone: fc.constantFrom('Asia/Taipei', 'America/New_York', 'Australia/Lord_Howe'),
  otherZone: fc.constantFrom(null, 'Asia/Tokyo'),
  steps: fc.array(step, { maxLength: 16 }),
});

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

test('each day ends with what could be spent then, however far days are kept', async (t) => {
  const { sql } = await testDatabase(t);
  let run = 0;
  await holds(
    t,
    fc.asyncProperty(plan, async ({ zone, otherZone, steps }) => {
      const botId = `bot${run++}`;
      await addBot(sql, botId, zone);
      const model = new Model(start);
      const ends = new Map<number, number>();
      const until = (at: number) => {
        for (; model.now < at; model.now += hourMs / 2) ends.set(model.now, available(model));
      };
      for (const [index, step] of steps.entries()) {
        const change = toChange(step, index, model.now);
        model.write(change);
        await repeatedTransaction(sql, (tx) => writePoints(tx, botId, [change], { now: model.now }));
        until(model.now + step.pauseHours * hourMs);
        if (step.keeps) await storePointDays(sql, botId, { now: model.now });
      }
      if (otherZone !== null) {
        await sql`update bots set time_zone = ${otherZone} where bot_id = ${botId}`;
        if (steps[0]?.keeps) await storePointDays(sql, botId, { now: model.now });
      }
      until(model.now + 1);
      const bot = { botId, timeZone: otherZone ?? zone };
      const { now } = model;
      const { before, periods } = await readPointPeriods(sql, bot, { days, now });
      assert.equal(before, 0);
      const lastKnown = available(model);
      let outstanding = before;
      for (const [index, period] of periods.entries()) {
        const { earned, spent, corrected, expired } = period;
        outstanding += earned + corrected - spent - expired;
        const end = firstInstant(days[index + 1] ?? '', bot.timeZone);
        if (firstInstant(days[index] ?? '', bot.timeZone) > now) assert.equal(period.outstanding, null);
        else {
          const expected = end < start ? 0 : (ends.get(end - hourMs / 2) ?? lastKnown);
          assert.equal(period.outstanding, expected, days[index]);
          assert.equal(outstanding, expected);
        }
      }
      const all = (kind: string) => steps.reduce((sum, one) => sum + (one.kind === kind ? one.amount : 0), 0);
      assert.equal(
        periods.reduce((sum, { earned }) => sum + earned, 0),
        all('earn'),
      );
      assert.deepEqual(await sql.begin((tx) => wrongPointDays(tx, bot)), []);
    }),
    { runs: 40 },
  );
});

function toChange({ kind, who, to, amount, lastsHours }: Step, index: number, now: number): PointChange {
  const target = { contactId: contactIds[who] ?? '', key: `key ${index}` };
  // Soon after a half hour: the model is looked at each half hour, and nothing may happen before the next.
  const expiresAt = lastsHours === null ? null : now + lastsHours * hourMs + 60_000;
  if (kind === 'earn') return { ...target, kind, amount, expiresAt };
  if (kind === 'transfer') return { ...target, kind, amount, toContactId: contactIds[to] ?? '' };
  if (kind === 'adjust') return { ...target, kind, amount, expiresAt, reason: 'miscounted' };
  return kind === 'spend' ? { ...target, kind, amount } : { ...target, kind };
}

function available(model: Model): number {
  return contactIds.reduce((sum, contactId) => sum + model.available(contactId), 0);
}

async function addBot(sql: Sql, botId: string, zone: string): Promise<void> {
  await sql`insert into bots (bot_id, name, time_zone) values (${botId}, 'test', ${zone})`;
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    select ${botId}, id, 'line', id, now() from unnest(${contactIds}::text[]) as id`;
}

/** The first half hour on that day. */
function firstInstant(day: string, zone: string): number {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' });
  let at = Date.parse(`${day}T00:00:00Z`) - 15 * hourMs;
  while (format.format(at) < day) at += hourMs / 2;
  return at;
}
