/**
 * The data folder's part of the embedded PostgreSQL: the folder itself, the superuser's password, the cluster and its
 * settings. All of it is made when it is missing; whatever is there is kept.
 *
 *     data/postgres            the cluster; its settings, its log and its unix socket are in it
 *     data/postgres-password   mode 0600
 *     data/postgres.alive      life-sign.ts
 *     data/*.lock, *.users     folder-lock.ts
 */
import { randomBytes } from 'node:crypto';
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Refusal } from '../../errors.ts';
import { closeToOthers, makeFolder } from '../../folders.ts';
import { type Cluster, createCluster, type Settings } from './cluster.ts';
import { findPrograms } from './distribution.ts';
import { makeLockFiles } from './folder-lock.ts';
import type { Listening } from './postmaster.ts';
import { blockedFolder, postgresUser, type SystemUser } from './system-user.ts';

/** PostgreSQL's own limit is 107 bytes on Linux, 103 elsewhere. */
const socketPathBytesMax = 103;
const socketPort = 5432;

/**
 * The cluster of the data folder, made when it is missing, and the superuser's password. Safe to repeat and from several
 * processes at once. Throws Refusal INPUT_INVALID when PostgreSQL's user may not enter the folder.
 */
export async function openDataFolder(dataFolder: string): Promise<{ cluster: Cluster; password: string }> {
  const folder = join(dataFolder, 'postgres');
  const user = await serverUser(folder);
  await makeFolder(dataFolder, user ? 0o711 : 0o700);
  if (user) checkReachable(user, dataFolder);
  const cluster = { folder, user, programs: await findPrograms(user, dataFolder) };
  const password = await openPassword(join(dataFolder, 'postgres-password'));
  // The C locale's order is that of bytes; C.UTF-8 knows letters beyond ASCII, and comes with PostgreSQL itself.
  const locale = ['--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'];
  await createCluster(cluster, { password, initdbArguments: [...locale, '--data-checksums'] });
  // PostgreSQL does not start in a folder that is open to others.
  closeToOthers(folder);
  await makeLockFiles(dataFolder, user);
  return { cluster, password };
}

/** Where the cluster's server is to listen: its unix socket where the path is short enough, else a free loopback port. */
export async function chooseListening({ folder }: Cluster): Promise<Listening> {
  const socket = join(folder, `.s.PGSQL.${socketPort}`);
  const fits = Buffer.byteLength(socket) <= socketPathBytesMax;
  if (fits && process.platform !== 'win32') return { host: folder, port: socketPort };
  // The port of before, when it is free: pools that are open on it go on by themselves after a restart.
  const settings = await readFile(join(folder, 'postgresql.conf'), 'utf8').catch(() => '');
  const before = Number(/^port = '(\d+)'$/m.exec(settings)?.[1] ?? 0);
  return { host: '127.0.0.1', port: await freePort(before).catch(() => freePort(0)) };
}

/** PostgreSQL's settings for a small machine that runs Shoal beside it. */
export function serverSettings({ host, port }: Listening): Settings {
  const socket = host.startsWith('/');
  return {
    listen_addresses: socket ? '' : host,
    port,
    unix_socket_directories: socket ? host : '',
    unix_socket_permissions: '0700',
    max_connections: 100,
    shared_buffers: '256MB',
    work_mem: '16MB',
    maintenance_work_mem: '128MB',
    random_page_cost: 1.1,
    jit: 'off',
    fsync: 'on',
    synchronous_commit: 'on',
    max_wal_size: '2GB',
    min_wal_size: '256MB',
    checkpoint_timeout: '15min',
    // The list of pending deliveries turns over fast; it stays small only when it is vacuumed often.
    autovacuum_naptime: '5s',
    // A killed client's long statement ends with it.
    client_connection_check_interval: '1s',
    timezone: 'UTC',
    lc_messages: 'C',
    log_timezone: 'UTC',
    // No statements and no row values in the log: they hold people's data.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
  };
}

/** As root a cluster that is there runs as its owner, so that root's commands work beside an ordinary user's server. */
async function serverUser(folder: string): Promise<SystemUser | null> {
  if (process.getuid?.() !== 0) return null;
  const owner = await stat(folder).catch(nullWhenMissing);
  return owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : postgresUser();
}

function checkReachable(user: SystemUser, dataFolder: string): void {
  const blocked = blockedFolder(user, dataFolder);
  if (blocked === null) return;
  throw new Refusal(
    'INPUT_INVALID',
    `PostgreSQL does not run as root but as the system user with id ${user.uid}, which may not enter ${blocked}, so it cannot reach the data folder ${dataFolder}. Choose another with --data (for example /var/lib/shoal), or open the way with chmod o+x ${blocked}.`,
  );
}

// Linked into place when it is whole: one that is there is never half a password, and the first of two processes wins.
async function openPassword(path: string): Promise<string> {
  const known = await readFile(path, 'utf8').catch(nullWhenMissing);
  if (known !== null) {
    closeToOthers(path);
    return known.trim();
  }
  const beside = `${path}-${randomBytes(8).toString('hex')}`;
  await writeFile(beside, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  await link(beside, path).catch(() => undefined);
  await rm(beside);
  return (await readFile(path, 'utf8')).trim();
}

function nullWhenMissing(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}

function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : wanted));
    });
  });
}
