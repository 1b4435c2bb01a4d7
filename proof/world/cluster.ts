/**
 * A PostgreSQL cluster of the proof: its own server on a loopback port, with the embedded server's settings (fsync on). It can be
 * killed, and restarted from an image of the disk as a power cut leaves it.
 *
 * The image of a power cut: the data files are those of the last checkpoint, and the write-ahead log ends at the last byte that was
 * synced. All later writes are thrown away. PostgreSQL promises no more than that, so the image is the worst legal state of the disk.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Sql } from '../../src/database/client.ts';
import {
  type Cluster,
  createCluster,
  NotYet,
  startServer,
  stopServer,
  superuser,
} from '../../src/database/embedded/cluster.ts';
import { serverSettings } from '../../src/database/embedded/data-folder.ts';
import { findPrograms } from '../../src/database/embedded/distribution.ts';
import { readPostmaster } from '../../src/database/embedded/postmaster.ts';
import { postgresUser } from '../../src/database/embedded/system-user.ts';
import type { Ends } from '../../tests/harness/ends.ts';
import { freePort } from '../../tests/harness/free-port.ts';
import { Failure } from '../part.ts';

const startMsMax = 120_000;
const startPauseMs = 50;
const segmentBytes = 16 * 1024 * 1024;
const segmentsPerLog = 2 ** 32 / segmentBytes;
const imageFolder = 'image';
const run = promisify(execFile);

export class ProofCluster {
  readonly #cluster: Cluster;
  readonly #folder: string;
  readonly #port: number;
  readonly url: string;

  private constructor(cluster: Cluster, folder: string, port: number, password: string) {
    this.#cluster = cluster;
    this.#folder = folder;
    this.#port = port;
    this.url = `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`;
  }

  /** Creates and starts it in a folder in `above`; stops it and deletes its files when the part ends. */
  static async open(ends: Ends, { above = tmpdir() }: { above?: string } = {}): Promise<ProofCluster> {
    const folder = await mkdtemp(join(above, 'shoal-proof-'));
    await chmod(folder, 0o755);
    const user = postgresUser();
    const cluster = { folder: join(folder, 'postgres'), programs: await findPrograms(user, folder), user };
    const password = randomBytes(16).toString('hex');
    await createCluster(cluster, { password, initdbArguments: ['--locale', 'C'] });
    const opened = new ProofCluster(cluster, folder, await freePort(), password);
    ends.after(async () => {
      await stopServer(cluster).catch(() => opened.killAll());
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    });
    await opened.start();
    return opened;
  }

  /** Starts the server, as a service manager does, and waits until it has recovered. */
  async start(): Promise<void> {
    const settings = {
      ...serverSettings({ host: '127.0.0.1', port: this.#port }),
      // The image of a power cut starts from the last checkpoint, so there must be none in between.
      checkpoint_timeout: '1h',
    };
    const startedAt = performance.now();
    for (;;) {
      try {
        await startServer(this.#cluster, settings);
        return;
      } catch (error) {
        if (!(error instanceof NotYet)) throw error;
        if (performance.now() - startedAt > startMsMax)
          throw new Failure(`PostgreSQL did not start: ${error}`);
      }
      await pause(startPauseMs);
    }
  }

  /** Starts the server if it has ended by itself. */
  async startIfEnded(): Promise<void> {
    const postmaster = await readPostmaster(this.#cluster.folder);
    if (!postmaster?.runsHere) await this.start();
  }

  /** Stops the server in order. */
  stop(): Promise<void> {
    return stopServer(this.#cluster);
  }

  /** Kills the postmaster alone. Its other processes notice, and end. */
  async killPostmaster(): Promise<void> {
    process.kill(await this.#postmaster(), 'SIGKILL');
  }

  /** Sends a signal to every process of the server. */
  async signalAll(signal: NodeJS.Signals): Promise<void> {
    const postmaster = await this.#postmaster();
    for (const pid of [postmaster, ...childrenOf(postmaster)]) send(pid, signal);
  }

  async killAll(): Promise<void> {
    const postmaster = await readPostmaster(this.#cluster.folder);
    if (postmaster?.runsHere) await this.signalAll('SIGKILL');
  }

  /** Kills the server process of one connection, which `pick` chooses. PostgreSQL then restarts all of them. */
  async killBackend(sql: Sql, pick: (pids: readonly number[]) => number): Promise<void> {
    const rows = await sql<{ pid: number }[]>`
      select pid from pg_stat_activity where application_name like 'shoal serve%' order by pid`;
    if (rows.length === 0) throw new Failure('Shoal has no connection to PostgreSQL');
    send(pick(rows.map(({ pid }) => pid)), 'SIGKILL');
  }

  /** Takes the image of the disk after a checkpoint, without its log. A power cut goes back to it. */
  async takeImage(sql: Sql): Promise<void> {
    await sql`checkpoint`;
    const image = join(this.#folder, imageFolder);
    await rm(image, { recursive: true, force: true });
    const { folder, user } = this.#cluster;
    await mkdir(image, { mode: 0o700 });
    if (user) await chown(image, user.uid, user.gid);
    const names = (await readdir(folder)).filter((name) => !['pg_wal', 'postmaster.pid'].includes(name));
    // cp copies faster than Node, and keeps the owner.
    await run('cp', ['--archive', ...names.map((name) => join(folder, name)), image]).catch(
      (error: unknown) => {
        // Files that PostgreSQL deletes during the copy.
        if (!/No such file/.test(String(error))) throw error;
      },
    );
  }

  /**
   * Cuts the power. The caller has frozen everything that can acknowledge a call. All processes of the server are killed, and the
   * disk becomes the image with the log up to its last synced byte.
   */
  async cutPower(sql: Sql): Promise<void> {
    const [row] = await sql<{ lsn: string }[]>`select pg_current_wal_flush_lsn()::text as lsn`;
    await this.signalAll('SIGKILL');
    const { folder } = this.#cluster;
    const log = join(folder, 'pg_wal');
    await throwAwayUnsynced(log, row?.lsn ?? '');
    const image = join(this.#folder, imageFolder);
    await rename(log, join(image, 'pg_wal'));
    await rm(folder, { recursive: true });
    await rename(image, folder);
  }

  async #postmaster(): Promise<number> {
    const postmaster = await readPostmaster(this.#cluster.folder);
    if (!postmaster?.runsHere) throw new Failure('PostgreSQL does not run');
    return postmaster.number;
  }
}

/** Fills the log with zeros from the position on, in a form such as `0/1A2B3C4D`. */
async function throwAwayUnsynced(folder: string, lsn: string): Promise<void> {
  const [high = '', low = ''] = lsn.split('/');
  const offset = Number.parseInt(low, 16);
  const number = Number.parseInt(high, 16) * segmentsPerLog + Math.floor(offset / segmentBytes);
  const nameOf = (segment: number): string =>
    [1, Math.floor(segment / segmentsPerLog), segment % segmentsPerLog]
      .map((part) => part.toString(16).toUpperCase().padStart(8, '0'))
      .join('');
  const last = nameOf(number);
  for (const name of await readdir(folder)) {
    if (!/^[0-9A-F]{24}$/.test(name) || name < last) continue;
    const from = name === last ? offset % segmentBytes : 0;
    const file = await open(join(folder, name), 'r+');
    await file.write(Buffer.alloc(segmentBytes - from), 0, segmentBytes - from, from);
    await file.close();
  }
}

function childrenOf(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number),
  );
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended by itself in between.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
