/**
 * Nodes of a cluster: a filled database is distributed while the command is killed, then the coordinator and each worker node are
 * killed under load (docs/scale.md).
 *
 * SHOAL_PROOF_CITUS is a URL with the coordinator first, then the worker nodes, all on this machine, of a user who is a superuser.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { foldInbox, makeDeliveries } from '../../bench/fold.ts';
import { randomOf, type SeededRandom } from '../../simulator/events/random.ts';
import { openKeys } from '../../src/auth/keys.ts';
import { createBot } from '../../src/bots/bots.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import { distribute } from '../../src/database/cluster.ts';
import { migrate } from '../../src/database/migrate.ts';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { setUp } from '../../src/ingest/claim.ts';
import { recount } from '../../src/rebuild/recount.ts';
import { dataFolder, launch } from '../../tests/harness/cli.ts';
import { lineSecret } from '../../tests/harness/webhooks.ts';
import { Sender } from '../../tests/reliability/sender.ts';
import { shuffled } from '../kills/kills.ts';
import { Failure, type Part, type Proving } from '../part.ts';
import { tailOf } from '../world/log-tail.ts';
import { expectNone, until } from '../world/world.ts';
import { ClusterNodes } from './cluster-nodes.ts';

const secretKey = 'a secret key for the proof, long enough';
const program = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));
const botCount = 4;
const filledPerBot = 2_000;
const putSize = 500;
const momentMsMax = 1_500;
const downMsMax = 1_500;
/** New deliveries after a restart, so that the next kill finds a running system. */
const acknowledgedMin = 60;
const lookMs = 20;

export const nodes: Part = {
  name: 'nodes',
  summary:
    'kills the distribution of a filled database, then each node of a cluster under load (needs SHOAL_PROOF_CITUS)',
  seconds: { full: 180, quick: 10 },
  run: runNodes,
};

async function runNodes(proving: Proving): Promise<void> {
  const serverUrl = process.env.SHOAL_PROOF_CITUS;
  if (serverUrl === undefined) {
    proving.notAvailable('kills of nodes', 'SHOAL_PROOF_CITUS does not name a cluster');
    return;
  }
  const random = randomOf(proving.seed, 'nodes');
  const folder = await dataFolder(proving.ends);
  const cluster = await ClusterNodes.open(proving.ends, serverUrl, 'shoal_proof');
  const env = { ...folder.env, DATABASE_URL: cluster.url, SHOAL_SECRET_KEY: secretKey };
  const botIds = await fill(cluster, folder.folder);
  await distributeWithKills(cluster, { env, random, proving });
  await checkBots(cluster, botIds, filledPerBot);
  for (const botId of botIds) await checkSettings(cluster, botId);
  proving.count('distribution', 'checked bots', botIds.length);
  const server = launch({ env, onEnd: folder.onEnd });
  proving.onFailure('server log', () => tailOf(server.stderr(), [secretKey]));
  const address = await server.up;
  const senders = botIds.map(
    (botId, index) =>
      new Sender(botId, randomOf(proving.seed, `sender ${index}`), { platforms: ['line'], people: 200 }),
  );
  for (const sender of senders) {
    sender.address = address;
    sender.start();
  }
  proving.ends.after(() => Promise.all(senders.map((sender) => sender.stop())));
  do {
    for (const host of shuffled(cluster.hosts, random)) {
      await goesOn(senders, acknowledgedMin);
      await pause(random.integer(0, momentMsMax));
      cluster.kill(host);
      await pause(random.integer(0, downMsMax));
      await cluster.restart(host);
      const row = host === cluster.hosts[0] ? 'coordinator' : 'worker node';
      proving.count(row, 'kills');
      proving.count(row, 'prepared transactions left', await cluster.prepared());
      proving.say(`${host} killed, ${acknowledgedBy(senders)} deliveries acknowledged`);
    }
  } while (!proving.isOver());
  await goesOn(senders, acknowledgedMin);
  await Promise.all(senders.map((sender) => sender.stop()));
  await settle(cluster);
  for (const [index, botId] of botIds.entries()) await checkSender(cluster, botId, senders[index] as Sender);
  await checkBots(cluster, botIds);
  proving.count('load', 'acknowledged', acknowledgedBy(senders));
}

/** A database that is not distributed yet, with bots and their folded deliveries. */
async function fill({ sql }: ClusterNodes, folder: string): Promise<string[]> {
  await migrate(sql);
  const keys = await openKeys({ secretKey, dataFolder: folder, random: randomBytes });
  const making = { now: Date.now(), random: randomBytes, keys };
  const botIds: string[] = [];
  for (let index = 0; index < botCount; index++) {
    const { botId } = await createBot(sql, { name: `nodes ${index}`, timeZone: 'Asia/Taipei' }, making);
    await setChannel(sql, { botId, platform: 'line', secret: lineSecret }, making);
    botIds.push(botId);
    const deliveries = makeDeliveries(index, filledPerBot).map(
      (delivery) => ({ botId, platform: 'line', source: 'webhook', ...delivery }) as const,
    );
    for (let start = 0; start < deliveries.length; start += putSize)
      await putDeliveries(sql, deliveries.slice(start, start + putSize));
  }
  await foldInbox(sql, botCount * filledPerBot);
  return botIds;
}

/** Kills the command some times, at a table that the seed chooses, then completes the distribution. */
async function distributeWithKills(
  cluster: ClusterNodes,
  { env, random, proving }: { env: Record<string, string>; random: SeededRandom; proving: Proving },
): Promise<void> {
  const { sql } = cluster;
  const distributed = async () => {
    const [row] = await sql<{ count: number }[]>`select count(*)::integer as count from pg_dist_partition`;
    return row?.count ?? 0;
  };
  for (let kills = 0; kills < 3; kills++) {
    const goal = (await distributed()) + random.integer(1, 10);
    const command = spawn(process.execPath, [program, 'cluster', 'distribute'], {
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: 'ignore',
    });
    const ended = once(command, 'exit');
    while (command.exitCode === null && (await distributed()) < goal) await pause(lookMs);
    command.kill('SIGKILL');
    const [code] = await ended;
    if (code !== null) throw new Failure('the distribution ended before its kill', { code, kills });
    proving.count('distribution', 'kills');
  }
  await distribute(sql);
  const [left] = await sql<{ count: number }[]>`
    select count(*)::integer as count from pg_dist_partition where partmethod = 'h'`;
  proving.say(`${left?.count} tables distributed after 3 kills`);
}

/** Waits until all deliveries are counted and Citus has resolved the prepared transactions. */
async function settle(cluster: ClusterNodes): Promise<void> {
  await until('all deliveries are counted', async () => {
    const [row] = await cluster.sql`select from pending_bundles limit 1`;
    return row === undefined;
  });
  await until('no prepared transaction is left', async () => (await cluster.prepared()) === 0, 1_000);
}

/** Each acknowledged message is stored, and none twice. */
async function checkSender({ sql }: ClusterNodes, botId: string, sender: Sender): Promise<void> {
  expectNone('wrong answers to deliveries', sender.wrongAnswers);
  const rows = await sql<{ message: string; count: number }[]>`
    select platform || ' ' || key as message, count(*)::integer as count from events where bot_id = ${botId} group by 1`;
  const stored = new Set(rows.map(({ message }) => message));
  expectNone('acknowledged messages are not counted', sender.acknowledged.difference(stored));
  expectNone(
    'messages are stored twice',
    new Set(rows.flatMap(({ message, count }) => (count > 1 ? [message] : []))),
  );
  const [row] = await sql<{ inbound: number }[]>`
    select sum(inbound)::integer as inbound from totals where bot_id = ${botId}`;
  const [counted] = await sql<{ events: number }[]>`
    select count(*)::integer as events from events where bot_id = ${botId} and kind = 'message-in'`;
  if (row?.inbound !== counted?.events)
    throw new Failure('the figure of received messages differs from the events', { ...row, ...counted });
}

/** `recount --check` of each bot is clean; `events`: the events of each. */
async function checkBots({ sql }: ClusterNodes, botIds: readonly string[], events?: number): Promise<void> {
  for (const botId of botIds) {
    const differences = await recount(sql, botId, { check: true, progress: () => undefined });
    if (differences.length > 0)
      throw new Failure('recount --check found differences', differences.slice(0, 5));
    const [row] = await sql<{ count: number }[]>`
      select count(*)::integer as count from events where bot_id = ${botId}`;
    if (events !== undefined && row?.count !== events)
      throw new Failure(`${row?.count} events instead of ${events}`, { botId });
  }
}

/** The planner settings of a batch reach the node of the bot. */
async function checkSettings({ sql }: ClusterNodes, botId: string): Promise<void> {
  await sql.begin(async (tx) => {
    await setUp(tx);
    const [row] =
      await tx`select current_setting('enable_seqscan') as value from bots where bot_id = ${botId}`;
    if (row?.value !== 'off') throw new Failure('a batch runs with other planner settings on a node', row);
  });
}

async function goesOn(senders: readonly Sender[], count: number): Promise<void> {
  const goal = acknowledgedBy(senders) + count;
  await until('deliveries are acknowledged', () => acknowledgedBy(senders) >= goal);
}

function acknowledgedBy(senders: readonly Sender[]): number {
  return senders.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
}
