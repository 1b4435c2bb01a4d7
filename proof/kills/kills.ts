/**
 * Kills: the web process, the worker, PostgreSQL's postmaster, the server process of one connection, and the power, in turn, under
 * load of every kind.
 *
 * A cycle: an image of the disk for the power cut; the load; each victim once, at a moment that the seed chooses; the end of the load;
 * the comparison of everything acknowledged with everything stored, a recount and an audit. Only then the kills of the cycle count.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { randomOf, type SeededRandom } from '../../simulator/events/random.ts';
import { Failure, type Part, type Proving } from '../part.ts';
import { Load } from '../world/load.ts';
import { World } from '../world/world.ts';

export const victims = ['web', 'worker', 'postmaster', 'backend', 'power'] as const;
export type Victim = (typeof victims)[number];

/** One kill: its victim, the work that it waited for, and the work that was under way. */
type Kill = { victim: Victim; aim: string; afterMs: number; underWay: string[] };

const momentMsMax = 400;
const aimMsMax = 500;
/** New deliveries after the restart, so that the next kill finds a running system. */
const acknowledgedMin = 15;

export const kills: Part = {
  name: 'kills',
  summary: 'kills the web process, the worker, PostgreSQL, one of its connections, and the power under load',
  seconds: { full: 300, quick: 20 },
  run: runKills,
};

async function runKills(proving: Proving): Promise<void> {
  const world = await World.open(proving);
  const random = randomOf(proving.seed, 'kills');
  const load = await Load.open(world);
  let passed = 0;
  while (!proving.isOver() || passed === 0) {
    const cycle = await runCycle(world, load, random);
    passed += cycle.length;
    for (const { victim, underWay } of cycle) {
      proving.count(victim, 'total');
      for (const name of underWay) proving.count(victim, name);
    }
    proving.say(`${passed} kills passed, ${load.acknowledged} deliveries acknowledged`);
  }
}

async function runCycle(world: World, load: Load, random: SeededRandom): Promise<Kill[]> {
  const struck: Kill[] = [];
  try {
    await world.cluster.takeImage(world.sql);
    load.start();
    // The power first: PostgreSQL writes a checkpoint when it recovers from any other kill, and the image is older than that.
    for (const victim of [
      'power',
      ...shuffled(
        victims.filter((one) => one !== 'power'),
        random,
      ),
    ] as const) {
      await load.goesOn(acknowledgedMin);
      const kill = await strike(world, load, { victim, random });
      struck.push(kill);
      await world.databaseIsUp();
    }
    await load.goesOn(acknowledgedMin);
    await load.stopAndCheck();
    return struck;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const details = error instanceof Failure ? error.input : error instanceof Error ? error.stack : null;
    throw new Failure(message, { killsSinceTheLastCheck: struck, details });
  }
}

async function strike(
  world: World,
  load: Load,
  { victim, random }: { victim: Victim; random: SeededRandom },
): Promise<Kill> {
  const aim = load.works[random.integer(0, load.works.length - 1)];
  const afterMs = random.integer(0, momentMsMax);
  await pause(afterMs);
  const endsAt = performance.now() + aimMsMax;
  while (aim?.underWay() === 0 && performance.now() < endsAt) await pause(1);
  const kill = { victim, aim: aim?.name ?? '', afterMs, underWay: load.underWay() };
  await killers[victim](world, random);
  return kill;
}

const killers: Record<Victim, (world: World, random: SeededRandom) => Promise<void>> = {
  async web(world) {
    await world.kill('web');
    await world.start('web');
  },
  async worker(world) {
    await world.kill('worker');
    await world.start('worker');
  },
  async postmaster({ cluster }) {
    await cluster.killPostmaster();
    await cluster.start();
  },
  backend: ({ cluster, sql }, random) =>
    cluster.killBackend(sql, (pids) => pids[random.integer(0, pids.length - 1)] ?? 0),
  async power(world) {
    // From here on, nothing is acknowledged. Everything acknowledged before must be in the synced log.
    await Promise.all([world.freeze('web'), world.freeze('worker')]);
    await world.cluster.cutPower(world.sql);
    await Promise.all([world.kill('web'), world.kill('worker')]);
    await world.cluster.start();
    await Promise.all([world.start('web'), world.start('worker')]);
  },
};

export function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.integer(0, left.length - 1), 1)[0] as T);
}
