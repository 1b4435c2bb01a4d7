/**
 * Growth: the cost of a delivery, an event and an answer with more bots, and with more events of one bot. Each size is compared with the
 * smallest one in the same run.
 */
import type { Sql } from '../src/database/client.ts';
import { putDeliveries } from '../src/inbox/inbox.ts';
import { foldInbox, makeDeliveries } from './fold.ts';
import { untilFolded } from './intake.ts';
import { stretch } from './line-deliveries.ts';
import type { Measuring } from './plan.ts';
import type { Line, Target } from './report.ts';
import { seedEvents } from './seed.ts';
import { analysisCall, type BenchBot, channelSecret, onlyOk, type Server } from './stage.ts';
import { watchMemory } from './watch.ts';

/** Of many bots, a commit holds about as many deliveries as there are connections. */
const putSize = 50;
const botsAtOnce = 10;
const foldRunsMax = 20;

export async function measureGrowth(measuring: Measuring): Promise<Line[]> {
  return [...(await measureBots(measuring)), ...(await measureEvents(measuring))];
}

type Sizes = readonly number[];
/** The values of each size, by figure. */
type Values = Map<string, number[]>;

async function measureBots(measuring: Measuring): Promise<Line[]> {
  const { stage, plan, say } = measuring;
  const { growthBots: sizes, growthDeliveries: count } = plan;
  const bots = await addBots(measuring, Math.max(...sizes));
  const values: Values = new Map();
  const add = (figure: string, size: number, value: number) => addTo(values, `${figure} ${size}`, value);
  let stretches = 0;
  const startedAt = Date.now();
  for (let run = -1; run < plan.runs; run++) {
    for (const size of sizes) {
      const botIds = bots.slice(0, size).map(({ botId }) => botId);
      const rate = await foldOfBots(measuring, botIds, { index: stretches++, count });
      // The first round warms up.
      if (run >= 0) add('fold', size, rate);
      if (run >= 0) say(`${size} bots: fold ${Math.round(rate)}/s`);
    }
  }
  const server = await stage.startServer();
  try {
    for (let run = -1; run < plan.runs; run++) {
      for (const size of sizes) {
        const botIds = bots.slice(0, size).map(({ botId }) => botId);
        const numbers = stretch(stretches++, startedAt);
        const times = await countedTimes(measuring, server, { botIds, count, numbers });
        if (run < 0) continue;
        add('counted', size, times.counted);
        add('behind', size, times.behind);
        say(
          `${size} bots: counted after ${times.counted.toFixed(2)} s, ${Math.round(times.behind)} ms behind`,
        );
      }
    }
  } finally {
    await server.stop();
  }
  const deliveries = count.toLocaleString('en-US');
  const of = (size: number) => (size === 1 ? 'one bot' : `${size.toLocaleString('en-US')} bots`);
  return [
    ...compare(values, sizes, {
      figure: 'fold',
      unit: '/s',
      what: (size) => `events folded from an inbox of ${deliveries} deliveries of ${of(size)}`,
      target: { statistic: 'median', sense: 'at least', bound: 1 / botsRatioMax },
    }),
    ...compare(values, sizes, {
      figure: 'counted',
      unit: 's',
      what: (size) =>
        `${deliveries} signed deliveries to ${of(size)}, from the first request until all are counted`,
      target: { statistic: 'median', sense: 'at most', bound: botsRatioMax },
    }),
    ...compare(values, sizes, {
      figure: 'behind',
      unit: 'ms',
      what: (size) => `the same of ${of(size)}, from the last answer until all are counted`,
    }),
  ];
}

const botsRatioMax = 1.5;

async function addBots({ stage, say }: Measuring, count: number): Promise<BenchBot[]> {
  say(`adding ${count} bots`);
  const bots: BenchBot[] = [];
  while (bots.length < count) {
    const names = Array.from({ length: Math.min(botsAtOnce, count - bots.length) }, (_, n) => `growth ${n}`);
    bots.push(...(await Promise.all(names.map((name) => stage.addBot(name)))));
  }
  return bots;
}

/** Events a second: the deliveries lie in the inbox, spread over the bots in turn. */
async function foldOfBots(
  { stage }: Measuring,
  botIds: readonly string[],
  { index, count }: { index: number; count: number },
): Promise<number> {
  const { sql } = stage;
  const deliveries = makeDeliveries(index, count);
  for (let start = 0; start < count; start += putSize) {
    await putDeliveries(
      sql,
      deliveries.slice(start, start + putSize).map((delivery, n) => ({
        ...{ ...delivery, platform: 'line', source: 'webhook' },
        botId: botIds[(start + n) % botIds.length] ?? '',
      })),
    );
  }
  await sql`vacuum analyze`;
  await stage.settle();
  return foldInbox(sql, count);
}

/** Seconds until all deliveries are counted, and ms from the last answer. */
async function countedTimes(
  { stage, plan }: Measuring,
  { port }: Server,
  {
    botIds,
    count,
    numbers,
  }: { botIds: readonly string[]; count: number; numbers: ReturnType<typeof stretch> },
): Promise<{ counted: number; behind: number }> {
  await stage.settle();
  const channel = { botId: botIds[0] ?? '', secret: channelSecret };
  const { connections } = plan;
  const job = {
    kind: 'deliveries',
    port,
    connections,
    durationMs: 300_000,
    channel,
    stretch: numbers,
  } as const;
  const result = onlyOk(await stage.generate({ ...job, botIds: [...botIds], requestsMax: count }));
  const answeredAt = performance.now();
  await untilFolded(stage.sql);
  const behind = performance.now() - answeredAt;
  return { counted: result.seconds + behind / 1_000, behind };
}

async function measureEvents(measuring: Measuring): Promise<Line[]> {
  const { stage, plan, say } = measuring;
  const { growthEvents: sizes } = plan;
  const values: Values = new Map();
  const add = (figure: string, size: number, value: number) => addTo(values, `${figure} ${size}`, value);
  const bots = new Map<number, BenchBot>();
  for (const size of sizes) {
    const bot = await stage.addBot(`${size} events`, ['line', 'facebook', 'instagram', 'whatsapp']);
    say(`seeding ${size} events`);
    const before = await eventBytes(stage.sql);
    await seedEvents(stage.sql, bot.botId, size, Date.now());
    add('bytes', size, ((await eventBytes(stage.sql)) - before) / size);
    bots.set(size, bot);
  }
  for (let run = -1; run < plan.runs; run++) {
    for (const [size, { botId }] of bots) {
      const index = foldRunsMax + run + 1;
      const rate = await foldOfBots(measuring, [botId], { index, count: plan.foldDeliveries });
      if (run >= 0) add('fold', size, 1e6 / rate);
      if (run >= 0) say(`${size} events: ${(1e6 / rate).toFixed(1)} µs an event`);
    }
  }
  await measureCalls(measuring, bots, add);
  const of = (size: number) => `${size.toLocaleString('en-US')} events`;
  const line = (figure: string, unit: string, what: string, sense: Target['sense'] = 'at most') =>
    compare(values, sizes, {
      ...{ figure, unit, what: (size) => `${what}, a bot with ${of(size)}` },
      target: { statistic: 'median', sense, bound: sense === 'at most' ? growthMax : 1 / growthMax },
    });
  return [
    ...line('fold', 'µs', 'fold of an event'),
    ...line('intake', '/s', 'signed deliveries a second', 'at least'),
    ...line('analysis', 'ms', 'client analysis, median'),
    ...line('bytes', 'bytes', 'disk for an event with its indexes'),
    ...line('memory', 'MB', 'memory of the server process after intake'),
  ];
}

const growthMax = 1.3;

async function measureCalls(
  { stage, plan, say }: Measuring,
  bots: ReadonlyMap<number, BenchBot>,
  add: (figure: string, size: number, value: number) => void,
): Promise<void> {
  const server = await stage.startServer();
  try {
    const { port, pid } = server;
    let stretches = 2 * foldRunsMax;
    for (let run = -1; run < Math.min(plan.runs, foldRunsMax / 4); run++) {
      for (const [size, bot] of bots) {
        const calls = { kind: 'calls' as const, port, calls: [analysisCall(bot)], connections: 1 };
        const analysis = onlyOk(await stage.generate({ ...calls, durationMs: plan.latencyMs }));
        const channel = { botId: bot.botId, secret: channelSecret };
        const numbers = stretch(stretches++ % stretchCount, Date.now());
        const job = {
          kind: 'deliveries',
          port,
          connections: plan.connections,
          channel,
          stretch: numbers,
        } as const;
        const memory = watchMemory(pid);
        const intake = onlyOk(await stage.generate({ ...job, durationMs: plan.intakeMs / 4 }));
        await untilFolded(stage.sql);
        const seen = await memory.end();
        if (run < 0) continue;
        add('analysis', size, analysis.p50);
        add('intake', size, intake.perSecond);
        add('memory', size, seen.at(-1) ?? 0);
        say(
          `${size} events: analysis ${analysis.p50.toFixed(2)} ms, intake ${Math.round(intake.perSecond)}/s`,
        );
      }
    }
  } finally {
    await server.stop();
  }
}

const stretchCount = 60;

async function eventBytes(sql: Sql): Promise<number> {
  const [row] = await sql<{ bytes: number }[]>`select pg_total_relation_size('events')::float8 as bytes`;
  return row?.bytes ?? 0;
}

function addTo(values: Values, key: string, value: number): void {
  values.set(key, [...(values.get(key) ?? []), value]);
}

/** A row for each size; all but the first are compared with the first. */
function compare(
  values: Values,
  sizes: Sizes,
  {
    figure,
    unit,
    what,
    target,
  }: { figure: string; unit: string; what: (size: number) => string; target?: Target },
): Line[] {
  const [smallest = 0] = sizes;
  const of = (size: number) => values.get(`${figure} ${size}`) ?? [];
  return sizes.map((size): Line => {
    const line: Line = { what: what(size), unit, values: of(size) };
    if (size === smallest) return line;
    const reference = of(smallest);
    const ratios = of(size).map((value, index) => value / (reference[index] ?? Number.NaN));
    return {
      ...line,
      against: { what: what(smallest), values: reference },
      ratios,
      ...(target && { target }),
    };
  });
}
