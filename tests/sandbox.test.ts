/**
 * The whole system against the sandbox: small worlds, sent in disorder and with repetitions, and every figure of the three
 * calls against the truth. A failure names the seed of its world.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { callMantago, isObject } from '../simulator/caller.ts';
import { Chance } from '../simulator/chance.ts';
import { compareAnalyses, comparePoints, type Row, tableOf } from '../simulator/comparison.ts';
import { deliver } from '../simulator/deliver.ts';
import { type Person, personKey, platformIdOf } from '../simulator/happening.ts';
import { platformTruth, pointsTruth } from '../simulator/oracle.ts';
import { deliveriesOf, type Shipping, usualShipping, wildShipping } from '../simulator/platforms.ts';
import { createWorld, type World } from '../simulator/world.ts';
import { openKeys } from '../src/auth/keys.ts';
import type { Context } from '../src/cli/context.ts';
import { importOwned, openDemoBot } from '../src/cli/demo-bot.ts';
import { type Config, readConfig } from '../src/config.ts';
import { findContacts } from '../src/contacts/contacts.ts';
import type { Sql } from '../src/database/client.ts';
import { webhookPlatformNames } from '../src/platforms/platform.ts';
import { startServer } from '../src/server/server.ts';
import { dayMs } from '../src/time.ts';
import { testDatabase } from './harness/database.ts';
import { seededBytes } from './harness/random.ts';
import { waitUntilFolded } from './harness/server.ts';

// The middle of a month, so that the current month holds reports; LINE's day has just begun.
const now = Date.parse('2026-03-20T15:00:00.000Z');
const worlds: { seed: number; lineReports: boolean; shipping: Shipping; about: string }[] = [
  { seed: 11, lineReports: true, shipping: usualShipping, about: 'a usual day' },
  { seed: 12, lineReports: true, shipping: wildShipping, about: 'any order, half of it twice' },
  { seed: 13, lineReports: false, shipping: wildShipping, about: "any order, without LINE's reports" },
  { seed: 14, lineReports: true, shipping: wildShipping, about: 'any order, half of it twice' },
];

for (const { seed, lineReports, shipping, about } of worlds) {
  test(`every figure of the three calls is the truth of world ${seed} (${about})`, async (t) => {
    const { context, sql, address } = await startSystem(t, seed);
    const world = createWorld({ seed, until: now, people: 60, lineReports });
    const { credentials, channels } = await openDemoBot(context, null);
    const deliveries = deliveriesOf(world.happenings, channels, new Chance(seed), shipping);
    const outcome = await deliver(deliveries, { address, botId: credentials.botId });
    const refused = deliveries.filter(({ forged }) => forged).length;
    const accepted = deliveries.length - refused;
    assert.deepEqual(outcome, { accepted, refused, resent: 0, lost: 0 }, `seed ${seed}`);
    await waitUntilFolded(sql);
    await importOwned(context, credentials.botId, world);
    assertTrue(await compareAnalyses(address, credentials, world, now), `seed ${seed}`);
    assertTrue(await comparePoints(address, credentials, world, now), `seed ${seed}`);
    await assertTotals(sql, credentials.botId, world, seed);
  });
}

test('sending everything again changes nothing, and what the owner imports again neither', async (t) => {
  const seed = 21;
  const { context, sql, address } = await startSystem(t, seed);
  const world = createWorld({ seed, until: now, people: 30 });
  const first = await openDemoBot(context, null);
  const { botId } = first.credentials;
  for (const [run, { credentials, channels }] of [first, await openDemoBot(context, botId)].entries()) {
    const deliveries = deliveriesOf(world.happenings, channels, new Chance(run), wildShipping);
    await deliver(deliveries, { address, botId });
    // Before everything is folded: then some people are known by their tags first.
    await importOwned(context, botId, world);
    await waitUntilFolded(sql);
    await assertTotals(sql, botId, world, seed);
    if (run === 0) continue;
    assertTrue(await compareAnalyses(address, credentials, world, now), `seed ${seed}`);
    assertTrue(await comparePoints(address, credentials, world, now), `seed ${seed}`);
  }
});

test('points are the same by encoded client id and by any id of the person, and fall when a lot expires', async (t) => {
  const seed = 31;
  const { context, sql, address, time } = await startSystem(t, seed);
  const world = createWorld({ seed, until: now, people: 60 });
  const { credentials, channels } = await openDemoBot(context, null);
  const { botId } = credentials;
  await deliver(deliveriesOf(world.happenings, channels, new Chance(seed)), { address, botId });
  await importOwned(context, botId, world);
  await waitUntilFolded(sql);
  const people = [...new Set(world.points.map(({ person }) => person))].filter(
    ({ platform }) => platform === 'whatsapp',
  );
  const platformClientIds = people.map((person) => latestIdOf(world, person));
  assert.ok(people.some(({ id }, index) => id !== null && id !== platformClientIds[index]));
  const truthAt = (at: number) => people.map((person) => pointsTruth(world, person, at));
  const clientIdOf = await findContacts(sql, botId, 'whatsapp', platformClientIds);
  const byPlatformId = { platform: 'whatsapp', platformClientIds };
  const byClientId = { clientIds: platformClientIds.map((id) => clientIdOf.get(id)) };
  for (const ids of [byPlatformId, byClientId]) {
    const { points } = await callMantago(address, 'client/point', credentials, ids);
    assert.deepEqual(pointsIn(points), truthAt(now), `seed ${seed}`);
  }
  time.now += 91 * dayMs;
  assert.notDeepEqual(truthAt(time.now), truthAt(now));
  const renewed = await openDemoBot(context, botId);
  const { points } = await callMantago(address, 'client/point', renewed.credentials, byPlatformId);
  assert.deepEqual(pointsIn(points), truthAt(time.now), `seed ${seed}`);
});

type System = { context: Context; sql: Sql; address: string; time: { now: number } };

/** A server whose clock stands where `time` says, and what the demo's commands need beside it. */
async function startSystem(t: TestContext, seed: number): Promise<System> {
  const { sql, url } = await testDatabase(t);
  const data = await mkdtemp(join(tmpdir(), 'shoal-sandbox-'));
  const config: Config = {
    ...readConfig({}, {}),
    databaseUrl: url,
    data,
    port: 0,
    logLevel: 'silent',
    rateLimit: 0,
  };
  const time = { now };
  const [clock, random] = [() => time.now, seededBytes(seed)];
  const keys = await openKeys({ secretKey: null, dataFolder: data, random });
  const server = await startServer(config, { clock, random });
  t.after(async () => {
    await server.close();
    await rm(data, { recursive: true });
  });
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
  return { context, sql, address: server.address, time };
}

/** What the answers round, to the last digit, and our own count of followers and blocks beside LINE's. */
async function assertTotals(sql: Sql, botId: string, world: World, seed: number): Promise<void> {
  for (const platform of webhookPlatformNames) {
    const [kept] = await sql`
      select followers, blocks, inbound + outbound as messages, conversations,
        conversation_messages as "conversationMessages", conversation_ms as "conversationMs",
        tagged_contacts as "taggedContacts"
      from totals where bot_id = ${botId} and platform = ${platform}`;
    const { followers, blocks } = platformTruth({ ...world, line: null }, platform);
    assert.deepEqual(
      { ...kept },
      { ...platformTruth(world, platform), followers, blocks },
      `${platform}, seed ${seed}`,
    );
  }
}

function assertTrue(rows: readonly Row[], about: string): void {
  const wrong = rows.filter(({ same }) => !same);
  assert.equal(wrong.length, 0, `${about}\n${tableOf(wrong).join('\n')}`);
  assert.ok(rows.length > 0, about);
}

/** The id that the person's latest message shows: people on WhatsApp may hide their number from some point on. */
function latestIdOf(world: World, person: Person): string {
  const seen = world.happenings.filter(
    (one) => one.person && one.group === undefined && personKey(one.person) === personKey(person),
  );
  return (seen.at(-1)?.shown !== 'number' && person.userId) || platformIdOf(person);
}

function pointsIn(entries: unknown): unknown[] {
  assert.ok(Array.isArray(entries));
  return entries.map((entry) => (isObject(entry) ? entry.points : entry));
}
