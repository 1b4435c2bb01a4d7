/**
 * Assembles the parts of the server, and closes them.
 */
import { randomBytes } from 'node:crypto';
import type { Logger, pino } from 'pino';
import { exportsAtOnceMax } from '../api/management/exports.ts';
import { KeyWatch } from '../auth/key-watch.ts';
import { findKeys, type KeySource, shortFingerprint } from '../auth/keys.ts';
import { keysOf } from '../auth/secret-key.ts';
import { createFirstSetupLink, type SetupLink } from '../auth/setup-links.ts';
import type { Config } from '../config.ts';
import { countPrepared } from '../database/cluster.ts';
import { Heartbeat } from '../database/heartbeat.ts';
import { Poll } from '../database/poll.ts';
import { HeldBytes } from '../http/body-bytes.ts';
import { Drain } from '../http/drain.ts';
import { groupCommit } from '../inbox/group-commit.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import { LineAccess } from '../line/access.ts';
import { countWaiting } from '../line/collector/status.ts';
import { LineClient } from '../line/line-client.ts';
import { VerifiedTokens } from '../line/verified-tokens.ts';
import { type LiveChat, startLiveChat } from '../live-chat/live-chat.ts';
import { openLog } from '../log.ts';
import { readMailSettings } from '../mail/settings.ts';
import { once } from '../once.ts';
import type { Random } from '../random.ts';
import { type Clock, minuteMs, secondMs, systemClock } from '../time.ts';
import { type Closer, type Parts, readWaitingNotices, startBackground } from './background.ts';
import { countRefused } from './count-refused.ts';
import { buildHttp, listen, openApp, readContracts, registerHealth } from './http-app.ts';
import { createMetrics } from './metrics.ts';
import { type Database, openDatabase } from './open-database.ts';

export type RunningServer = {
  /** `http://host:port`. A worker serves health and metrics there. */
  address: string;
  /** Creates a setup link below the address, as long as no user or admin token exists; null: one does. */
  createFirstSetupLink(address: string): Promise<SetupLink | null>;
  /** Waits until all connections are closed, at most for the drain time. Each response closes its connection. */
  drain(): Promise<void>;
  /** Finishes running requests and batches, then closes the database. Safe to call twice. */
  close(): Promise<void>;
};

const followKeyMs = minuteMs;
const tryCredentialsMs = 10 * minuteMs;
const poolSize = 10;
const intakePoolSize = 2;
const mantagoPoolSize = 5;
/** The time for a whole request, from its first byte or the opening of the connection. */
const requestMsDefault = 30_000;

export type StartOptions = {
  clock?: Clock;
  random?: Random;
  log?: Logger;
  /** The time for a whole request, ms. */
  requestMsMax?: number;
  /** Waits for an unavailable database until this is aborted. */
  signal?: AbortSignal;
};

/**
 * Opens and migrates the database, and starts the parts of the role. Throws a Refusal with the reason. With a `signal` it waits for
 * an unavailable database, and throws the signal's reason when that is aborted.
 */
export async function startServer(
  config: Config,
  {
    clock = systemClock,
    random = randomBytes,
    log = openLog(config.logLevel),
    requestMsMax = requestMsDefault,
    signal,
  }: StartOptions = {},
): Promise<RunningServer> {
  const source: KeySource = {
    secretKey: config.secretKey,
    secretKeyPrevious: config.secretKeyPrevious,
    dataFolder: config.data,
    random,
  };
  readMailSettings(config);
  if (config.role !== 'worker') readContracts();
  const database = await openDatabase({
    databaseUrl: config.databaseUrl,
    dataFolder: config.data,
    exclusive: true,
    max: poolSize,
    applicationName: nameOf(config, source),
    log,
    waiting: signal,
  });
  const closers: Closer[] = [() => database.close()];
  const close = once(async () => {
    for (const closer of closers.reverse()) await closer();
  });
  try {
    const mayMake = config.databaseUrl === null;
    const keys = await keysOf(database.sql, source, { mayMake, now: clock() });
    const parts: Parts = { config, sql: database.sql, keys, clock, random, log };
    const drain = new Drain();
    const keyWatch = new KeyWatch(parts);
    const address = await startParts(parts, database, { closers, requestMsMax, drain, keyWatch });
    // Not earlier: opening the credentials of thousands of bots would delay the start.
    watchKeys(keyWatch, log, closers);
    return {
      address,
      createFirstSetupLink: (below) =>
        createFirstSetupLink(database.sql, { address: below, now: clock(), random }),
      drain: () => drain.run(config.drainSeconds * secondMs),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** `shoal key rotate` reads the server's keys from this name. A server with a key file reads the file again by itself. */
function nameOf({ role, secretKey }: Config, source: KeySource): string {
  const name = `shoal serve ${role}`;
  const fingerprints = secretKey === null ? [] : (findKeys(source)?.all.map(shortFingerprint) ?? []);
  return fingerprints.length === 0 ? name : `${name}, keys ${fingerprints.join(' ')}`;
}

async function startParts(
  parts: Parts,
  { openPool, openListener, dropConnections }: Database,
  {
    closers,
    requestMsMax,
    drain,
    keyWatch,
  }: { closers: Closer[]; requestMsMax: number; drain: Drain; keyWatch: KeyWatch },
): Promise<string> {
  const { config, sql } = parts;
  const heartbeat = new Heartbeat({
    open: () => openListener(() => undefined, 'heartbeat'),
    dropConnections,
    log: parts.log,
  });
  closers.push(() => heartbeat.stop());
  // The intake has its own connections, so that reports do not delay webhooks.
  const intakeSql = openPool(intakePoolSize);
  const inbox = groupCommit((deliveries) => putDeliveries(intakeSql, deliveries), {
    bytesMax: config.waitingBytesMax,
  });
  const bodies = new HeldBytes(config.bodyBytesMax);
  let liveChat: LiveChat | null = null;
  const metrics = createMetrics({
    waitingBytes: () => inbox.bytes,
    bodyBytes: () => bodies.bytes,
    chatSockets: () => liveChat?.connections.count ?? 0,
    waitingNotices: () => readWaitingNotices(parts),
    collecting: () => countWaiting(sql),
    preparedTransactions: () => countPrepared(sql),
  });
  const line = new LineClient(config.lineApi);
  closers.push(() => line.close());
  const tokenOptions = { clock: parts.clock, monotonic: () => performance.now(), onCall: metrics.lineCalled };
  const access = new LineAccess(line, tokenOptions);
  const verified = new VerifiedTokens(line, tokenOptions);
  const refused = countRefused(parts, closers);
  const worker =
    config.role === 'web' ? null : startBackground(parts, { openPool, access, metrics, refused, closers });
  if (config.role === 'worker') {
    const app = openApp(parts, requestMsMax);
    drain.add(app);
    registerHealth(app, { keyWatch, metrics, drain });
    closers.push(() => app.close());
    return listen(app, { host: config.host, port: config.workerPort }, 'worker-port');
  }
  closers.push(() => inbox.drain());
  // Exports have their own connections, so that they do not delay other calls.
  const exportSql = openPool(exportsAtOnceMax);
  // The client uses connections in turn, and a rarely used backend is slow. The most frequent calls therefore have few connections.
  const mantagoSql = openPool(mantagoPoolSize);
  const stored = (botId: string): void => worker?.wake(botId);
  // Shares the pool of the webhooks, which use no transactions.
  const chat = await startLiveChat({ ...parts, postSql: intakeSql, openListener, stored });
  liveChat = chat;
  closers.push(() => chat.close());
  const app = await buildHttp(parts, {
    inbox,
    access,
    verified,
    metrics,
    stored,
    refused,
    exportSql,
    mantagoSql,
    liveChat: chat,
    keyWatch,
    closers,
    bodies,
    heartbeat,
    requestMsMax,
    drain,
  });
  drain.add(app);
  closers.push(async () => {
    // Otherwise the app would wait until the sockets close.
    await chat.connections.stop();
    await app.close();
  });
  return listen(app, config, 'port');
}

/** Follows rotations of the secret key, and checks that it decrypts the stored credentials. */
function watchKeys(keyWatch: KeyWatch, log: pino.Logger, closers: Closer[]): void {
  const followKey = async () => void (await keyWatch.followKey());
  const polls = [
    new Poll(followKey, { name: 'the check of the secret key', pauseMs: followKeyMs, log }),
    new Poll(() => keyWatch.tryCredentials(), {
      ...{ name: 'the check of the credentials', pauseMs: tryCredentialsMs, log },
    }),
  ];
  closers.push(async () => void (await Promise.all(polls.map((poll) => poll.stop()))));
}
