/**
 * The send job under kills. Processes die or hang at random points, answers are lost, and the platform limits or refuses calls. Each
 * recipient gets the message at most once; exactly once unless it was refused, blocked, or its answer was lost on a platform without
 * retry keys.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { openKeys } from '../../src/auth/keys.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import { anyContact } from '../../src/contacts/filter.ts';
import type { Sql } from '../../src/database/client.ts';
import { type Checkpoint, type JobOptions, workLane } from '../../src/sends/job.ts';
import type { Outcome, SendCall, Sender, Senders } from '../../src/sends/sender.ts';
import { createSend, findSend, setState } from '../../src/sends/sends.ts';
import { hourMs } from '../../src/time.ts';
import { testDatabase } from '../harness/database.ts';
import { holds } from '../harness/property.ts';

const startsAt = Date.parse('2026-03-15T04:00:00Z');

const fault = fc.oneof(
  { weight: 6, arbitrary: fc.constant('accept' as const) },
  { weight: 1, arbitrary: fc.constantFrom('refuse', 'limit', 'halt', 'lose before', 'lose after') },
);
/** Kills at the n-th checkpoint of a process; `hangs`: the process goes on while its successor works. */
const kill = fc.record({ at: fc.integer({ min: 1, max: 25 }), hangs: fc.boolean(), isLong: fc.boolean() });

const world = fc.record({
  isRepeatable: fc.boolean(),
  recipientsMax: fc.constantFrom(1, 3),
  isPersonal: fc.boolean(),
  isNamed: fc.boolean(),
  people: fc.integer({ min: 0, max: 14 }),
  blockedEvery: fc.integer({ min: 2, max: 9 }),
  blocksLater: fc.boolean(),
  faults: fc.array(fault, { minLength: 4, maxLength: 25 }),
  kills: fc.array(kill, { minLength: 1, maxLength: 5 }),
  /** The platform forgets its keys during long pauses. */
  hasLongPauses: fc.boolean(),
});
type Plan = typeof world extends fc.Arbitrary<infer Value> ? Value : never;

/** A platform that counts the messages of each person. */
class FakePlatform {
  readonly received = new Map<string, number>();
  readonly #keys = new Set<string>();
  readonly #refusedKeys = new Set<string>();
  readonly #faults: string[];
  readonly #isRepeatable: boolean;

  constructor(faults: readonly string[], isRepeatable: boolean) {
    this.#faults = [...faults];
    this.#isRepeatable = isRepeatable;
  }

  forgetKeys(): void {
    this.#keys.clear();
  }

  answer({ recipients, key }: SendCall): Outcome {
    const next = this.#faults.shift() ?? 'accept';
    if (next === 'limit') return { kind: 'later', problem: 'limited', afterMs: 1_000 };
    if (next === 'halt') return { kind: 'halted', problem: 'the token is invalid' };
    if (this.#isRepeatable && this.#keys.has(key)) return { kind: 'accepted', id: key };
    // The reason of a refusal stays.
    if (next === 'refuse') this.#refusedKeys.add(key);
    if (this.#refusedKeys.has(key)) return { kind: 'refused', code: '551' };
    if (next === 'lose before') return { kind: 'unknown', problem: 'lost' };
    this.#keys.add(key);
    for (const { id } of recipients) this.received.set(id, (this.received.get(id) ?? 0) + 1);
    return next === 'lose after' ? { kind: 'unknown', problem: 'lost' } : { kind: 'accepted', id: key };
  }
}

/** A process that stops at a checkpoint. */
class FakeProcess {
  readonly stopped = Promise.withResolvers<void>();
  readonly #resumed = Promise.withResolvers<void>();
  #left: number;

  constructor(at: number) {
    this.#left = at;
  }

  checkpoint = async (_point?: Checkpoint): Promise<void> => {
    this.#left -= 1;
    if (this.#left > 0) return;
    this.stopped.resolve();
    await this.#resumed.promise;
  };

  resume(): void {
    this.#resumed.resolve();
  }
}

const ever = Number.POSITIVE_INFINITY;

test('each recipient gets a message at most once, and once unless refused, whenever processes are killed', async (t) => {
  const check = await checkOf(t);
  await holds(t, fc.asyncProperty(world, check), { runs: 60, endOnFailure: true });
});

test('a message whose answer was lost, and whose repetition LINE then refused, is not sent again after LINE forgot its key', async (t) => {
  const check = await checkOf(t);
  for (const fault of ['halt', 'limit'] as const) {
    await check({
      ...{ isRepeatable: true, recipientsMax: 3, isPersonal: false, isNamed: true, people: 3 },
      ...{ blockedEvery: 20, blocksLater: false, faults: ['lose after', fault], hasLongPauses: true },
      kills: [
        { at: ever, hangs: false, isLong: false },
        { at: ever, hangs: false, isLong: true },
      ],
    });
  }
});

/** Checks one plan, with a bot of its own. */
async function checkOf(t: TestContext): Promise<(plan: Plan) => Promise<void>> {
  const { sql } = await testDatabase(t);
  const random = randomBytes;
  const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });
  let bots = 0;
  return async (plan) => {
    const botId = `bot${bots++}`;
    let now = startsAt;
    await sql`insert into bots (bot_id, name) values (${botId}, 'test')`;
    await setChannel(
      sql,
      { botId, platform: 'facebook', accountId: '1', secret: 's', verifyToken: 'v', accessToken: 'a' },
      { now, random, keys },
    );
    const contactIds = await addPeople(sql, botId, plan);
    const message = {
      text: plan.isPersonal ? 'Hi {{name}}' : 'Hi',
      quickReplies: [],
      whatsAppTemplate: null,
      tag: null,
    };
    const to = plan.isNamed ? { contactIds, unknownContacts: 0 } : { filter: anyContact };
    const { send } = await createSend(
      sql,
      {
        ...{ botId, name: 'test', platform: 'facebook', message, to, zone: 'UTC' },
        ...{ quietHours: null, startsAt: null, key: null, createdBy: null },
      },
      { now },
    );
    const platform = new FakePlatform(plan.faults, plan.isRepeatable);
    const waitLong = async () => {
      await untilIdle(sql);
      now += 25 * hourMs;
      platform.forgetKeys();
      await sql`update sends set in_flight_since = (in_flight_since at time zone 'UTC' - interval '25 hours') at time zone 'UTC' where bot_id = ${botId}`;
    };
    const hanging: { process: FakeProcess; work: Promise<unknown> }[] = [];
    const begin = (process: FakeProcess) => {
      const sender: Sender = {
        recipientsMax: plan.recipientsMax,
        isRepeatable: plan.isRepeatable,
        callsPerSecond: { single: 300, multiple: 300 },
        isRecipient: () => true,
        needsLastInbound: false,
        send: async (_, call) => platform.answer(call),
      };
      const senders: Senders = {
        line: sender,
        facebook: sender,
        instagram: sender,
        whatsapp: sender,
        liveChat: sender,
      };
      const options: JobOptions = {
        ...{ sql, keys, random, senders, clock: () => now, onStored: () => undefined },
        ...{ log: { error: (...entry: unknown[]) => assert.fail(JSON.stringify(entry)) } },
        ...{ checkpoint: process.checkpoint, planBatch: 4, callsAtOnce: 3 },
      };
      return workLane({ botId, platform: 'facebook' }, options);
    };
    for (const { at, hangs, isLong } of plan.kills) {
      const process = new FakeProcess(at);
      const work = begin(process);
      await Promise.race([work, process.stopped.promise]);
      if (hangs) hanging.push({ process, work });
      else void work.catch(() => undefined);
      now += 5 * 60_000;
      if (isLong && plan.hasLongPauses) await waitLong();
      if (plan.blocksLater)
        await sql`update contacts set blocked = true where bot_id = ${botId} and contact_id = 'c3'`;
      await setState(sql, send, { state: 'running', now });
    }
    const rest = hanging.map(async ({ process, work }) => {
      process.resume();
      await work;
    });
    for (let runs = 0; (await findSend(sql, send)).state !== 'done'; runs += 1) {
      assert.ok(runs < 60, 'the send never ends');
      await begin(new FakeProcess(ever));
      now += 5 * 60_000;
      await setState(sql, send, { state: 'running', now });
    }
    await Promise.all(rest);
    await checkResults(sql, send, platform, plan);
  };
}

/** Waits for the statements of stopped processes, which would otherwise store times from before the pause after it. */
async function untilIdle(sql: Sql): Promise<void> {
  for (let idle = 0; idle < 3; ) {
    const [{ active } = { active: 0 }] = await sql<{ active: number }[]>`
      select count(*)::int as active from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`;
    idle = active === 0 ? idle + 1 : 0;
    await nextTurn();
  }
}

async function addPeople(
  sql: Sql,
  botId: string,
  plan: { people: number; blockedEvery: number },
): Promise<string[]> {
  const contactIds = Array.from({ length: plan.people }, (_, index) => `c${index}`);
  for (const [index, contactId] of contactIds.entries()) {
    await sql`
      insert into contacts (bot_id, contact_id, platform, platform_contact_id, blocked, created_at)
      values (${botId}, ${contactId}, 'facebook', ${`10000${index}`}, ${index % plan.blockedEvery === 1},
        ${new Date(startsAt - index * 1_000)})`;
  }
  return contactIds;
}

async function checkResults(
  sql: Sql,
  { botId, sendId }: { botId: string; sendId: number },
  { received }: FakePlatform,
  { isRepeatable, people, blockedEvery, hasLongPauses }: Plan,
): Promise<void> {
  const rows = await sql<{ id: string; state: string }[]>`
    select platform_contact_id as id, state from send_recipients join contacts using (bot_id, contact_id)
    where bot_id = ${botId} and send_id = ${sendId}`;
  for (const { id, state } of rows) {
    const count = received.get(id) ?? 0;
    assert.ok(count <= 1, `${id} got ${count} messages`);
    if (state === 'unknown') assert.ok(!isRepeatable || hasLongPauses, `${id} was given up`);
    else assert.equal(count, state === 'accepted' ? 1 : 0, `${id} is ${state} with ${count} messages`);
  }
  const blockedAtFirst = Array.from({ length: people }, (_, index) => index % blockedEvery === 1).filter(
    Boolean,
  ).length;
  assert.equal(rows.length + blockedAtFirst, people, 'everyone has a row');
  const count = (state: string) => rows.filter((row) => row.state === state).length;
  const { recipients, accepted, refused, unknown, blocked } = await findSend(sql, { botId, sendId });
  assert.deepEqual(
    { recipients, accepted, refused, unknown, blocked },
    {
      recipients: rows.length,
      accepted: count('accepted'),
      refused: count('refused'),
      unknown: count('unknown'),
      blocked: count('blocked') + blockedAtFirst,
    },
  );
}
