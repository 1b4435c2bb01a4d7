/**
 * The LINE Insight API (contracts/line-insight.yaml), at the root of the host: a client of LINE only changes its base URL.
 *
 *     header → the token's bot → calls an hour → query → read → answer
 *
 * Every answer, including errors, has an `X-Line-Request-Id`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import {
  findChannelBot,
  findTokenBot,
  hashLineToken,
  mayBeOfLine,
  type TokenBot,
} from '../../bots/line-tokens.ts';
import type { Sql } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { type Memoized, memoized } from '../../http/batch.ts';
import { addressOf } from '../../http/caller-address.ts';
import { coalesced } from '../../http/coalesce.ts';
import { bindContract, type Contract, type ContractOperation, readContract } from '../../http/contract.ts';
import { sendLineError, wrongTokenMessage } from '../../http/errors/line.ts';
import { RateLimit } from '../../http/rate-limit.ts';
import { sendShared } from '../../http/shared-answer.ts';
import { isObject, type JsonObject } from '../../json.ts';
import { newRequestId, readLineToken, requestIdHeader } from '../../line/headers.ts';
import type { VerifiedTokens } from '../../line/verified-tokens.ts';
import { inPortions, type Random } from '../../random.ts';
import { type Clock, hourMs } from '../../time.ts';
import { insightOperations } from './operations.ts';

export type InsightOptions = {
  sql: Sql;
  /** Tokens of callers that LINE has verified. */
  verified: VerifiedTokens;
  clock: Clock;
  random: Random;
  /** How long (ms, default 500) a token's bot and Shoal's own figures of a day are cached. */
  cacheMs?: number;
  /** Calls an hour for each channel and operation; 0: no limit. */
  rateLimit: number;
  log: Pick<Logger, 'error'>;
};

/** A revoked or expired token works for at most this long. */
const cacheMsUsual = 500;
const contractFile = new URL('../../../contracts/line-insight.yaml', import.meta.url);
const prefix = '/v2/bot/insight';

export function readInsightContract(): Promise<Contract> {
  return readContract(contractFile);
}

/** Adds the contract's operations to the server, at `/v2/bot/insight/…`. */
export async function registerLineInsight(
  app: FastifyInstance,
  { sql, verified, clock, random, cacheMs = cacheMsUsual, rateLimit, log }: InsightOptions,
): Promise<void> {
  const contract = await readInsightContract();
  const handlers = insightOperations({ sql, clock, cacheMs });
  const findByHash = coalesced((tokenHash) => findTokenBot(sql, tokenHash, { now: clock() }));
  const randomOfIds = inPortions(random);
  const sources: Sources = {
    findBot: memoized(
      async (request) => {
        const token = readLineToken(request.headers.authorization);
        const verifiedChannel = verified.channelOf(token);
        if (verifiedChannel !== null) return findChannelBot(sql, verifiedChannel);
        const tokenHash = hashLineToken(token);
        const known = await findByHash(tokenHash);
        if (known !== null || !(await mayBeOfLine(sql, tokenHash))) return known;
        const channelId = await verified.verify(token, addressOf(request));
        return channelId === null ? null : findChannelBot(sql, channelId);
      },
      { nameOf: ({ headers }) => headers.authorization ?? '', msOf: () => cacheMs },
    ),
    limit: rateLimit > 0 ? new RateLimit(rateLimit, hourMs) : null,
    clock,
  };
  await app.register(
    async (scope) => {
      scope.addHook('onRequest', ({ url }, reply, done) => {
        reply.header(requestIdHeader, newRequestId(randomOfIds));
        // One address has one spelling, as for all of LINE's calls (src/line/gateway/target.ts).
        if (url.includes('%') && url.split('?', 1)[0]?.includes('%'))
          done(new Refusal('CALL_INVALID', 'The address must be a plain path, without encoded letters.'));
        else done();
      });
      scope.setErrorHandler((error, request, reply) => sendLineError(error, request, reply, log));
      bindContract(scope, contract, {
        within: prefix,
        handlers,
        toRoute: (operation, handler: CheckedOperation) => ({
          handler: (request, reply) => answer(request, reply, { ...sources, operation, handler }),
        }),
      });
    },
    { prefix },
  );
}

/** An operation of any id: the contract's check gives its query the members that the operation reads. */
type CheckedOperation = {
  problemOf(query: JsonObject, isSound: boolean): object | null;
  cached?(bot: TokenBot, query: JsonObject): object | undefined;
  answer(bot: TokenBot, query: JsonObject): Promise<object>;
};
type Sources = {
  /** By the header with the token. Throws Refusal TOKEN_INVALID for a header without one. */
  findBot: Memoized<FastifyRequest, TokenBot | null>;
  limit: RateLimit | null;
  clock: Clock;
};

type Route = Sources & { operation: ContractOperation; handler: CheckedOperation };

/** Answers a call, or returns the body of a 400 for an invalid query. No promise if all of it is cached. */
function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  route: Route,
): object | undefined | Promise<object | undefined> {
  const bot = route.findBot.cached(request);
  if (bot !== undefined) return answerBot(bot, request, reply, route);
  return route.findBot(request).then((found) => {
    if (found === null) throw new Refusal('TOKEN_INVALID', wrongTokenMessage);
    return answerBot(found, request, reply, route);
  });
}

function answerBot(
  bot: TokenBot,
  { params, query: rawQuery }: FastifyRequest,
  reply: FastifyReply,
  { operation, handler, limit, clock }: Route,
): object | undefined | Promise<undefined> {
  if (limit && limit.take(`${operation.id} ${bot.botId}`, clock()).retryAfterSeconds !== null) {
    throw new Refusal('RATE_LIMITED', 'The channel has used up its calls.');
  }
  const query = isObject(rawQuery) ? rawQuery : {};
  const cached = handler.cached?.(bot, query);
  if (cached !== undefined) return sendShared(reply, cached);
  const isSound = operation.problemOf({ params, query, body: undefined }) === null;
  const problem = handler.problemOf(query, isSound);
  if (problem === null) return handler.answer(bot, query).then((body) => sendShared(reply, body));
  reply.code(400);
  return problem;
}
