/**
 * The embedded PostgreSQL's files in the data folder: the superuser's password, the cluster and its settings. Missing ones are
 * created, existing ones are kept.
 *
 *     data/postgres            the cluster, with its settings, log and unix socket
 *     data/postgres-password   mode 0600
 *     data/postgres.alive      life-sign.ts
 *     data/*.lock, *.users     folder-lock.ts
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Refusal } from '../../errors.ts';
import { closeToOthers, makeFolder } from '../../folders.ts';
import { type Cluster, createCluster, type Settings } from './cluster.ts';
import { findPrograms } from './distribution.ts';
import { makeLockFiles } from './folder-lock.ts';
import type { Listening } from './postmaster.ts';
import { blockedFolder, postgresUser, type SystemUser } from './system-user.ts';

/** PostgreSQL's limit is 107 bytes on Linux, and 103 on other systems. */
const socketPathBytesMax = 103;
const socketPort = 5432;

/**
 * Returns the cluster of the data folder, created if missing, and the superuser's password. Safe to repeat and from several processes
 * at the same time. Throws Refusal INPUT_INVALID if PostgreSQL's user cannot access the folder.
 */
export async function openDataFolder(dataFolder: string): Promise<{ cluster: Cluster; password: string }> {
  const folder = join(dataFolder, 'postgres');
  const user = serverUser(folder);
  await makeFolder(dataFolder, user ? 0o711 : 0o700);
  if (user) checkReachable(user, dataFolder);
  const cluster = { folder, user, programs: await findPrograms(user, dataFolder) };
  const password = await openPassword(join(dataFolder, 'postgres-password'));
  // C sorts by bytes. C.UTF-8 supports letters beyond ASCII, and is part of PostgreSQL.
  const locale = ['--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'];
  await createCluster(cluster, { password, initdbArguments: [...locale, '--data-checksums'] });
  // PostgreSQL does not start in a folder that other users can access.
  closeToOthers(folder);
  await makeLockFiles(dataFolder, user);
  return { cluster, password };
}

/** Returns where the server must listen: a unix socket, or a free loopback port if the socket's path is too long. */
export async function chooseListening({ folder }: Cluster): Promise<Listening> {
  const socket = join(folder, `.s.PGSQL.${socketPort}`);
  const fits = Buffer.byteLength(socket) <= socketPathBytesMax;
  if (fits && process.platform !== 'win32') return { host: folder, port: socketPort };
  // Reuses the previous port if it is free, so that open pools reconnect after a restart.
  const settings = await readFile(join(folder, 'postgresql.conf'), 'utf8').catch(() => '');
  const before = Number(/^port = '(\d+)'$/m.exec(settings)?.[1] ?? 0);
  return { host: '127.0.0.1', port: await freePort(before).catch(() => freePort(0)) };
}

/** PostgreSQL's settings for a small machine that also runs Shoal. */
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
    // pending_bundles changes fast, and stays small only with frequent vacuuming.
    autovacuum_naptime: '5s',
    // Ends a long statement when its client is killed.
    client_connection_check_interval: '1s',
    timezone: 'UTC',
    lc_messages: 'C',
    log_timezone: 'UTC',
    // The log contains no statements and row values, because they contain personal data.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
  };
}

/** As root, an existing cluster runs as its owner, so that root's commands work with an ordinary user's server. */
function serverUser(folder: string): SystemUser | null {
  if (process.getuid?.() !== 0) return null;
  const owner = statSync(folder, { throwIfNoEntry: false });
  return owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : postgresUser();
}

function checkReachable(user: SystemUser, dataFolder: string): void {
  const blocked = blockedFolder(user, dataFolder);
  if (blocked === null) return;
  throw new Refusal(
    'INPUT_INVALID',
    `PostgreSQL cannot run as root. It runs as the system user with id ${user.uid}, which has no access to ${blocked} and so to the data folder ${dataFolder}. Choose another folder with --data (for example /var/lib/shoal), or run chmod o+x ${blocked}.`,
  );
}

// Links the complete file into place: the password file is never incomplete, and the first of two processes wins.
async function openPassword(path: string): Promise<string> {
  if (!existsSync(path)) {
    const temporary = `${path}-${randomBytes(8).toString('hex')}`;
    await writeFile(temporary, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
    await link(temporary, path).catch(() => undefined);
    await rm(temporary);
  }
  closeToOthers(path);
  return (await readFile(path, 'utf8')).trim();
}

async function freePort(wanted: number): Promise<number> {
  const server = createServer().listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : wanted;
}
