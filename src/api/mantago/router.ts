/**
 * The MantaGo OpenAPI (contracts/mantago.yaml): authentication, and the order of a call's checks.
 *
 *     token → calls a minute → bot → pair → secret → body → answer
 *
 * Each check runs before the next one. The most frequent calls read the database once: one query returns the figures together
 * with the credential that decides whether the caller may see them.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { findCredential, hashSecret, type TokenClaims } from '../../auth/api-pairs.ts';
import { boundedCache } from '../../bounded-cache.ts';
import { Refusal } from '../../errors.ts';
import { readJsonBodies } from '../../http/bodies.ts';
import { bindContract, type Contract, type ContractOperation, readContract } from '../../http/contract.ts';
import { sendError } from '../../http/errors/mantago.ts';
import { limitHeaders, RateLimit } from '../../http/rate-limit.ts';
import { sendShared } from '../../http/shared-answer.ts';
import { isObject, type JsonObject } from '../../json.ts';
import { checkSecret, pairRefusal, Tokens } from './auth.ts';
import type { Read, Sources } from './operation.ts';
import { mantagoOperations } from './operations.ts';

export type MantagoOptions = Sources & {
  /** Calls a minute for each bot; 0: no limit. */
  rateLimit: number;
  log: Pick<Logger, 'error'>;
};

const contractFile = new URL('../../../contracts/mantago.yaml', import.meta.url);
/** Shoal's own document of the operations that MantaGo's public documentation covers in part. */
const partialFile = new URL('../../../contracts/mantago-partial.yaml', import.meta.url);
const contractBase = '/openapi';
const prefixes = ['/api/openapi', '/openapi'];
const refusedPairsMax = 10_000;
const checkedCallsMax = 1_000;
/** Of address and body. */
const checkedLengthMax = 1_000;
const bodyBytesMax = 1_048_576;
/** Ids of bots are letters. Other ids need no look-up. */
const botIdForm = /^[A-Za-z]{1,64}$/;

export function readMantagoContract(): Promise<Contract> {
  return readContract(contractFile, { additions: [partialFile] });
}

/** Adds the contract's operations to the server, at `/api/openapi/…` and `/openapi/…` alike. */
export async function registerMantago(app: FastifyInstance, options: MantagoOptions): Promise<void> {
  const contract = await readMantagoContract();
  const handlers = mantagoOperations(options);
  const calls = new Calls(options);
  for (const prefix of prefixes) {
    await app.register(
      async (scope) => {
        // As text, so that an invalid body is refused after token, bot and pair.
        readJsonBodies(scope, { asText: true });
        scope.decorateRequest('caller');
        scope.setErrorHandler((error, request, reply) => sendError(error, request, reply, options.log));
        bindContract(scope, contract, {
          within: contractBase,
          handlers,
          toRoute: (operation, built: AnyOperation) => ({
            bodyLimit: bodyBytesMax,
            onRequest: (request, reply, done) => calls.admit(request, reply, { built, done }),
            handler: (request, reply) => calls.answer(request, reply, operation, built),
          }),
        });
      },
      { prefix },
    );
  }
}

/** The input of a call before and after the contract's check, which gives it the members that its operation reads. */
type CheckedInput = { body: JsonObject; query: JsonObject; params: JsonObject };
/** An operation of any id. */
type AnyOperation = {
  expiredToo?: boolean;
  isRepeated?: boolean;
  toContract?(body: JsonObject): JsonObject;
  problemOf?(sent: CheckedInput): string | null;
  read(caller: TokenClaims, sent: CheckedInput): Promise<AnyRead | null>;
};
type AnyRead = Read<object, CheckedInput>;

class Calls {
  readonly #options: MantagoOptions;
  readonly #tokens: Tokens;
  readonly #limit: RateLimit | null;
  /** Pairs that are not the bot's valid one. A replaced pair never becomes valid again. */
  readonly #refusedPairs = boundedCache<string, true>(refusedPairsMax);
  /** Valid calls of repeated operations by their address and body. */
  readonly #checkedCalls = boundedCache<string, ReadCall>(checkedCallsMax);

  constructor(options: MantagoOptions) {
    this.#options = options;
    this.#tokens = new Tokens(options.keys);
    this.#limit = options.rateLimit > 0 ? new RateLimit(options.rateLimit) : null;
  }

  /** Checks the token and its bot's rate limit before the body is read. Calls back without a promise for a cached token. */
  admit(
    request: FastifyRequest,
    reply: FastifyReply,
    { built, done }: { built: AnyOperation; done: (error?: Error) => void },
  ): void {
    const now = this.#options.clock();
    const { authorization } = request.headers;
    const reading = { now, expiredToo: built.expiredToo ?? false };
    const accept = (caller: TokenClaims) => {
      request.setDecorator('caller', caller);
      if (this.#limit) countCall(this.#limit, this.#limitKeyOf(caller), now, reply);
    };
    const cached = this.#tokens.find(authorization, reading);
    if (cached === null) {
      const accepted = this.#tokens.read(authorization, reading).then(accept);
      accepted.then(() => done(), done);
      return;
    }
    accept(cached);
    done();
  }

  /** Runs the other checks, in order, with the body read, and answers. */
  answer(
    request: FastifyRequest,
    reply: FastifyReply,
    operation: ContractOperation,
    built: AnyOperation,
  ): Promise<void> {
    const caller = request.getDecorator<TokenClaims>('caller');
    const botId = isObject(request.query) ? request.query.botId : undefined;
    if (botId !== caller.botId) return this.#botRefusal(botId).then(refuse);
    const call = this.#readCall(request, operation, built);
    // Not an async function: this is the most frequent call, and each promise costs.
    return this.#read(caller, built, call).then((read) => {
      if (read === null) throw unknownBot();
      const { credential } = read;
      if (credential?.pairId !== caller.pairId) return this.#pairRefusal(caller).then(refuse);
      if (call.secretHash === null) throw wrongVariables(call.problem);
      checkSecret(credential, call.secretHash);
      const answer = read.answer(call.input);
      return answer instanceof Promise
        ? answer.then((sent) => sendShared(reply, sent))
        : sendShared(reply, answer);
    });
  }

  /** The call with its checks. Reading and checking a body takes longer than finding it. */
  #readCall(request: FastifyRequest, operation: ContractOperation, built: AnyOperation): ReadCall {
    const text = `${request.url} ${request.body}`;
    if (!built.isRepeated || text.length > checkedLengthMax) return readCall(request, operation, built);
    const checked = this.#checkedCalls.get(text);
    if (checked !== undefined) return checked;
    const call = readCall(request, operation, built);
    if (call.problem === null) this.#checkedCalls.set(text, call);
    return call;
  }

  /** The credential, with an answer that refuses an invalid call. Null if there is no such bot. */
  #read(caller: TokenClaims, built: AnyOperation, { input, problem }: ReadCall): Promise<AnyRead | null> {
    if (problem === null) return built.read(caller, input);
    const answer = () => {
      throw wrongVariables(problem);
    };
    return findCredential(this.#options.sql, caller.botId).then((read) => read && { ...read, answer });
  }

  async #pairRefusal(caller: TokenClaims): Promise<Refusal> {
    const refusal = await pairRefusal(this.#options.sql, caller);
    if (!this.#refusedPairs.has(caller.pairId)) {
      this.#refusedPairs.set(caller.pairId, true);
      this.#limit?.giveBack(caller.botId, this.#options.clock());
    }
    return refusal;
  }

  /** Calls of a refused pair are counted separately, so they do not use up the limit of the bot's valid pair. */
  #limitKeyOf({ botId, pairId }: TokenClaims): string {
    return this.#refusedPairs.has(pairId) ? `${botId} ${pairId}` : botId;
  }

  /** The refusal of a call for another bot than the token's. */
  async #botRefusal(botId: unknown): Promise<Refusal> {
    if (typeof botId !== 'string' || botId === '')
      return wrongVariables('botId in the query is missing, or not one value');
    const isKnown = botIdForm.test(botId) && (await findCredential(this.#options.sql, botId)) !== null;
    return isKnown ? new Refusal('PERMISSION_DENIED', "The token is another bot's.") : unknownBot();
  }
}

type ReadCall = { input: CheckedInput } & (
  | { secretHash: string; problem: string | null }
  /** The missing secret is the problem. */
  | { secretHash: null; problem: string }
);

/** The input of a call with its secret, and its first problem or null. */
function readCall(request: FastifyRequest, operation: ContractOperation, built: AnyOperation): ReadCall {
  const params = isObject(request.params) ? { ...request.params } : {};
  const query = isObject(request.query) ? withoutEmpty(request.query) : {};
  const parsed = parseBody(request.body);
  if (typeof parsed === 'string')
    return { input: { body: {}, query, params }, secretHash: null, problem: parsed };
  const body = built.toContract?.(parsed) ?? parsed;
  const input = { body, query, params };
  const { secret } = body;
  if (typeof secret !== 'string') {
    const wrong = secret === undefined ? 'is missing' : 'must be a string';
    return { input, secretHash: null, problem: `secret in the body ${wrong}` };
  }
  const problem = operation.problemOf(input) ?? built.problemOf?.(input) ?? null;
  return { input, secretHash: hashSecret(secret), problem };
}

/** An empty parameter counts as missing. */
function withoutEmpty(query: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
}

/** The body as an object, or its problem. */
function parseBody(text: unknown): JsonObject | string {
  if (typeof text !== 'string') return 'the body is missing';
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? body : 'the body must be a JSON object';
  } catch {
    return 'the body is not JSON';
  }
}

function countCall(limit: RateLimit, key: string, now: number, reply: FastifyReply): void {
  const allowance = limit.take(key, now);
  reply.headers(limitHeaders(allowance));
  if (allowance.retryAfterSeconds === null) return;
  throw new Refusal('RATE_LIMITED', 'The bot has used up its calls.');
}

function refuse(refusal: Refusal): never {
  throw refusal;
}

function unknownBot(): Refusal {
  return new Refusal('BOT_NOT_FOUND', 'There is no such bot.');
}

function wrongVariables(problem: string): Refusal {
  return new Refusal('VARIABLES_INVALID', problem);
}
