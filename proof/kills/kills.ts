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
import { chat } from '../world/chat.ts';
import { collecting } from '../world/collecting.ts';
import { deliveries, goesOn } from '../world/deliveries.ts';
import { points } from '../world/points.ts';
import { sends } from '../world/sends.ts';
import { exports, imports } from '../world/transfers.ts';
import { webhooks } from '../world/webhooks.ts';
import type { Work } from '../world/work.ts';
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
  const load = await openLoad(world);
  let passed = 0;
  while (!proving.isOver() || passed === 0) {
    const cycle = await runCycle(world, load, random);
    passed += cycle.length;
    for (const { victim, underWay } of cycle) {
      proving.count(victim, 'total');
      for (const name of underWay) proving.count(victim, name);
    }
    proving.say(`${passed} kills passed, ${load.acknowledged()} deliveries acknowledged`);
  }
}

type Load = { works: readonly Work[]; acknowledged(): number };

async function openLoad(world: World): Promise<Load> {
  const pointKeys = new Set<string>();
  const messageIds = new Set<string>();
  const delivering = deliveries(world);
  const works = [
    delivering,
    points(world, pointKeys),
    chat(world, messageIds),
    sends(world),
    webhooks(world, { pointKeys, messageIds }),
    collecting(world),
    imports(world),
    exports(world),
  ];
  for (const work of works) await work.prepare?.();
  return { works, acknowledged: () => delivering.acknowledged() };
}

async function runCycle(world: World, load: Load, random: SeededRandom): Promise<Kill[]> {
  const struck: Kill[] = [];
  try {
    await world.cluster.takeImage(world.sql);
    for (const work of load.works) work.start();
    // The power first: PostgreSQL writes a checkpoint when it recovers from any other kill, and the image is older than that.
    for (const victim of [
      'power',
      ...shuffled(
        victims.filter((one) => one !== 'power'),
        random,
      ),
    ] as const) {
      await goesOn(load, acknowledgedMin);
      const kill = await strike(world, load, { victim, random });
      struck.push(kill);
      await world.databaseIsUp();
    }
    await goesOn(load, acknowledgedMin);
    await Promise.all(load.works.map((work) => work.stop()));
    await world.settle();
    for (const work of load.works) await work.check();
    await world.checkFigures();
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
  const kill = { victim, aim: aim?.name ?? '', afterMs, underWay: namesUnderWay(load) };
  await killers[victim](world, random);
  return kill;
}

function namesUnderWay({ works }: Load): string[] {
  return works.filter((work) => work.underWay() > 0).map(({ name }) => name);
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

function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.integer(0, left.length - 1), 1)[0] as T);
}
