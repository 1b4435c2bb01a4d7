/**
 * A shop with data for every page of the dashboard: 60 days of four platforms in signed deliveries, counted by the real server,
 * LINE's own collected figures, sends through the gateway and by hand, tags, daily points, and an unreadable delivery. All numbers
 * are reproducible: the clock is fixed at `worldNow`.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChannelKeys, deliveriesOf } from '../../simulator/deliveries.ts';
import { SeededRandom } from '../../simulator/events/random.ts';
import { type LineSimulator, startLineSimulator } from '../../simulator/line/simulator.ts';
import { LineShop, stopsBetween } from '../../simulator/line-shop.ts';
import type { Credentials } from '../../simulator/mantago-client.ts';
import { sendDeliveries } from '../../simulator/send-deliveries.ts';
import { createWorld } from '../../simulator/world.ts';
import { createAdminToken } from '../../src/auth/admin-tokens.ts';
import { openKeys } from '../../src/auth/keys.ts';
import type { Context } from '../../src/cli/context.ts';
import { importOwnData, nameContacts, openDemoBot } from '../../src/cli/demo-bot.ts';
import { collectLine, lineWorldOf } from '../../src/cli/demo-line.ts';
import { type Config, readConfig } from '../../src/config.ts';
import type { Sql } from '../../src/database/client.ts';
import { startServer } from '../../src/server/server.ts';
import { dayMs } from '../../src/time.ts';
import { closePages } from './browser.ts';
import { filledDatabase, type TestDatabase, testDatabase } from './database.ts';
import { metaSignature } from './fixtures.ts';
import { seededBytes } from './random.ts';
import { oncePerFile, type Scope } from './scope.ts';
import { waitUntilFolded } from './server.ts';

/** A Friday in the middle of a month, at noon in Taipei: the clock of the server and of the browser (`page.clock`). */
export const worldNow = Date.parse('2026-03-20T04:00:00.000Z');
export const worldDays = 60;
export const worldZone = 'Asia/Taipei';

export type DashboardWorld = {
  /** The server: `http://127.0.0.1:…`. */
  address: string;
  botId: string;
  sql: Sql;
  channels: ChannelKeys;
  /** An admin token for all bots. */
  token: string;
  /** The context of the commands. */
  context: Context;
  /** Reads from the management API; throws for any status other than 200. */
  read<Value>(path: string): Promise<Value>;
};

const seed = 5;
const stepMinutes = 180;
const sandboxPeople = 240;
const linePeople = 160;
const disturbance = { batchMax: 12, repeatShare: 0.05, lateMinutesMax: 30 };

/** Starts a server with the shop on a database of its own, and closes it when its test or file ends. */
export async function dashboardWorld(t: Scope, settings: Partial<Config> = {}): Promise<DashboardWorld> {
  // Hooks run in the order of registration: the server closes before its database.
  let system: System | undefined;
  t.after(async () => {
    // A browser opens connections in advance, and a closing server waits a minute for their first request.
    await closePages();
    await system?.close();
  });
  const database = await filledDatabase(t, 'dashboard_world', fill);
  system = await startSystem(database, { now: worldNow }, settings);
  const { context, address } = system;
  const [stored] = await database.sql<{ value: StoredValues }[]>`select value from dashboard_world`;
  assert.ok(stored);
  const { token } = stored.value;
  return {
    ...stored.value,
    ...{ address, sql: database.sql, context },
    async read<Value>(path: string) {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${address}/api/v1${path}`, { headers });
      assert.equal(response.status, 200, path);
      return (await response.json()) as Value;
    },
  };
}

/** Starts a server without a bot or a user, whose public address is `https://public.example`. */
export async function emptyWorld(t: Scope): Promise<Pick<DashboardWorld, 'address' | 'sql'>> {
  let system: System | undefined;
  t.after(async () => {
    await closePages();
    await system?.close();
  });
  const database = await testDatabase(t);
  system = await startSystem(database, { now: worldNow }, { publicUrl: 'https://public.example' });
  return { address: system.address, sql: database.sql };
}

/** The file's shop, for tests that do not change its data. */
export const sharedWorld = oncePerFile((scope) => dashboardWorld(scope));

type StoredValues = Pick<DashboardWorld, 'botId' | 'channels' | 'token'>;

/** Creates the shop once for all test files; a separate table holds the values that tests need. */
async function fill(database: TestDatabase): Promise<void> {
  const time = { now: worldNow - worldDays * dayMs };
  const begin = time.now;
  const simulator = await startLineSimulator({
    clock: () => begin,
    seed,
    people: linePeople,
    pastDays: 30,
    callsPerHour: null,
    quota: 15_000,
    disturbance,
  });
  const system = await startSystem(database, time, { lineApi: simulator.address, seed });
  try {
    const stored = await createData(database, system, simulator, time);
    await database.sql`create table dashboard_world (value jsonb)`;
    await database.sql`insert into dashboard_world values (${database.sql.json(stored)})`;
  } finally {
    await system.close();
    await simulator.close();
  }
}

async function createData(
  { sql }: TestDatabase,
  { context, address }: System,
  simulator: LineSimulator,
  time: { now: number },
): Promise<StoredValues> {
  const { credentials, channels } = await openDemoBot(context, null, { line: simulator.credentials });
  const { botId } = credentials;
  await sql`update bots set name = '海風選物 Seabreeze' where bot_id = ${botId}`;
  const line = lineWorldOf(simulator, await simulateDays({ address, simulator, time, credentials }));
  const world = createWorld({ seed, until: worldNow, people: sandboxPeople, days: worldDays, line });
  const others = world.events.filter(({ platform }) => platform !== 'line');
  await sendDeliveries(deliveriesOf(others, channels, new SeededRandom(seed)), { address, botId });
  await deliverUnreadable(address, botId, channels);
  await waitUntilFolded(sql);
  await importOwnData(context, botId, world, { isCollected: true });
  await nameContacts(context, botId);
  await collectLine({ context, address, credentials }, simulator, new AbortController().signal);
  await waitUntilFolded(sql);
  const owner = { name: 'dashboard', scope: 'admin', botIds: null } as const;
  const { token } = await createAdminToken(sql, owner, { now: worldNow, random: context.random });
  return { botId, channels, token };
}

type System = { context: Context; address: string; close(): Promise<void> };

async function startSystem(
  { sql, url }: TestDatabase,
  time: { now: number },
  { seed: ownSeed = seed + 1, ...settings }: Partial<Config> & { seed?: number } = {},
): Promise<System> {
  const data = await mkdtemp(join(tmpdir(), 'shoal-dashboard-'));
  const config: Config = {
    ...readConfig({}, {}),
    databaseUrl: url,
    data,
    port: 0,
    logLevel: 'silent',
    rateLimit: 0,
    adminRateLimit: 0,
    collect: 'off',
    // The business's own server is on loopback here.
    callbackPrivate: true,
    secretKey: 'a secret key for the dashboard of tests',
    ...settings,
  };
  // Otherwise a test would create the same ids as the shop.
  const [clock, random] = [() => time.now, seededBytes(ownSeed)];
  const keys = await openKeys({ secretKey: config.secretKey, dataFolder: data, random });
  const server = await startServer(config, { clock, random });
  const context: Context = {
    config: () => config,
    keys: async () => keys,
    startServer,
    withDatabase: (run) => run(sql),
    clock,
    random,
    out() {},
    log() {},
  };
  return {
    context,
    address: server.address,
    async close() {
      await server.close();
      await rm(data, { recursive: true, force: true });
    },
  };
}

type SimulatedShop = {
  address: string;
  simulator: LineSimulator;
  time: { now: number };
  credentials: Credentials;
};

/** Advances LINE's clock, while the shop acts. */
async function simulateDays({ address, simulator, time, credentials }: SimulatedShop): Promise<LineShop> {
  const { control } = simulator;
  control.set({ webhook: { endpoint: `${address}/webhooks/${credentials.botId}/line` } });
  const { lateMinutesMax } = disturbance;
  const log = (text: string) => assert.fail(text);
  const shop = new LineShop({ simulator, address, until: worldNow, lateMinutesMax, log });
  const runUntil = async (at: number) => {
    await control.run({ until: new Date(at).toISOString(), stepMinutes });
    time.now = control.now();
  };
  for (const stop of stopsBetween(control.now(), worldNow)) {
    await runUntil(stop.at);
    await shop.act(stop);
  }
  await runUntil(worldNow);
  return shop;
}

async function deliverUnreadable(address: string, botId: string, channels: ChannelKeys): Promise<void> {
  const body = '{"object":"whatsapp_business_account","entry":"none"}';
  const response = await fetch(`${address}/webhooks/${botId}/whatsapp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...metaSignature(body, channels.whatsapp.secret) },
    body,
  });
  assert.equal(response.status, 200);
}
