/**
 * A cluster of Citus compared with plain PostgreSQL: CPU time of PostgreSQL for each delivery and read, and how it is shared between the
 * nodes. The nodes run on this machine, so their CPU time is that of their processes.
 *
 * SHOAL_BENCH_CITUS is the DATABASE_URL of a distributed database, the coordinator first, then nodes for reads (docs/scale.md). Its user
 * must be a superuser.
 */
import { randomBytes } from 'node:crypto';
import { openKeys } from '../src/auth/keys.ts';
import { createBot } from '../src/bots/bots.ts';
import { setChannel } from '../src/bots/set-channel.ts';
import type { Address, Sql } from '../src/database/client.ts';
import { attachNodes, readServers } from '../src/database/nodes.ts';
import { connect } from '../src/database/pool.ts';
import { useCluster } from '../src/database/row-table.ts';
import { putDeliveries } from '../src/inbox/inbox.ts';
import { availablePoints } from '../src/points/balances.ts';
import { readFigures } from '../src/reports/totals.ts';
import { cpuOf, pidQuery, postmasterOf } from './cpu.ts';
import { foldInbox, makeDeliveries } from './fold.ts';
import type { Measuring } from './plan.ts';
import type { Line } from './report.ts';
import { channelSecret, poolSize, type Stage } from './stage.ts';

const botCount = 20;
const commitSize = 100;
const reads = 2_000;
const idsInCall = 100;
const microseconds = 1_000_000;

/** A database with its servers; the first one is the coordinator. */
type Side = { sql: Sql; servers: { name: string; postmaster: number }[]; botIds: string[] };
/** µs of CPU of each server for one piece of work. */
type Cost = number[];
type Work = 'intake' | 'fold' | 'analysis' | 'points';

const works: Record<Work, { what: string; bound: number }> = {
  intake: { what: `one delivery stored, commits of ${commitSize} over ${botCount} bots`, bound: 3 },
  fold: { what: `one delivery folded, ${botCount} bots`, bound: 1.3 },
  analysis: { what: 'the query of the client analysis', bound: 2 },
  points: { what: `the points of ${idsInCall} contacts`, bound: 2 },
};

/** Without a coordinator it measures nothing and says why. */
export async function measureCluster({ stage, plan, say }: Measuring): Promise<Line[]> {
  const url = process.env.SHOAL_BENCH_CITUS;
  if (url === undefined) {
    say('cluster: skipped, because SHOAL_BENCH_CITUS does not name a coordinator (docs/scale.md)');
    return [];
  }
  const { main, nodes } = await readServers(url);
  const open = (server: string | Address) =>
    connect(server, { max: poolSize, applicationName: 'shoal bench' });
  const sql = open(main);
  const pools = new Map([...nodes].map(([name, server]) => [name, open(server)]));
  attachNodes(sql, pools);
  try {
    const sides = { plain: await openSide(stage.sql, stage), cluster: await openSide(sql, stage) };
    const costs = { plain: emptyCosts(), cluster: emptyCosts() };
    // The first round warms up both sides.
    for (let run = -1; run < plan.runs; run++) {
      for (const name of ['plain', 'cluster'] as const) {
        useCluster(name === 'cluster');
        const cost = await measureSide(sides[name], run + 1, plan.foldDeliveries);
        for (const work of Object.keys(works) as Work[]) if (run >= 0) costs[name][work].push(cost[work]);
        say(
          `${name}: ${Object.entries(cost)
            .map(([work, cpu]) => `${work} ${cpu.map(Math.round)} µs`)
            .join(', ')}`,
        );
      }
    }
    return (Object.keys(works) as Work[]).flatMap((work) =>
      linesOf(work, costs.plain[work], costs.cluster[work]),
    );
  } finally {
    await Promise.all([sql, ...pools.values()].map((pool) => pool.end()));
  }
}

function emptyCosts(): Record<Work, Cost[]> {
  return { intake: [], fold: [], analysis: [], points: [] };
}

function linesOf(work: Work, plain: readonly Cost[], cluster: readonly Cost[]): Line[] {
  const { what, bound } = works[work];
  const totals = cluster.map(sum);
  return [
    {
      what: `cluster: CPU of all nodes for ${what}`,
      unit: ' µs',
      values: totals,
      against: { what: 'plain PostgreSQL', values: plain.map(sum) },
      ratios: totals.map((value, run) => value / sum(plain[run] ?? [])),
      target: { statistic: 'median', sense: 'at most', bound },
    },
    {
      what: `cluster: the coordinator's share of it`,
      unit: '',
      values: cluster.map(([coordinator = 0], run) => coordinator / (totals[run] ?? 1)),
      target: { statistic: 'median', sense: 'at most', bound: 0.1 },
    },
  ];
}

async function openSide(sql: Sql, { dataFolder }: Stage): Promise<Side> {
  const keys = await openKeys({ secretKey: null, dataFolder, random: randomBytes });
  const making = { now: Date.now(), random: randomBytes, keys };
  const botIds: string[] = [];
  for (let index = 0; index < botCount; index++) {
    const { botId } = await createBot(sql, { name: `cluster ${index}`, timeZone: 'Asia/Taipei' }, making);
    await setChannel(sql, { botId, platform: 'line', secret: channelSecret }, making);
    botIds.push(botId);
  }
  return { sql, servers: await serversOf(sql), botIds };
}

async function measureSide(side: Side, run: number, deliveries: number): Promise<Record<Work, Cost>> {
  const { sql, botIds } = side;
  const ofBot = makeDeliveries(run, Math.ceil(deliveries / botCount));
  const all = ofBot.flatMap((delivery) =>
    botIds.map((botId) => ({ botId, platform: 'line', source: 'webhook', ...delivery }) as const),
  );
  const intake = await costOf(side, all.length, async () => {
    for (let start = 0; start < all.length; start += commitSize)
      await putDeliveries(sql, all.slice(start, start + commitSize));
  });
  const fold = await costOf(side, all.length, () => foldInbox(sql, all.length));
  const analysis = await costOf(side, reads, async () => {
    for (let index = 0; index < reads; index++)
      await readFigures(sql, botIds[index % botCount] ?? '', Date.now());
  });
  const contacts = new Map<string, string[]>();
  for (const botId of botIds) {
    const rows = await sql<{ id: string }[]>`
      select contact_id as id from contacts where bot_id = ${botId} order by contact_id limit ${idsInCall}`;
    contacts.set(
      botId,
      rows.map(({ id }) => id),
    );
  }
  const points = await costOf(side, reads, async () => {
    for (let index = 0; index < reads; index++) {
      const botId = botIds[index % botCount] ?? '';
      await availablePoints(sql, { botId, contactIds: contacts.get(botId) ?? [], now: Date.now() });
    }
  });
  return { intake, fold, analysis, points };
}

async function costOf({ servers }: Side, pieces: number, work: () => Promise<unknown>): Promise<Cost> {
  const read = () => Promise.all(servers.map(({ postmaster }) => cpuOf(postmaster)));
  const before = await read();
  await work();
  return (await read()).map((cpu, index) => ((cpu - (before[index] ?? 0)) * microseconds) / pieces);
}

/** The coordinator or the only server first. */
async function serversOf(sql: Sql): Promise<Side['servers']> {
  const [extension] = await sql`select from pg_extension where extname = 'citus'`;
  if (extension === undefined) {
    return [{ name: 'plain', postmaster: await postmasterOf(sql) }];
  }
  const rows = await sql<{ name: string; pid: string }[]>`
    select nodename || ':' || nodeport as name, result as pid
    from run_command_on_all_nodes(${pidQuery}) join pg_dist_node using (nodeid)
    order by groupid`;
  return rows.map(({ name, pid }) => ({ name, postmaster: Number(pid) }));
}

function sum(values: Cost): number {
  return values.reduce((total, value) => total + value, 0);
}
