/**
 * The HTTP app: routes of all APIs, health and pages.
 */
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { readInsightContract, registerLineInsight } from '../api/line-insight/router.ts';
import { readLiveChatContract, registerLiveChat } from '../api/live-chat/router.ts';
import { readManagementContract, registerManagement } from '../api/management/router.ts';
import { readMantagoContract, registerMantago } from '../api/mantago/router.ts';
import { registerMcp } from '../api/mcp/router.ts';
import { registerDocuments } from '../api/pages/documents.ts';
import { registerPages } from '../api/pages/pages.ts';
import { registerUnsubscribe } from '../api/pages/unsubscribe.ts';
import { registerWidgetFile } from '../api/pages/widget-file.ts';
import { opensSocket, registerSockets, socketRefusal } from '../api/sockets.ts';
import type { KeyWatch } from '../auth/key-watch.ts';
import { openedOnce } from '../auth/opened-boxes.ts';
import { type Channel, type ChannelId, findChannels } from '../bots/channels.ts';
import { boundedCache } from '../bounded-cache.ts';
import { callLimit } from '../collector/call-limit.ts';
import type { Config } from '../config.ts';
import { cachedReads } from '../database/cached-reads.ts';
import type { Sql } from '../database/client.ts';
import type { Heartbeat } from '../database/heartbeat.ts';
import { Refusal } from '../errors.ts';
import { measureAnswers } from '../http/answer-times.ts';
import { batchLoaded } from '../http/batch.ts';
import { boundBodyBytes, type HeldBytes } from '../http/body-bytes.ts';
import { unknownProxyWarning } from '../http/caller-address.ts';
import type { Drain } from '../http/drain.ts';
import { refuseBrokenRequests, refuseConnection, sendByPath } from '../http/errors/by-path.ts';
import { listenProblem } from '../http/listen-problem.ts';
import { refuseDuringSilence } from '../http/refuse-during-silence.ts';
import { addSecurityHeaders } from '../http/security-headers.ts';
import { closeSilentConnections } from '../http/silent-connections.ts';
import type { GroupCommit } from '../inbox/group-commit.ts';
import { registerHandshake } from '../inbox/handshake.ts';
import { type ReceiveOptions, registerWebhooks } from '../inbox/receive.ts';
import type { LineAccess } from '../line/access.ts';
import { registerGateway } from '../line/gateway/gateway.ts';
import { registerRedirect } from '../line/gateway/redirect.ts';
import type { VerifiedTokens } from '../line/verified-tokens.ts';
import type { LiveChat } from '../live-chat/live-chat.ts';
import { readMailSettings } from '../mail/settings.ts';
import { GraphClient } from '../meta/graph-client.ts';
import { proxiesOf } from '../network.ts';
import type { WebhookPlatformName } from '../platforms/platform.ts';
import { Pictures } from '../profiles/pictures.ts';
import { openGate } from '../webhooks-out/addresses.ts';
import type { Closer, Parts } from './background.ts';
import type { NoteRefusal } from './count-refused.ts';
import type { Metrics } from './metrics.ts';

const readChannelsMax = 10_000;
/** How often the time limits of requests are checked within the limit. */
const requestChecks = 10;
/** For routes without a limit of their own. */
const bodyBytesMaxDefault = 64 * 1024;

/** Starts to listen, and returns the address. Throws Refusal INPUT_INVALID if the address cannot be used. */
export async function listen(
  app: FastifyInstance,
  { port, host }: Pick<Config, 'port' | 'host'>,
  flag: string,
): Promise<string> {
  try {
    return await app.listen({ port, host, listenTextResolver: (address) => `Listening on ${address}` });
  } catch (error) {
    throw listenProblem(error, { host, port, flag });
  }
}

/** The app of the roles `all` and `web`, with all APIs and pages. */
export async function buildHttp(
  { config, sql, keys, clock, random, log }: Parts,
  {
    inbox,
    access,
    verified,
    bodies,
    heartbeat,
    metrics,
    stored,
    refused,
    exportSql,
    mantagoSql,
    liveChat,
    keyWatch,
    closers,
    requestMsMax,
    drain,
  }: {
    inbox: GroupCommit;
    access: LineAccess;
    verified: VerifiedTokens;
    bodies: HeldBytes;
    heartbeat: Heartbeat;
    metrics: Metrics;
    stored: (botId: string) => void;
    refused: NoteRefusal;
    exportSql: Sql;
    mantagoSql: Sql;
    liveChat: LiveChat;
    keyWatch: KeyWatch;
    closers: Closer[];
    requestMsMax: number;
    drain: Drain;
  },
): Promise<FastifyInstance> {
  const app = openApp({ config, log }, requestMsMax);
  app.server.maxConnections = config.connectionsMax;
  closeSilentConnections(app, { closeMsMax: requestMsMax });
  measureAnswers(app, metrics.answersOf);
  boundBodyBytes(app, bodies);
  refuseDuringSilence(app, heartbeat);
  // Deliveries of many bots that arrive together share one read of their channels.
  const boxes = openedOnce(keys);
  const readChannel = batchLoaded<ChannelId, Channel | null>(
    (ids) => findChannels(sql, boxes, ids, { now: clock() }),
    { runsMax: 1, slow: { afterMs: 100, runsMax: 3 }, countMax: 200 },
  );
  // So that requests during an outage are counted for existing channels only.
  const readChannels = boundedCache<string, true>(readChannelsMax);
  const enabledChannel = cachedReads(async (botId: string, platform: WebhookPlatformName) => {
    try {
      const channel = await readChannel({ botId, platform });
      if (!channel?.enabled) return null;
      readChannels.set(`${botId} ${platform}`, true);
      return channel;
    } catch (error) {
      if (error instanceof Refusal) keyWatch.report({ botId, platform }, error.message);
      throw error;
    }
  });
  const webhooks: ReceiveOptions = {
    inbox,
    clock,
    stored,
    refused,
    received: metrics.received,
    findChannel: (botId, platform) =>
      enabledChannel(botId, platform).catch(() => {
        if (readChannels.has(`${botId} ${platform}`)) refused({ botId, platform }, 'not-stored');
        return 'unavailable' as const;
      }),
  };
  await registerWebhooks(app, webhooks);
  registerHandshake(app, webhooks);
  const gate = openGate({ allowPrivate: config.callbackPrivate });
  const pictures = new Pictures({ sql, clock, gate, trustedOrigins: [config.lineApi, config.graphApi] });
  closers.push(async () => pictures.close());
  const graph = new GraphClient({ facebook: config.graphApi, instagram: config.instagramApi });
  closers.push(() => graph.close());
  // A scope of its own, because the hooks of WebSockets would cost every call of the other APIs.
  await app.register(async (scope) => {
    await registerSockets(scope);
    await registerLiveChat(scope, {
      ...{ sql, keys, liveChat, clock, random, log },
      visitorLimit: config.chatVisitorLimit,
      addressLimit: config.chatAddressLimit,
      images: config.chatImages,
    });
    await registerManagement(scope, {
      sql,
      exportSql,
      liveChat,
      pictures,
      dataFolder: config.databaseUrl === null ? config.data : null,
      publicUrl: config.publicUrl,
      mail: readMailSettings(config),
      mantagoCallsPerMinute: config.mantagoCallsPerMinute,
      keys,
      clock,
      random,
      gate,
      collectLimit: callLimit(config.lineCallsPerHour),
      metaLimit: callLimit(config.metaCallsPerHour),
      graph,
      access,
      rateLimit: config.adminRateLimit,
      log,
    });
  });
  await registerMantago(app, {
    ...{ sql: mantagoSql, keys, clock, random, gate, log },
    rateLimit: config.rateLimit,
  });
  await registerLineInsight(app, {
    ...{ sql, verified, clock, random, log },
    rateLimit: config.insightRateLimit,
  });
  await registerMcp(app, {
    log,
    publicUrl: config.publicUrl,
    showsNames: config.mcpNames === 'shown',
  });
  await registerDocuments(app);
  const gateway = await registerGateway(app, {
    ...{ sql, keys, access, verified, inbox, clock, random, log, onStored: stored, onSend: metrics.sent },
    lineApi: config.lineApi,
    passThrough: config.linePassThrough === 'on',
    publicUrl: config.publicUrl,
  });
  closers.push(() => gateway.close());
  registerRedirect(app, {
    ...{ sql, keys, inbox, clock, random, log, onStored: stored, onClick: metrics.clicked },
    waitingBytesMax: config.waitingBytesMax / 2,
  });
  await registerUnsubscribe(app, { sql, keys, clock });
  await registerWidgetFile(app);
  registerHealth(app, { keyWatch, metrics, drain });
  await registerPages(app);
  return app;
}

/** Begins to read the contracts, which takes about as long as the start of PostgreSQL. An invalid one fails when it is used. */
export function readContracts(): void {
  for (const read of [readManagementContract, readLiveChatContract, readMantagoContract, readInsightContract])
    read().catch(() => undefined);
}

/** An app without routes. */
export function openApp(
  { config, log }: Pick<Parts, 'config' | 'log'>,
  requestMsMax: number,
): FastifyInstance {
  const isProxy = proxiesOf(config.trustedProxies);
  const app = Fastify({
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: requestMsMax,
    forceCloseConnections: 'idle',
    // Answers requests that arrive on open connections during the stop.
    return503OnClosing: false,
    trustProxy: isProxy,
    // Hooks do not run for a malformed address.
    frameworkErrors: (error, request, reply) =>
      sendByPath(error, request, addSecurityHeaders(request, reply), log),
    clientErrorHandler: refuseConnection,
    bodyLimit: bodyBytesMaxDefault,
    http: {
      headersTimeout: requestMsMax,
      connectionsCheckingInterval: requestMsMax / requestChecks,
      // Node would use the first of two equal headers. Joined ones contain no valid credentials.
      joinDuplicateHeaders: true,
      requireHostHeader: false,
      // Clients that offer HTTP/2 by an upgrade expect an answer in HTTP/1.1 where there is none.
      shouldUpgradeCallback: opensSocket,
    },
    routerOptions: { maxParamLength: 300 },
  });
  // Fastify with a logger makes a logger for each request, and adds listeners to each answer.
  app.log = log;
  app.setChildLoggerFactory(() => log);
  const brokenRefusal = refuseBrokenRequests(app.server);
  const warnOfUnknownProxy = unknownProxyWarning({ isProxy, log });
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request;
    addSecurityHeaders(request, reply);
    warnOfUnknownProxy(raw);
    done(brokenRefusal(raw) ?? socketRefusal(raw));
  });
  app.setErrorHandler((error, request, reply) => sendByPath(error, request, reply, log));
  return app;
}

/** Adds /healthz, /readyz and /metrics. */
export function registerHealth(
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
