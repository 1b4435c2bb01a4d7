/**
 * Shoal as its users run it: the command line and `shoal serve` as separate processes.
 *
 * The environment variables name a data folder with the embedded database, or a database URL. The processes inherit no other
 * variables, so that a test behaves the same everywhere.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pino } from 'pino';
import type { Keys } from '../../src/auth/keys.ts';
import { keysOf } from '../../src/auth/secret-key.ts';
import { openClient, type Sql } from '../../src/database/client.ts';
import { openEmbedded } from '../../src/database/embedded/embedded.ts';
import { migrate, readMigrations } from '../../src/database/migrate.ts';
import { once } from '../../src/once.ts';
import type { Random } from '../../src/random.ts';
import { testDatabase } from './database.ts';
import type { Ends } from './ends.ts';
import { nowhere } from './nowhere.ts';

export type ShoalEnvironment = {
  env: Readonly<Record<string, string>>;
  /** Adds a function that runs when the test ends, in reverse order, before the data is deleted. */
  onEnd(run: () => Promise<unknown>): void;
};
export type CommandResult = { code: number | null; stdout: string; stderr: string };

export type Launched = {
  pid: number;
  /** `http://host:port`; for a worker the address of its health and metrics. */
  up: Promise<string>;
  /** Stops it in order (SIGTERM) and returns its exit code, null if it was killed. Can be called twice. */
  stop(): Promise<number | null>;
  /** Kills it (SIGKILL). */
  kill(): Promise<void>;
  /** Its output so far. */
  stdout(): string;
  stderr(): string;
};
export type Serving = Omit<Launched, 'up'> & { address: string };

/** Without platforms, tokens are stored unchecked. */
const noPlatforms = { SHOAL_LINE_API: nowhere, SHOAL_GRAPH_API: nowhere, SHOAL_INSTAGRAM_API: nowhere };
const testSecretKey = 'a secret key for tests, long enough';
const program = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));
const startMsMax = 180_000;
const stopMsMax = 60_000;

/** The test's own data folder with the embedded database, deleted when the test ends. */
export async function dataFolder(t: Ends): Promise<ShoalEnvironment & { folder: string }> {
  const above = await mkdtemp(join(tmpdir(), 'shoal-data-'));
  // PostgreSQL does not run as root, and its user must be able to enter the folder.
  await chmod(above, 0o711);
  const folder = join(above, 'data');
  const environment = openEnvironment(t, { SHOAL_DATA: folder });
  t.after(() => rm(above, { recursive: true, force: true }));
  return { ...environment, folder };
}

/** A data folder whose embedded database exists and is migrated, as after an earlier start. It has no key yet. */
export async function preparedFolder(t: TestContext): Promise<ShoalEnvironment & { folder: string }> {
  const environment = await dataFolder(t);
  await promisify(execFile)('cp', ['-a', await preparedData(), environment.folder]);
  return environment;
}

/** The test's own database on the test server, and a data folder; both are deleted when the test ends. */
export async function databaseEnvironment(t: TestContext): Promise<ShoalEnvironment & { sql: Sql }> {
  // Hooks run in the order of their registration, so users of the database stop before the database is closed.
  const { env, onEnd } = await dataFolder(t);
  const { sql, url } = await testDatabase(t);
  return { env: { ...env, DATABASE_URL: url, SHOAL_SECRET_KEY: testSecretKey }, onEnd, sql };
}

/** The original of prepared folders, created once for all test files and runs with these migrations and packages (PostgreSQL is one). */
const preparedData = once(async () => {
  const texts = (await readMigrations()).map(({ name, text }) => name + text).join();
  const packages = await readFile(new URL('../../package-lock.json', import.meta.url));
  const state = createHash('sha256').update(texts).update(packages).digest('hex').slice(0, 16);
  const folder = join(tmpdir(), `shoal-test-data-${process.getuid?.()}-${state}`);
  if (existsSync(folder)) return folder;
  const unfinished = await mkdtemp(`${folder}-`);
  await chmod(unfinished, 0o711);
  const log = pino({ level: 'silent' });
  const { address, release } = await openEmbedded({ dataFolder: unfinished, exclusive: false, log });
  const sql = openClient(address, { max: 1, applicationName: 'shoal test', lost: () => undefined });
  await migrate(sql).finally(() => sql.end());
  await release();
  // Another test file may have been faster.
  await rename(unfinished, folder).catch((error) => {
    if (!existsSync(folder)) throw error;
    return rm(unfinished, { recursive: true, force: true });
  });
  return folder;
});

/** The keys, time and randomness to create data in an environment's database. */
export async function creationIn(
  sql: Sql,
  { env }: ShoalEnvironment,
): Promise<{ now: number; random: Random; keys: Keys }> {
  const [now, random] = [Date.now(), randomBytes];
  const { SHOAL_SECRET_KEY: secretKey = null, SHOAL_DATA: dataFolder = '' } = env;
  const source = { secretKey, dataFolder, random };
  return { now, random, keys: await keysOf(sql, source, { mayMake: secretKey === null, now }) };
}

function openEnvironment(t: Ends, env: ShoalEnvironment['env']): ShoalEnvironment {
  const closers: (() => Promise<unknown>)[] = [];
  t.after(async () => {
    for (const close of closers.reverse()) await close();
  });
  return {
    env: { ...noPlatforms, ...env },
    onEnd: (run) => void closers.push(run),
  };
}

/** Runs one command until it exits. */
export async function shoal(environment: ShoalEnvironment, ...args: string[]): Promise<CommandResult> {
  return startCommand(environment, ...args).exited;
}

/** Starts one command. `kill` sends SIGKILL and waits for its end. */
export function startCommand(
  environment: ShoalEnvironment,
  ...args: string[]
): { exited: Promise<CommandResult>; kill(): Promise<void> } {
  const child = start(environment, args);
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const exited = exitCodeOf(child).then((code) => ({ code, stdout: stdout(), stderr: stderr() }));
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { exited, kill };
}

/** Runs one command with `--json` and returns the printed object. Throws with its stderr if it fails. */
export async function shoalJson(
  environment: ShoalEnvironment,
  ...args: string[]
): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await shoal(environment, ...args, '--json');
  if (code !== 0) throw new Error(`shoal ${args.join(' ')} ended with code ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Starts `shoal serve` on a free port and waits until it listens; stops it when the test ends. */
export async function serve(environment: ShoalEnvironment, ...args: string[]): Promise<Serving> {
  const { up, ...ends } = launch(environment, ...args);
  return { ...ends, address: await up };
}

/** Starts `shoal serve` without waiting. `up` resolves to the address, or rejects with the stderr of the process. */
export function launch(environment: ShoalEnvironment, ...args: string[]): Launched {
  const child = start(environment, ['serve', '--port', '0', '--worker-port', '0', ...args]);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const exited = exitCodeOf(child);
  const end = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return exited;
  };
  const stop = async () => {
    const late = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
    const code = await end('SIGTERM');
    clearTimeout(late);
    return code;
  };
  environment.onEnd(stop);
  const kill = async () => void (await end('SIGKILL'));
  return { pid: child.pid ?? 0, up: listening(child), stop, kill, stdout, stderr };
}

function start(environment: ShoalEnvironment, args: readonly string[]) {
  const { PATH = '' } = process.env;
  return spawn(process.execPath, [program, ...args], {
    env: { PATH, SHOAL_RATE_LIMIT: '0', SHOAL_COLLECT: 'off', ...environment.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function listening(child: ReturnType<typeof start>): Promise<string> {
  const stderr = collect(child.stderr);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const late = setTimeout(() => reject(new Error(`shoal serve is not up: ${stderr()}`)), startMsMax);
  const look = () => {
    const [, address] = /"Listening on ([^"]+)"/.exec(stderr()) ?? [];
    if (address === undefined) return;
    child.stderr.off('data', look);
    resolve(address);
  };
  child.stderr.on('data', look);
  child.once('close', (code) => reject(new Error(`shoal serve ended with code ${code}: ${stderr()}`)));
  return promise.finally(() => clearTimeout(late));
}

function exitCodeOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', (code) => resolve(code)));
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  return () => text;
}
