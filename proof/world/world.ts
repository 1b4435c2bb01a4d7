/**
 * The world of the proof: PostgreSQL, a web process, a worker, a simulated LINE, the business's receiver of webhooks, and a bot with
 * five channels. Everything listens on loopback.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type LineSimulator, startLineSimulator } from '../../simulator/line/simulator.ts';
import { createAdminToken } from '../../src/auth/admin-tokens.ts';
import { openKeys } from '../../src/auth/keys.ts';
import { createBot } from '../../src/bots/bots.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import type { Sql } from '../../src/database/client.ts';
import { migrate } from '../../src/database/migrate.ts';
import { connect } from '../../src/database/pool.ts';
import { auditPoints } from '../../src/points/audit.ts';
import { recount } from '../../src/rebuild/recount.ts';
import { openGate } from '../../src/webhooks-out/addresses.ts';
import { setCallback } from '../../src/webhooks-out/endpoints.ts';
import { leaseMs } from '../../src/webhooks-out/queue.ts';
import { dataFolder, type Launched, launch, type ShoalEnvironment } from '../../tests/harness/cli.ts';
import { type Receiver, receiver } from '../../tests/harness/receiver.ts';
import { lineDestination, lineSecret, metaSecret, whatsappNumberId } from '../../tests/harness/webhooks.ts';
import { messengerAccount } from '../../tests/reliability/sender.ts';
import { Failure, type Proving } from '../part.ts';
import { ProofCluster } from './cluster.ts';
import { tailOf } from './log-tail.ts';

const secretKey = 'a secret key for the proof, long enough';
const noLimits = {
  SHOAL_ADMIN_RATE_LIMIT: '0',
  SHOAL_CHAT_VISITOR_LIMIT: '0',
  SHOAL_CHAT_ADDRESS_LIMIT: '0',
  SHOAL_CHAT_VISITOR_BYTES: '0',
  SHOAL_CHAT_ADDRESS_BYTES: '0',
  SHOAL_CHAT_BOT_BYTES: '0',
  SHOAL_LINE_CALLS_PER_HOUR: '1000000',
  SHOAL_CALLBACK_PRIVATE: 'true',
  SHOAL_DRAIN_SECONDS: '1',
};
/** Longer than the receiver takes to answer. */
const attemptMs = 300;
const settledMsMax = 120_000;
const shownMax = 5;
const loggedProcessesMax = 6;
const accountIds = { facebook: messengerAccount, instagram: messengerAccount, whatsapp: whatsappNumberId };

export type WorldOptions = {
  /** The folder for PostgreSQL's data; default: the system's for temporary files. */
  above?: string;
  /** Further environment variables of both processes. */
  env?: Record<string, string>;
};

export type Role = 'web' | 'worker';

export class World {
  readonly secretKey = secretKey;
  readonly proving: Proving;
  readonly cluster: ProofCluster;
  readonly sql: Sql;
  readonly line: LineSimulator;
  readonly shop: Receiver;
  readonly #environment: ShoalEnvironment;
  readonly #processes = new Map<Role, Launched>();
  readonly #launched: { name: string; process: Launched }[] = [];
  botId = '';
  widgetKey = '';
  adminToken = '';
  /** True when the part is over, so that load that a failure left running ends. */
  hasEnded = false;
  /** The first failed step of the load. */
  loadFailure: unknown = null;
  /** Of the web process; changes with each start. */
  address = '';

  private constructor(proving: Proving, { cluster, sql, line, shop, environment }: Parts) {
    this.proving = proving;
    this.cluster = cluster;
    this.sql = sql;
    this.line = line;
    this.shop = shop;
    this.#environment = environment;
  }

  /** Opens a world with its bot, and starts both processes. Everything ends with the part. */
  static async open(proving: Proving, { above, env: more = {} }: WorldOptions = {}): Promise<World> {
    const { ends, seed } = proving;
    const folder = await dataFolder(ends);
    const line = await startLineSimulator({
      seed,
      people: 60,
      pastDays: 40,
      callsPerHour: null,
      quota: null,
    });
    const shop = await receiver(ends);
    const cluster = await ProofCluster.open(ends, above === undefined ? {} : { above });
    const sql = connect(cluster.url, { max: 6, applicationName: 'shoal proof' });
    // Before the hooks above: the processes and this pool end before the server does.
    folder.onEnd(async () => {
      world.hasEnded = true;
      await sql.end({ timeout: 1 });
      await line.close();
    });
    const env = {
      ...folder.env,
      ...noLimits,
      DATABASE_URL: cluster.url,
      SHOAL_SECRET_KEY: secretKey,
      SHOAL_LINE_API: line.address,
      SHOAL_COLLECT: 'on',
      ...more,
    };
    const world = new World(proving, {
      ...{ cluster, sql, line, shop },
      environment: { env, onEnd: folder.onEnd },
    });
    proving.onFailure('server logs', () => world.#logTails());
    await migrate(sql);
    await world.#addBot(folder.folder);
    await Promise.all([world.start('web'), world.start('worker')]);
    return world;
  }

  async start(role: Role): Promise<void> {
    const launched = launch(this.#environment, '--role', role);
    this.#processes.set(role, launched);
    this.#launched.push({ name: role, process: launched });
    const address = await launched.up;
    if (role === 'web') this.address = address;
  }

  /** Starts one more web process with other environment variables, and returns its address. It ends with the part. */
  startAnother(env: Record<string, string>): Promise<string> {
    const { env: usual, onEnd } = this.#environment;
    const launched = launch({ env: { ...usual, ...env }, onEnd }, '--role', 'web');
    this.#launched.push({ name: 'another web', process: launched });
    return launched.up;
  }

  /** Kills the process (SIGKILL) and waits for its end. */
  async kill(role: Role): Promise<void> {
    await this.#process(role).kill();
  }

  /** Stops the process in order (SIGTERM) and returns its exit code. */
  stop(role: Role): Promise<number | null> {
    return this.#process(role).stop();
  }

  signal(role: Role, signal: NodeJS.Signals): void {
    process.kill(this.#process(role).pid, signal);
  }

  /** Stops the process where it is (SIGSTOP), and waits until it no longer runs. */
  async freeze(role: Role): Promise<void> {
    const { pid } = this.#process(role);
    process.kill(pid, 'SIGSTOP');
    await until(
      `${role} is frozen`,
      () => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')),
      1,
    );
  }

  /** The process id. */
  pid(role: Role): number {
    return this.#process(role).pid;
  }

  /** Waits until PostgreSQL answers. */
  async databaseIsUp(): Promise<void> {
    await until(`PostgreSQL answers`, async () =>
      this.sql`select 1`.then(
        () => true,
        () => false,
      ),
    );
  }

  /** Deliveries that are not counted, claimed webhook messages and due questions to LINE, as of now. */
  async pending(): Promise<{ deliveries: number; messages: number; questions: number }> {
    const [row] = await this.sql<{ deliveries: number; messages: number; questions: number }[]>`
      select (select count(*)::integer from pending_bundles) as deliveries,
        (select count(*)::integer from pending_notices where claimed_until > now()) as messages,
        (select count(*)::integer from collections where look_at is null or look_at <= now()) as questions`;
    if (!row) throw new Failure('PostgreSQL returned no row');
    return row;
  }

  /** Waits until all deliveries are counted, all webhook messages sent, and all due questions to LINE answered. */
  async settle(): Promise<void> {
    let pending = {};
    const startedAt = Date.now();
    await until(
      () => `nothing is pending: ${JSON.stringify(pending)}`,
      async () => {
        // Does not wait for the leases of attempts that a kill has cut off, nor for the pauses after failures.
        const cutOff = Date.now() - startedAt < attemptMs ? 0 : startedAt + leaseMs;
        await this.sql`
          update pending_notices set due_at = least(due_at, now()),
            claimed_until = case when claimed_until < ${new Date(cutOff)} then null else claimed_until end`;
        await this
          .sql`update callbacks set standing = 'good', paused_until = null where bot_id = ${this.botId}`;
        const [row] = await this.sql<
          { messages: number }[]
        >`select count(*)::integer as messages from pending_notices`;
        const { deliveries, questions } = await this.pending();
        pending = { deliveries, questions, messages: row?.messages };
        return deliveries + questions + (row?.messages ?? 0) === 0;
      },
      100,
    );
  }

  /** `recount --check` and `points audit`. Throws Failure with the differences. */
  async checkFigures(botId = this.botId): Promise<void> {
    const differences = await recount(this.sql, botId, { check: true, progress: () => undefined });
    if (differences.length > 0)
      throw new Failure('recount --check found differences', differences.slice(0, shownMax));
    const wrong = await auditPoints(this.sql, botId);
    if (wrong.length > 0) throw new Failure('points audit found differences', wrong.slice(0, shownMax));
  }

  /** The ends of the logs of the latest processes, the newest first. */
  #logTails(): Record<string, string[]> {
    const secrets = [
      ...[secretKey, lineSecret, metaSecret, this.widgetKey, this.adminToken],
      ...[this.line.credentials.accessToken, new URL(this.cluster.url).password],
    ].filter((secret) => secret !== '');
    const latest = this.#launched.slice(-loggedProcessesMax).reverse();
    return Object.fromEntries(
      latest.map(({ name, process: { pid, stderr } }) => [`${name} ${pid}`, tailOf(stderr(), secrets)]),
    );
  }

  #process(role: Role): Launched {
    const launched = this.#processes.get(role);
    if (!launched) throw new Failure(`the ${role} process was never started`);
    return launched;
  }

  async #addBot(folder: string): Promise<void> {
    const { sql } = this;
    const keys = await openKeys({ secretKey, dataFolder: folder, random: randomBytes });
    const making = { now: Date.now(), random: randomBytes, keys };
    const { botId } = await createBot(sql, { name: 'proof', timeZone: 'Asia/Taipei' }, making);
    this.botId = botId;
    this.widgetKey = `widget-${botId}`;
    const { accessToken } = this.line.credentials;
    await setChannel(
      sql,
      { botId, platform: 'line', secret: lineSecret, accountId: lineDestination, accessToken },
      making,
    );
    for (const platform of ['facebook', 'instagram', 'whatsapp'] as const) {
      const settings = { secret: metaSecret, accountId: accountIds[platform], verifyToken: 'v' };
      await setChannel(sql, { botId, platform, ...settings }, making);
    }
    await setChannel(sql, { botId, platform: 'liveChat', secret: this.widgetKey }, making);
    const { token } = await createAdminToken(sql, { name: 'proof', scope: 'admin', botIds: null }, making);
    this.adminToken = token;
    await setCallback(
      sql,
      { botId, url: this.shop.url },
      { ...making, gate: openGate({ allowPrivate: true }) },
    );
  }
}

type Parts = {
  cluster: ProofCluster;
  sql: Sql;
  line: LineSimulator;
  shop: Receiver;
  environment: ShoalEnvironment;
};

/** Waits until a condition holds; throws Failure after two minutes. */
export async function until(
  what: string | (() => string),
  holds: () => boolean | Promise<boolean>,
  pauseMs = 20,
): Promise<void> {
  const endsAt = performance.now() + settledMsMax;
  while (!(await holds())) {
    if (performance.now() > endsAt)
      throw new Failure(`not in time: ${typeof what === 'string' ? what : what()}`);
    await pause(pauseMs);
  }
}

/** Throws Failure if there are any. */
export function expectNone(what: string, wrong: Iterable<unknown>): void {
  const all = [...wrong];
  if (all.length > 0) throw new Failure(`${all.length} ${what}`, all.slice(0, shownMax));
}
