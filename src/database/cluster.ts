/**
 * Citus: a database whose tables are distributed by `bot_id` over several PostgreSQL servers (docs/scale.md).
 *
 * A table is distributed if its primary key begins with `bot_id`, except the inbox and other queues (`queueTables`). All of them are
 * colocated with `bots`, so that the rows of a bot are on one node. The other tables describe the installation.
 */
import { Refusal } from '../errors.ts';
import type { Queryable, Sql } from './client.ts';
import { textList } from './lists.ts';
import { useCluster } from './row-table.ts';

/**
 * Tables that stay on the coordinator: the inbox, other queues, and live chat. One statement reads or writes them for many bots, many
 * times a second, and the number of their rows does not grow with the history of a bot (docs/decisions/0016-the-inbox-is-not-distributed.md).
 */
export const queueTables: readonly string[] = [
  'deliveries',
  'pending_bundles',
  'refused_deliveries',
  'delivery_people',
  'delivery_people_positions',
  'profile_positions',
  'jobs',
  'callbacks',
  'notices',
  'pending_notices',
  'notice_attempts',
  'alert_rules',
  'alert_targets',
  'alert_secrets',
  'alerts',
  'alert_reports',
  'chat_visitors',
  'chat_messages',
  'chat_images',
  'chat_notes',
  'chat_online',
  'chat_usage',
];

/** The key of the advisory lock of a distribution. */
const lockKey = 740_231_519;

/** True if the database can be a cluster. Its tables may not be distributed yet. Every process asks when it migrates. */
async function hasCitus(sql: Queryable): Promise<boolean> {
  const rows = await sql`select from pg_extension where extname = 'citus'`;
  if (rows.length > 0) useCluster();
  return rows.length > 0;
}

/** How many bots a statement may name: on a cluster, one; otherwise, any number. */
export async function botsPerStatement(sql: Queryable): Promise<number> {
  return (await hasCitus(sql)) ? 1 : Number.POSITIVE_INFINITY;
}

type BotTable = { name: string; isDistributed: boolean };

/** All tables that belong to bots, `bots` first. Needs Citus. */
async function botTables(sql: Queryable): Promise<BotTable[]> {
  return sql<BotTable[]>`
    select relname as name, exists (
      select from pg_dist_partition where logicalrelid = pg_class.oid and partmethod = 'h'
    ) as "isDistributed"
    from pg_class
    join pg_index on indrelid = pg_class.oid and indisprimary
    join pg_attribute on attrelid = pg_class.oid and attnum = indkey[0]
    where relnamespace = current_schema()::regnamespace and relkind = 'r' and attname = 'bot_id'
      and relname <> all (${textList(queueTables)}::text[]) and not relation_is_a_known_shard(pg_class.oid)
    order by relname <> 'bots', relname`;
}

/** `tables`: those that were distributed by this call, or would be. `nodes`: how many hold shards. */
export type Distribution = { tables: string[]; nodes: number };

/** Checks that the database can be distributed. Throws Refusal INPUT_INVALID. */
export async function checkDistribution(sql: Sql): Promise<Distribution> {
  if (!(await hasCitus(sql))) {
    throw new Refusal(
      'INPUT_INVALID',
      'The database has no Citus. Install Citus on the server, run "create extension citus" in this database, add the nodes (citus_add_node), then repeat this command (docs/scale.md).',
    );
  }
  const [row] = await sql<{ nodes: number }[]>`
    select count(*)::integer as nodes from pg_dist_node where noderole = 'primary' and shouldhaveshards and isactive`;
  const nodes = row?.nodes ?? 0;
  if (nodes === 0) {
    throw new Refusal(
      'INPUT_INVALID',
      'No node of the cluster may hold shards. Add a worker with citus_add_node, or let the coordinator hold shards (docs/scale.md).',
    );
  }
  const tables = await botTables(sql);
  return { tables: tables.flatMap(({ name, isDistributed }) => (isDistributed ? [] : [name])), nodes };
}

/**
 * Distributes all tables of bots with their rows, one table in each transaction. Idempotent: after an interruption, it continues with
 * the next table. No server may run, because a statement cannot join distributed tables and others. Throws Refusal INPUT_INVALID.
 */
export async function distribute(
  sql: Sql,
  progress: (done: number, all: number) => void = () => undefined,
): Promise<Distribution> {
  const distribution = await checkDistribution(sql);
  await checkNoServer(sql);
  const { tables } = distribution;
  for (const [index, table] of tables.entries()) {
    progress(index, tables.length);
    await sql.begin(async (tx) => {
      // PostgreSQL completes the last statement of a command that was killed.
      await tx`select pg_advisory_xact_lock(${lockKey})`;
      if (!(await isDistributed(tx, table))) await distributeTable(tx, table);
    });
  }
  // Citus has copied the rows and hides the original ones, which still take space. `bots` is last: foreign keys refer to it.
  for (const { name } of (await botTables(sql)).toReversed())
    await sql`select truncate_local_data_after_distributing_table(${name}::text::regclass)`;
  progress(tables.length, tables.length);
  return distribution;
}

/** Distributes the tables that a migration has added, within its transaction. Does nothing before `distribute`. */
export async function distributeAdded(sql: Queryable): Promise<void> {
  if (!(await hasCitus(sql))) return;
  const tables = await botTables(sql);
  if (!tables.some(({ name, isDistributed }) => name === 'bots' && isDistributed)) return;
  for (const { name, isDistributed } of tables) if (!isDistributed) await distributeTable(sql, name);
}

async function isDistributed(sql: Queryable, table: string): Promise<boolean> {
  const rows = await sql`select from pg_dist_partition where logicalrelid = ${table}::text::regclass`;
  return rows.length > 0;
}

async function distributeTable(sql: Queryable, table: string): Promise<void> {
  const colocated = table === 'bots' ? 'none' : 'bots';
  await sql`select create_distributed_table(${table}::text::regclass, 'bot_id', colocate_with => ${colocated})`;
}

async function checkNoServer(sql: Queryable): Promise<void> {
  const rows = await sql`
    select from pg_stat_activity
    where datname = current_database() and application_name like 'shoal serve %'`;
  if (rows.length === 0) return;
  throw new Refusal(
    'INPUT_INVALID',
    'A server runs on this database. Stop every server, then repeat this command.',
  );
}

/** The transactions on all nodes that wait for the second phase of their commit; null: there is no Citus. */
export async function countPrepared(sql: Sql): Promise<number | null> {
  if (!(await hasCitus(sql))) return null;
  const [row] = await sql<
    { count: number }[]
  >`select sum(transactions)::integer as count from ${preparedByNode(sql)}`;
  return row?.count ?? 0;
}

/** For queries: a table `prepared` of node ids and their prepared transactions. */
function preparedByNode(sql: Queryable) {
  return sql`(
    select nodeid, result::integer as transactions
    from run_command_on_all_nodes('select count(*) from pg_prepared_xacts where database = current_database()')
    where success
  ) as prepared`;
}

/** A node of the cluster. `bytes`: its shards with their indexes. `prepared`: transactions that wait for the second phase of their commit. */
export type ClusterNode = {
  host: string;
  port: number;
  isActive: boolean;
  shards: number;
  bots: number;
  bytes: number;
  prepared: number;
};

/** The nodes, by host and port. Throws Refusal INPUT_INVALID without Citus. */
export async function readNodes(sql: Sql): Promise<ClusterNode[]> {
  await checkDistribution(sql);
  return sql<ClusterNode[]>`
    with shard as (
      select nodename, nodeport, count(*) as shards, sum(shard_size) as bytes, sum(bots.result::bigint) as bots
      from citus_shards
      left join run_command_on_shards('bots', 'select count(*) from %s') bots using (shardid)
      group by nodename, nodeport
    )
    select nodename as host, nodeport as port, isactive as "isActive", coalesce(shards, 0)::float8 as shards,
      coalesce(bots, 0)::float8 as bots, coalesce(bytes, 0)::float8 as bytes,
      coalesce(transactions, 0) as prepared
    from pg_dist_node
    left join shard using (nodename, nodeport)
    left join ${preparedByNode(sql)} using (nodeid)
    where noderole = 'primary'
    order by nodename, nodeport`;
}
