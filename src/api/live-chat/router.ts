/**
 * The visitors' side of live chat (contracts/live-chat.yaml) as it is served at `/live-chat/v1`: who may call, in which order a
 * call is checked, and how it is answered.
 *
 *     widget key → origin → calls of the address → token → messages of the visitor → images allowed → body read → contract
 *         → operation
 *
 * Each check refuses before the next one; the first three also at the upgrade to a socket. What goes over the socket stands in live-chat-socket.ts.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Keys } from '../../auth/keys.ts';
import { findBot } from '../../bots/bots.ts';
import { type Channel, findWidget, keepAllWidgetKeys } from '../../bots/channels.ts';
import type { Config } from '../../config.ts';
import type { Sql } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { readFileBodies, readJsonBodies } from '../../http/bodies.ts';
import { callerNetwork } from '../../http/caller-address.ts';
import { bindContract, type ContractOperation, readContract } from '../../http/contract.ts';
import { sendProblem } from '../../http/errors/problem.ts';
import { RateLimit } from '../../http/rate-limit.ts';
import { Slots } from '../../http/slots.ts';
import { isObject, type JsonObject, storable, textOf } from '../../json.ts';
import { provenIdentifier } from '../../live-chat/identity.ts';
import { imageBytesMax, imageTypes } from '../../live-chat/image-type.ts';
import type { LiveChat } from '../../live-chat/live-chat.ts';
import { markSeen, readImage, readMessages } from '../../live-chat/messages.ts';
import type { Posted } from '../../live-chat/posting.ts';
import { toImage } from '../../live-chat/uploaded-image.ts';
import { addressKeyOf } from '../../live-chat/usage.ts';
import { makeVisitorToken, readVisitorToken } from '../../live-chat/visitor-token.ts';
import { beginSession, isTrusted } from '../../live-chat/visitors.ts';
import type { Random } from '../../random.ts';
import type { Clock } from '../../time.ts';
import { registerSockets, upgradeRequired } from '../sockets.ts';
import { openVisitorSocket } from './socket.ts';
import { allowOrigin, answerPreflight, checkOrigin, isPreflight, knownWidgets } from './widgets.ts';

export type LiveChatApiOptions = {
  sql: Sql;
  keys: Keys;
  liveChat: LiveChat;
  clock: Clock;
  random: Random;
  /** Messages a minute of one visitor, and calls a minute of one address; 0: no limit. */
  visitorLimit: number;
  addressLimit: number;
  /** Visitors who may send images. */
  images: Config['chatImages'];
  log: Pick<Logger, 'error' | 'info'>;
};

/** What an operation is given; the contract has been checked by then. */
type VisitorCall = {
  channel: Channel;
  /** Of a good token; null: none was shown (sessions only). */
  visitorId: string | null;
  /** Of the caller's address (callerNetwork). */
  network: string;
  params: JsonObject;
  query: JsonObject;
  body: unknown;
  reply: FastifyReply;
};
type VisitorOperation = (call: VisitorCall) => Promise<unknown>;

const contractFile = new URL('../../../contracts/live-chat.yaml', import.meta.url);
const prefix = '/live-chat/v1';
const bodyBytesMax = 32 * 1024;
const pageSize = 50;
/** Images that are read at a time: each is held in memory. */
const uploadsAtOnceMax = 16;
const uploadsEachMax = 2;
const sessionOperation = 'beginSession';
const socketOperation = 'openVisitorSocket';
const sendOperations: ReadonlySet<string> = new Set(['sendMessage', 'sendImage']);

/** Adds the contract's operations to the server, at `/live-chat/v1/…`. */
export async function registerLiveChat(app: FastifyInstance, options: LiveChatApiOptions): Promise<void> {
  const { sql, keys, clock, log } = options;
  await registerSockets(app);
  await keepAllWidgetKeys(sql, keys, { now: clock() });
  const contract = await readContract(contractFile, { closedQuery: true });
  const widgetOf = knownWidgets((widgetKey) => findWidget(sql, keys, { widgetKey, now: clock() }));
  const addresses = options.addressLimit > 0 ? new RateLimit(options.addressLimit) : null;
  const visitors = options.visitorLimit > 0 ? new RateLimit(options.visitorLimit) : null;
  const uploads = new Slots({ max: uploadsAtOnceMax, maxEach: uploadsEachMax });
  const handlers = { ...operationsOf(options), [socketOperation]: upgradeRequired };
  await app.register(
    async (scope) => {
      scope.decorateRequest('channel').decorateRequest('visitorId');
      readJsonBodies(scope);
      readFileBodies(scope, imageTypes);
      scope.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, log, 'live chat'));
      scope.addHook('onRequest', async (request, reply) => {
        reply.header('cache-control', 'no-store');
        const { widgetKey } = objectOf(request.params);
        if (typeof widgetKey !== 'string') return;
        // A page may read why it is refused: it can then say so, instead of trying again.
        allowOrigin(reply, request.headers.origin);
        if (isPreflight(request)) return answerPreflight(reply);
        const channel = await widgetOf(widgetKey);
        checkOrigin(channel, request.headers.origin);
        spend(addresses, callerNetwork(request), clock(), reply);
        request.setDecorator('channel', channel);
      });
      bindContract(scope, contract, {
        within: prefix,
        handlers,
        toRoute: (operation, handler: VisitorOperation) => {
          const isSocket = operation.id === socketOperation;
          return {
            bodyLimit: operation.id === 'sendImage' ? imageBytesMax : bodyBytesMax,
            onRequest: async (request, reply) => {
              if (!isSocket) await admit(request, reply, { ...options, operation, visitors, uploads });
            },
            handler: (request, reply) => answer(request, reply, operation, handler),
            ...(isSocket
              ? {
                  wsHandler: (socket, request) =>
                    openVisitorSocket(socket, request.getDecorator<Channel>('channel'), options),
                }
              : {}),
          };
        },
      });
    },
    { prefix },
  );
}

/** Before the body is read: finds the visitor of the token, and checks that the visitor may send now. */
async function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  {
    operation,
    visitors,
    uploads,
    sql,
    images,
    keys,
    clock,
  }: LiveChatApiOptions & { operation: ContractOperation; visitors: RateLimit | null; uploads: Slots },
): Promise<void> {
  const { botId } = request.getDecorator<Channel>('channel');
  const header = request.headers.authorization;
  if (header === undefined && operation.id === sessionOperation) return;
  const token = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
  const claims = token === undefined ? null : readVisitorToken(keys, token, { now: clock() });
  if (claims === null || claims.botId !== botId) {
    throw new Refusal('TOKEN_INVALID', 'There is no visitor token, or it is not a valid one.');
  }
  request.setDecorator('visitorId', claims.visitorId);
  if (!sendOperations.has(operation.id)) return;
  const visitor = `${botId} ${claims.visitorId}`;
  spend(visitors, visitor, clock(), reply);
  if (operation.id !== 'sendImage') return;
  if (!operation.bodyTypes.includes(mediaTypeOf(request))) {
    throw new Refusal(
      'MEDIA_TYPE_UNSUPPORTED',
      `the body must be sent as ${operation.bodyTypes.join(' or ')}`,
    );
  }
  const free = uploads.take({ visitor });
  reply.raw.once('finish', free).once('close', free);
  if (images === 'answered' && (await isTrusted(sql, botId, claims.visitorId)) === false) {
    throw new Refusal(
      'IMAGES_NOT_ALLOWED',
      'The visitor may send images once the business has answered, or when the visitor is identified.',
    );
  }
}

/** With the body read: everything else, in order. */
async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  operation: ContractOperation,
  handler: VisitorOperation,
): Promise<unknown> {
  if (operation.id === socketOperation) upgradeRequired();
  const { params, query, body } = request;
  const problem = operation.problemOf({ params, query, body: Buffer.isBuffer(body) ? undefined : body });
  if (problem !== null) throw new Refusal('INPUT_INVALID', problem);
  const value = await handler({
    channel: request.getDecorator<Channel>('channel'),
    visitorId: request.getDecorator<string | undefined>('visitorId') ?? null,
    network: callerNetwork(request),
    params: objectOf(params),
    query: objectOf(query),
    body,
    reply: reply.code(operation.success),
  });
  return value === undefined ? reply.send() : value;
}

function operationsOf({
  sql,
  keys,
  liveChat,
  clock,
  random,
  images,
}: LiveChatApiOptions): Record<string, VisitorOperation> {
  const { posting, signals } = liveChat;
  const fromVisitor = (call: VisitorCall) => ({
    ...placeOf(call),
    from: 'visitor' as const,
    ...{ senderId: null, agentName: null, quickReplies: [] },
    addressKey: addressKeyOf(keys.visitorKey, call.channel.botId, call.network),
  });
  return {
    async [sessionOperation]({ channel, visitorId, body }) {
      const { botId } = channel;
      const now = clock();
      const { language, page, identifier, identifierHash, name } = objectOf(body);
      const proven = provenIdentifier(channel, {
        identifier: storable(identifier) ?? undefined,
        identifierHash: textOf(identifierHash),
      });
      const told = { name: storable(name), language: storable(language), page: pageOf(page) };
      const { answered, ...session } = await beginSession(
        sql,
        botId,
        { visitorId, identifier: proven, ...told },
        { now, random },
      );
      const { visitorToken, expiresAt } = makeVisitorToken(keys, {
        botId,
        visitorId: session.visitorId,
        now,
      });
      const { name: botName } = await findBot(sql, botId);
      return {
        ...{ visitorToken, expiresAt: new Date(expiresAt).toISOString(), ...session, name: botName },
        imagesAllowed: images === 'always' || answered || session.identified,
      };
    },
    async listMessages(call) {
      const { after, before, limit } = call.query;
      const page = await readMessages(sql, placeOf(call), {
        ...(typeof after === 'number' ? { after } : {}),
        ...(typeof before === 'number' ? { before } : {}),
        limit: typeof limit === 'number' ? limit : pageSize,
      });
      return page ?? unknownVisitor();
    },
    async sendMessage(call) {
      const { messageId, text } = objectOf(call.body);
      const message = { messageId: String(messageId), text: storable(text) ?? '', image: null };
      return posted(call, await posting.post({ ...fromVisitor(call), ...message }));
    },
    async sendImage(call) {
      const content = Buffer.isBuffer(call.body) ? call.body : Buffer.alloc(0);
      const image = toImage(content);
      const messageId = String(call.query.messageId);
      return posted(call, await posting.post({ ...fromVisitor(call), messageId, text: null, image }));
    },
    async getImage(call) {
      const image = await readImage(sql, { ...placeOf(call), messageId: String(call.params.messageId) });
      if (image === null) throw new Refusal('IMAGE_NOT_FOUND', 'The chat has no image with that id.');
      // Whatever stands in it: opened by itself it is no page.
      call.reply.type(image.type).headers({
        'content-disposition': 'attachment',
        'content-security-policy': "default-src 'none'",
      });
      return Buffer.from(image.content);
    },
    async seeMessages(call) {
      const place = placeOf(call);
      const sequence = await markSeen(sql, place, {
        by: 'visitor',
        sequence: Number(objectOf(call.body).sequence),
      });
      if (sequence !== null) signals.send({ ...place, type: 'seen', by: 'visitor', sequence });
    },
  };
}

/**
 * The image as it is stored: its type by its bytes, and without metadata. Throws Refusal MEDIA_TYPE_UNSUPPORTED for anything but
 * an image of the four types.
 */
function posted({ reply }: VisitorCall, { message, repeated }: Posted): Posted['message'] {
  reply.code(repeated ? 200 : 201);
  return message;
}

function placeOf({ channel: { botId }, visitorId }: VisitorCall): { botId: string; visitorId: string } {
  return { botId, visitorId: visitorId ?? unknownVisitor() };
}

function unknownVisitor(): never {
  throw new Refusal('TOKEN_INVALID', 'The visitor is not known any more.');
}

function pageOf(page: unknown) {
  if (!isObject(page)) return null;
  return { url: storable(page.url), title: storable(page.title), referrer: storable(page.referrer) };
}

function spend(limit: RateLimit | null, who: string, now: number, reply: FastifyReply): void {
  const { retryAfterSeconds } = limit?.take(who, now) ?? { retryAfterSeconds: null };
  if (retryAfterSeconds === null) return;
  reply.header('retry-after', String(retryAfterSeconds));
  throw new Refusal('RATE_LIMITED', 'Too many calls; wait for the seconds in Retry-After.');
}

function mediaTypeOf({ headers }: FastifyRequest): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
