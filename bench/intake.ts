/**
 * Intake: signed LINE deliveries over HTTP, answered after their commit, while the same process folds them. Compared with the
 * reference server, which checks the same signature and stores nothing. Also the server's memory under that load.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from '../src/database/client.ts';
import { recount } from '../src/rebuild/recount.ts';
import { type LineChannel, stretch } from './line-deliveries.ts';
import type { LoadResult } from './load.ts';
import type { Measuring } from './plan.ts';
import type { Line, Target } from './report.ts';
import { analysisCall, answerOf, type BenchBot, channelSecret, onlyOk, type Server } from './stage.ts';
import { mean, quantile } from './statistics.ts';
import { watchAges, watchFreshness, watchMemory } from './watch.ts';

type Round = LoadResult & { ages: number[]; fresh: number[]; memory: number[]; acknowledged: number };
type Pair = { round: Round; bare: LoadResult };
type Rig = Measuring & {
  server: Server;
  bot: BenchBot;
  channel: LineChannel;
  startedAt: number;
  stretches: number;
};

const foldedMsMax = 120_000;
const warmUpMs = 3_000;

/** Rows 1: rates, latencies and delays of the intake. Checks that every acknowledged delivery counts once. */
export async function measureIntake(measuring: Measuring): Promise<Line[]> {
  const { stage, plan, say } = measuring;
  return withRig(measuring, async (rig) => {
    const bare = await stage.startBare();
    const bareRound = (durationMs: number) =>
      stage.generate({ ...deliveries(rig, bare.port, durationMs), stretch: nextStretch(rig) }).then(onlyOk);
    const warmUp = await round(rig, warmUpMs);
    await bareRound(warmUpMs);
    const pairs: Pair[] = [];
    for (const ms of [...Array<number>(plan.runs).fill(plan.intakeMs), plan.intakeLongMs]) {
      const pair = { bare: await bareRound(plan.bareMs), round: await round(rig, ms) };
      say(`intake ${Math.round(pair.round.perSecond)}/s, bare ${Math.round(pair.bare.perSecond)}/s`);
      pairs.push(pair);
    }
    const rounds = [warmUp, ...pairs.map(({ round }) => round)];
    const acknowledged = rounds.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    return intakeLines(pairs, await countedWrongly(rig, acknowledged));
  });
}

/** Row 7: memory of the server's process during a long load. */
export async function measureMemory(measuring: Measuring): Promise<Line[]> {
  const { plan, say } = measuring;
  return withRig(measuring, async (rig) => {
    const { memory, perSecond, ages } = await round(rig, plan.memoryMs);
    const minute = (index: number) =>
      memory.slice((memory.length * index) / 5, (memory.length * (index + 1)) / 5);
    const [second, last] = [mean(minute(1)), mean(minute(4))];
    say(`memory at most ${Math.round(Math.max(...memory))} MB, oldest pending ${Math.max(...ages)} ms`);
    const load = `${Math.round(plan.memoryMs / 1_000)} s of ${Math.round(perSecond)} deliveries a second`;
    return [
      {
        what: 'memory of the server process under the intake load',
        unit: 'MB',
        values: memory,
        target: { statistic: 'max', sense: 'at most', bound: 180 },
        note: `sampled each second during ${load}`,
      },
      {
        what: 'the same, flat',
        unit: 'MB',
        values: [last],
        against: { what: 'second fifth of the time; measured: last fifth', values: [second] },
        ratios: [last / second],
        target: { statistic: 'max', sense: 'at most', bound: flatRatioMax },
      },
    ];
  });
}

const flatRatioMax = 1.1;

async function withRig<T>(measuring: Measuring, run: (rig: Rig) => Promise<T>): Promise<T> {
  const bot = await measuring.stage.addBot('intake');
  const server = await measuring.stage.startServer();
  const channel = { botId: bot.botId, secret: channelSecret };
  try {
    return await run({ ...measuring, server, bot, channel, startedAt: Date.now(), stretches: 0 });
  } finally {
    await server.stop();
  }
}

function nextStretch(rig: Rig) {
  return stretch(rig.stretches++, rig.startedAt);
}

function deliveries({ plan, channel }: Rig, port: number, durationMs: number) {
  return { kind: 'deliveries' as const, port, connections: plan.connections, durationMs, channel };
}

async function round(rig: Rig, durationMs: number): Promise<Round> {
  const { stage, server, channel } = rig;
  await stage.settle();
  const ages = watchAges(stage.sql, channel.botId);
  const fresh = watchFreshness(stage.sql, server.address, channel, nextStretch(rig));
  const memory = watchMemory(server.pid);
  const job = { ...deliveries(rig, server.port, durationMs), stretch: nextStretch(rig) };
  const result = onlyOk(await stage.generate(job));
  const seen = { ages: await ages.end(), fresh: await fresh.end(), memory: await memory.end() };
  await untilFolded(stage.sql);
  return { ...result, ...seen, acknowledged: result.requests + seen.fresh.length };
}

export async function untilFolded(sql: Sql): Promise<void> {
  const endsAt = performance.now() + foldedMsMax;
  while (performance.now() < endsAt) {
    const pending = await sql`select from pending_bundles limit 1`;
    if (pending.length === 0) return;
    await pause(20);
  }
  throw new Error('the deliveries were not folded in time');
}

/** Differences from the acknowledged deliveries: missing and extra messages, and wrong rows according to a recount. */
async function countedWrongly({ stage, server, bot, say }: Rig, acknowledged: number): Promise<number> {
  const answer: unknown = JSON.parse(await answerOf(server, analysisCall(bot)));
  const shown = messagesOf(answer);
  const differences = await recount(stage.sql, bot.botId, { check: true, progress: () => undefined });
  say(`acknowledged ${acknowledged}, counted ${shown}, ${differences.length} rows differ from a recount`);
  return Math.abs(shown - acknowledged) + differences.length;
}

function messagesOf(answer: unknown): number {
  const { clientAnalysis } = answer as { clientAnalysis: { lineMessageNumbers: number } };
  return clientAnalysis.lineMessageNumbers;
}

function intakeLines(pairs: readonly Pair[], wrong: number): Line[] {
  const of = (figure: (round: Round) => number): number[] => pairs.map(({ round }) => figure(round));
  const rates = of(({ perSecond }) => perSecond);
  const bareRates = pairs.map(({ bare }) => bare.perSecond);
  const atMost = (bound: number, statistic: Target['statistic'] = 'median'): Target => {
    return { statistic, sense: 'at most', bound };
  };
  return [
    {
      what: 'signed LINE deliveries, answered after commit, with concurrent folds',
      unit: '/s',
      values: rates,
      against: { what: 'bare Fastify with the same signature check', values: bareRates },
      ratios: pairs.map(({ round, bare }) => round.perSecond / bare.perSecond),
      target: { statistic: 'median', sense: 'at least', bound: 0.4 },
      note: `${seconds(pairs)}; 50 connections; a checkpoint before each run`,
    },
    {
      what: 'the same, by itself',
      unit: '/s',
      values: rates,
      target: { statistic: 'median', sense: 'at least', bound: 3_300 },
    },
    { what: 'median time to the answer', unit: 'ms', values: of(({ p50 }) => p50), target: atMost(25) },
    {
      what: 'answers after more than 250 ms',
      unit: '%',
      values: of(({ above250 }) => above250 * 100),
      target: atMost(1, 'max'),
    },
    {
      what: 'oldest delivery that is not folded, sampled every 100 ms, 99th percentile',
      unit: 'ms',
      values: of(({ ages }) => quantile(ages, 0.99)),
    },
    {
      what: 'the same, largest',
      unit: 'ms',
      values: of(({ ages }) => Math.max(...ages)),
      target: atMost(1_000, 'max'),
    },
    {
      what: 'from the answer until counted, 99th percentile',
      unit: 'ms',
      values: of(({ fresh }) => quantile(fresh, 0.99)),
      target: atMost(1_000, 'max'),
    },
    {
      what: 'acknowledged deliveries that are not counted exactly once, and rows that differ from a recount',
      unit: '',
      values: [wrong],
      target: atMost(0, 'max'),
    },
  ];
}

function seconds(pairs: readonly Pair[]): string {
  return `runs of ${pairs.map(({ round }) => Math.round(round.seconds)).join(', ')} s`;
}
