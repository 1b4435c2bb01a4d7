/**
 * The one place where the server's parts are put together and taken down.
 *
 *     platforms → inbox → events → figures, points → apis
 *                                        └ outgoing
 */

import { randomBytes } from 'node:crypto';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Logger, pino } from 'pino';
import { registerLineInsight } from '../api/line-insight/router.ts';
import { registerLiveChat } from '../api/live-chat/router.ts';
import { exportsAtOnceMax } from '../api/management/exports.ts';
import { registerManagement } from '../api/management/router.ts';
import { registerMantago } from '../api/mantago/router.ts';
import { registerDocuments } from '../api/pages/documents.ts';
import { registerPages } from '../api/pages/pages.ts';
import { registerWidgetFile } from '../api/pages/widget-file.ts';
import { registerSockets } from '../api/sockets.ts';
import { KeyWatch } from '../auth/key-watch.ts';
import { findKeys, type KeySource, shortFingerprint } from '../auth/keys.ts';
import { keysOf } from '../auth/secret-key.ts';
import { findChannel } from '../bots/channels.ts';
import type { Config } from '../config.ts';
import type { Sql } from '../database/client.ts';
import { Heartbeat } from '../database/heartbeat.ts';
import { logFailure } from '../database/outage.ts';
import { Refusal } from '../errors.ts';
import { boundBodyBytes, HeldBytes } from '../http/body-bytes.ts';
import { warnOfUnknownProxy } from '../http/caller-address.ts';
import { Drain } from '../http/drain.ts';
import { refuseBrokenRequests, refuseConnection, sendByPath } from '../http/errors/by-path.ts';
import { refuseDuringSilence } from '../http/refuse-during-silence.ts';
import { addSecurityHeaders, securityHeaders } from '../http/security-headers.ts';
import { closeSilentConnections } from '../http/silent-connections.ts';
import { type GroupCommit, groupCommit } from '../inbox/group-commit.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import { knownChannels } from '../inbox/known-channels.ts';
import { type ReceiveOptions, registerWebhooks } from '../inbox/receive.ts';
import { RefusedDeliveries } from '../inbox/refused.ts';
import { callLimit } from '../line/collector/call-limit.ts';
import { countWaiting } from '../line/collector/status.ts';
import { registerGateway } from '../line/gateway/gateway.ts';
import { registerRedirect } from '../line/gateway/redirect.ts';
import { type LiveChat, startLiveChat } from '../live-chat/live-chat.ts';
import { openLog } from '../log.ts';
import { proxiesOf } from '../network.ts';
import { once } from '../once.ts';
import type { Random } from '../random.ts';
import { type Clock, minuteMs, secondMs, systemClock } from '../time.ts';
import { openGate } from '../webhooks-out/addresses.ts';
import { type Parts, readWaitingNotices, repeat, startBackground } from './background.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { type Database, openDatabase } from './open-database.ts';

export type RunningServer = {
  /** `http://host:port`; of a worker the address of its health and metrics. */
  address: string;
  /** Answers on until no connection is open, at most for the drain time; every answer ends its connection. */
  drain(): Promise<void>;
  /** Answers what is under way, folds the batches under way, closes the database. Safe to call twice. */
  close(): Promise<void>;
};

const followKeyMs = minuteMs;
const tryCredentialsMs = 10 * minuteMs;
const poolSize = 10;
const intakePoolSize = 2;
const mantagoPoolSize = 5;
const refusedEveryMs = 10 * secondMs;
/** The time for the head and the body of a request, from its first byte or the opening of the connection. */
const requestMsUsual = 30_000;
const requestChecks = 10;
/** Of routes that set no limit of their own. */
const bodyBytesMaxUsual = 64 * 1024;

export type StartOptions = {
  clock?: Clock;
  random?: Random;
  log?: Logger;
  /** The time for a whole request to arrive, ms. */
  requestMsMax?: number;
  /** Waits for a database that is away until this is aborted. */
  signal?: AbortSignal;
};

/**
 * Opens the database, migrates it, and starts the parts of the role. Throws a Refusal with the reason. With a `signal` it waits
 * for a database that is away, and throws the signal's reason when that is aborted.
 */
export async function startServer(
  config: Config,
  {
    clock = systemClock,
    random = randomBytes,
    log = openLog(config.logLevel),
    requestMsMax = requestMsUsual,
    signal,
  }: StartOptions = {},
): Promise<RunningServer> {
  const source: KeySource = {
    secretKey: config.secretKey,
    secretKeyPrevious: config.secretKeyPrevious,
    dataFolder: config.data,
    random,
  };
  const database = await openDatabase({
    databaseUrl: config.databaseUrl,
    dataFolder: config.data,
    exclusive: true,
    max: poolSize,
    applicationName: nameOf(config, source),
    log,
    waiting: signal,
  });
  const closers: (() => Promise<void>)[] = [() => database.close()];
  const close = once(async () => {
    for (const closer of closers.reverse()) await closer();
  });
  try {
    const mayMake = config.databaseUrl === null;
    const keys = await keysOf(database.sql, source, { mayMake, now: clock() });
    const parts: Parts = { config, sql: database.sql, keys, clock, random, log };
    const drain = new Drain();
    const address = await startParts(parts, database, { closers, requestMsMax, drain });
    return { address, drain: () => drain.run(config.drainSeconds * secondMs), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** `shoal key rotate` reads there which keys a server was started with; those of key files it reads again by itself. */
function nameOf({ role, secretKey }: Config, source: KeySource): string {
  const name = `shoal serve ${role}`;
  const shown = secretKey === null ? [] : (findKeys(source)?.all.map(shortFingerprint) ?? []);
  return shown.length === 0 ? name : `${name}, keys ${shown.join(' ')}`;
}

async function startParts(
  parts: Parts,
  { openPool, openListener, dropConnections }: Database,
  { closers, requestMsMax, drain }: { closers: (() => Promise<void>)[]; requestMsMax: number; drain: Drain },
): Promise<string> {
  const { config, sql } = parts;
  const heartbeat = new Heartbeat({
    open: () => openListener(() => undefined, 'heartbeat'),
    dropConnections,
  });
  closers.push(() => heartbeat.stop());
  // Intake has connections of its own, so that no report can keep a webhook waiting.
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
  });
  const keyWatch = new KeyWatch(parts);
  watchKeys(keyWatch, parts.log, closers);
  const worker = config.role === 'web' ? null : startBackground(parts, { openPool, metrics, closers });
  if (config.role === 'worker') {
    const app = openApp(parts, requestMsMax);
    drain.add(app);
    registerHealth(app, { keyWatch, metrics, drain });
    closers.push(() => app.close());
    return listen(app, { host: config.host, port: config.workerPort }, 'worker-port');
  }
  closers.push(() => inbox.drain());
  // Exports, too: however many there are, other calls find a connection.
  const exportSql = openPool(exportsAtOnceMax);
  // The client takes connections in turn, and a backend that is rarely used is slow. So the most frequent calls have few of them.
  const mantagoSql = openPool(mantagoPoolSize);
  const stored = (botId: string): void => worker?.wake(botId);
  // Beside the webhooks' statements, but on transactions of its own, which they have none of.
  const chat = await startLiveChat({ ...parts, postSql: intakeSql, openListener, stored });
  liveChat = chat;
  closers.push(() => chat.close());
  const app = await buildHttp(parts, {
    inbox,
    metrics,
    stored,
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
    // Else the server would wait for their ends.
    await chat.connections.stop();
    await app.close();
  });
  return listen(app, config, 'port');
}

async function listen(
  app: FastifyInstance,
  { port, host }: Pick<Config, 'port' | 'host'>,
  flag: string,
): Promise<string> {
  try {
    return await app.listen({ port, host, listenTextResolver: (address) => `Listening on ${address}` });
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? listenProblems[String(error.code)] : undefined;
    if (reason === undefined) throw error;
    throw new Refusal('INPUT_INVALID', `${host}:${port} ${reason}. Give another --${flag} or --host.`);
  }
}

const listenProblems: Record<string, string> = {
  EADDRINUSE: 'is in use by another program',
  EACCES: 'may only be used by the system',
  EADDRNOTAVAIL: 'is no address of this machine',
};

async function buildHttp(
  { config, sql, keys, clock, random, log }: Parts,
  {
    inbox,
    bodies,
    heartbeat,
    metrics,
    stored,
    exportSql,
    mantagoSql,
    liveChat,
    keyWatch,
    closers,
    requestMsMax,
    drain,
  }: {
    inbox: GroupCommit;
    bodies: HeldBytes;
    heartbeat: Heartbeat;
    metrics: Metrics;
    stored: (botId: string) => void;
    exportSql: Sql;
    mantagoSql: Sql;
    liveChat: LiveChat;
    keyWatch: KeyWatch;
    closers: (() => Promise<void>)[];
    requestMsMax: number;
    drain: Drain;
  },
): Promise<FastifyInstance> {
  const app = openApp({ config, log }, requestMsMax);
  app.server.maxConnections = config.connectionsMax;
  closeSilentConnections(app, { closeMsMax: requestMsMax });
  boundBodyBytes(app, bodies);
  refuseDuringSilence(app, heartbeat);
  await registerSockets(app);
  await registerWebhooks(app, {
    inbox,
    clock,
    stored,
    refused: countRefused({ sql, clock, log }, closers),
    received: metrics.received,
    findChannel: knownChannels(async (botId, platform) => {
      try {
        const channel = await findChannel(sql, keys, { botId, platform, now: clock() });
        return channel?.enabled ? channel : null;
      } catch (error) {
        if (error instanceof Refusal) keyWatch.report({ botId, platform }, error.message);
        throw error;
      }
    }),
  });
  await registerLiveChat(app, {
    ...{ sql, keys, liveChat, clock, random, log },
    visitorLimit: config.chatVisitorLimit,
    addressLimit: config.chatAddressLimit,
    images: config.chatImages,
  });
  const gate = openGate({ allowPrivate: config.callbackPrivate });
  await registerMantago(app, {
    ...{ sql: mantagoSql, keys, clock, random, gate, log },
    rateLimit: config.rateLimit,
  });
  await registerLineInsight(app, { sql, clock, random, rateLimit: config.insightRateLimit, log });
  await registerManagement(app, {
    sql,
    exportSql,
    liveChat,
    publicUrl: config.publicUrl,
    keys,
    clock,
    random,
    gate,
    collectLimit: callLimit(config.lineCallsPerHour),
    rateLimit: config.adminRateLimit,
    log,
  });
  await registerDocuments(app);
  const gateway = await registerGateway(app, {
    ...{ sql, keys, inbox, clock, random, log, stored, sent: metrics.sent },
    lineApi: config.lineApi,
    passThrough: config.linePassThrough === 'on',
    publicUrl: config.publicUrl,
  });
  closers.push(() => gateway.close());
  registerRedirect(app, {
    ...{ sql, keys, inbox, clock, random, log, stored, clicked: metrics.clicked },
    waitingBytesMax: config.waitingBytesMax / 2,
  });
  registerWidgetFile(app);
  registerHealth(app, { keyWatch, metrics, drain });
  await registerPages(app);
  return app;
}

function openApp({ config, log }: Pick<Parts, 'config' | 'log'>, requestMsMax: number): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = log;
  const isProxy = proxiesOf(config.trustedProxies);
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: requestMsMax,
    forceCloseConnections: 'idle',
    // A request that arrives on an open connection is answered.
    return503OnClosing: false,
    trustProxy: isProxy,
    // No hook has run for an address that cannot be read.
    frameworkErrors: (error, request, reply) =>
      sendByPath(error, request, reply.headers(securityHeaders(request)), log),
    clientErrorHandler: refuseConnection,
    bodyLimit: bodyBytesMaxUsual,
    http: {
      headersTimeout: requestMsMax,
      connectionsCheckingInterval: requestMsMax / requestChecks,
      // Of two headers Node would use the first one; joined, no credentials can be read from them.
      joinDuplicateHeaders: true,
      requireHostHeader: false,
      // Clients that offer HTTP/2 by an upgrade expect an answer in HTTP/1.1 where there is none.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    routerOptions: { maxParamLength: 300 },
  });
  addSecurityHeaders(app);
  refuseBrokenRequests(app);
  warnOfUnknownProxy(app, { isProxy, log });
  app.setErrorHandler((error, request, reply) => sendByPath(error, request, reply, log));
  return app;
}

/** Counts requests with a wrong signature; what was counted is written now and then, and at the end. */
function countRefused(
  { sql, clock, log }: Pick<Parts, 'sql' | 'clock' | 'log'>,
  closers: (() => Promise<void>)[],
): ReceiveOptions['refused'] {
  const refused = new RefusedDeliveries();
  const write = () =>
    refused.write(sql).catch((error: unknown) => {
      logFailure(log, error, 'refused deliveries could not be counted; the next attempt adds them');
    });
  const timer = setInterval(() => void write(), refusedEveryMs).unref();
  closers.push(async () => {
    clearInterval(timer);
    await write();
  });
  return (botId, platform) => refused.note(botId, platform, clock());
}

/** Follows a rotation of the secret key, and looks for credentials that it does not open. */
function watchKeys(keyWatch: KeyWatch, log: pino.Logger, closers: (() => Promise<void>)[]): void {
  const following = repeat(
    async () => void (await keyWatch.followKey()),
    followKeyMs,
    (error) => log.warn(`the secret key could not be checked: ${messageOf(error)}`),
  );
  const trying = repeat(
    () => keyWatch.tryCredentials(),
    tryCredentialsMs,
    (error) => log.warn(`the credentials could not be checked: ${messageOf(error)}`),
  );
  closers.push(async () => void (await Promise.all([following.stop(), trying.stop()])));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function registerHealth(
  app: FastifyInstance,
  { keyWatch, metrics, drain }: { keyWatch: KeyWatch; metrics: Metrics; drain: Drain },
): void {
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    if (drain.isDraining) return reply.code(503).send({ status: 'stopping' });
    try {
      const problem = await keyWatch.followKey();
      if (problem !== null) return reply.code(503).send({ status: problem });
      const { unreadable } = keyWatch;
      return { status: 'ready', ...(unreadable > 0 ? { unreadableCredentials: unreadable } : {}) };
    } catch {
      return reply.code(503).send({ status: 'the database does not answer' });
    }
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
