/**
 * The embedded PostgreSQL with several processes, and after every kind of kill. The tests use real processes.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { whyNoContainers } from '../../../tests/harness/container.ts';
import { EmbeddedUser, killServer, serverPid } from '../../../tests/harness/embedded-user.ts';
import { blockedFolder, postgresUser } from './system-user.ts';

const namelessId = 54_321;
const notRoot = process.getuid?.() !== 0;
const noMounts = whyNoContainers();

/** As root: the user that PostgreSQL runs as. */
const systemUser = postgresUser();

/** Most tests use the same cluster, with a table of notes. The previous test has stopped it. */
let folder = '';
let above = '';
before(async () => {
  above = await mkdtemp(join(tmpdir(), 'shoal-embedded-'));
  await chmod(above, 0o711);
  folder = join(above, 'data');
});
after(async () => {
  for (const name of await readdir(above)) await killServer(join(above, name));
  await rm(above, { recursive: true, force: true, maxRetries: 5 });
});

test('the first process starts it, the last one stops it, and the data stays', async (t) => {
  const first = await EmbeddedUser.enter(t, folder);
  await first.ask('create table notes (text text)');
  const second = await EmbeddedUser.enter(t, folder);
  await first.leave();
  await second.ask(`insert into notes values ('after the first left')`);
  await second.leave();
  assert.equal(await serverPid(folder), null);
  const third = await EmbeddedUser.enter(t, folder);
  assert.deepEqual(await third.ask('select text from notes'), [{ text: 'after the first left' }]);
  await third.leave();
});

test('it uses UTF-8, is durable, and listens only on this machine', async (t) => {
  const user = await EmbeddedUser.enter(t, folder);
  assert.deepEqual(
    await user.ask(
      `select current_setting('server_encoding') as encoding, lower('ÉÖ') as lower,
      current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
      current_setting('listen_addresses') as addresses, current_setting('data_checksums') as checksums`.replaceAll(
        '\n',
        ' ',
      ),
    ),
    [{ encoding: 'UTF8', lower: 'éö', fsync: 'on', commit: 'on', addresses: '', checksums: 'on' }],
  );
  const rules = await user.ask('select distinct auth_method from pg_hba_file_rules');
  assert.deepEqual(rules, [{ auth_method: 'scram-sha-256' }]);
  await user.leave();
  const { mode } = await stat(join(folder, 'postgres-password'));
  assert.equal(mode & 0o777, 0o600);
});

test('a second serve on the folder is refused, a command is not', async (t) => {
  const serve = await EmbeddedUser.enter(t, folder, { role: 'serve' });
  const second = await EmbeddedUser.enter(t, folder, { role: 'serve' });
  assert.match(second.refused ?? '', /Another shoal serve .*data/);
  const command = await EmbeddedUser.enter(t, folder);
  assert.deepEqual(await command.ask('select 1 as one'), [{ one: 1 }]);
  await command.leave();
  assert.deepEqual(await serve.ask('select 1 as one'), [{ one: 1 }]);
  await serve.leave();
  assert.equal(await serverPid(folder), null);
});

test('after kill -9 of serve, the next one uses the server that still runs', async (t) => {
  const killed = await EmbeddedUser.enter(t, folder, { role: 'serve' });
  const pid = await serverPid(folder);
  await killed.kill();
  const next = await EmbeddedUser.enter(t, folder, { role: 'serve' });
  assert.equal(next.refused, null);
  assert.equal(await serverPid(folder), pid);
  await next.leave();
  assert.equal(await serverPid(folder), null);
});

test('after kill -9 of PostgreSQL, its users restart it, and the folder still allows only one serve', async (t) => {
  const serve = await EmbeddedUser.enter(t, folder, { role: 'serve' });
  const command = await EmbeddedUser.enter(t, folder);
  await serve.ask(`insert into notes values ('before the kill')`);
  await killServer(folder);
  const second = await EmbeddedUser.enter(t, folder, { role: 'serve' });
  assert.match(second.refused ?? '', /Another shoal serve/);
  const count = `select count(*)::integer as count from notes where text = 'before the kill'`;
  assert.deepEqual(await serve.askUntilAnswered(count), [{ count: 1 }]);
  assert.deepEqual(await command.askUntilAnswered(count), [{ count: 1 }]);
  await serve.leave();
  // A process that has not reconnected yet does not prevent the stop, and restarts the server.
  assert.deepEqual(await command.askUntilAnswered(count), [{ count: 1 }]);
  await command.leave();
  assert.equal(await serverPid(folder), null);
});

test('after kill -9 of both, the next start recovers', async (t) => {
  for (let round = 0; round < 2; round++) {
    const killed = await EmbeddedUser.enter(t, folder, { role: 'serve' });
    await killed.ask(`insert into notes values ('round ${round}')`);
    await Promise.all([killServer(folder), killed.kill()]);
    const next = await EmbeddedUser.enter(t, folder, { role: 'serve' });
    assert.deepEqual(await next.ask(`select text from notes where text = 'round ${round}'`), [
      { text: `round ${round}` },
    ]);
    await next.leave();
  }
});

test('a pid file whose number now belongs to another program does not prevent a start', async (t) => {
  const killed = await EmbeddedUser.enter(t, folder);
  const pid = String(await serverPid(folder));
  await killServer(folder);
  await killed.kill();
  const stranger = spawn('sleep', ['600'], { ...systemUser, cwd: '/', stdio: 'ignore' });
  t.after(() => stranger.kill());
  for (const name of ['postmaster.pid', '.s.PGSQL.5432.lock']) {
    const path = join(folder, 'postgres', name);
    const [, ...rest] = (await readFile(path, 'utf8')).split('\n');
    assert.notEqual(String(stranger.pid), pid);
    await writeFile(path, [stranger.pid, ...rest].join('\n'));
  }
  const next = await EmbeddedUser.enter(t, folder);
  assert.deepEqual(await next.ask('select 1 as one'), [{ one: 1 }]);
  await next.leave();
  assert.equal(stranger.exitCode, null);
});

test('Ctrl-C in Shoal’s terminal does not reach PostgreSQL', async (t) => {
  const user = await EmbeddedUser.enter(t, folder);
  process.kill(-user.pid, 'SIGINT');
  assert.deepEqual(await user.ask('select 1 as one'), [{ one: 1 }]);
  assert.notEqual(await serverPid(folder), null);
  await user.leave();
});

test('processes that start and leave at the same time agree', async (t) => {
  for (let round = 0; round < 2; round++) {
    const users = await Promise.all([1, 2, 3].map(() => EmbeddedUser.enter(t, folder)));
    for (const user of users) assert.deepEqual(await user.ask('select 1 as one'), [{ one: 1 }]);
    const coming = EmbeddedUser.enter(t, folder);
    await Promise.all(users.map((user) => user.leave()));
    const late = await coming;
    assert.deepEqual(await late.ask('select 1 as one'), [{ one: 1 }]);
    await late.leave();
    assert.equal(await serverPid(folder), null);
  }
});

test('concurrent processes create a new folder once, and incomplete clusters are deleted', async (t) => {
  const fresh = join(above, 'fresh');
  await mkdir(join(fresh, 'postgres-new-aB3xYz', 'cluster'), { recursive: true });
  await chmod(fresh, 0o711);
  const users = await Promise.all([1, 2, 3].map(() => EmbeddedUser.enter(t, fresh)));
  const identities = new Set<string>();
  for (const user of users) {
    identities.add(JSON.stringify(await user.ask('select system_identifier::text from pg_control_system()')));
  }
  assert.equal(identities.size, 1);
  await Promise.all(users.map((user) => user.leave()));
  assert.deepEqual((await readdir(fresh)).sort(), [
    'postgres',
    'postgres-password',
    'postgres.alive',
    'postgres.lock',
    'postgres.users',
    'serve.lock',
  ]);
});

test('with a path too long for a socket, it listens on loopback and keeps its port', async (t) => {
  const deep = join(above, 'long-'.repeat(20));
  const user = await EmbeddedUser.enter(t, deep);
  assert.equal(user.address?.host, '127.0.0.1');
  await killServer(deep);
  assert.deepEqual(await user.askUntilAnswered('select 1 as one'), [{ one: 1 }]);
  await user.leave();
  const again = await EmbeddedUser.enter(t, deep);
  assert.equal(again.address?.port, user.address?.port);
  await again.leave();
});

test('an ordinary user runs it as itself, and root uses that user', async (t) => {
  const own = join(above, 'own');
  await mkdir(own);
  const reachable = systemUser !== null && blockedFolder(systemUser, import.meta.dirname) === null;
  const as = reachable ? systemUser : null;
  if (as) await chown(own, as.uid, as.gid);
  const user = await EmbeddedUser.enter(t, own, { as });
  assert.deepEqual(await user.ask('select 1 as one'), [{ one: 1 }]);
  await user.leave();
  const { uid } = await stat(join(own, 'postgres'));
  assert.equal(uid, systemUser?.uid ?? process.getuid?.());
  for (const name of ['postgres.lock', 'postgres.users', 'serve.lock', 'postgres.alive'])
    await rm(join(own, name));
  const root = await EmbeddedUser.enter(t, own);
  assert.deepEqual(await root.ask('select 1 as one'), [{ one: 1 }]);
  await root.leave();
  const again = await EmbeddedUser.enter(t, own, { as });
  assert.deepEqual(await again.ask('select 1 as one'), [{ one: 1 }]);
  await again.leave();
});

test('a user id without a name can run it if the library for that is installed', {
  skip: notRoot,
}, async (t) => {
  const own = join(above, 'nameless');
  await mkdir(own);
  await chown(own, namelessId, 0);
  const user = await EmbeddedUser.enter(t, own, { as: { uid: namelessId, gid: 0 } });
  if (user.refused !== null) {
    assert.match(user.refused, /needs a name for user id 54321.*libnss-wrapper/);
    return;
  }
  assert.deepEqual(await user.ask('select 1 as one'), [{ one: 1 }]);
  await user.leave();
});

test('an inaccessible folder is refused with its name', async (t) => {
  const closed = join(above, 'closed');
  await mkdir(closed, { mode: systemUser ? 0o700 : 0o500 });
  const user = await EmbeddedUser.enter(t, join(closed, 'data'));
  assert.ok(user.refused?.includes(closed), user.refused ?? 'not refused');
});

test('permissions of the group on the cluster and the password, as on a volume with fsGroup, are removed', async (t) => {
  const first = await EmbeddedUser.enter(t, folder);
  await first.leave();
  await chmod(join(folder, 'postgres'), 0o2770);
  await chmod(join(folder, 'postgres-password'), 0o660);
  const second = await EmbeddedUser.enter(t, folder);
  assert.deepEqual(await second.ask('select 1 as one'), [{ one: 1 }]);
  await second.leave();
  assert.equal((await stat(join(folder, 'postgres'))).mode & 0o7777, 0o700);
  assert.equal((await stat(join(folder, 'postgres-password'))).mode & 0o777, 0o600);
});

test('a file system that cannot create folders is refused at once', async (t) => {
  const user = await EmbeddedUser.enter(t, '/proc/shoal/data');
  assert.match(user.refused ?? '', /The data folder \/proc\/shoal\/data cannot be used: ENOENT/);
});

test('a folder on a read-only file system is refused, whether it is empty or in use', {
  skip: noMounts,
}, async (t) => {
  for (const name of ['data', 'empty']) {
    const source = join(above, name);
    const place = await mkdtemp(join(above, 'mount-'));
    await mkdir(source, { recursive: true });
    mount(t, source, place);
    const user = await EmbeddedUser.enter(t, place);
    assert.match(user.refused ?? '', /read-?only/i, name);
    assert.ok(user.refused?.includes(place));
  }
});

function mount(t: TestContext, source: string, place: string): void {
  execFileSync('mount', ['--bind', source, place]);
  t.after(() => execFileSync('umount', [place]));
  execFileSync('mount', ['-o', 'remount,bind,ro', place]);
}
