/**
 * The servers of a given cluster of Citus, all on this machine: a database of the part's own on each, kills and restarts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from '../../src/database/client.ts';
import { hostsOf, readDatabaseUrl, withHosts } from '../../src/database/database-url.ts';
import { connect } from '../../src/database/pool.ts';
import type { Ends } from '../../tests/harness/ends.ts';
import { Failure } from '../part.ts';
import { until } from '../world/world.ts';

/** `command`: program and arguments of the postmaster. */
type Node = { host: string; dataFolder: string; command: string[]; userId: number; groupId: number };

const upSecondsMax = 120;
const startPauseMs = 300;

export class ClusterNodes {
  /** The DATABASE_URL with all hosts, the coordinator first. */
  readonly url: string;
  readonly sql: Sql;
  readonly #nodes: readonly Node[];
  readonly #database: string;

  private constructor(url: string, { sql, nodes, database }: { sql: Sql; nodes: Node[]; database: string }) {
    this.url = url;
    this.sql = sql;
    this.#nodes = nodes;
    this.#database = database;
  }

  /** Creates the database on each host of the URL, the coordinator first, and drops it at the end. The user must be a superuser. */
  static async open(ends: Ends, serverUrl: string, database: string): Promise<ClusterNodes> {
    const server = readDatabaseUrl(serverUrl);
    const hosts = hostsOf(server);
    const urlOf = (name: string, of: readonly string[]) =>
      withHosts(server, of).replace(/\/[^/?]*(?=\?|$)/, `/${name}`);
    const nodes: Node[] = [];
    for (const host of hosts) {
      await within(urlOf('postgres', [host]), async (sql) => {
        await sql`drop database if exists ${sql(database)} with (force)`;
        await sql`create database ${sql(database)} encoding 'UTF8' locale 'C' template template0`;
        nodes.push(await readNode(sql, host));
      });
      await within(urlOf(database, [host]), (sql) => sql`create extension citus`);
    }
    const [coordinator = '', ...workers] = hosts;
    const sql = connect(urlOf(database, [coordinator]), { max: 4, applicationName: 'shoal proof' });
    await sql`select citus_set_coordinator_host(${nameOf(coordinator)}, ${portOf(coordinator)})`;
    for (const worker of workers) await sql`select citus_add_node(${nameOf(worker)}, ${portOf(worker)})`;
    const cluster = new ClusterNodes(urlOf(database, hosts), { sql, nodes, database });
    ends.after(() => cluster.#close(urlOf));
    return cluster;
  }

  get hosts(): string[] {
    return this.#nodes.map(({ host }) => host);
  }

  /** Kills the postmaster of the host (SIGKILL). Its other processes end by themselves. */
  kill(host: string): void {
    const { dataFolder } = this.#node(host);
    process.kill(Number(readFileSync(`${dataFolder}/postmaster.pid`, 'utf8').split('\n', 1)[0]), 'SIGKILL');
  }

  /** Starts the server of the host, and waits until the cluster answers through it. */
  async restart(host: string): Promise<void> {
    const { command, userId, groupId } = this.#node(host);
    const [program = '', ...args] = command;
    const endsAt = performance.now() + upSecondsMax * 1_000;
    // A start fails until the processes of the killed server have ended.
    for (;;) {
      const child = spawn(program, args, {
        stdio: 'ignore',
        detached: true,
        uid: userId,
        gid: groupId,
        cwd: '/',
      });
      child.unref();
      const hasEnded = once(child, 'exit').then(() => true);
      if (!(await Promise.race([hasEnded, this.#answers(host).then(() => false)]))) return;
      if (performance.now() > endsAt) throw new Failure(`${host} does not start`);
      await pause(startPauseMs);
    }
  }

  /** The transactions that wait for the second phase of their commit, on all nodes. */
  async prepared(): Promise<number> {
    const [row] = await this.sql<{ count: number }[]>`
      select sum(result::integer)::integer as count
      from run_command_on_all_nodes('select count(*) from pg_prepared_xacts where database = current_database()')`;
    return row?.count ?? 0;
  }

  async #answers(host: string): Promise<void> {
    await until(`${host} answers`, () =>
      within(withHosts(this.url, [host]), (sql) => sql`select 1`).then(
        () => true,
        () => false,
      ),
    );
  }

  #node(host: string): Node {
    const node = this.#nodes.find((one) => one.host === host);
    if (!node) throw new Failure(`there is no node ${host}`);
    return node;
  }

  async #close(urlOf: (name: string, hosts: string[]) => string): Promise<void> {
    await this.sql.end({ timeout: 1 });
    for (const host of this.hosts)
      await within(
        urlOf('postgres', [host]),
        (sql) => sql`drop database ${sql(this.#database)} with (force)`,
      );
  }
}

async function readNode(sql: Sql, host: string): Promise<Node> {
  const [row] = await sql<{ folder: string; options: string }[]>`
    select current_setting('data_directory') as folder, pg_read_file('postmaster.opts') as options`;
  const pid = Number(readFileSync(`${row?.folder}/postmaster.pid`, 'utf8').split('\n', 1)[0]);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    host,
    dataFolder: row?.folder ?? '',
    command: (row?.options.trim().match(/"[^"]*"|\S+/g) ?? []).map((part) => part.replaceAll('"', '')),
    userId: Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]),
    groupId: Number(/^Gid:\s+(\d+)/m.exec(status)?.[1]),
  };
}

async function within<Value>(url: string, run: (sql: Sql) => Promise<Value>): Promise<Value> {
  const sql = connect(url, { max: 1, applicationName: 'shoal proof nodes' });
  try {
    return await run(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function nameOf(host: string): string {
  return host.replace(/:\d+$/, '');
}

function portOf(host: string): number {
  return Number(/\d+$/.exec(host)?.[0]);
}
