/**
 * Repeated kill -9 of the server's processes, and a comparison at the end.
 *
 * A round: wait until deliveries are acknowledged again, wait a seeded time, kill, and restart a process that does not restart by
 * itself. The test kills only processes of its own data folder.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { SeededRandom } from '../../simulator/events/random.ts';
import type { Sql } from '../../src/database/client.ts';
import { findServer, NotYet, type Server, superuser } from '../../src/database/embedded/cluster.ts';
import { connect } from '../../src/database/pool.ts';
import { openDatabase } from '../../src/server/open-database.ts';
import {
  launch,
  preparedFolder,
  type Serving,
  type ShoalEnvironment,
  serve,
  shoalJson,
} from '../harness/cli.ts';
import { waitUntilFolded } from '../harness/server.ts';
import { connectedBot } from './connected-bot.ts';
import { Sender } from './sender.ts';

/** Targets: Shoal, Shoal during its start, the PostgreSQL server, the process of one connection, or both servers. */
export type Target = 'shoal' | 'shoal-starting' | 'postgres' | 'backend' | 'shoal-and-postgres';

type Home = ShoalEnvironment & { folder: string };

const recoveryMsMax = 60_000;
/** More than were in progress at the kill, so that new deliveries succeed before the next kill. */
const acknowledgedMin = 50;
const momentMsMax = 250;
const startMomentMsMax = 1_200;
const shownMax = 5;

/** Kills the targets in turn under load and compares. `seed` determines all choices of the test. */
export async function surviveKills(t: TestContext, seed: number, targets: readonly Target[]): Promise<void> {
  t.diagnostic(`seed ${seed}`);
  const random = new SeededRandom(seed);
  const home = await preparedFolder(t);
  home.onEnd(() => killPostgres(home.folder));
  let serving = await serve(home);
  const botId = await withDatabase(home, (sql) => connectedBot(sql, home));
  const sender = new Sender(botId, random);
  home.onEnd(() => sender.stop());
  sender.address = serving.address;
  sender.start();
  for (const target of targets) {
    await hasGoneOn(sender, `before ${target}`);
    await pause(random.integer(0, momentMsMax));
    serving = await strike(home, { target, serving, random });
    sender.address = serving.address;
  }
  await hasGoneOn(sender, 'at the end');
  await sender.stop();
  await compare(t, home, botId, sender);
}

async function strike(
  home: Home,
  { target, serving, random }: { target: Target; serving: Serving; random: SeededRandom },
): Promise<Serving> {
  switch (target) {
    case 'postgres':
      await findRunning(home.folder);
      assert.ok(await killPostgres(home.folder), 'PostgreSQL does not run');
      return serving;
    case 'backend':
      await killBackend(home.folder, random);
      return serving;
    case 'shoal':
      await serving.kill();
      return serve(home);
    case 'shoal-and-postgres':
      await Promise.all([serving.kill(), killPostgres(home.folder)]);
      return serve(home);
    case 'shoal-starting':
      await serving.kill();
      await killWhileStarting(home, random);
      return serve(home);
  }
}

async function killWhileStarting(home: Home, random: SeededRandom): Promise<void> {
  const starting = launch(home);
  starting.up.catch(() => undefined);
  await pause(random.integer(0, startMomentMsMax));
  await starting.kill();
}

/** False: it does not run, or not yet. */
async function killPostgres(folder: string): Promise<boolean> {
  if ((await findPostgres(folder)) === null) return false;
  const pidFile = await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8');
  kill(Number(pidFile.split('\n', 1)[0]));
  return true;
}

async function killBackend(folder: string, random: SeededRandom): Promise<void> {
  const { host, port } = await findRunning(folder);
  const password = (await readFile(join(folder, 'postgres-password'), 'utf8')).trim();
  const address = { host, port, user: superuser, password, database: 'postgres' };
  const sql = connect(address, { max: 1, applicationName: 'shoal test' });
  const rows = await sql<{ pid: number }[]>`
    select pid from pg_stat_activity where application_name like 'shoal serve%' order by pid`;
  assert.ok(rows.length > 0, 'Shoal has no connection');
  kill(rows[random.integer(0, rows.length - 1)]?.pid ?? 0);
  await sql.end({ timeout: 0 });
}

/** Waits for the data folder's own PostgreSQL. On a slow machine, deliveries can succeed after a kill. */
async function findRunning(folder: string): Promise<Server> {
  const endsAt = performance.now() + recoveryMsMax;
  for (;;) {
    const server = await findPostgres(folder);
    if (server?.here) return server;
    assert.ok(performance.now() < endsAt, 'PostgreSQL does not run');
    await pause(50);
  }
}

/** The data folder's own PostgreSQL; null: it does not run, or not yet. */
async function findPostgres(folder: string): ReturnType<typeof findServer> {
  const cluster = { folder: join(folder, 'postgres'), programs: '', user: null };
  return findServer(cluster).catch((error: unknown) => {
    if (error instanceof NotYet) return null;
    throw error;
  });
}

function kill(pid: number): void {
  assert.ok(pid > 1, 'nothing to kill');
  process.kill(pid, 'SIGKILL');
}

async function hasGoneOn(sender: Sender, when: string): Promise<void> {
  const expectedCount = sender.acknowledged.size + acknowledgedMin;
  const endsAt = performance.now() + recoveryMsMax;
  while (sender.acknowledged.size < expectedCount) {
    assert.ok(performance.now() < endsAt, `no delivery was acknowledged in time ${when}`);
    await pause(10);
  }
}

/** Every acknowledged message counts exactly once, every other one at most once, and the figures match the events. */
async function compare(t: TestContext, home: Home, botId: string, sender: Sender): Promise<void> {
  assert.deepEqual([...sender.wrongAnswers], []);
  await withDatabase(home, async (sql) => {
    await waitUntilFolded(sql);
    await compareMessages(sql, botId, sender);
  });
  const { differences } = await shoalJson(home, 'recount', botId, '--check');
  assert.deepEqual(differences, []);
  t.diagnostic(`${sender.acknowledged.size} messages acknowledged, ${sender.sent.size} sent`);
}

/** Runs on the data folder's database, as another process that uses it. */
async function withDatabase<Result>({ folder }: Home, run: (sql: Sql) => Promise<Result>): Promise<Result> {
  const log = pino({ level: 'silent' });
  const options = { databaseUrl: null, dataFolder: folder, max: 2, applicationName: 'shoal test', log };
  const { sql, close } = await openDatabase(options);
  return run(sql).finally(close);
}

async function compareMessages(sql: Sql, botId: string, sender: Sender): Promise<void> {
  const events = await sql<{ message: string }[]>`
    select platform || ' ' || key as message from events where bot_id = ${botId}`;
  const counted = new Set(events.map(({ message }) => message));
  assertNone(sender.acknowledged.difference(counted), 'acknowledged, but not counted');
  assertNone(counted.difference(sender.sent), 'counted, but never sent');
  const [total] = await sql<{ inbound: number }[]>`
    select sum(inbound)::integer as inbound from totals where bot_id = ${botId}`;
  assert.equal(total?.inbound, counted.size);
  const [aside] =
    await sql`select count(*)::integer as count from deliveries where set_aside_reason is not null`;
  assert.equal(aside?.count, 0, 'good deliveries were set aside');
}

function assertNone(messages: ReadonlySet<string>, what: string): void {
  assert.equal(
    messages.size,
    0,
    `${messages.size} messages ${what}: ${[...messages].slice(0, shownMax).join(', ')} …`,
  );
}
