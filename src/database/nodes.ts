/**
 * Reads of one bot on the node of a cluster that holds its rows, if DATABASE_URL lists that node (docs/scale.md). The coordinator then
 * takes no part in them. Every node can answer about every bot, so a read on another node, after a move, is slower but right.
 */
import { boundedCache } from '../bounded-cache.ts';
import { Refusal } from '../errors.ts';
import { minuteMs } from '../time.ts';
import { type Address, openClient, type Queryable, type Sql } from './client.ts';
import { hostsOf, withHosts } from './database-url.ts';

/** The servers of a DATABASE_URL. `main` serves everything but reads on nodes; `nodes`: URLs by `host:port`. */
export type Servers = { main: string | Address; nodes: ReadonlyMap<string, string> };

const botsMax = 100_000;
const poolsWithNodes = new WeakMap<object, (botId: string) => Sql>();

/**
 * Separates the worker nodes of a cluster from the other hosts of the URL. Without a cluster, all hosts are alternatives to each
 * other. Asks the first host that answers, if there are several. Throws Refusal INPUT_INVALID without a coordinator.
 */
export async function readServers(databaseUrl: string): Promise<Servers> {
  const hosts = hostsOf(databaseUrl);
  if (hosts.length < 2) return { main: databaseUrl, nodes: new Map() };
  const workers = await readWorkers(databaseUrl);
  const coordinators = hosts.filter((host) => !workers.has(host));
  if (coordinators.length === 0)
    throw new Refusal(
      'INPUT_INVALID',
      'DATABASE_URL names only worker nodes of the cluster. Name the coordinator first.',
    );
  const nodes = hosts.filter((host) => workers.has(host));
  return {
    main: withHosts(databaseUrl, coordinators),
    nodes: new Map(nodes.map((host) => [host, withHosts(databaseUrl, [host])])),
  };
}

/** Lets `nodeOf` find the pools of the nodes, by `host:port`. */
export function attachNodes(sql: Sql, nodes: ReadonlyMap<string, Sql>): void {
  if (nodes.size === 0) return;
  const places = boundedCache<string, Sql>(botsMax, { ttl: minuteMs });
  poolsWithNodes.set(sql, (botId) => {
    const place = places.get(botId);
    if (place) return place;
    const put = (name?: string) => places.set(botId, (name && nodes.get(name)) || sql);
    put();
    // If the look-up fails, the read on the coordinator reports the reason.
    readNode(sql, botId).then(put, () => undefined);
    return sql;
  });
}

/**
 * Where to read the rows of one bot, outside of transactions, and of distributed tables only: the pool of its node, or `sql` itself. The
 * first read of a bot in each minute goes to the coordinator, while its node is looked up.
 */
export function nodeOf(sql: Queryable, botId: string): Queryable {
  return poolsWithNodes.get(sql)?.(botId) ?? sql;
}

async function readNode(sql: Sql, botId: string): Promise<string | undefined> {
  const [row] = await sql<{ name: string }[]>`
    select nodename || ':' || nodeport as name
    from pg_dist_shard
    join pg_dist_placement using (shardid)
    join pg_dist_node using (groupid)
    where logicalrelid = 'bots'::regclass and noderole = 'primary' and isactive
      and worker_hash(${botId}::text) between shardminvalue::integer and shardmaxvalue::integer`;
  return row?.name;
}

/** The worker nodes as `host:port`; none without Citus. */
async function readWorkers(databaseUrl: string): Promise<ReadonlySet<string>> {
  const sql = openClient(databaseUrl, { max: 1, applicationName: 'shoal nodes', lost: () => undefined });
  try {
    const [citus] = await sql`select from pg_extension where extname = 'citus'`;
    if (!citus) return new Set();
    const rows = await sql<{ name: string }[]>`
      select nodename || ':' || nodeport as name from pg_dist_node where groupid <> 0`;
    return new Set(rows.map(({ name }) => name));
  } finally {
    await sql.end();
  }
}
