/**
 * The ledger against a model that does everything the slow and plain way: any order of changes, clocks that jump, keys that
 * come again with the same or with other content, contacts that are joined, one by one, in batches, and at the same time.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import type { Sql } from '../../src/database/client.ts';
import { connect } from '../../src/database/pool.ts';
import { repeatedTransaction } from '../../src/database/repeated-transaction.ts';
import { Refusal } from '../../src/errors.ts';
import { auditPoints } from '../../src/points/audit.ts';
import { availablePoints, pointsAt } from '../../src/points/balances.ts';
import { batchedWrites } from '../../src/points/batched-writes.ts';
import type { PointChange } from '../../src/points/change.ts';
import { type PointResult, writePoint, writePoints } from '../../src/points/ledger.ts';
import { mergeAccounts } from '../../src/points/merge-accounts.ts';
import { testDatabase } from '../harness/database.ts';
import { holds } from '../harness/property.ts';
import { Model, type Outcome } from './ledger-model.ts';

const contactIds = ['ada', 'ben', 'cleo'];
const cutsMax = 6;
const cutPauseMs = 150;
const start = Date.parse('2026-03-01T00:00:00Z');

type Step =
  | {
      do: 'change';
      kind: PointChange['kind'];
      who: number;
      amount: number;
      lasts: number | null;
      key: number;
      /** Of transfers: to whom. */
      to: number;
      /** Of reversals: which of the changes made before, and of a transfer which side. */
      which: number;
    }
  | { do: 'clock'; by: number }
  | { do: 'join'; from: number; to: number };

const change = fc.record({
  do: fc.constant('change' as const),
  kind: fc.constantFrom(
    ...([
      'earn',
      'earn',
      'earn',
      'spend',
      'spend',
      'transfer',
      'transfer',
      'adjust',
      'reverse',
      'reverse',
    ] as const),
    'clear' as const,
  ),
  to: fc.nat({ max: 2 }),
  which: fc.nat(),
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
  const steps: Step[] = [];
  const changes: Step[] = [];
  for (const step of list) {
    const again = step.do === 'again' ? changes[step.which % Math.max(1, changes.length)] : step;
    if (again === undefined) continue;
    steps.push(again);
    if (again.do === 'change') changes.push(again);
  }
  return steps;
}

/** A stored entry, which reversals refer to. */
type Entry = { entryId: string; contactId: string };

function toChange(
  step: Extract<Step, { do: 'change' }>,
  now: number,
  entries: readonly Entry[],
): PointChange {
  const { kind, amount, lasts } = step;
  const target = { contactId: contactIds[step.who] ?? '', key: `key ${step.key}` };
  // Rounded, so that a repetition a little later means the same instant now and then.
  const expiresAt = lasts === null ? null : Math.floor(now / 4) * 4 + lasts;
  switch (kind) {
    case 'clear':
      return { ...target, kind };
    case 'spend':
      return { ...target, kind, amount };
    case 'earn':
      return { ...target, kind, amount, expiresAt };
    case 'transfer':
      return { ...target, kind, amount, toContactId: contactIds[step.to] ?? '' };
    case 'adjust':
      return step.to === 0
        ? { ...target, kind, amount: -amount, expiresAt: null, reason: 'miscounted' }
        : { ...target, kind, amount, expiresAt, reason: 'miscounted' };
    case 'reverse': {
      const entry = entries[step.which % Math.max(1, entries.length)];
      // Mostly the right contact.
      const contactId = step.which % 11 === 0 ? target.contactId : (entry?.contactId ?? target.contactId);
      return { ...target, kind, contactId, entryId: entry?.entryId ?? '999999999' };
    }
  }
}

type Write = (botId: string, change: PointChange, given: { now: number }) => Promise<PointResult>;

function singleWrites(sql: Sql): Write {
  return (botId, change, given) => repeatedTransaction(sql, (tx) => writePoint(tx, botId, change, given));
}

async function outcomeOf(written: Promise<PointResult>): Promise<PointResult | Refusal['code']> {
  try {
    return await written;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

function toOutcome(outcome: PointResult | Refusal | Refusal['code']): Outcome {
  if (outcome instanceof Refusal) return outcome.code;
  if (typeof outcome === 'string') return outcome;
  const { entryId: _, ...rest } = outcome;
  return rest;
}

/** Every requested entry, with both sides of transfers. */
async function learnEntries(sql: Sql, botId: string, model: Model): Promise<Entry[]> {
  const rows = await sql<(Entry & { key: string; leads: boolean })[]>`
    select entry_id::text as "entryId", contact_id as "contactId", key, leads from point_entries
    where bot_id = ${botId} and key is not null order by entry_id`;
  for (const { entryId, key, leads } of rows) model.learn(entryId, { key, sender: leads });
  return [...rows];
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
    await mergeAccounts(tx, { botId, fromContactId, toContactId });
  });
}

/** At this moment and at some around it, which shows the remaining points of each lot. */
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

test('points written one by one match the model, with any clock and repeated keys', async (t) => {
  const { sql } = await testDatabase(t);
  const ways = [singleWrites(sql), batchedWrites(sql)];
  let run = 0;
  await holds(
    t,
    fc.asyncProperty(steps, async (list) => {
      run += 1;
      const write = ways[run % 2] ?? singleWrites(sql);
      const botId = `bot ${run}`;
      const model = new Model(start);
      let joins = 0;
      let entries: Entry[] = [];
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
        const change = toChange(step, model.now, entries);
        const expected = model.write(change);
        const outcome = toOutcome(await outcomeOf(write(botId, change, { now: model.now })));
        // After a merge, past points come from the merged history.
        if (joins > 0 && typeof outcome === 'object' && outcome.repeated) {
          assert.deepEqual(withoutAvailable(outcome), withoutAvailable(expected));
        } else {
          assert.deepEqual(outcome, expected);
        }
        entries = await learnEntries(sql, botId, model);
      }
      await assertBalances(sql, botId, model);
    }),
    { runs: 80 },
  );
});

function withoutAvailable(outcome: Outcome): unknown {
  return typeof outcome === 'object' ? { ...outcome, available: undefined } : outcome;
}

test('a batch has the same results as its changes in sequence', async (t) => {
  const { sql } = await testDatabase(t);
  const batches = fc.array(fc.tuple(fc.array(change, { maxLength: 15 }), fc.constantFrom(0, 1, 2, 5)), {
    maxLength: 5,
  });
  let run = 0;
  await holds(
    t,
    fc.asyncProperty(batches, async (list) => {
      run += 1;
      const botId = `bot ${run}`;
      const model = new Model(start);
      let entries: Entry[] = [];
      for (const [steps, pause] of list) {
        const changes = steps.map((step) => toChange(step, model.now, entries));
        const expected = changes.map((change) => model.write(change));
        const outcomes = await repeatedTransaction(sql, (tx) =>
          writePoints(tx, botId, changes, { now: model.now }),
        );
        assert.deepEqual(outcomes.map(toOutcome), expected);
        await assertBalances(sql, botId, model);
        entries = await learnEntries(sql, botId, model);
        model.now += pause;
      }
    }),
    { runs: 60 },
  );
});

test('the history holds the points at any past time, and the lots those at any future time', async (t) => {
  const { sql } = await testDatabase(t);
  const forward = fc.array(fc.tuple(fc.array(change, { maxLength: 6 }), fc.constantFrom(1, 2, 5)), {
    maxLength: 6,
  });
  let run = 0;
  await holds(
    t,
    fc.asyncProperty(forward, async (list) => {
      run += 1;
      const botId = `bot ${run}`;
      const model = new Model(start);
      const moments: { at: number; points: number[] }[] = [
        { at: start - 1, points: contactIds.map(() => 0) },
      ];
      let entries: Entry[] = [];
      const remember = () =>
        moments.push({ at: model.now, points: contactIds.map((contactId) => model.available(contactId)) });
      for (const [steps, pause] of list) {
        const changes = steps.map((step) => toChange(step, model.now, entries));
        for (const change of changes) model.write(change);
        await repeatedTransaction(sql, (tx) => writePoints(tx, botId, changes, { now: model.now }));
        entries = await learnEntries(sql, botId, model);
        for (const end = model.now + pause; model.now < end; model.now += 1) remember();
      }
      for (const end = model.now + 8; model.now < end; model.now += 1) remember();
      for (const { at, points } of moments) {
        const balances = contactIds.map((contactId) => pointsAt(sql, { botId, contactId, at }));
        assert.deepEqual(await Promise.all(balances), points, `at ${at - start}`);
      }
    }),
    { runs: 25 },
  );
});

test('concurrent changes take effect once each, and never take missing points', async (t) => {
  const { sql } = await testDatabase(t);
  const many = fc.tuple(
    fc.array(change, { minLength: 5, maxLength: 10 }),
    fc.array(change, { minLength: 20, maxLength: 60 }),
  );
  const ways = [singleWrites(sql), batchedWrites(sql)];
  let run = 0;
  await holds(
    t,
    fc.asyncProperty(many, async ([before, list]) => {
      run += 1;
      const botId = `bot ${run}`;
      const lasting = (step: Extract<Step, { do: 'change' }>) => ({
        ...step,
        lasts: step.lasts ? step.lasts + 100 : null,
      });
      const seeds = before.map((step, index) => ({
        ...toChange(lasting(step), start, []),
        key: `seed ${index}`,
      }));
      const seeded = await repeatedTransaction(sql, (tx) => writePoints(tx, botId, seeds, { now: start }));
      const entries = await learnEntries(sql, botId, new Model(start));
      const changes = list.map((step) => toChange(lasting(step), start, entries));
      const outcomes = await Promise.all(
        changes.map((change, index) => {
          const write = ways[index % 2] ?? singleWrites(sql);
          return outcomeOf(write(botId, change, { now: start }));
        }),
      );
      const results = outcomes.filter((outcome) => typeof outcome === 'object');
      const first = new Map(
        results.filter(({ repeated }) => !repeated).map((result) => [result.key, result]),
      );
      assert.equal(first.size, results.filter(({ repeated }) => !repeated).length, 'no key was used twice');
      for (const result of results) {
        assert.deepEqual(
          { ...result, repeated: false },
          first.get(result.key),
          'a repetition returns the first result',
        );
        assert.ok(result.available >= 0);
      }
      for (const [index, outcome] of outcomes.entries()) {
        const former = first.get(changes[index]?.key ?? '');
        if (outcome === 'KEY_REUSED') assert.ok(former, 'a key is refused only when it was used');
      }
      const storedChanges = [...seeded, ...first.values()].flatMap((outcome) =>
        outcome instanceof Refusal ? [] : outcome,
      );
      const available = await availablePoints(sql, { botId, contactIds, now: start });
      for (const contactId of contactIds) {
        const ownAmounts = storedChanges
          .filter((result) => result.contactId === contactId)
          .map(({ amount }) => amount);
        const others = storedChanges
          .filter((result) => result.counterpartId === contactId)
          .map(({ amount }) => -amount);
        assert.equal(
          available.get(contactId),
          [...ownAmounts, ...others].reduce((sum, amount) => sum + amount, 0),
        );
      }
      assert.deepEqual(await auditPoints(sql, botId), []);
    }),
    { runs: 25 },
  );
});

test('connections that are cut in the middle lose no change and make none twice', async (t) => {
  const { sql, url } = await testDatabase(t);
  const killer = connect(url, { max: 1, applicationName: 'shoal test killer' });
  t.after(() => killer.end());
  const botId = 'bot';
  await addContacts(sql, botId);
  const seeds = contactIds.map(
    (contactId): PointChange => ({ kind: 'earn', contactId, key: contactId, amount: 100, expiresAt: null }),
  );
  await repeatedTransaction(sql, (tx) => writePoints(tx, botId, seeds, { now: start }));
  const ways = [singleWrites(sql), batchedWrites(sql)];
  let cuts = 0;
  const writeUntilTold = async (index: number): Promise<PointResult> => {
    const write = ways[index % 2] ?? singleWrites(sql);
    const change: PointChange = {
      kind: 'transfer',
      contactId: contactIds[index % 3] ?? '',
      toContactId: contactIds[(index + 1 + (index % 2)) % 3] ?? '',
      key: `transfer ${index}`,
      amount: 1,
    };
    for (;;) {
      try {
        return await write(botId, change, { now: start });
      } catch (error) {
        if (error instanceof Refusal) throw error;
        cuts += 1;
      }
    }
  };
  const cutting = (async () => {
    for (let cut = 0; cut < cutsMax; cut++) {
      await killer`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
      await pause(cutPauseMs);
    }
  })();
  const callers = Array.from({ length: 8 }, async (_, caller) => {
    const results: PointResult[] = [];
    for (let n = 0; n < 25; n++) results.push(await writeUntilTold(caller * 25 + n));
    return results;
  });
  const results = (await Promise.all(callers)).flat();
  await cutting;
  assert.ok(cuts > 0, 'some were cut');
  const [row] = await killer<{ entries: number; points: number }[]>`
    select count(*)::integer as entries, (select sum(balance)::integer from point_accounts where bot_id = ${botId}) as points
    from point_entries where bot_id = ${botId} and kind = 'transfer' and leads`;
  assert.deepEqual(row, { entries: results.length, points: 300 });
  assert.deepEqual(await auditPoints(killer, botId), []);
});
