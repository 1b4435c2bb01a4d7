/**
 * Faults around Shoal: of PostgreSQL, of clocks, of receivers and senders, and restarts. The load runs before, during and after each
 * fault. Then everything acknowledged is compared with everything stored, and the fault counts as passed.
 */
import { rmSync } from 'node:fs';
import { randomOf } from '../../simulator/events/random.ts';
import { type Count, Failure, type Part, type Proving } from '../part.ts';
import { Load } from '../world/load.ts';
import { World } from '../world/world.ts';
import { clockEnvironment, clockFile, clockJumps } from './clock.ts';
import { diskFull, frozen, mountSmallDisk, outOfConnections, stopped } from './database.ts';
import type { Fault } from './fault.ts';
import { bigBodies, hangingPeers, idleConnections, slowSenders, socketFlood } from './peers.ts';
import { pendingDeliveries, sigterm } from './restarts.ts';

const all: readonly Fault[] = [
  frozen,
  stopped,
  outOfConnections,
  clockJumps,
  hangingPeers,
  idleConnections,
  slowSenders,
  bigBodies,
  socketFlood,
  pendingDeliveries,
  sigterm,
];
const acknowledgedMin = 20;
const recoveryMsMax = 30_000;
/** The short form has this many faults, and compares after the last one. */
const quickFaults = 4;

export const faults: Part = {
  name: 'faults',
  summary: 'freezes, stops, fills and floods what is around Shoal, under load',
  seconds: { full: 600, quick: 20 },
  run: runFaults,
};

async function runFaults(proving: Proving): Promise<void> {
  proving.atLast(() => rmSync(clockFile, { force: true }));
  const disk = mountSmallDisk(proving);
  const above = proving.isQuick ? disk : null;
  const world = await World.open(proving, { env: clockEnvironment, ...(above === null ? {} : { above }) });
  const load = await Load.open(world);
  const full = disk === null ? null : diskFull(disk);
  // The seed chooses the first one, so that several short runs include all.
  const ordered = rotated(full === null ? all : [...all, full], proving.seed);
  const faultsHere = proving.isQuick ? ordered.slice(0, quickFaults) : ordered;
  const size = proving.isQuick ? quickFaults : 1;
  for (let first = 0; first < faultsHere.length; first += size) {
    const group = faultsHere.slice(first, first + size);
    if (disk !== null && !proving.isQuick && group[0] === full) {
      const small = await World.open(proving, { above: disk });
      await runGroup(proving, { world: small, load: await Load.open(small), faults: group });
    } else await runGroup(proving, { world, load, faults: group });
    if (proving.isOver() && !proving.isQuick) {
      proving.say('the time is over: later faults are left out');
      return;
    }
  }
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

type Group = { world: World; load: Load; faults: readonly Fault[] };

/** Runs the faults under load, then compares. The full form has one fault in a group. */
async function runGroup(proving: Proving, { world, load, faults: group }: Group): Promise<void> {
  const names = group.map(({ name }) => name);
  let running = names[0] ?? '';
  const counts: Count[] = [];
  try {
    load.start();
    for (const fault of group) {
      running = fault.name;
      counts.push(...(await runFault(proving, { world, load, fault })));
    }
    await load.stopAndCheck();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const details = error instanceof Failure ? error.input : error instanceof Error ? error.stack : null;
    throw new Failure(`${running}: ${message}`, { faultsSinceTheLastCheck: names, details });
  }
  for (const { row, column, count } of counts) proving.count(row, column, count);
  proving.say(`passed: ${names.join(', ')}`);
}

/** Runs one fault and measures the recovery. Returns what counts once the checks have passed. */
async function runFault(
  proving: Proving,
  { world, load, fault }: { world: World; load: Load; fault: Fault },
): Promise<Count[]> {
  const seconds = proving.isQuick ? fault.seconds.quick : fault.seconds.full;
  await load.goesOn(acknowledgedMin);
  const before = load.acknowledged;
  const row = fault.name;
  const counts: Count[] = [{ row, column: 'passed', count: 1 }];
  const count = (column: string, by = 1) => void counts.push({ row, column, count: by });
  await fault.run({ world, load, proving, count, random: randomOf(proving.seed, row), seconds });
  count('messages acknowledged during it', load.acknowledged - before);
  const endedAt = performance.now();
  await load.goesOn(acknowledgedMin);
  proving.measure({
    what: `${fault.name}: from its end until ${acknowledgedMin} messages are acknowledged`,
    value: Math.round(performance.now() - endedAt),
    unit: 'ms',
    most: recoveryMsMax,
  });
  return counts;
}
