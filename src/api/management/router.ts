/**
 * The management API (contracts/management.yaml) at `/api/v1`: authentication, and the order of a call's checks.
 *
 *     token or session → calls a minute → scope → body read → contract → bot → operation
 *
 * Each check runs before the next one. A bot that the caller may not use is not found, like one that does not exist. It is not
 * looked up before the caller's rights are known.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { audited } from '../../audit/scope.ts';
import { type AdminScope, adminScopes, mayUseBot } from '../../auth/admin-tokens.ts';
import { type Caller, logFields } from '../../auth/caller.ts';
import { type Cost, Passwords, usualCost } from '../../auth/passwords.ts';
import { type Bot, findBot } from '../../bots/bots.ts';
import type { Queryable } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { readFileBodies, readJsonBodies } from '../../http/bodies.ts';
import { addressOf } from '../../http/caller-address.ts';
import { bindContract, type Contract, type ContractOperation, readContract } from '../../http/contract.ts';
import { sendProblem } from '../../http/errors/problem.ts';
import { checkMediaType, mediaTypeOf } from '../../http/media-type.ts';
import { limitHeaders, RateLimit } from '../../http/rate-limit.ts';
import { isObject, type JsonObject } from '../../json.ts';
import { imageTypes } from '../../live-chat/image-type.ts';
import { registerSockets, upgradeRequired } from '../sockets.ts';
import { sendAnswer } from './answers.ts';
import { auditOf, auditScopeOf, signedInActor } from './audits.ts';
import { readCaller } from './callers.ts';
import { importTypes } from './imports.ts';
import type { Browser, Call, Properties, SocketOperation, Sources } from './operation.ts';
import { managementOperations } from './operations.ts';
import { readSessionCookie, sessionCookie } from './session-cookie.ts';

type ManagementOptions = Omit<Sources, 'closing' | 'passwords'> & {
  /** The cost of a password's hash, if it is not the usual one. */
  passwordCost?: Cost;
  /** Calls a minute for each token and each user; 0: no limit. */
  rateLimit: number;
};

const contractFile = new URL('../../../contracts/management.yaml', import.meta.url);
const prefix = '/api/v1';
const bodyBytesUsual = 64 * 1024;

export function readManagementContract(): Promise<Contract> {
  return readContract(contractFile, { closedQuery: true });
}

/** Adds the contract's operations to the server, at `/api/v1/…`. */
export async function registerManagement(app: FastifyInstance, options: ManagementOptions): Promise<void> {
  await registerSockets(app);
  const contract = await readManagementContract();
  const closing = new AbortController();
  const passwords = new Passwords({ random: options.random, cost: options.passwordCost ?? usualCost });
  const handlers = managementOperations({ ...options, passwords, closing: closing.signal });
  const limit = options.rateLimit > 0 ? new RateLimit(options.rateLimit) : null;
  await app.register(
    async (scope) => {
      scope.decorateRequest('caller', null);
      readJsonBodies(scope);
      readFileBodies(scope, [...importTypes, ...imageTypes]);
      scope.addHook('preClose', async () =>
        closing.abort(new Refusal('SERVER_STOPPING', 'The server stops.')),
      );
      scope.addHook('onRequest', async (_request, reply) => {
        reply.header('cache-control', 'no-store');
      });
      scope.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, options.log));
      bindContract(scope, contract, {
        within: prefix,
        handlers,
        toRoute: (operation, entry: AnyOperation) => {
          const handler = handlerOf(entry);
          const needed = scopeOf(operation, handler);
          const audit = auditOf(operation);
          const route: Route = { ...options, operation, handler, limit, scope: needed, audit };
          return {
            bodyLimit: handler.bodyBytesMax ?? bodyBytesUsual,
            onRequest: async (request, reply) => {
              if (!request.ws) return admit(request, reply, route);
              // The first frame of a socket authenticates its caller.
              const { params, query } = request;
              checkInput(operation, { params, query, body: undefined });
            },
            handler: (request, reply) => answer(request, reply, route),
            ...('openSocket' in entry ? { wsHandler: entry.openSocket } : {}),
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
type CheckedCall = Pick<Call<'listBots'>, 'browser' | 'setReplayed'> &
  Record<'params' | 'query' | 'body' | 'headers', JsonObject> & {
    /** Null for an operation that anyone may call. */
    caller: Caller | null;
    /** Null if the path names no bot. */
    bot: Bot | null;
    /** Null unless the operation takes a file. */
    upload: { type: string; bytes: Uint8Array } | null;
  };

function handlerOf(operation: AnyOperation): AnyHandler {
  if (typeof operation === 'function') return { answer: operation };
  return 'openSocket' in operation ? { answer: upgradeRequired } : operation;
}

type Route = ManagementOptions & {
  operation: ContractOperation;
  handler: AnyHandler;
  limit: RateLimit | null;
  /** The scope that the caller needs; null: anyone may call. */
  scope: AdminScope | null;
  /** The entry in the audit log of a change; null: none. */
  audit: ReturnType<typeof auditOf>;
};

/** Authenticates the caller and checks its limits and its scope before the body is read. */
async function admit(request: FastifyRequest, reply: FastifyReply, route: Route): Promise<void> {
  const { operation, handler, scope, limit, clock, sql } = route;
  const { bodyTypes } = operation;
  const checkType = () => {
    if (bodyTypes.length > 0) checkMediaType(request.headers, bodyTypes, { isOptional: !handler.uploads });
  };
  if (scope === null) return checkType();
  const now = clock();
  const caller = await readCaller(sql, request, { now });
  if (limit) {
    const allowance = limit.take(caller.id, now);
    reply.headers(limitHeaders(allowance));
    if (allowance.retryAfterSeconds !== null) {
      throw new Refusal('RATE_LIMITED', 'The token has used up its calls.');
    }
  }
  checkScope(caller, operation.id, scope);
  checkType();
  handler.uploads?.takeForAnswer(reply, holdersOf(caller, objectOf(request.params).botId));
  request.setDecorator('caller', caller);
}

/** Runs the other checks and the operation, with the body read. */
async function answer(request: FastifyRequest, reply: FastifyReply, route: Route): Promise<unknown> {
  const { operation, sql, log } = route;
  const { params, query, body, headers } = request;
  checkInput(operation, { params, query, body, headers });
  const caller = request.getDecorator<Caller | null>('caller');
  const call = {
    caller,
    browser: browserOf(request, reply),
    bot: caller && (await findOwnBot(sql, caller, objectOf(params).botId)),
    params: objectOf(params),
    query: objectOf(query),
    body: objectOf(body),
    headers,
    upload: route.handler.uploads ? { type: mediaTypeOf(headers), bytes: bytesOf(body) } : null,
    setReplayed: (isReplayed: boolean) => void reply.header('idempotency-replayed', String(isReplayed)),
  };
  const value = await runAudited(call, reply, route);
  const isRead = operation.method === 'GET';
  if (!isRead && caller !== null) {
    log.info({ operation: operation.id, ...logFields(caller), params }, 'changed through the management API');
  }
  const isTagged = isRead && !route.handler.isSecret;
  return sendAnswer(value, request, reply, { status: operation.success, isTagged });
}

/** Runs the operation, which writes its entry in the audit log. */
function runAudited(call: CheckedCall, reply: FastifyReply, route: Route): Promise<unknown> {
  const { operation, handler, audit, sql, clock } = route;
  const run = () => handler.answer(call);
  if (audit === null || call.query.preview === true) return run();
  const { caller, params, body, browser } = call;
  const scope = auditScopeOf(audit, {
    operation: operation.id,
    caller,
    params,
    body,
    address: browser.address,
  });
  return audited(sql, scope, {
    clock,
    run,
    actorOf: (answer) => signedInActor(answer) ?? scope.actor,
    isRepeated: () => reply.getHeader('idempotency-replayed') === 'true',
  });
}

function checkInput({ problemOf }: ContractOperation, input: Parameters<ContractOperation['problemOf']>[0]) {
  const problem = problemOf(input);
  if (problem !== null) throw new Refusal('INPUT_INVALID', problem);
}

function browserOf(request: FastifyRequest, reply: FastifyReply): Browser {
  return {
    address: addressOf(request),
    userAgent: request.headers['user-agent'] ?? null,
    sessionToken: readSessionCookie(request),
    hold: (token) => void reply.header('set-cookie', sessionCookie(token, request)),
  };
}

/** The scope of the contract. Throws unless exactly the open operations have none. */
export function scopeOf(
  { id, scopes }: ContractOperation,
  { isOpen = false }: { isOpen?: boolean } = {},
): AdminScope | null {
  const scope = adminScopes.find((name) => name === scopes[0]) ?? null;
  if (isOpen !== (scope === null))
    throw new Error(`the contract and the handler of ${id} differ about its scope`);
  return scope;
}

/** A scope includes those before it. */
function checkScope({ kind, scope }: Caller, id: string, needed: AdminScope): void {
  if (adminScopes.indexOf(scope) >= adminScopes.indexOf(needed)) return;
  throw new Refusal(
    'SCOPE_TOO_SMALL',
    `${id} needs a ${kind} with the scope ${needed}; this one has ${scope}.`,
  );
}

async function findOwnBot(sql: Queryable, caller: Caller, botId: unknown): Promise<Bot | null> {
  if (typeof botId !== 'string') return null;
  if (!mayUseBot(caller, botId)) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${botId}.`);
  return findBot(sql, botId);
}

/** Uploads are bounded for the bot too, so that several tokens get no more. */
function holdersOf({ id }: Caller, botId: unknown): Record<string, string> {
  return typeof botId === 'string' ? { token: id, bot: botId } : { token: id };
}

function bytesOf(body: unknown): Uint8Array {
  return Buffer.isBuffer(body) ? body : new Uint8Array();
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
