/**
 * The management API (contracts/management.yaml) as it is served at `/api/v1`: who may call, in which order a call is checked,
 * and how it is answered.
 *
 *     token or session → calls a minute → scope → body read → contract → bot → operation
 *
 * Each check refuses before the next one. A bot that the token is not for is not found, like one that does not exist, and
 * neither is looked up before that is known.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type AdminScope, adminScopes, mayUseBot } from '../../auth/admin-tokens.ts';
import { type Caller, inLog } from '../../auth/caller.ts';
import { type Cost, Passwords, usualCost } from '../../auth/passwords.ts';
import { type Bot, findBot } from '../../bots/bots.ts';
import type { Queryable, Sql } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { readFileBodies, readJsonBodies } from '../../http/bodies.ts';
import { addressOf } from '../../http/caller-address.ts';
import { bindContract, type ContractOperation, readContract } from '../../http/contract.ts';
import { entityTagOf, namesTag } from '../../http/entity-tag.ts';
import { sendProblem } from '../../http/errors/problem.ts';
import { limitHeaders, RateLimit } from '../../http/rate-limit.ts';
import { Slots } from '../../http/slots.ts';
import { isObject, type JsonObject } from '../../json.ts';
import { imageBytesMax, imageTypes } from '../../live-chat/image-type.ts';
import type { LiveChat } from '../../live-chat/live-chat.ts';
import { registerSockets, upgradeRequired } from '../sockets.ts';
import { botOperations } from './bots.ts';
import {
  Accepted,
  type Browser,
  type Download,
  isDownload,
  type ManagementOperation,
  type ManagementOperations,
  type ManagementSources,
} from './call.ts';
import { callbackOperations } from './callback.ts';
import { readCaller } from './callers.ts';
import { channelOperations } from './channels.ts';
import { openChatSocket } from './chat-socket.ts';
import { type ChatSources, chatOperations } from './chats.ts';
import { contactStoryOperations } from './contact-story.ts';
import { contactOperations } from './contacts.ts';
import { conversationOperations } from './conversations.ts';
import { deliveryOperations } from './deliveries.ts';
import { type ExportSources, exportOperations } from './exports.ts';
import { figureOperations } from './figures.ts';
import { healthOperations } from './health.ts';
import { importOperations } from './imports.ts';
import { jobOperations } from './jobs.ts';
import { lineOperations } from './line.ts';
import { messageOperations } from './messages.ts';
import { pointOperations } from './points.ts';
import { recordOperations } from './records.ts';
import { readSessionCookie, sessionCookie } from './session-cookie.ts';
import { sessionOperations } from './sessions.ts';
import { tagOperations } from './tags.ts';
import { tokenOperations } from './tokens.ts';
import { userOperations } from './users.ts';

export type ManagementOptions = ManagementSources & {
  /** A pool for exports alone, of `exportsAtOnceMax` connections. */
  exportSql: Sql;
  liveChat: LiveChat;
  /** Where the pages are reached from outside; null: by the host that is asked. */
  publicUrl: string | null;
  /** Calls a minute for each token and each user; 0: no limit. */
  rateLimit: number;
  /** Of a password's hash; left out: the usual one. */
  passwordCost?: Cost;
};

const contractFile = new URL('../../../contracts/management.yaml', import.meta.url);
const prefix = '/api/v1';
const bodyBytesMax = 64 * 1024;
/** Of calls that name up to 10,000 contacts. */
const listBytesMax = 2 * 1024 * 1024;
const listOperations: ReadonlySet<string> = new Set(['assignTag', 'unassignTag', 'earnManyPoints']);
/** Of a file, which is held in memory while it is read: so few at a time. */
const uploadBytesMax = 8 * 1024 * 1024;
const uploadsAtOnceMax = 6;
const uploadsEachMax = 2;
const jsonType = 'application/json';
const uploadTypes = ['text/csv', 'application/x-ndjson', ...imageTypes];
/** Images are smaller and sent while somebody waits. */
const imageOperation = 'sendChatImage';
const imagesAtOnceMax = 16;
const imagesEachMax = 4;
const socketOperation = 'openChatSocket';
/** What anybody may call: the way to become somebody. */
const openOperations: ReadonlySet<string> = new Set(['createSession']);
/** Reads whose answers hold what nobody else may keep. */
const secretReads: ReadonlySet<string> = new Set(['getSession']);

/** Adds the contract's operations to the server, at `/api/v1/…`. */
export async function registerManagement(app: FastifyInstance, options: ManagementOptions): Promise<void> {
  await registerSockets(app);
  const contract = await readContract(contractFile, { closedQuery: true });
  const closing = new AbortController();
  const handlers = operationsOf({ ...options, closing: closing.signal });
  const files = new Slots({ max: uploadsAtOnceMax, maxEach: uploadsEachMax });
  const images = new Slots({ max: imagesAtOnceMax, maxEach: imagesEachMax });
  const limit = options.rateLimit > 0 ? new RateLimit(options.rateLimit) : null;
  await app.register(
    async (scope) => {
      scope.decorateRequest('caller', null);
      readJsonBodies(scope);
      readFileBodies(scope, uploadTypes);
      scope.addHook('preClose', async () => closing.abort());
      scope.addHook('onRequest', async (_request, reply) => {
        reply.header('cache-control', 'no-store');
      });
      scope.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, options.log));
      bindContract(scope, contract, {
        within: prefix,
        handlers,
        toRoute: (operation, handler: ManagementOperation) => {
          const uploads = operation.id === imageOperation ? images : files;
          const call: Call = { ...options, operation, handler, limit, uploads, scope: scopeOf(operation) };
          return {
            bodyLimit: bodyLimitOf(operation),
            // A socket says with its first frame who it is.
            onRequest: async (request, reply) => {
              if (!request.ws) return admit(request, reply, call);
              const { params, query } = request;
              const problem = operation.problemOf({ params, query, body: undefined });
              if (problem !== null) throw new Refusal('INPUT_INVALID', problem);
            },
            handler: (request, reply) => answer(request, reply, call),
            ...(operation.id === socketOperation
              ? { wsHandler: (socket, request) => openChatSocket(socket, request, options) }
              : {}),
          };
        },
      });
    },
    { prefix },
  );
}

function bodyLimitOf(operation: ContractOperation): number {
  if (operation.id === imageOperation) return imageBytesMax;
  if (takesFile(operation)) return uploadBytesMax;
  return listOperations.has(operation.id) ? listBytesMax : bodyBytesMax;
}

function operationsOf({
  passwordCost: cost = usualCost,
  ...sources
}: ManagementOptions & ExportSources & ChatSources): ManagementOperations {
  const passwords = new Passwords({ random: sources.random, cost });
  return {
    ...botOperations(sources),
    ...callbackOperations(sources),
    ...channelOperations(sources),
    ...chatOperations(sources),
    [socketOperation]: upgradeRequired,
    ...contactOperations(sources),
    ...contactStoryOperations(sources),
    ...conversationOperations(sources),
    ...deliveryOperations(sources),
    ...exportOperations(sources),
    ...figureOperations(sources),
    ...healthOperations(sources),
    ...jobOperations(sources),
    ...importOperations(sources),
    ...lineOperations(sources),
    ...messageOperations(sources),
    ...pointOperations(sources),
    ...recordOperations(sources),
    ...sessionOperations({ ...sources, passwords }),
    ...tagOperations(sources),
    ...tokenOperations(sources),
    ...userOperations({ ...sources, passwords }),
  };
}

type Call = ManagementOptions & {
  operation: ContractOperation;
  handler: ManagementOperation;
  limit: RateLimit | null;
  uploads: Slots;
  /** What the caller needs; null: anybody may call. */
  scope: AdminScope | null;
};

/** Before the body is read: who calls, whether they may call now, and whether they may do this. */
async function admit(request: FastifyRequest, reply: FastifyReply, call: Call): Promise<void> {
  const { scope } = call;
  if (scope === null) return checkMediaType(request, call);
  const now = call.clock();
  const caller = await readCaller(call.sql, request, { now });
  if (call.limit) {
    const allowance = call.limit.take(caller.id, now);
    reply.headers(limitHeaders(allowance));
    if (allowance.retryAfterSeconds !== null) {
      throw new Refusal('RATE_LIMITED', 'The token has used up its calls.');
    }
  }
  checkScope(caller, call.operation.id, scope);
  checkMediaType(request, call);
  if (takesFile(call.operation)) {
    const free = call.uploads.take(holdersOf(caller, objectOf(request.params).botId));
    // With the answer, or when the caller goes away before it.
    reply.raw.once('finish', free).once('close', free);
  }
  request.setDecorator('caller', caller);
}

/** With the body read: everything else, in order. */
async function answer(request: FastifyRequest, reply: FastifyReply, call: Call): Promise<unknown> {
  const { operation, handler, sql, log } = call;
  const { params, query, body, headers } = request;
  const problem = operation.problemOf({ params, query, body, headers });
  if (problem !== null) throw new Refusal('INPUT_INVALID', problem);
  const caller = request.getDecorator<Caller | null>('caller');
  const bot = caller && (await findOwnBot(sql, caller, objectOf(params).botId));
  const value = await handler({
    get caller() {
      if (caller === null) throw new Error(`${operation.id} asks for no caller`);
      return caller;
    },
    browser: browserOf(request, reply),
    get bot() {
      if (bot === null) throw new Error(`the path of ${operation.id} names no bot`);
      return bot;
    },
    params: objectOf(params),
    query: objectOf(query),
    body: objectOf(body),
    ifMatch: headers['if-match'] ?? null,
    get idempotencyKey() {
      const key = headers['idempotency-key'];
      if (typeof key !== 'string') throw new Error(`${operation.id} asks for no Idempotency-Key`);
      return key;
    },
    tellReplayed: (replayed) => void reply.header('idempotency-replayed', String(replayed)),
    upload: takesFile(operation) ? { type: mediaTypeOf(request), bytes: bytesOf(body) } : null,
  });
  if (operation.method !== 'GET' && caller !== null) {
    log.info({ operation: operation.id, ...inLog(caller), params }, 'changed through the management API');
  }
  if (value instanceof Accepted) return reply.code(202).header('location', value.location).send(value.body);
  if (value === undefined) return reply.code(204).send();
  reply.code(operation.success);
  if (Buffer.isBuffer(value)) return sendBytes(reply, value);
  if (isDownload(value)) return sendDownload(request, reply, value);
  const isTagged = operation.method === 'GET' && !secretReads.has(operation.id);
  return isTagged ? unlessHeld(value, headers['if-none-match'], reply) : value;
}

function browserOf(request: FastifyRequest, reply: FastifyReply): Browser {
  return {
    address: addressOf(request),
    sessionToken: readSessionCookie(request),
    hold: (token) => void reply.header('set-cookie', sessionCookie(token, request)),
  };
}

export function scopeOf({ id, scopes }: ContractOperation): AdminScope | null {
  if (openOperations.has(id)) return null;
  const scope = adminScopes.find((name) => name === scopes[0]);
  if (scope === undefined) throw new Error(`the contract names no scope for ${id}`);
  return scope;
}

/** Each scope may do what the ones before it may. */
function checkScope({ kind, scope }: Caller, id: string, needed: AdminScope): void {
  if (adminScopes.indexOf(scope) >= adminScopes.indexOf(needed)) return;
  throw new Refusal(
    'SCOPE_TOO_SMALL',
    `${id} needs a ${kind} with the scope ${needed}; this one has ${scope}.`,
  );
}

function takesFile({ bodyTypes }: ContractOperation): boolean {
  return bodyTypes.some((type) => type !== jsonType);
}

function checkMediaType(request: FastifyRequest, { operation }: Call): void {
  const { bodyTypes } = operation;
  const type = mediaTypeOf(request);
  if (bodyTypes.length === 0 || bodyTypes.includes(type) || (type === '' && !takesFile(operation))) return;
  throw new Refusal('MEDIA_TYPE_UNSUPPORTED', `the body must be sent as ${bodyTypes.join(' or ')}`);
}

function mediaTypeOf({ headers }: FastifyRequest): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

async function findOwnBot(sql: Queryable, caller: Caller, botId: unknown): Promise<Bot | null> {
  if (typeof botId !== 'string') return null;
  if (!mayUseBot(caller, botId)) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${botId}.`);
  return findBot(sql, botId);
}

/** The value with its tag, or 304 for who holds it already. */
function unlessHeld(value: unknown, held: string | undefined, reply: FastifyReply): unknown {
  const tag = entityTagOf(value);
  reply.headers({ etag: tag, 'cache-control': 'private, no-cache' });
  if (held === undefined || !namesTag(held, tag, { weakToo: true })) return value;
  return reply.code(304).send();
}

async function sendDownload(
  request: FastifyRequest,
  reply: FastifyReply,
  { type, fileName, open }: Download,
): Promise<FastifyReply> {
  const stream = request.method === 'HEAD' ? undefined : await open();
  return reply.header('content-disposition', `attachment; filename="${fileName}"`).type(type).send(stream);
}

// As a download: whatever stands in a delivery, no browser is to show it.
function sendBytes(reply: FastifyReply, bytes: Buffer): FastifyReply {
  return reply
    .header('content-disposition', 'attachment; filename="body"')
    .type('application/octet-stream')
    .send(bytes);
}

function bytesOf(body: unknown): Uint8Array {
  return Buffer.isBuffer(body) ? body : new Uint8Array();
}

/** A bot counts besides its caller: with several tokens it has no more. */
function holdersOf({ id }: Caller, botId: unknown): Record<string, string> {
  return typeof botId === 'string' ? { token: id, bot: botId } : { token: id };
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
