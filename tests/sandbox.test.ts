/**
 * The whole system with simulated worlds: small worlds, sent out of order and with repetitions. Every figure of the three calls
 * is compared with its expected value. A failure names the world's seed.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { compareAnalyses, comparePoints, type Row, tableOf } from '../simulator/comparison.ts';
import { deliveriesOf, type Shipping, usualShipping } from '../simulator/deliveries.ts';
import { type Person, personKey, platformIdOf } from '../simulator/events/event.ts';
import { SeededRandom } from '../simulator/events/random.ts';
import { expectedFigures, expectedPoints } from '../simulator/expected-figures.ts';
import { callMantago } from '../simulator/mantago-client.ts';
import { sendDeliveries } from '../simulator/send-deliveries.ts';
import { createWorld, type World } from '../simulator/world.ts';
import { openKeys } from '../src/auth/keys.ts';
import type { Context } from '../src/cli/context.ts';
import { importOwnData, openDemoBot } from '../src/cli/demo-bot.ts';
import { type Config, readConfig } from '../src/config.ts';
import { findContacts } from '../src/contacts/contacts.ts';
import type { Sql } from '../src/database/client.ts';
import { isObject } from '../src/json.ts';
import { webhookPlatformNames } from '../src/platforms/platform.ts';
import { startServer } from '../src/server/server.ts';
import { dayMs } from '../src/time.ts';
import { testDatabase } from './harness/database.ts';
import { seededBytes } from './harness/random.ts';
import { waitUntilFolded } from './harness/server.ts';
import { wildShipping } from './harness/shipping.ts';

// The middle of a month, so that the current month has reports, at the start of LINE's day.
const now = Date.parse('2026-03-20T15:00:00.000Z');
const worlds: { seed: number; hasLineReport: boolean; shipping: Shipping; about: string }[] = [
  { seed: 11, hasLineReport: true, shipping: usualShipping, about: 'usual order' },
  { seed: 12, hasLineReport: true, shipping: wildShipping, about: 'any order, half of it repeated' },
  { seed: 13, hasLineReport: false, shipping: wildShipping, about: "any order, without LINE's report" },
  { seed: 14, hasLineReport: true, shipping: wildShipping, about: 'any order, half of it repeated' },
];

for (const { seed, hasLineReport, shipping, about } of worlds) {
  test(`every figure of the three calls is correct for world ${seed} (${about})`, async (t) => {
    const { context, sql, address } = await startSystem(t, seed);
    const world = createWorld({ seed, until: now, people: 60, hasLineReport });
    const { credentials, channels } = await openDemoBot(context, null, {});
    const deliveries = deliveriesOf(world.events, channels, new SeededRandom(seed), shipping);
    const outcome = await sendDeliveries(deliveries, { address, botId: credentials.botId });
    const refused = deliveries.filter(({ isForged }) => isForged).length;
    const accepted = deliveries.length - refused;
    assert.deepEqual(outcome, { accepted, refused, resent: 0, lost: 0 }, `seed ${seed}`);
    await waitUntilFolded(sql);
    await importOwnData(context, credentials.botId, world);
    assertCorrect(await compareAnalyses(address, credentials, world, now), `seed ${seed}`);
    assertCorrect(await comparePoints(address, credentials, world, now), `seed ${seed}`);
    await assertTotals(sql, credentials.botId, world, seed);
  });
}

test('sending all deliveries and importing all data again changes nothing', async (t) => {
  const seed = 21;
  const { context, sql, address } = await startSystem(t, seed);
  const world = createWorld({ seed, until: now, people: 30 });
  const first = await openDemoBot(context, null, {});
  const { botId } = first.credentials;
  for (const [run, { credentials, channels }] of [first, await openDemoBot(context, botId, {})].entries()) {
    const deliveries = deliveriesOf(world.events, channels, new SeededRandom(run), wildShipping);
    await sendDeliveries(deliveries, { address, botId });
    // Before the fold ends, so that some contacts are created by their tags.
    await importOwnData(context, botId, world);
    await waitUntilFolded(sql);
    await assertTotals(sql, botId, world, seed);
    if (run === 0) continue;
    assertCorrect(await compareAnalyses(address, credentials, world, now), `seed ${seed}`);
    assertCorrect(await comparePoints(address, credentials, world, now), `seed ${seed}`);
  }
});

test('points are equal by client id and by any platform id, and decrease when a lot expires', async (t) => {
  const seed = 34;
  const { context, sql, address, time } = await startSystem(t, seed);
  const world = createWorld({ seed, until: now, people: 60 });
  const { credentials, channels } = await openDemoBot(context, null, {});
  const { botId } = credentials;
  await sendDeliveries(deliveriesOf(world.events, channels, new SeededRandom(seed)), { address, botId });
  await importOwnData(context, botId, world);
  await waitUntilFolded(sql);
  const people = [...new Set(world.points.map(({ person }) => person))].filter(
    ({ platform }) => platform === 'whatsapp',
  );
  const platformClientIds = people.map((person) => latestIdOf(world, person));
  assert.ok(people.some(({ id }, index) => id !== null && id !== platformClientIds[index]));
  const expectedAt = (at: number) => people.map((person) => expectedPoints(world, person, at));
  const clientIdOf = await findContacts(sql, botId, 'whatsapp', platformClientIds);
  const byPlatformId = { platform: 'whatsapp', platformClientIds };
  const byClientId = { clientIds: platformClientIds.map((id) => clientIdOf.get(id)) };
  for (const ids of [byPlatformId, byClientId]) {
    const { points } = await callMantago(address, 'client/point', credentials, ids);
    assert.deepEqual(pointsIn(points), expectedAt(now), `seed ${seed}`);
  }
  time.now += 91 * dayMs;
  assert.notDeepEqual(expectedAt(time.now), expectedAt(now));
  const renewed = await openDemoBot(context, botId, {});
  const { points } = await callMantago(address, 'client/point', renewed.credentials, byPlatformId);
  assert.deepEqual(pointsIn(points), expectedAt(time.now), `seed ${seed}`);
});

type System = { context: Context; sql: Sql; address: string; time: { now: number } };

/** A server with the clock `time`, and the context for the demo's commands. */
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

/** Checks the unrounded totals, and our own count of followers and blocks. */
async function assertTotals(sql: Sql, botId: string, world: World, seed: number): Promise<void> {
  for (const platform of webhookPlatformNames) {
    const [totals] = await sql`
      select followers, blocks, inbound + outbound as messages, conversations,
        conversation_messages as "conversationMessages", conversation_ms as "conversationMs",
        tagged_contacts as "taggedContacts"
      from totals where bot_id = ${botId} and platform = ${platform}`;
    const { followers, blocks } = expectedFigures({ ...world, line: null }, platform);
    assert.deepEqual(
      { ...totals },
      { ...expectedFigures(world, platform), followers, blocks },
      `${platform}, seed ${seed}`,
    );
  }
}

function assertCorrect(rows: readonly Row[], about: string): void {
  const wrong = rows.filter(({ isEqual }) => !isEqual);
  assert.equal(wrong.length, 0, `${about}\n${tableOf(wrong).join('\n')}`);
  assert.ok(rows.length > 0, about);
}

/** The id in the person's latest message. People on WhatsApp may hide their number after some messages. */
function latestIdOf(world: World, person: Person): string {
  const events = world.events.filter(
    (event) => event.person && event.groupId === undefined && personKey(event.person) === personKey(person),
  );
  return (events.at(-1)?.visibleIds !== 'number' && person.userId) || platformIdOf(person);
}

function pointsIn(entries: unknown): unknown[] {
  assert.ok(Array.isArray(entries));
  return entries.map((entry) => (isObject(entry) ? entry.points : entry));
}
