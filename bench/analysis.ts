/**
 * The client analysis of a bot with many events: its calls per second compared with a reference server that returns the same bytes,
 * and its latency compared with a bot with few events and with SQL over the raw events.
 */
import type { Call } from './generator.ts';
import type { Measuring } from './plan.ts';
import { type RawFigures, rawFigures } from './raw-figures.ts';
import type { Line } from './report.ts';
import { seedEvents } from './seed.ts';
import { analysisCall, answerOf, type BareServer, onlyOk, type Server } from './stage.ts';

type Rig = Measuring & { server: Server; bare: BareServer; large: Call; small: Call; largeId: string };

const warmUpMs = 2_000;
const fewConnections = 10;
const platforms = ['line', 'facebook', 'instagram', 'whatsapp'] as const;
const prefixes: Record<string, string> = {
  line: 'line',
  facebook: 'fb',
  instagram: 'ig',
  whatsapp: 'whatsapp',
};

/** Rows 2, 3 and 4. Throws if the call and the SQL return different figures. */
export async function measureAnalysis(measuring: Measuring): Promise<Line[]> {
  const { stage, plan, say } = measuring;
  const [large, small] = [await stage.addBot('large', platforms), await stage.addBot('small', platforms)];
  say(`seeding ${plan.eventsLarge} and ${plan.eventsSmall} events`);
  await seedEvents(stage.sql, small.botId, plan.eventsSmall, Date.now());
  await seedEvents(stage.sql, large.botId, plan.eventsLarge, Date.now());
  const server = await stage.startServer();
  try {
    const bare = await stage.startBare();
    const calls = { large: analysisCall(large), small: analysisCall(small) };
    const rig: Rig = { ...measuring, server, bare, ...calls, largeId: large.botId };
    const answer = await answerOf(server, rig.large);
    for (const bot of [small, large]) {
      checkFigures(await answerOf(server, analysisCall(bot)), await rawFigures(stage.sql, bot.botId));
    }
    await bare.answerWith(answer);
    await callsOf(rig, server.port, rig.large, plan.connections, warmUpMs);
    await callsOf(rig, bare.port, rig.large, plan.connections, warmUpMs);
    await stage.settle();
    return [await throughput(rig, answer), ...(await latencies(rig)), await againstRaw(rig)];
  } finally {
    await server.stop();
  }
}

async function callsOf({ stage }: Rig, port: number, call: Call, connections: number, durationMs: number) {
  return onlyOk(await stage.generate({ kind: 'calls', port, calls: [call], connections, durationMs }));
}

async function throughput(rig: Rig, answer: string): Promise<Line> {
  const { plan, server, bare, large, say } = rig;
  const values: number[] = [];
  const references: number[] = [];
  for (let run = 0; run < plan.runs; run++) {
    references.push((await callsOf(rig, bare.port, large, plan.connections, plan.callsMs)).perSecond);
    values.push((await callsOf(rig, server.port, large, plan.connections, plan.callsMs)).perSecond);
    say(`analysis ${Math.round(values.at(-1) ?? 0)}/s, bare ${Math.round(references.at(-1) ?? 0)}/s`);
  }
  return {
    what: `client analysis, ${events(plan.eventsLarge)}, ${plan.connections} connections`,
    unit: '/s',
    values,
    against: {
      what: `bare Fastify answering the same ${Buffer.byteLength(answer)} bytes`,
      values: references,
    },
    ratios: values.map((value, run) => value / (references[run] ?? 0)),
    target: { statistic: 'median', sense: 'at least', bound: 0.3, aim: 0.5 },
  };
}

async function latencies(rig: Rig): Promise<Line[]> {
  const lines: Line[] = [];
  for (const connections of [1, fewConnections]) lines.push(await latency(rig, connections));
  return lines;
}

async function latency(rig: Rig, connections: number): Promise<Line> {
  const { plan, server, large, small, say } = rig;
  const values: number[] = [];
  const references: number[] = [];
  for (let run = 0; run < plan.runs; run++) {
    references.push((await callsOf(rig, server.port, small, connections, plan.latencyMs)).p50);
    values.push((await callsOf(rig, server.port, large, connections, plan.latencyMs)).p50);
    say(`median latency ${values.at(-1)?.toFixed(3)} ms, few events ${references.at(-1)?.toFixed(3)} ms`);
  }
  return {
    what: `client analysis, median latency, ${events(plan.eventsLarge)}, ${connections === 1 ? '1 connection' : `${connections} connections`}`,
    unit: 'ms',
    values,
    against: { what: `the same with ${events(plan.eventsSmall)}`, values: references },
    ratios: values.map((value, run) => value / (references[run] ?? 0)),
    target: { statistic: 'median', sense: 'at most', bound: 1.2 },
  };
}

async function againstRaw(rig: Rig): Promise<Line> {
  const { plan, stage, server, large, largeId, say } = rig;
  const values: number[] = [];
  const references: number[] = [];
  for (let run = 0; run < plan.runs; run++) {
    const startedAt = performance.now();
    await rawFigures(stage.sql, largeId);
    references.push(performance.now() - startedAt);
    values.push((await callsOf(rig, server.port, large, 1, plan.latencyMs)).p50);
    say(`analysis ${values.at(-1)?.toFixed(3)} ms, SQL over raw events ${references.at(-1)?.toFixed(0)} ms`);
  }
  return {
    what: `client analysis, median latency, ${events(plan.eventsLarge)}, HTTP included`,
    unit: 'ms',
    values,
    against: { what: 'the same figures by SQL over the raw events', values: references },
    ratios: values.map((value, run) => (references[run] ?? 0) / value),
    target: { statistic: 'median', sense: 'at least', bound: 100 },
    note: 'ratio: how many times faster',
  };
}

/** With wrong figures, the times would be meaningless. */
function checkFigures(answer: string, raw: readonly RawFigures[]): void {
  const { clientAnalysis: figures } = JSON.parse(answer) as { clientAnalysis: Record<string, unknown> };
  if (raw.length !== platforms.length) throw new Error(`events of ${raw.length} platforms only`);
  for (const { platform, followers, blocks, messages, cover } of raw) {
    const prefix = prefixes[platform];
    const pairs = [
      [`${prefix}Followers`, followers],
      [`${prefix}MessageNumbers`, messages],
      [`${prefix}TagCoverRate`, cover],
      ...(platform === 'line' || platform === 'facebook' ? ([[`${prefix}Blocks`, blocks]] as const) : []),
    ] as const;
    for (const [field, value] of pairs) {
      if (value === 0 && /Followers|MessageNumbers/.test(field)) throw new Error(`the seeded ${field} is 0`);
      if (figures[field] !== value)
        throw new Error(`${field} is ${figures[field]} in the answer, ${value} by SQL`);
    }
  }
}

function events(count: number): string {
  return `${count.toLocaleString('en-US')} events`;
}
