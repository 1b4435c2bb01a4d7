/**
 * A shop with data for every page of the dashboard: 60 days of four platforms in signed deliveries, counted by the real server,
 * LINE's own collected figures, sends through the gateway and by hand, tags, daily points, and an unreadable delivery. All numbers
 * are reproducible: the clock is fixed at `worldNow`.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type ChannelKeys, deliveriesOf } from '../../simulator/deliveries.ts';
import { SeededRandom } from '../../simulator/events/random.ts';
import { type LineSimulator, startLineSimulator } from '../../simulator/line/simulator.ts';
import type { Credentials } from '../../simulator/mantago-client.ts';
import { sendDeliveries } from '../../simulator/send-deliveries.ts';
import { createWorld } from '../../simulator/world.ts';
import { createAdminToken } from '../../src/auth/admin-tokens.ts';
import { openKeys } from '../../src/auth/keys.ts';
import type { Context } from '../../src/cli/context.ts';
import { importOwnData, openDemoBot } from '../../src/cli/demo-bot.ts';
import { collectLine } from '../../src/cli/demo-line.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { bindCustomer, setAttributes } from '../../src/contacts/profiles.ts';
import type { Sql } from '../../src/database/client.ts';
import { startServer } from '../../src/server/server.ts';
import { dayMs } from '../../src/time.ts';
import { closePages } from './browser.ts';
import { filledDatabase, type TestDatabase } from './database.ts';
import { metaSignature } from './fixtures.ts';
import { seededBytes } from './random.ts';
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

/** Starts a server with the shop on a database of the test, and closes it when the test ends. */
export async function dashboardWorld(t: TestContext): Promise<DashboardWorld> {
  // Hooks run in the order of registration: the server closes before its database.
  let system: System | undefined;
  t.after(async () => {
    // A browser opens connections in advance, and a closing server waits a minute for their first request.
    await closePages();
    await system?.close();
  });
  const database = await filledDatabase(t, 'dashboard_world', fill);
  system = await startSystem(database, { now: worldNow });
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
    disturbance: { batchMax: 12, repeatShare: 0.05, lateMinutesMax: 30 },
  });
  const system = await startSystem(database, time, simulator);
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
  const { credentials, channels } = await openDemoBot(context, null, simulator.credentials);
  const { botId } = credentials;
  await sql`update bots set name = '海風選物 Seabreeze' where bot_id = ${botId}`;
  await simulateDays({ address, simulator, time, credentials });
  const line = { events: simulator.control.deliveredEvents(), report: simulator.control.report() };
  const world = createWorld({ seed, until: worldNow, people: sandboxPeople, days: worldDays, line });
  const others = world.events.filter(({ platform }) => platform !== 'line');
  await sendDeliveries(deliveriesOf(others, channels, new SeededRandom(seed)), { address, botId });
  await deliverUnreadable(address, botId, channels);
  await waitUntilFolded(sql);
  await importOwnData(context, botId, world, { isCollected: true });
  await nameContacts(context, botId);
  await collectLine({ context, address, credentials, channels }, simulator, new AbortController().signal);
  await waitUntilFolded(sql);
  const owner = { name: 'dashboard', scope: 'admin', botIds: null } as const;
  const { token } = await createAdminToken(sql, owner, { now: worldNow, random: context.random });
  return { botId, channels, token };
}

type System = { context: Context; address: string; close(): Promise<void> };

async function startSystem(
  { sql, url }: TestDatabase,
  time: { now: number },
  simulator?: LineSimulator,
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
    ...(simulator ? { lineApi: simulator.address } : {}),
  };
  // Otherwise a test would create the same ids as the shop.
  const [clock, random] = [() => time.now, seededBytes(simulator ? seed : seed + 1)];
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

/** Advances LINE's clock and adds the shop's sends of those days. */
async function simulateDays({ address, simulator, time, credentials }: SimulatedShop): Promise<void> {
  const { control } = simulator;
  control.set({ webhook: { endpoint: `${address}/webhooks/${credentials.botId}/line` } });
  for (let day = 1; day <= worldDays; day += 1) {
    await control.run({ days: 1, stepMinutes });
    time.now = control.now();
    if (day % 9 === 0) control.broadcastByHand('本週新品上市，到店出示此訊息享九折優惠');
    if (day % 6 === 2) await send(address, simulator, 'broadcast', { messages: [text(day)] });
    if (day % 10 === 5) {
      const to = friendsOf(simulator).slice(0, 60);
      const unit = { customAggregationUnits: [`spring_${day}`] };
      await send(address, simulator, 'multicast', { to, messages: [text(day)], ...unit });
    }
    const [friend] = friendsOf(simulator).slice(day % 20);
    if (friend) await send(address, simulator, 'push', { to: friend, messages: [text(day)] });
  }
}

function text(day: number): { type: string; text: string } {
  return { type: 'text', text: `春季新品 https://shop.example/spring/${day}` };
}

function friendsOf({ control }: LineSimulator): string[] {
  const friends = control.deliveredEvents().filter(({ kind }) => kind === 'follow' || kind === 'message');
  return [...new Set(friends.flatMap(({ person }) => (person?.id ? [person.id] : [])))];
}

/** Sends through the gateway, like a program of the shop. */
async function send(address: string, simulator: LineSimulator, kind: string, body: object): Promise<void> {
  const response = await fetch(`${address}/v2/bot/message/${kind}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${simulator.credentials.accessToken}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, `${kind}: ${response.status} ${await response.text()}`);
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

const families = ['陳', '林', '黃', '張', '李', '王', '吳', '劉', '蔡', '楊', '佐藤', '鈴木', '高橋'];
const givenNames = ['怡君', '志豪', '雅婷', '俊傑', '淑芬', '家豪', '欣怡', '美咲', '陽菜', '蓮', '葵'];
/** Every ninth contact has no name, as if its platform does not provide one. */
const namelessEvery = 9;
const customerEvery = 4;

/** Sets names for most contacts, and customer ids for some. */
async function nameContacts({ withDatabase }: Context, botId: string): Promise<void> {
  await withDatabase((sql) =>
    sql.begin(async (tx) => {
      const contacts = await tx<{ contactId: string }[]>`
        select contact_id as "contactId" from contacts where bot_id = ${botId} and merged_into is null
        order by platform, platform_contact_id`;
      for (const [index, { contactId }] of contacts.entries()) {
        if (index % namelessEvery === 0) continue;
        const name = `${families[index % families.length]} ${givenNames[index % givenNames.length]}`;
        await setAttributes(tx, { botId, contactId, attributes: { name } }, { now: worldNow });
        if (index % customerEvery !== 1) continue;
        const binding = { botId, contact: contactId, customerId: `C-${1_000 + index}` };
        await bindCustomer(tx, binding, { now: worldNow });
      }
    }),
  );
}
