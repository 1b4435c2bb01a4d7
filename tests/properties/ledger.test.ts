/**
 * The ledger against a model that does everything the slow and plain way: any order of changes, clocks that jump, keys that
 * come again with the same or with other content, contacts that are joined, one by one, in batches, and at the same time.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Sql } from '../../src/database/database.ts';
import { Refusal } from '../../src/errors.ts';
import type { PointChange } from '../../src/points/account.ts';
import { auditPoints, availablePoints } from '../../src/points/balances.ts';
import {
  clear,
  earn,
  moveAccount,
  type PointResult,
  pointsTransaction,
  spend,
  writePoints,
} from '../../src/points/ledger.ts';
import { testDatabase } from '../harness/database.ts';

const contactIds = ['ada', 'ben', 'cleo'];
const start = Date.parse('2026-03-01T00:00:00Z');

type Step =
  | {
      do: 'change';
      kind: PointChange['kind'];
      who: number;
      amount: number;
      lasts: number | null;
      key: number;
    }
  | { do: 'clock'; by: number }
  | { do: 'join'; from: number; to: number };

const change = fc.record({
  do: fc.constant('change' as const),
  kind: fc.constantFrom('earn', 'earn', 'spend', 'spend', 'clear' as const),
  who: fc.nat({ max: 2 }),
  amount: fc.integer({ min: 1, max: 4 }),
  lasts: fc.constantFrom(null, 0, 1, 2, 5, 5, 20),
  // A few keys come again and again, mostly with other content.
  key: fc.oneof({ arbitrary: fc.nat(), weight: 5 }, { arbitrary: fc.nat({ max: 2 }), weight: 1 }),
});
const again = fc.record({ do: fc.constant('again' as const), which: fc.nat() });
const clock = fc.record({ do: fc.constant('clock' as const), by: fc.constantFrom(-2, -1, 1, 1, 2, 5) });
const join = fc.record({
  do: fc.constant('join' as const),
  from: fc.nat({ max: 2 }),
  to: fc.nat({ max: 2 }),
});
const steps = fc
  .array(
    fc.oneof(
      { arbitrary: change, weight: 12 },
      { arbitrary: again, weight: 3 },
      { arbitrary: clock, weight: 4 },
      { arbitrary: join, weight: 1 },
    ),
    { maxLength: 40 },
  )
  .map(withRepetitions);

/** Turns `again` into an earlier change, word for word. */
function withRepetitions(list: readonly (Step | { do: 'again'; which: number })[]): Step[] {
  const told: Step[] = [];
  const changes: Step[] = [];
  for (const step of list) {
    const again = step.do === 'again' ? changes[step.which % Math.max(1, changes.length)] : step;
    if (again === undefined) continue;
    told.push(again);
    if (again.do === 'change') changes.push(again);
  }
  return told;
}

type ModelLot = { owner: string; left: number; expiresAt: number | null };
type Outcome = PointResult | Refusal['code'];

/** All lots in one list, oldest first; every question goes through the whole of it. */
class Model {
  now = start;
  readonly #lots: ModelLot[] = [];
  readonly #results = new Map<string, { change: PointChange; result: PointResult }>();
  readonly #joined = new Map<string, string>();

  owner(contactId: string): string {
    const into = this.#joined.get(contactId);
    return into === undefined ? contactId : this.owner(into);
  }

  available(contactId: string): number {
    return this.#usable(this.owner(contactId)).reduce((sum, lot) => sum + lot.left, 0);
  }

  write(asked: PointChange): Outcome {
    const change = { ...asked, contactId: this.owner(asked.contactId) };
    const former = this.#results.get(change.key);
    if (former) {
      const formerChange = { ...former.change, contactId: this.owner(former.change.contactId) };
      return JSON.stringify(formerChange) === JSON.stringify(change)
        ? { ...former.result, contactId: change.contactId, repeated: true }
        : 'KEY_REUSED';
    }
    const { contactId, key, kind } = change;
    if (kind === 'earn' && change.expiresAt !== null && change.expiresAt <= this.now) return 'INPUT_INVALID';
    if (kind === 'spend' && change.amount > this.available(contactId)) return 'POINTS_INSUFFICIENT';
    const usable = this.#usable(contactId);
    // A write ends for good what has run out, should the next clock be behind.
    for (const lot of this.#lots) if (lot.owner === contactId && !usable.includes(lot)) lot.left = 0;
    const before = this.available(contactId);
    if (kind === 'earn')
      this.#lots.push({ owner: contactId, left: change.amount, expiresAt: change.expiresAt });
    else this.#take(usable, kind === 'spend' ? change.amount : before);
    const available = this.available(contactId);
    const amount = available - before;
    const result = { contactId, key, kind, amount, available, at: this.now, repeated: false };
    this.#results.set(key, { change, result });
    return result;
  }

  join(from: string, to: string): void {
    this.#joined.set(from, to);
    for (const lot of this.#lots) if (lot.owner === from) lot.owner = to;
  }

  #usable(owner: string): ModelLot[] {
    return this.#lots.filter(
      (lot) => lot.owner === owner && lot.left > 0 && (lot.expiresAt === null || lot.expiresAt > this.now),
    );
  }

  #take(usable: readonly ModelLot[], amount: number): void {
    let wanted = amount;
    const order = [...usable].sort((a, b) => (a.expiresAt ?? Infinity) - (b.expiresAt ?? Infinity) || 0);
    for (const lot of order) {
      const taken = Math.min(wanted, lot.left);
      lot.left -= taken;
      wanted -= taken;
    }
  }
}

function toChange(step: Extract<Step, { do: 'change' }>, now: number): PointChange {
  const { kind, amount, lasts } = step;
  const named = { contactId: contactIds[step.who] ?? '', key: `key ${step.key}` };
  if (kind === 'clear') return { ...named, kind };
  if (kind === 'spend') return { ...named, kind, amount };
  // Rounded, so that a repetition a little later means the same instant now and then.
  return { ...named, kind, amount, expiresAt: lasts === null ? null : Math.floor(now / 4) * 4 + lasts };
}

async function writeOne(sql: Sql, botId: string, change: PointChange, now: number): Promise<Outcome> {
  const { kind, ...rest } = change;
  try {
    if (change.kind === 'earn') {
      const { amount, expiresAt } = change;
      return await earn(sql, { botId, ...rest, amount, expiresAt }, { now });
    }
    if (change.kind === 'spend') return await spend(sql, { botId, ...rest, amount: change.amount }, { now });
    assert.equal(kind, 'clear');
    return await clear(sql, { botId, ...rest }, { now });
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

async function addContacts(sql: Sql, botId: string): Promise<void> {
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    select ${botId}, id, 'line', id, now() from unnest(${contactIds}::text[]) as id`;
}

async function joinContacts(
  sql: Sql,
  botId: string,
  fromContactId: string,
  toContactId: string,
): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`
      update contacts set merged_into = ${toContactId}
      where bot_id = ${botId} and (contact_id = ${fromContactId} or merged_into = ${fromContactId})`;
    await moveAccount(tx, { botId, fromContactId, toContactId });
  });
}

/** At this moment and at some around it, which shows what is left in which lot. */
async function assertBalances(sql: Sql, botId: string, model: Model): Promise<void> {
  const { now } = model;
  const owners = contactIds.map((contactId) => model.owner(contactId));
  for (const by of [0, -2, 1, 2, 4, 8, 30]) {
    model.now = now + by;
    const available = await availablePoints(sql, { botId, contactIds: owners, now: model.now });
    for (const owner of owners) assert.equal(available.get(owner), model.available(owner));
  }
  model.now = now;
  assert.deepEqual(await auditPoints(sql, botId), []);
}

test('points written one by one are what the model says, whatever the clock does and the keys repeat', async (t) => {
  const { sql } = await testDatabase(t);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      run += 1;
      const botId = `bot ${run}`;
      const model = new Model();
      let joins = 0;
      await addContacts(sql, botId);
      for (const step of list) {
        if (step.do === 'clock') model.now += step.by;
        if (step.do === 'join') {
          const [from, to] = [step.from, step.to].map((who) => model.owner(contactIds[who] ?? ''));
          if (from === undefined || to === undefined || from === to) continue;
          await joinContacts(sql, botId, from, to);
          model.join(from, to);
          joins += 1;
        }
        if (step.do !== 'change') continue;
        const change = toChange(step, model.now);
        const expected = model.write(change);
        const outcome = await writeOne(sql, botId, change, model.now);
        // What was available then is told from the joined history once two accounts are one.
        if (joins > 0 && typeof outcome === 'object' && outcome.repeated) {
          assert.deepEqual(withoutAvailable(outcome), withoutAvailable(expected));
        } else {
          assert.deepEqual(outcome, expected);
        }
      }
      await assertBalances(sql, botId, model);
    }),
    { numRuns: 60 },
  );
});

function withoutAvailable(outcome: Outcome): unknown {
  return typeof outcome === 'object' ? { ...outcome, available: undefined } : outcome;
}

test('a batch gives what its changes give one after the other', async (t) => {
  const { sql } = await testDatabase(t);
  const batches = fc.array(fc.tuple(fc.array(change, { maxLength: 15 }), fc.constantFrom(0, 1, 2, 5)), {
    maxLength: 5,
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(batches, async (list) => {
      run += 1;
      const botId = `bot ${run}`;
      const model = new Model();
      for (const [steps, pause] of list) {
        const changes = steps.map((step) => toChange(step, model.now));
        const expected = changes.map((asked) => model.write(asked));
        const outcomes = await pointsTransaction(sql, (tx) =>
          writePoints(tx, botId, changes, { now: model.now }),
        );
        const told = outcomes.map((outcome) => (outcome instanceof Refusal ? outcome.code : outcome));
        assert.deepEqual(told, expected);
        await assertBalances(sql, botId, model);
        model.now += pause;
      }
    }),
    { numRuns: 60 },
  );
});

test('changes made at the same time are made once each, and never spend what is not there', async (t) => {
  const { sql } = await testDatabase(t);
  const many = fc.array(change, { minLength: 20, maxLength: 60 });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(many, async (list) => {
      run += 1;
      const botId = `bot ${run}`;
      const changes = list.map((step) =>
        toChange({ ...step, lasts: step.lasts ? step.lasts + 100 : null }, start),
      );
      const outcomes = await Promise.all(changes.map((asked) => writeOne(sql, botId, asked, start)));
      const results = outcomes.filter((outcome) => typeof outcome === 'object');
      const first = new Map(
        results.filter(({ repeated }) => !repeated).map((result) => [result.key, result]),
      );
      assert.equal(first.size, results.filter(({ repeated }) => !repeated).length, 'no key was used twice');
      for (const result of results) {
        assert.deepEqual(
          { ...result, repeated: false },
          first.get(result.key),
          'a repetition tells the first result',
        );
        assert.ok(result.available >= 0);
      }
      for (const [index, outcome] of outcomes.entries()) {
        const former = first.get(changes[index]?.key ?? '');
        if (outcome === 'KEY_REUSED') assert.ok(former, 'a key is refused only when it was used');
      }
      const available = await availablePoints(sql, { botId, contactIds, now: start });
      for (const contactId of contactIds) {
        const amounts = [...first.values()].filter((result) => result.contactId === contactId);
        assert.equal(
          available.get(contactId),
          amounts.reduce((sum, { amount }) => sum + amount, 0),
        );
      }
      assert.deepEqual(await auditPoints(sql, botId), []);
    }),
    { numRuns: 25 },
  );
});
