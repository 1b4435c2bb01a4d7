/** Stopping by signals, as a service manager or `docker stop` does: no process remains. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server, connect as tcpConnect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { openClient } from '../src/database/client.ts';
import { openEmbedded } from '../src/database/embedded/embedded.ts';
import { tryLock } from '../src/database/embedded/folder-lock.ts';
import { migrate } from '../src/database/migrate.ts';
import {
  databaseEnvironment,
  dataFolder,
  launch,
  preparedFolder,
  type ShoalEnvironment,
  shoal,
} from './harness/cli.ts';
import { killServer, serverPid } from './harness/embedded-user.ts';
import { freePort } from './harness/free-port.ts';
import { until } from './harness/until.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

for (const [name, args] of [
  // Skips the scripts that build the dashboard.
  ['npm start', ['start', '--ignore-scripts']],
  ['npm run demo', ['run', 'demo', '--ignore-scripts']],
  ['npx shoal serve', ['exec', '--offline', '--', 'shoal', 'serve']],
] as const) {
  test(`SIGTERM to ${name} ends the server in order, and its PostgreSQL`, async (t) => {
    const environment = await preparedFolder(t);
    environment.onEnd(() => killServer(environment.folder));
    const { child, output } = runNpm(t, environment, args);
    await until(() => /Listening on |Shoal demo: bot/.test(output()), output);
    const server = await serverPid(environment.folder);
    assert.notEqual(server, null);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
    await until(async () => (await serverPid(environment.folder)) === null, output);
    await until(() => processesOf(environment).length === 0, output);
  });
}

test('npm start ends only after the server has ended', async (t) => {
  const environment = await preparedFolder(t);
  environment.onEnd(() => killServer(environment.folder));
  const { child, output } = runNpm(t, environment, ['start', '--ignore-scripts']);
  await until(() => output().includes('Listening on '), output);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
  assert.equal(await serverPid(environment.folder), null);
  assert.match(output(), /"msg":"Stopping\."/);
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} to a command that runs stops the PostgreSQL that it started, in order`, async (t) => {
    const environment = await preparedFolder(t);
    environment.onEnd(() => killServer(environment.folder));
    const { child, ended, output } = await blockedCommand(t, environment);
    child.kill(signal);
    assert.deepEqual(await ended, [code, null], output());
    assert.equal(await serverPid(environment.folder), null);
    assert.match(serverLog(environment), /database system is shut down\n$/);
    assert.doesNotMatch(output(), /Error|could not be stopped/);
  });
}

test('a server that cannot write its log continues, and stops normally at SIGHUP', async (t) => {
  const environment = await preparedFolder(t);
  environment.onEnd(() => killServer(environment.folder));
  const port = String(await freePort());
  const log = openSync('/dev/full', 'w');
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, ['bin/shoal.js', 'serve', '--port', port, '--drain-seconds', '0'], {
    cwd: root,
    env: { PATH, ...environment.env },
    stdio: ['ignore', 'ignore', log],
  });
  closeSync(log);
  t.after(() => child.kill('SIGKILL'));
  const isUp = () =>
    fetch(`http://127.0.0.1:${port}/healthz`)
      .then(({ ok }) => ok)
      .catch(() => false);
  await until(isUp, () => `it ended with ${child.exitCode}`);
  const ended = once(child, 'exit');
  child.kill('SIGHUP');
  assert.deepEqual(await ended, [0, null]);
  assert.equal(await serverPid(environment.folder), null);
  assert.match(serverLog(environment), /database system is shut down\n$/);
});

test('SIGTERM to a command that starts PostgreSQL stops PostgreSQL, too', async (t) => {
  const environment = await preparedFolder(t);
  environment.onEnd(() => killServer(environment.folder));
  const { child, ended, output } = runShoal(t, environment, ['bot', 'list']);
  await until(async () => (await serverPid(environment.folder)) !== null, output);
  child.kill('SIGTERM');
  const [code] = await ended;
  assert.ok(code === 143 || code === 0, output());
  assert.equal(await serverPid(environment.folder), null);
  assert.match(serverLog(environment), /database system is shut down\n$/);
});

test('a stopped command does not stop PostgreSQL while other processes use it', async (t) => {
  const environment = await preparedFolder(t);
  environment.onEnd(() => killServer(environment.folder));
  const { up, stop } = launch(environment);
  await up;
  const { child, ended, output, free } = await blockedCommand(t, environment);
  child.kill('SIGINT');
  assert.deepEqual(await ended, [130, null], output());
  assert.notEqual(await serverPid(environment.folder), null);
  await free();
  assert.equal(await stop(), 0);
  assert.equal(await serverPid(environment.folder), null);
});

test('a second signal ends a command at once, and the next command uses its PostgreSQL', async (t) => {
  const environment = await preparedFolder(t);
  environment.onEnd(() => killServer(environment.folder));
  const { child, ended, output, free } = await blockedCommand(t, environment);
  // A process stops PostgreSQL only with this lock.
  const unlock = tryLock(join(environment.folder, 'postgres.lock'), 'exclusive');
  assert.ok(unlock);
  child.kill('SIGTERM');
  await pause(2_000);
  assert.deepEqual([child.exitCode, child.signalCode], [null, null]);
  child.kill('SIGINT');
  assert.deepEqual(await ended, [130, null], output());
  assert.notEqual(await serverPid(environment.folder), null);
  unlock();
  await free();
  assert.equal((await shoal(environment, 'bot', 'list')).code, 0);
  assert.equal(await serverPid(environment.folder), null);
});

for (const role of ['all', 'web', 'worker']) {
  test(`a server (role ${role}) that starts while its database is unavailable waits for it`, async (t) => {
    const environment = await databaseEnvironment(t);
    const real = new URL(environment.env.DATABASE_URL ?? '');
    const port = await freePort();
    const away = new URL(real);
    away.host = `127.0.0.1:${port}`;
    const env = { ...environment.env, DATABASE_URL: away.href, SHOAL_SECRET_KEY: 'k'.repeat(32) };
    const { up, stop, stderr: said } = launch({ ...environment, env }, '--role', role);
    await until(() => waitingLines(said()).length >= 2, said);
    assert.doesNotMatch(said(), new RegExp(real.password));
    await forward(t, port, real);
    assert.match(await up, /^http:/);
    assert.equal(await stop(), 0);
  });
}

test('SIGTERM stops a worker that waits for its database at once', async (t) => {
  const { env, onEnd } = await dataFolder(t);
  const url = `postgres://shoal:secret@127.0.0.1:${await freePort()}/shoal`;
  const environment = { env: { ...env, DATABASE_URL: url, SHOAL_SECRET_KEY: 'k'.repeat(32) }, onEnd };
  const { up, stop, stderr: said } = launch(environment, '--role', 'worker');
  up.catch(() => undefined);
  await until(() => waitingLines(said()).length > 0, said);
  assert.equal(await stop(), 0);
});

test('the start fails at once with one line of JSON if the database rejects the user', async (t) => {
  const environment = await databaseEnvironment(t);
  const url = new URL(environment.env.DATABASE_URL ?? '');
  url.username = 'a_stranger';
  const env = { ...environment.env, DATABASE_URL: url.href, SHOAL_SECRET_KEY: 'k'.repeat(32) };
  const { up, stderr: said } = launch({ ...environment, env });
  await assert.rejects(up);
  const lines = said().trim().split('\n');
  assert.equal(lines.length, 1);
  assert.match(JSON.parse(lines[0] ?? '').msg, /refuses the connection/);
});

test('every line of a server’s log is JSON', async (t) => {
  const environment = await preparedFolder(t);
  const { up, stop, stderr: said, stdout } = launch(environment);
  await up;
  assert.equal(await stop(), 0);
  // The link of the first user, which is a secret.
  const [, token = ''] = /\/setup#([\w-]{43})\n/.exec(stdout()) ?? assert.fail(stdout());
  assert.ok(!said().includes(token));
  const messages = said()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).msg);
  assert.match(messages.join(), /Listening on http.*Stopping\./);
  const { up: failed, stderr: failure } = launch(environment, '--port', '99999');
  await assert.rejects(failed);
  assert.match(JSON.parse(failure()).msg, /--port must be a whole number/);
});

test('an unexpected error ends a server with one line of JSON', async (t) => {
  const environment = await databaseEnvironment(t);
  const { PATH = '' } = process.env;
  const faulty = 'data:text/javascript,process.on("SIGUSR2",()=>{throw new Error("unexpected")})';
  const child = spawn(process.execPath, ['--import', faulty, 'bin/shoal.js', 'serve', '--port', '0'], {
    cwd: root,
    env: { PATH, ...environment.env, SHOAL_SECRET_KEY: 'k'.repeat(32), SHOAL_COLLECT: 'off' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  environment.onEnd(async () => child.kill('SIGKILL'));
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  await until(
    () => text.includes('Listening on '),
    () => text,
  );
  const ended = once(child, 'close');
  child.kill('SIGUSR2');
  assert.deepEqual(await ended, [1, null]);
  const { level, err } = JSON.parse(text.trim().split('\n').at(-1) ?? '');
  assert.deepEqual([level, err.message], [60, 'unexpected']);
});

test('a worker serves health and metrics on its own port', async (t) => {
  const environment = await databaseEnvironment(t);
  const env = { ...environment.env, SHOAL_SECRET_KEY: 'k'.repeat(32) };
  const address = await launch({ ...environment, env }, '--role', 'worker').up;
  const get = async (path: string) => fetch(`${address}${path}`);
  assert.deepEqual(await (await get('/healthz')).json(), { status: 'ok' });
  assert.deepEqual(await (await get('/readyz')).json(), { status: 'ready' });
  assert.match(await (await get('/metrics')).text(), /^shoal_fold_seconds_count /m);
  assert.equal((await get('/openapi/clients/analysis')).status, 404);
});

function runNpm(
  t: TestContext,
  environment: ShoalEnvironment,
  args: readonly string[],
): { child: ChildProcess; output: () => string } {
  const { PATH = '', HOME = '' } = process.env;
  const cache = join(environment.env.SHOAL_DATA ?? '', '..', 'npm');
  const child = spawn('npm', args, {
    cwd: root,
    env: { PATH, HOME, npm_config_cache: cache, SHOAL_PORT: '0', ...environment.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
  }
  t.after(() => {
    for (const pid of processesOf(environment)) process.kill(pid, 'SIGKILL');
  });
  return { child, output: () => text };
}

function runShoal(t: TestContext, environment: ShoalEnvironment, args: readonly string[]) {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, ['bin/shoal.js', ...args], {
    cwd: root,
    env: { PATH, ...environment.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
  }
  return { child, ended: once(child, 'exit'), output: () => text };
}

/** A command that waits for a table lock, which a connection of this process holds until `free`. */
async function blockedCommand(t: TestContext, environment: ShoalEnvironment & { folder: string }) {
  const log = pino({ level: 'silent' });
  const { address, release } = await openEmbedded({ dataFolder: environment.folder, exclusive: false, log });
  const sql = openClient(address, { max: 2, applicationName: 'test', lost: () => undefined });
  const free = () => sql.end({ timeout: 0 });
  t.after(free);
  await migrate(sql);
  const holder = await sql.reserve();
  await holder.unsafe('begin; lock table bots');
  const command = runShoal(t, environment, ['bot', 'list']);
  const waiting = async () => sql`
    select from pg_stat_activity where application_name = 'shoal command' and wait_event_type = 'Lock'`;
  await until(async () => (await waiting()).length > 0, command.output);
  // From here on, only the commands keep PostgreSQL running.
  await release();
  return { ...command, free };
}

function serverLog({ folder }: { folder: string }): string {
  return readFileSync(join(folder, 'postgres', 'server.log'), 'utf8');
}

/** The processes on the data folder. */
function processesOf({ env }: ShoalEnvironment): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`SHOAL_DATA=${env.SHOAL_DATA}\0`);
      } catch {
        return false;
      }
    });
}

function waitingLines(text: string): string[] {
  return text.split('\n').filter((line) => line.includes('is not available') && line.includes('Retrying in'));
}

/** Forwards connections to the server. */
async function forward(t: TestContext, port: number, { hostname, port: to }: URL): Promise<Server> {
  const server = createServer((client) => {
    const upstream = tcpConnect(Number(to), hostname);
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return server;
}
