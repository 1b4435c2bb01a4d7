/**
 * The backfill of each of Meta's figures with a process that is killed during its calls: no call more than needed, nothing stored twice,
 * nothing missing. The limits of calls are Meta's; the clock is the simulator's and advances only while the process has nothing to do.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { randomOf } from '../../simulator/events/random.ts';
import { type MetaSimulator, startMetaSimulator } from '../../simulator/meta/simulator.ts';
import { openKeys } from '../../src/auth/keys.ts';
import { addCollections } from '../../src/collector/collections.ts';
import type { Sql } from '../../src/database/client.ts';
import { GraphClient } from '../../src/meta/graph-client.ts';
import { requestHistory } from '../../src/meta/history-request.ts';
import type { MetaKind } from '../../src/meta/kinds.ts';
import { metaChannels } from '../../src/meta/meta-source.ts';
import { addDays, dayOf, secondMs } from '../../src/time.ts';
import { metaBot } from '../harness/collecting-meta.ts';
import type { Ends } from '../harness/ends.ts';
import { metaStart } from '../harness/meta-simulator.ts';
import { seededBytes } from '../harness/random.ts';

export const backfills = [
  'page-insights',
  'instagram-followers',
  'whatsapp-analytics',
  'whatsapp-templates',
  'facebook-history',
  'instagram-history',
] as const satisfies readonly MetaKind[];
type Backfill = (typeof backfills)[number];

export type KilledBackfills = {
  ends: Ends;
  /** A migrated database. */
  database: { sql: Sql; url: string };
  seed: number;
  /** The kills during each backfill. */
  kills: Readonly<Record<Backfill, number>>;
};
/** Of one backfill. `calls`: without the repetitions of interrupted calls. */
export type Survived = { kind: Backfill; kills: number; calls: number };

const program = fileURLToPath(new URL('../harness/meta-collector-process.ts', import.meta.url));
const secretKey = 'a secret key for tests, long enough';
const stepMs = 72 * secondMs;
const idleSteps = 12;
const checkMs = 2;
const waitMsMax = 180 * secondMs;
const momentMsMax = 12;

/** Kills during the backfills, one after the other, and checks each. Throws AssertionError. */
export async function killBackfills({ ends, database, seed, kills }: KilledBackfills): Promise<Survived[]> {
  const { sql, url } = database;
  const simulator = await startMetaSimulator({ clock: () => metaStart, seed, people: 90, pastDays: 365 });
  ends.after(() => simulator.close());
  const graph = new GraphClient({ facebook: simulator.address, instagram: simulator.address });
  ends.after(() => graph.close());
  const random = seededBytes(seed);
  const keys = await openKeys({ secretKey, dataFolder: '', random });
  const { botId } = await metaBot(sql, simulator, { now: metaStart, random, keys, graph });
  await addCollections(sql, metaChannels, [botId]);
  await sql`update collections set look_at = 'infinity' where bot_id = ${botId}`;
  await requestHistory(sql, botId, metaStart);
  const env = {
    ...process.env,
    BOT_ID: botId,
    DATABASE_URL: url,
    SHOAL_GRAPH_API: simulator.address,
    SHOAL_SECRET_KEY: secretKey,
  };
  const processes = new Processes(env);
  ends.after(() => processes.kill());
  const survived: Survived[] = [];
  for (const kind of backfills) {
    await sql`
      update collections set look_at = case when kind = ${kind} then null else 'infinity'::timestamptz end
      where bot_id = ${botId}`;
    const backfill = new Backfilling(simulator, { processes, seed, kind });
    for (let kill = 0; kill < kills[kind]; kill += 1) await backfill.killDuringCall(kill);
    await backfill.finish();
    survived.push({ kind, kills: kills[kind], calls: await check(sql, botId, backfill) });
  }
  return survived;
}

/** A process that collects while it is not waiting for the time. */
class CollectorProcess {
  isWaiting = true;
  readonly #child: ChildProcess;
  readonly #died: Promise<unknown>;

  constructor(env: NodeJS.ProcessEnv) {
    this.#child = fork(program, { env });
    this.#died = once(this.#child, 'exit');
    this.#child.on('message', () => {
      this.isWaiting = true;
    });
  }

  /** Collects everything that is due at the time, ms. */
  collect(now: number): void {
    this.isWaiting = false;
    this.#child.send(now);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#died;
  }
}

/** The process that all backfills use, one after the other, until it is killed. */
class Processes {
  #current: CollectorProcess | null = null;
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  get current(): CollectorProcess {
    this.#current ??= new CollectorProcess(this.#env);
    return this.#current;
  }

  async kill(): Promise<void> {
    await this.#current?.kill();
    this.#current = null;
  }
}

class Backfilling {
  readonly kind: Backfill;
  readonly simulator: MetaSimulator;
  kills = 0;
  readonly #processes: Processes;
  readonly #seed: number;
  readonly #firstCall: number;

  constructor(
    simulator: MetaSimulator,
    { processes, seed, kind }: { processes: Processes; seed: number; kind: Backfill },
  ) {
    this.kind = kind;
    this.simulator = simulator;
    this.#processes = processes;
    this.#seed = seed;
    this.#firstCall = simulator.control.calls.length;
  }

  /** The calls of this backfill. */
  readonly calls = (): { path: string; query: string }[] =>
    this.simulator.control.calls.slice(this.#firstCall);

  /** Kills the process during its next call, or a moment after its begin. Every other call has no answer until then. */
  async killDuringCall(kill: number): Promise<void> {
    const { control } = this.simulator;
    const random = randomOf(this.#seed, 'kill', this.kind, kill);
    const isCut = kill % 2 === 0;
    if (isCut) control.fail({ kind: 'hang', when: 'after' });
    const calls = this.calls().length;
    await this.#collectUntil(() => this.calls().length > calls);
    if (!isCut) await pause(random.integer(0, momentMsMax));
    await this.#processes.kill();
    control.heal();
    this.kills += 1;
  }

  /** Collects until nothing was due for some steps in a row. */
  finish(): Promise<void> {
    return this.#collectUntil(() => false, idleSteps);
  }

  /** Advances the clock whenever the process waits, until it is done or has waited for some steps in a row without a call. */
  async #collectUntil(isDone: () => boolean, idleMax = Number.POSITIVE_INFINITY): Promise<void> {
    const endsAt = performance.now() + waitMsMax;
    const process = this.#processes.current;
    let calls = this.calls().length;
    for (let idle = 0; idle < idleMax && !isDone(); await pause(checkMs)) {
      assert.ok(performance.now() < endsAt, `${this.kind}: the process does not go on`);
      if (!process.isWaiting) continue;
      idle = this.calls().length === calls ? idle + 1 : 0;
      calls = this.calls().length;
      await this.simulator.control.run({ seconds: stepMs / secondMs, stepMinutes: 60 });
      process.collect(this.simulator.control.now());
    }
  }
}

/** Checks a finished backfill, and returns the number of its calls without repetitions. */
async function check(
  sql: Sql,
  botId: string,
  { kind, kills, simulator, calls }: Backfilling,
): Promise<number> {
  const made = calls().filter(({ path }) =>
    path.endsWith(lastCall[kind] ?? simulator.credentials.businessAccountId),
  );
  const needed = new Set(made.map(({ query }) => query)).size;
  const [questions] = await sql<[{ count: number; open: number }]>`
    select count(*)::integer as count, count(*) filter (where outcome is null)::integer as open
    from collection_questions where bot_id = ${botId} and kind = ${kind}`;
  assert.equal(questions.open, 0, `${kind}: a question has no answer`);
  assert.equal(needed, questions.count, `${kind}: calls needed`);
  const repeated = made.length - needed;
  assert.ok(repeated <= kills, `${kind}: ${repeated} calls were repeated after ${kills} kills`);
  if (kind === 'facebook-history' || kind === 'instagram-history')
    await checkHistory(sql, botId, { kind, pages: questions.count, simulator });
  else assert.deepEqual(await storedDays(sql, botId, kind), truthOf(simulator)[kind], kind);
  return needed;
}

/** The end of the path of a question's last call; null: the business account. */
const lastCall: Readonly<Record<Backfill, string | null>> = {
  'page-insights': '/insights',
  'instagram-followers': '/insights',
  'whatsapp-analytics': null,
  'whatsapp-templates': '/template_analytics',
  'facebook-history': '/conversations',
  'instagram-history': '/conversations',
};

/** Each page of conversations is stored once, with all messages that Meta gives. */
async function checkHistory(
  sql: Sql,
  botId: string,
  {
    kind,
    pages,
    simulator,
  }: { kind: 'facebook-history' | 'instagram-history'; pages: number; simulator: MetaSimulator },
): Promise<void> {
  const platform = kind === 'facebook-history' ? 'facebook' : 'instagram';
  const rows = await sql<{ body: Uint8Array }[]>`
    select body from deliveries where bot_id = ${botId} and platform = ${platform} and source = 'history'`;
  assert.equal(rows.length, pages, `${kind}: pages stored`);
  const stored = rows.flatMap(({ body }) => {
    const { entry } = JSON.parse(Buffer.from(body).toString());
    return entry[0].messaging.map(({ message }: { message: { mid: string } }) => message.mid);
  });
  assert.deepEqual(stored.sort(), simulator.control.historyIds(platform).sort(), kind);
}

async function storedDays(sql: Sql, botId: string, kind: Backfill): Promise<Map<string, unknown>> {
  const rows = await sql<{ day: string; value: unknown }[]>`
    select to_char(day, 'YYYY-MM-DD') as day, value from platform_days
    where bot_id = ${botId} and kind = ${kind} order by day`;
  return new Map(rows.map(({ day, value }) => [day, value]));
}

/** The days that Meta has now, of each kind of figures. Days without messages are left out. */
function truthOf({ control }: MetaSimulator): Record<string, Map<string, unknown>> {
  const { days, followers } = control.truth();
  const today = dayOf(control.now(), 'UTC');
  const upTo = (first: string, last: string) => days.filter(({ day }) => day >= first && day <= last);
  const instagramDays = upTo(addDays(today, -29), addDays(today, -1));
  const lastDay = instagramDays.at(-1)?.day ?? '';
  return {
    'page-insights': new Map(upTo('', addDays(today, -1)).map(({ day, page }) => [day, page])),
    'instagram-followers': new Map(
      instagramDays.map(({ day, newInstagramFollowers }) => [
        day,
        {
          follower_count: newInstagramFollowers,
          ...(day === lastDay && { followers_count: followers.instagram }),
        },
      ]),
    ),
    'whatsapp-analytics': new Map(
      upTo(addDays(today, -364), addDays(today, -1)).flatMap(({ day, whatsapp }) =>
        whatsapp.sent === 0 ? [] : [[day, whatsapp]],
      ),
    ),
    'whatsapp-templates': new Map(
      upTo(addDays(today, -89), addDays(today, -1)).flatMap(({ day, templates }) =>
        Object.keys(templates).length === 0 ? [] : [[day, withoutNoClicks(templates)]],
      ),
    ),
  };
}

/** Meta leaves out clicks of a day without any, so they are unknown. */
function withoutNoClicks<Counts extends { clicked: number }>(templates: Record<string, Counts>) {
  const entries = Object.entries(templates).map(([id, counts]) => [
    id,
    { ...counts, clicked: counts.clicked || null },
  ]);
  return Object.fromEntries(entries);
}
