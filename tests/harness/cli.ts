/**
 * Shoal as its users meet it: the command line and `shoal serve` as processes of their own.
 *
 * A place is what such a process works on, as its environment: a data folder with the embedded database, or a database URL.
 * Nothing else of this process's environment reaches it, so that a test means the same everywhere.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Sql } from '../../src/database/client.ts';
import { testDatabase } from './database.ts';

export type Place = {
  env: Readonly<Record<string, string>>;
  /** Runs when the test ends, the last one first, before the place itself goes. */
  onEnd(run: () => Promise<unknown>): void;
};
export type Ended = { code: number | null; stdout: string; stderr: string };

export type Launched = {
  /** `http://host:port`; of a worker the address of its health and metrics. */
  up: Promise<string>;
  /** Ends it in order (SIGTERM); gives its exit code, null when it was killed. Safe to call twice. */
  stop(): Promise<number | null>;
  /** Ends it at once (SIGKILL). */
  kill(): Promise<void>;
  /** What it has written to stderr. */
  said(): string;
};
export type Serving = Omit<Launched, 'up'> & { address: string };

const testSecretKey = 'a secret key for tests, long enough';
const program = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));
const startMsMax = 60_000;
const stopMsMax = 20_000;

/** A data folder of the test's own, with the embedded database in it; gone when the test ends. */
export async function dataFolder(t: TestContext): Promise<Place & { folder: string }> {
  const above = await mkdtemp(join(tmpdir(), 'shoal-data-'));
  // PostgreSQL does not run as root; its user must be able to come through.
  await chmod(above, 0o711);
  const folder = join(above, 'data');
  const place = openPlace(t, { SHOAL_DATA: folder });
  t.after(() => rm(above, { recursive: true, force: true }));
  return { ...place, folder };
}

/** A database of the test's own on the test server, and a data folder for the rest; gone when the test ends. */
export async function databasePlace(t: TestContext): Promise<Place & { sql: Sql }> {
  // Hooks run in the order of their making: what uses the database ends before the database does.
  const { env, onEnd } = await dataFolder(t);
  const { sql, url } = await testDatabase(t);
  return { env: { ...env, DATABASE_URL: url, SHOAL_SECRET_KEY: testSecretKey }, onEnd, sql };
}

function openPlace(t: TestContext, env: Place['env']): Place {
  const closers: (() => Promise<unknown>)[] = [];
  t.after(async () => {
    for (const close of closers.reverse()) await close();
  });
  return { env, onEnd: (run) => void closers.push(run) };
}

/** Runs one command to its end. */
export async function shoal(place: Place, ...args: string[]): Promise<Ended> {
  const child = start(place, args);
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const code = await ended(child);
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Runs one command with `--json` and gives the object it prints. Throws with what it said when it fails. */
export async function shoalJson(place: Place, ...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await shoal(place, ...args, '--json');
  if (code !== 0) throw new Error(`shoal ${args.join(' ')} ended with code ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Starts `shoal serve` on a free port and waits until it is up; it is stopped when the test ends. */
export async function serve(place: Place, ...args: string[]): Promise<Serving> {
  const { up, ...ends } = launch(place, ...args);
  return { ...ends, address: await up };
}

/** Starts `shoal serve` without waiting. `up` gives the address; it rejects with what was said when that does not come. */
export function launch(place: Place, ...args: string[]): Launched {
  const child = start(place, ['serve', '--port', '0', '--worker-port', '0', ...args]);
  const said = collect(child.stderr);
  const gone = ended(child);
  const end = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return gone;
  };
  const stop = async () => {
    const late = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
    const code = await end('SIGTERM');
    clearTimeout(late);
    return code;
  };
  place.onEnd(stop);
  return { up: listening(child), stop, kill: async () => void (await end('SIGKILL')), said };
}

function start(place: Place, args: readonly string[]) {
  const { PATH = '' } = process.env;
  return spawn(process.execPath, [program, ...args], {
    env: { PATH, SHOAL_RATE_LIMIT: '0', SHOAL_COLLECT: 'off', ...place.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function listening(child: ReturnType<typeof start>): Promise<string> {
  const said = collect(child.stderr);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const late = setTimeout(() => reject(new Error(`shoal serve is not up: ${said()}`)), startMsMax);
  child.stderr.on('data', () => {
    const [, address] = /"Listening on ([^"]+)"/.exec(said()) ?? [];
    if (address !== undefined) resolve(address);
  });
  child.once('close', (code) => reject(new Error(`shoal serve ended with code ${code}: ${said()}`)));
  return promise.finally(() => clearTimeout(late));
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', (code) => resolve(code)));
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  return () => text;
}
