/** The collector killed during calls to LINE: nothing is lost, no figure is wrong, and no limit is exceeded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { SeededRandom } from '../../simulator/events/random.ts';
import { dayKinds } from '../../src/line/collector/kinds.ts';
import { addDays } from '../../src/time.ts';
import { launch, type ShoalEnvironment, shoalJson } from '../harness/cli.ts';
import { collectingEnvironment } from '../harness/collecting-environment.ts';
import type { FaultyLine } from '../harness/faulty-line.ts';
import { waitMsMax } from '../harness/until.ts';

const seed = 20_260_303;
const kills = 4;
const momentMs = 3_000;
const callsMax = 60;
/** Concurrent calls of one process: the maximum that a kill can interrupt. */
const lanes = 4;

test('after 4 kills every day equals LINE’s figure, and only interrupted calls were repeated', async (t) => {
  t.diagnostic(`seed ${seed}`);
  const { environment, line, botId, sql } = await collectingEnvironment(t, { days: 60 });
  line.delayMs = 15;
  await killWhileCollecting(environment, line, new SeededRandom(seed));
  line.delayMs = 0;
  assert.equal((await shoalJson(environment, 'collect', botId)).done, true);
  for (const kind of dayKinds) {
    const rows = await sql<{ day: string; value: unknown }[]>`
      select to_char(day, 'YYYY-MM-DD') as day, value from snapshots where kind = ${kind}`;
    const figures = new Map(rows.map(({ day, value }) => [day, value]));
    for (let day = addDays(line.firstDay, -1); day <= line.readyDay; day = addDays(day, 1))
      assert.deepEqual(figures.get(day), line.answer(kind, day), `${kind} ${day}`);
  }
  const calls = dayKinds.flatMap((kind) => line.callsOf(kind).map((day) => `${kind} ${day}`));
  assert.ok(
    calls.length - new Set(calls).size <= kills * lanes,
    'more calls were repeated than were in progress',
  );
  const aside = await sql`select from deliveries where set_aside_reason is not null`;
  assert.equal(aside.length, 0);
});

test('an interrupted call stays counted, and a new process has only the remaining calls', async (t) => {
  const { environment, line } = await collectingEnvironment(t, { days: 60, callsPerHour: 60 });
  const startedAt = Date.now();
  line.delayMs = 500;
  for (let kill = 0; kill < kills; kill += 1) {
    const expectedCount = line.calls.length + lanes;
    await killWhen(environment, () => line.calls.length >= expectedCount);
  }
  line.delayMs = 0;
  const isNearlyDone = () => dayKinds.every((kind) => line.callsOf(kind).length >= 10 - kills);
  await killWhen(environment, isNearlyDone, waitMsMax);
  await killWhen(environment, () => false);
  const refilled = Math.ceil((Date.now() - startedAt) / 72_000);
  for (const kind of dayKinds) {
    const calls = line.callsOf(kind).length;
    assert.ok(calls >= 10 - kills && calls <= 10 + refilled, `${calls} calls of ${kind}`);
  }
});

/** Starts the server, and kills it at that progress or after that time. */
async function killWhen(
  environment: ShoalEnvironment,
  isFar: () => boolean,
  msMax = momentMs,
): Promise<void> {
  const serving = launch({ ...environment, env: { ...environment.env, SHOAL_COLLECT: 'on' } });
  await serving.up;
  const endsAt = performance.now() + msMax;
  while (!isFar() && performance.now() < endsAt) await pause(10);
  await serving.kill();
}

/** Repeatedly starts the server and kills it some calls later. */
async function killWhileCollecting(
  environment: ShoalEnvironment,
  line: FaultyLine,
  random: SeededRandom,
): Promise<void> {
  for (let kill = 0; kill < kills; kill += 1) {
    const expectedCount = line.calls.length + random.integer(1, callsMax);
    await killWhen(environment, () => line.calls.length >= expectedCount);
  }
}
