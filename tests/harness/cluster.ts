/**
 * A temporary PostgreSQL server for tests: a cluster in a temporary folder, on a free loopback port, without fsync.
 *
 * In: the folder of its programs (default: those of the embedded PostgreSQL). Out: a superuser's URL, and a stop function
 * that deletes all files.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCluster, startServer, stopServer, superuser } from '../../src/database/embedded/cluster.ts';
import { findPrograms } from '../../src/database/embedded/distribution.ts';
import { postgresUser } from '../../src/database/embedded/system-user.ts';
import { freePort } from './free-port.ts';

export type TestCluster = { url: string; stop(): Promise<void> };

/** Starts a cluster with an empty database; the caller stops it. */
export async function startTestCluster(programs?: string): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  await chmod(folder, 0o755);
  const user = postgresUser();
  const cluster = {
    folder: join(folder, 'postgres'),
    programs: programs ?? (await findPrograms(user, folder)),
    user,
  };
  const password = randomBytes(16).toString('hex');
  const port = await freePort();
  try {
    await createCluster(cluster, { password, initdbArguments: ['--locale', 'C', '--no-sync'] });
    await startServer(cluster, { ...settings, port });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const end = (): void => {
    spawnSync(join(cluster.programs, 'pg_ctl'), ['stop', '-s', '-m', 'immediate', '-D', cluster.folder], {
      ...user,
      cwd: '/',
    });
    rmSync(folder, { recursive: true, force: true });
  };
  // The server must not outlive this process, except after kill -9. The test runner may signal twice.
  process.once('exit', end);
  for (const signal of endingSignals) process.on(signal, exit);
  return {
    url: `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`,
    async stop() {
      process.off('exit', end);
      for (const signal of endingSignals) process.off(signal, exit);
      await stopServer(cluster);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const endingSignals = ['SIGINT', 'SIGTERM'] as const;
const exit = (): never => process.exit(130);

const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 300,
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_wal_size: '2GB',
  jit: 'off',
  client_connection_check_interval: '500ms',
  timezone: 'UTC',
  log_min_messages: 'fatal',
};
