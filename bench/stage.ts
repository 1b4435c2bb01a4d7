/**
 * The environment of a measurement: a new embedded cluster with production settings (fsync on) in a temporary folder, and the
 * processes: the server, the reference server and the load generator. All are removed at the end.
 */

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { openKeys } from '../src/auth/keys.ts';
import { createBot } from '../src/bots/bots.ts';
import { setChannel } from '../src/bots/set-channel.ts';
import type { Sql } from '../src/database/client.ts';
import { once } from '../src/once.ts';
import type { PlatformName } from '../src/platforms/platform.ts';
import { openDatabase } from '../src/server/open-database.ts';
import type { BareHello } from './bare.ts';
import type { Answer, Call, Job } from './generator.ts';
import type { LoadResult } from './load.ts';

/** The size of the server's own pool (src/server/server.ts). */
export const poolSize = 10;
/** The secret of every channel. */
export const channelSecret = '0123456789abcdef0123456789abcdef';

export type Server = { address: string; port: number; pid: number; stop(): Promise<void> };
export type BenchBot = { botId: string; apiToken: string; apiSecret: string };
export type BareServer = { port: number; answerWith(text: string): Promise<void> };

export type Stage = {
  sql: Sql;
  dataFolder: string;
  /** Starts `shoal serve` on the stage's database, without a rate limit, with further options. */
  startServer(...options: string[]): Promise<Server>;
  startBare(): Promise<BareServer>;
  /** Runs a job in the load generator's process. */
  generate(job: Job): Promise<LoadResult>;
  addBot(name: string, platforms?: readonly PlatformName[]): Promise<BenchBot>;
  /** Sets the widget key of a bot's live chat. */
  setWidgetKey(botId: string, widgetKey: string): Promise<void>;
  /** Runs a checkpoint, so that earlier work does not slow down the next round. */
  settle(): Promise<void>;
  /** Ends all processes and deletes the folder. Safe to call twice. */
  close(): Promise<void>;
};

const startMsMax = 60_000;
const stopMsMax = 30_000;
const removeTriesMax = 5;

/** `profileFolder`: the folder for the server's CPU profile; null: no profile. */
export async function openStage({ profileFolder }: { profileFolder: string | null }): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-bench-'));
  // PostgreSQL does not run as root. Its own user needs access to this folder.
  await chmod(folder, 0o755);
  const dataFolder = join(folder, 'data');
  const children = new Set<ChildProcess>();
  const log = pino({ level: 'silent' });
  const removeFolder = () => rm(folder, { recursive: true, force: true, maxRetries: removeTriesMax });
  const options = { databaseUrl: null, dataFolder, max: poolSize, applicationName: 'shoal bench', log };
  const database = await openDatabase(options).catch(async (error: unknown) => {
    await removeFolder();
    throw error;
  });
  const { sql } = database;
  const keys = await openKeys({ secretKey: null, dataFolder, random: randomBytes });
  const making = () => ({ now: Date.now(), random: randomBytes, keys });
  let generator: ChildProcess | undefined;
  return {
    sql,
    dataFolder,
    startServer: (...options) => startServer(children, { dataFolder, profileFolder, options }),
    startBare: () => startBare(children),
    async generate(job) {
      generator ??= forkModule(children, 'generator.ts', []);
      generator.send(job);
      const answer = await nextMessage<Answer>(generator);
      if ('error' in answer) throw new Error(`the load generator failed: ${answer.error}`);
      return answer.result;
    },
    async addBot(name, platforms = ['line']) {
      const bot = await createBot(sql, { name, timeZone: 'Asia/Taipei' }, making());
      for (const platform of platforms) {
        const meta =
          platform === 'line' || platform === 'liveChat'
            ? {}
            : { accountId: '1000000000', verifyToken: 'bench-verify-token' };
        await setChannel(sql, { botId: bot.botId, platform, secret: channelSecret, ...meta }, making());
      }
      return bot;
    },
    setWidgetKey: (botId, widgetKey) =>
      setChannel(sql, { botId, platform: 'liveChat', secret: widgetKey, retireSecret: true }, making()),
    async settle() {
      await sql`checkpoint`;
    },
    close: once(async () => {
      await Promise.all([...children].map(stop));
      await database.close();
      await removeFolder();
    }),
  };
}

/** The client analysis call of a bot. */
export function analysisCall({ botId, apiToken, apiSecret }: BenchBot): Call {
  return mantagoCall('clients/analysis', botId, apiToken, { secret: apiSecret });
}

/** The points call for contacts by their client ids. */
export function pointsCall({ botId, apiToken, apiSecret }: BenchBot, clientIds: readonly string[]): Call {
  return mantagoCall('client/point', botId, apiToken, { secret: apiSecret, clientIds });
}

function mantagoCall(name: string, botId: string, apiToken: string, body: object): Call {
  const headers = { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' };
  return { path: `/openapi/${name}?botId=${botId}`, headers, body: JSON.stringify(body) };
}

/** Makes one call and returns the text of its response. Throws if the status is not 200. */
export async function answerOf(server: Server, { path, headers, body }: Call): Promise<string> {
  const method = body === null ? 'GET' : 'POST';
  const response = await fetch(`${server.address}${path}`, { method, headers, body });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`);
  return text;
}

/** Throws if any response was not a 200. */
export function onlyOk(result: LoadResult): LoadResult {
  const others = Object.keys(result.statuses).filter((status) => status !== '200');
  if (others.length > 0) throw new Error(`answers other than 200: ${JSON.stringify(result.statuses)}`);
  return result;
}

async function startServer(
  children: Set<ChildProcess>,
  {
    dataFolder,
    profileFolder,
    options,
  }: { dataFolder: string; profileFolder: string | null; options: readonly string[] },
): Promise<Server> {
  const profiling = profileFolder === null ? [] : ['--cpu-prof', '--cpu-prof-dir', profileFolder];
  const program = fileURLToPath(new URL('../bin/shoal.js', import.meta.url));
  const defaults = ['--data', dataFolder, '--port', '0', '--rate-limit', '0', '--log-level', 'info'];
  // Like `npm start`.
  const flags = ['--max-semi-space-size=8', ...profiling];
  const child = spawn(process.execPath, [...flags, program, 'serve', ...defaults, ...options], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  keep(children, child);
  const address = await new Promise<string>((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => reject(new Error(`the server did not start: ${output}`)), startMsMax);
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text;
      const address = /Listening on ([^\s"]+)/.exec(output)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
    child.once('exit', () => {
      clearTimeout(timer);
      reject(new Error(`the server ended: ${output}`));
    });
  });
  return { address, port: Number(new URL(address).port), pid: child.pid ?? 0, stop: () => stop(child) };
}

async function startBare(children: Set<ChildProcess>): Promise<BareServer> {
  const child = forkModule(children, 'bare.ts', [channelSecret]);
  const { port } = await nextMessage<BareHello>(child);
  return {
    port,
    async answerWith(answer) {
      child.send({ answer });
      await nextMessage(child);
    },
  };
}

function forkModule(children: Set<ChildProcess>, name: string, args: string[]): ChildProcess {
  const child = fork(new URL(name, import.meta.url), args, { env: { PATH: process.env.PATH }, execArgv: [] });
  keep(children, child);
  return child;
}

function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('a process of the benchmark ended early'));
    child.once('exit', ended);
    child.once('message', (message: Message) => {
      child.off('exit', ended);
      resolve(message);
    });
  });
}

function keep(children: Set<ChildProcess>, child: ChildProcess): void {
  children.add(child);
  child.once('exit', () => children.delete(child));
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
  await ended;
  clearTimeout(timer);
}
