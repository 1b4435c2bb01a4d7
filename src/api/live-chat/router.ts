/**
 * The visitors' side of live chat (contracts/live-chat.yaml) at `/live-chat/v1`: authentication, and the order of a call's checks.
 *
 *     widget key → origin → calls of the address → token → messages of the visitor → images allowed → body read → contract
 *         → operation
 *
 * Each check runs before the next one. The first three also run at the upgrade to a socket (socket.ts).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Channel } from '../../bots/channels.ts';
import { findWidget, indexAllWidgetKeys } from '../../bots/widget-keys.ts';
import { invalidInput, Refusal } from '../../errors.ts';
import { readFileBodies, readJsonBodies } from '../../http/bodies.ts';
import { callerNetwork } from '../../http/caller-address.ts';
import { bindContract, type Contract, type ContractOperation, readContract } from '../../http/contract.ts';
import { sendProblem } from '../../http/errors/problem.ts';
import { checkMediaType } from '../../http/media-type.ts';
import { RateLimit } from '../../http/rate-limit.ts';
import { Slots } from '../../http/slots.ts';
import { isObject, type JsonObject } from '../../json.ts';
import { imageBytesMax, imageTypes } from '../../live-chat/image-type.ts';
import { readVisitorToken } from '../../live-chat/visitor-token.ts';
import { isTrusted } from '../../live-chat/visitors.ts';
import { registerSockets, upgradeRequired } from '../sockets.ts';
import { type Call, ImageAnswer, type Properties, type SocketOperation } from './operation.ts';
import { type Sources, visitorOperations } from './operations.ts';
import { allowOrigin, answerPreflight, checkOrigin, isPreflight, knownWidgets } from './widgets.ts';

export type LiveChatApiOptions = Sources & {
  /** Messages a minute of one visitor, and calls a minute of one address; 0: no limit. */
  visitorLimit: number;
  addressLimit: number;
  log: Pick<Logger, 'error' | 'info'>;
};

const contractFile = new URL('../../../contracts/live-chat.yaml', import.meta.url);
const prefix = '/live-chat/v1';
const bodyBytesMax = 32 * 1024;
/** Uploads are held in memory. */
const uploadsAtOnceMax = 16;
const uploadsEachMax = 2;

export function readLiveChatContract(): Promise<Contract> {
  return readContract(contractFile, { closedQuery: true, repairsText: true });
}

/** Adds the contract's operations to the server, at `/live-chat/v1/…`. */
export async function registerLiveChat(app: FastifyInstance, options: LiveChatApiOptions): Promise<void> {
  const { sql, keys, clock, log } = options;
  await registerSockets(app);
  await indexAllWidgetKeys(sql, keys, { now: clock() });
  const contract = await readLiveChatContract();
  const widgetOf = knownWidgets((widgetKey) => findWidget(sql, keys, { widgetKey, now: clock() }));
  const addresses = options.addressLimit > 0 ? new RateLimit(options.addressLimit) : null;
  const visitors = options.visitorLimit > 0 ? new RateLimit(options.visitorLimit) : null;
  const uploads = new Slots({ max: uploadsAtOnceMax, maxEach: uploadsEachMax });
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
        // A page that can read the refusal stops trying again.
        allowOrigin(reply, request.headers.origin);
        if (isPreflight(request)) return answerPreflight(reply);
        const channel = await widgetOf(widgetKey);
        checkOrigin(channel, request.headers.origin);
        countCall(addresses, callerNetwork(request), clock(), reply);
        request.setDecorator('channel', channel);
      });
      bindContract(scope, contract, {
        within: prefix,
        handlers: visitorOperations(options),
        toRoute: (operation, entry: AnyOperation) => {
          const handler = typeof entry === 'function' ? { answer: entry } : entry;
          if ('openSocket' in handler) {
            return {
              handler: upgradeRequired,
              wsHandler: (socket, request) =>
                handler.openSocket(socket, request.getDecorator<Channel>('channel')),
            };
          }
          const route = { ...options, operation, handler, visitors, uploads };
          return {
            bodyLimit: handler.takesImage ? imageBytesMax : bodyBytesMax,
            onRequest: (request, reply) => admit(request, reply, route),
            handler: (request, reply) => answer(request, reply, route),
          };
        },
      });
    },
    { prefix },
  );
}

/** An operation of any id: the contract's check gives its input the members that the operation reads. */
type AnyHandler = Properties & { answer(call: CheckedCall): Promise<unknown> };
type AnyOperation = AnyHandler | AnyHandler['answer'] | SocketOperation;
type CheckedCall = Omit<Call<'getImage'>, 'params' | 'query' | 'body'> &
  Record<'params' | 'query' | 'body', JsonObject>;

type Route = LiveChatApiOptions & {
  operation: ContractOperation;
  handler: AnyHandler;
  visitors: RateLimit | null;
  uploads: Slots;
};

/** Authenticates the visitor, and checks before the body is read that the visitor may send now. */
async function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  { operation, handler, visitors, uploads, sql, images, keys, clock }: Route,
): Promise<void> {
  const { botId } = request.getDecorator<Channel>('channel');
  const header = request.headers.authorization;
  if (header === undefined && handler.isTokenOptional) return;
  const token = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
  const claims = token === undefined ? null : readVisitorToken(keys, token, { now: clock() });
  if (claims === null || claims.botId !== botId) {
    throw new Refusal('TOKEN_INVALID', 'There is no visitor token, or it is not a valid one.');
  }
  const { visitorId } = claims;
  request.setDecorator('visitorId', visitorId);
  const visitor = `${botId} ${visitorId}`;
  if (handler.isSend) countCall(visitors, visitor, clock(), reply);
  if (!handler.takesImage) return;
  checkMediaType(request.headers, operation.bodyTypes);
  uploads.takeForAnswer(reply, { visitor });
  if (images === 'answered' && (await isTrusted(sql, botId, visitorId)) === false) {
    throw new Refusal(
      'IMAGES_NOT_ALLOWED',
      'The visitor may send images once the business has answered, or when the visitor is identified.',
    );
  }
}

/** Checks the contract and runs the operation, with the body read. */
async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  { operation, handler }: Pick<Route, 'operation' | 'handler'>,
): Promise<unknown> {
  const { params, query, body } = request;
  const image = Buffer.isBuffer(body) ? body : null;
  const problem = operation.problemOf({ params, query, body: image ? undefined : body });
  if (problem !== null) throw invalidInput(problem);
  reply.code(operation.success);
  const value = await handler.answer({
    channel: request.getDecorator<Channel>('channel'),
    visitorId: request.getDecorator<string | undefined>('visitorId') ?? null,
    network: callerNetwork(request),
    params: objectOf(params),
    query: objectOf(query),
    body: objectOf(body),
    image: image ?? new Uint8Array(),
    setRepeated: (isRepeated) => void reply.code(isRepeated ? 200 : 201),
  });
  if (value instanceof ImageAnswer) return sendImage(reply, value);
  return value === undefined ? reply.send() : value;
}

// A browser that opens the image by itself must not run its content as a page.
function sendImage(reply: FastifyReply, { type, content }: ImageAnswer): FastifyReply {
  return reply
    .type(type)
    .headers({ 'content-disposition': 'attachment', 'content-security-policy': "default-src 'none'" })
    .send(Buffer.from(content));
}

function countCall(limit: RateLimit | null, key: string, now: number, reply: FastifyReply): void {
  const { retryAfterSeconds } = limit?.take(key, now) ?? { retryAfterSeconds: null };
  if (retryAfterSeconds === null) return;
  reply.header('retry-after', String(retryAfterSeconds));
  throw new Refusal('RATE_LIMITED', 'Too many calls; wait for the seconds in Retry-After.');
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
