/**
 * LINE's Insight calls: the followers call of an account with three years of days, compared with Prism as a mock of the same document
 * and with the reference server; and the statistics of a large broadcast compared with those of a small one.
 */

import { randomBytes } from 'node:crypto';
import { createLineToken } from '../src/bots/line-tokens.ts';
import type { Sql } from '../src/database/client.ts';
import { addInteractions } from '../src/line/interactions.ts';
import { importSnapshots } from '../src/line/snapshots.ts';
import { addDays, dayMs, dayOf, lineZone } from '../src/time.ts';
import { recordSend } from '../tests/harness/line-figures.ts';
import type { Call } from './generator.ts';
import type { Measuring } from './plan.ts';
import { prismName, startPrism } from './prism.ts';
import type { Line } from './report.ts';
import { answerOf, type BareServer, onlyOk, type Server } from './stage.ts';

const daysHeld = 3 * 365;
const warmUpMs = 2_000;
const interactionsAtOnce = 10_000;
const interactedShare = 0.1;
/** Recipients of the two compared broadcasts. */
const [smallSend, largeSend] = [1_000, 1_000_000];

type Rig = Measuring & { server: Server; bare: BareServer; prismPort: number; token: string };

/** Followers calls per second, and the latency of a send's statistics. */
export async function measureInsight(measuring: Measuring): Promise<Line[]> {
  const { stage, say } = measuring;
  const { botId } = await stage.addBot('insight');
  const now = Date.now();
  const { token } = await createLineToken(stage.sql, botId, {}, { now, random: randomBytes });
  say(`seeding ${daysHeld} days and two broadcasts`);
  const days = await seedDays(stage.sql, botId, now);
  for (const recipients of [smallSend, largeSend]) await seedSend(stage.sql, botId, recipients, now);
  const prism = await startPrism('line-insight.yaml');
  const server = await stage.startServer();
  try {
    const rig = { ...measuring, server, bare: await stage.startBare(), prismPort: prism.port, token };
    return [...(await followers(rig, days)), await statistics(rig)];
  } finally {
    await server.stop();
    prism.stop();
  }
}

async function followers(rig: Rig, days: readonly string[]): Promise<Line[]> {
  const { plan, server, bare, prismPort, say } = rig;
  const calls = days.map((day) => insightCall(rig, `followers?date=${day.replaceAll('-', '')}`));
  const [call] = calls;
  if (!call) throw new Error('no day was seeded');
  const answer = await answerOf(server, call);
  if (!answer.includes('"status":"ready"')) throw new Error(`the seeded day is not ready: ${answer}`);
  await bare.answerWith(answer);
  for (const port of [server.port, bare.port, prismPort]) await load(rig, port, calls, warmUpMs);
  const values: number[] = [];
  const byPrism: number[] = [];
  const byBare: number[] = [];
  for (let run = 0; run < plan.runs; run++) {
    byPrism.push((await load(rig, prismPort, calls, plan.callsMs)).perSecond);
    byBare.push((await load(rig, bare.port, calls, plan.callsMs)).perSecond);
    values.push((await load(rig, server.port, calls, plan.callsMs)).perSecond);
    say(`followers ${rounded(values)}/s, bare ${rounded(byBare)}/s, Prism ${rounded(byPrism)}/s`);
  }
  const what = `getNumberOfFollowers, ${daysHeld.toLocaleString('en-US')} days held, ${plan.connections} connections`;
  return [
    {
      ...{ what, unit: '/s', values, against: { what: prismName, values: byPrism } },
      ratios: values.map((value, run) => value / (byPrism[run] ?? 0)),
      target: { statistic: 'median', sense: 'at least', bound: 3, aim: 5 },
    },
    {
      ...{ what, unit: '/s', values },
      against: { what: `bare Fastify answering the same ${answer.length} bytes`, values: byBare },
      ratios: values.map((value, run) => value / (byBare[run] ?? 0)),
      target: { statistic: 'median', sense: 'at least', bound: 0.3, aim: 0.5 },
    },
  ];
}

async function statistics(rig: Rig): Promise<Line> {
  const { plan, server, say } = rig;
  const callOf = (recipients: number) =>
    insightCall(rig, `message/event?requestId=${requestIdOf(recipients)}`);
  const [small, large] = [callOf(smallSend), callOf(largeSend)];
  const answer = await answerOf(server, large);
  if (!answer.includes(`"delivered":${largeSend}`)) throw new Error(`the seeded send is missing: ${answer}`);
  const values: number[] = [];
  const references: number[] = [];
  for (const call of [small, large]) await load(rig, server.port, [call], warmUpMs, 1);
  for (let run = 0; run < plan.runs; run++) {
    references.push((await load(rig, server.port, [small], plan.latencyMs, 1)).p50);
    values.push((await load(rig, server.port, [large], plan.latencyMs, 1)).p50);
    say(`send statistics ${values.at(-1)?.toFixed(3)} ms, small ${references.at(-1)?.toFixed(3)} ms`);
  }
  const people = (count: number) => `${count.toLocaleString('en-US')} people`;
  const done = (count: number) => (count * interactedShare).toLocaleString('en-US');
  return {
    what: `getMessageEvent, median latency, broadcast to ${people(largeSend)} with ${done(largeSend)} interactions`,
    unit: 'ms',
    values,
    against: { what: `to ${people(smallSend)} with ${done(smallSend)}`, values: references },
    ratios: values.map((value, run) => value / (references[run] ?? 0)),
    target: { statistic: 'median', sense: 'at most', bound: 1.5 },
  };
}

async function load(
  { stage, plan }: Rig,
  port: number,
  calls: Call[],
  durationMs: number,
  connections = plan.connections,
) {
  return onlyOk(await stage.generate({ kind: 'calls', port, calls, connections, durationMs }));
}

function insightCall({ token }: Rig, path: string): Call {
  return { path: `/v2/bot/insight/${path}`, headers: { authorization: `Bearer ${token}` }, body: null };
}

async function seedDays(sql: Sql, botId: string, now: number): Promise<string[]> {
  const today = dayOf(now, lineZone);
  const days = Array.from({ length: daysHeld }, (_, index) => addDays(today, index - daysHeld));
  const entries = days.map((day, index) => ({
    kind: 'followers',
    day,
    value: { status: 'ready', followers: 5_000 + index, targetedReaches: 4_000 + index, blocks: 1_000 },
  }));
  await importSnapshots(sql, { botId, entries }, { now });
  return days;
}

/** A broadcast that a tenth of its recipients opened. Half of those clicked. */
async function seedSend(sql: Sql, botId: string, recipients: number, now: number): Promise<void> {
  const requestId = requestIdOf(recipients);
  const sentAt = now - dayMs;
  await recordSend(sql, botId, { requestId, kind: 'broadcast', unit: null, recipients, sentAt });
  const impressions = Math.round((recipients * interactedShare * 2) / 3);
  const clicks = recipients * interactedShare - impressions;
  const all = [
    ...Array.from({ length: impressions }, (_, person) => ({ kind: 'impression' as const, url: '', person })),
    ...Array.from({ length: clicks }, (_, person) => ({
      kind: 'click' as const,
      url: 'https://shop.example/new',
      person,
    })),
  ];
  for (let start = 0; start < all.length; start += interactionsAtOnce) {
    const interactions = all.slice(start, start + interactionsAtOnce).map(({ kind, url, person }) => ({
      ...{ requestId, kind, url, seq: 1, at: sentAt + 1 },
      person: `U${String(person).padStart(32, '0')}`,
    }));
    await sql.begin((tx) => addInteractions(tx, botId, interactions));
  }
}

function requestIdOf(recipients: number): string {
  return `bench-${recipients}`;
}

function rounded(values: readonly number[]): number {
  return Math.round(values.at(-1) ?? 0);
}
