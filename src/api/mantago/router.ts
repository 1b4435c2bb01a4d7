/**
 * The MantaGo OpenAPI (contracts/mantago.yaml) as it is served: who may call, in which order a call is checked, and when it
 * is answered.
 *
 *     token → calls a minute → bot → pair → secret → is it built? → body → answer
 *
 * Each check refuses before the next one. The calls that are made most often read the database once: what they ask for comes
 * together with the credential that decides whether it is shown.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { type Credential, findCredential, type TokenClaims } from '../../auth/api-pairs.ts';
import { Refusal } from '../../errors.ts';
import { readJsonBodies } from '../../http/bodies.ts';
import { bindContract, type Contract, type Operation, readContract } from '../../http/contract.ts';
import { sendError } from '../../http/errors/mantago.ts';
import { limitHeaders, RateLimit } from '../../http/rate-limit.ts';
import { isObject, type JsonObject } from '../../json.ts';
import { checkPair, checkSecret, Tokens } from './auth.ts';
import type { MantagoOperation, Sent, Sources } from './operation.ts';
import { mantagoOperations } from './operations.ts';

export type MantagoOptions = Sources & {
  /** Calls a minute for each bot; 0: no limit. */
  rateLimit: number;
  log: Pick<Logger, 'error'>;
};

const contractFile = new URL('../../../contracts/mantago.yaml', import.meta.url);
/** Our own documents of the operations that are known in part. */
const partialFile = new URL('../../../contracts/mantago-partial.yaml', import.meta.url);
const contractBase = '/openapi';
const prefixes = ['/api/openapi', '/openapi'];
const refusedPairsMax = 10_000;
const bodyBytesMax = 1_048_576;
/** Our ids are letters; with anything else there is no need to ask. */
const botIdForm = /^[A-Za-z]{1,64}$/;

/** The contract as it is served: the composed one, and the operations that its public documentation tells in part. */
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
        // As text, so that a body that is no JSON is refused in its turn: after token, bot and pair.
        readJsonBodies(scope, { asText: true });
        scope.decorateRequest('caller');
        scope.setErrorHandler((error, request, reply) => sendError(error, request, reply, options.log));
        bindContract(scope, contract, {
          within: contractBase,
          handlers,
          toRoute: (operation, built: MantagoOperation | null) => ({
            bodyLimit: bodyBytesMax,
            onRequest: (request, reply) => calls.admit(request, reply, built),
            handler: (request) => calls.answer(request, operation, built),
          }),
        });
      },
      { prefix },
    );
  }
}

/** What was found for a caller who has yet to prove to be entitled to it; without an answer when the call has no right form. */
type Unproved = { credential: Credential | null; answer?(): unknown };

class Calls {
  readonly #options: MantagoOptions;
  readonly #tokens: Tokens;
  readonly #limit: RateLimit | null;
  /** Pairs that are not the bot's valid one. A replaced pair never becomes valid again. */
  readonly #refusedPairs = new LRUCache<string, true>({ max: refusedPairsMax });

  constructor(options: MantagoOptions) {
    this.#options = options;
    this.#tokens = new Tokens(options.keys);
    this.#limit = options.rateLimit > 0 ? new RateLimit(options.rateLimit) : null;
  }

  /** Before the body is read: whose token it is, and whether its bot may call now. */
  async admit(request: FastifyRequest, reply: FastifyReply, built: MantagoOperation | null): Promise<void> {
    const now = this.#options.clock();
    const expiredToo = built?.expiredToo ?? false;
    const caller = await this.#tokens.read(request.headers.authorization, { now, expiredToo });
    request.setDecorator('caller', caller);
    if (this.#limit) countCall(this.#limit, this.#limitKeyOf(caller), now, reply);
  }

  /** With the body read: everything else, in order. */
  async answer(
    request: FastifyRequest,
    operation: Operation,
    built: MantagoOperation | null,
  ): Promise<unknown> {
    const caller = request.getDecorator<TokenClaims>('caller');
    await this.#checkBot(request, caller);
    const { sent, secret, problem } = readCall(request, operation, built);
    const found: Unproved | null =
      built !== null && problem === null
        ? await built.read(caller, sent)
        : await findCredential(this.#options.sql, caller.botId);
    if (found === null) throw unknownBot();
    const credential = await this.#checkPair(caller, found.credential);
    if (secret === null) throw wrongVariables(problem);
    checkSecret(credential, secret);
    if (built === null) throw notBuilt(operation);
    if (problem !== null) throw wrongVariables(problem);
    return found.answer?.();
  }

  async #checkPair(caller: TokenClaims, found: Credential | null): Promise<Credential> {
    try {
      return await checkPair(this.#options.sql, caller, found);
    } catch (error) {
      if (error instanceof Refusal && !this.#refusedPairs.has(caller.pairId)) {
        this.#refusedPairs.set(caller.pairId, true);
        this.#limit?.giveBack(caller.botId, this.#options.clock());
      }
      throw error;
    }
  }

  /** The calls of a refused pair count on their own: they must not use up those of the bot's valid pair. */
  #limitKeyOf({ botId, pairId }: TokenClaims): string {
    return this.#refusedPairs.has(pairId) ? `${botId} ${pairId}` : botId;
  }

  async #checkBot(request: FastifyRequest, caller: TokenClaims): Promise<void> {
    const botId = isObject(request.query) ? request.query.botId : undefined;
    if (typeof botId !== 'string' || botId === '') {
      throw wrongVariables('botId in the query is missing, or not one value');
    }
    if (botId === caller.botId) return;
    const isKnown = botIdForm.test(botId) && (await findCredential(this.#options.sql, botId)) !== null;
    throw isKnown ? new Refusal('PERMISSION_DENIED', "The token is another bot's.") : unknownBot();
  }
}

type ReadCall = { sent: Sent } & (
  | { secret: string; problem: string | null }
  /** Without a secret that is the problem. */
  | { secret: null; problem: string }
);

/** What was sent with its secret, and the first thing that is wrong with the call; null: nothing. */
function readCall(request: FastifyRequest, operation: Operation, built: MantagoOperation | null): ReadCall {
  const params = isObject(request.params) ? { ...request.params } : {};
  const query = isObject(request.query) ? withoutEmpty(request.query) : {};
  const parsed = parseBody(request.body);
  if (typeof parsed === 'string') return { sent: { body: {}, query, params }, secret: null, problem: parsed };
  const body = built?.toContract?.(parsed) ?? parsed;
  const sent = { body, query, params };
  const { secret } = body;
  if (typeof secret !== 'string') {
    const wrong = secret === undefined ? 'is missing' : 'must be a string';
    return { sent, secret: null, problem: `secret in the body ${wrong}` };
  }
  const problem = operation.problemOf(sent) ?? built?.problemOf?.(sent) ?? null;
  return { sent, secret, problem };
}

/** A parameter without a value is one left out. */
function withoutEmpty(query: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
}

/** The body as an object, or what is wrong with it. */
function parseBody(sent: unknown): JsonObject | string {
  if (typeof sent !== 'string') return 'the body is missing';
  try {
    const body: unknown = JSON.parse(sent);
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

function unknownBot(): Refusal {
  return new Refusal('BOT_NOT_FOUND', 'There is no such bot.');
}

function notBuilt({ id }: Operation): Refusal {
  return new Refusal('NOT_BUILT', `${id} is not built in this version of Shoal`);
}

function wrongVariables(problem: string): Refusal {
  return new Refusal('VARIABLES_INVALID', problem);
}
