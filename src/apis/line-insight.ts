/**
 * The LINE Insight API (contracts/line-insight.yaml) as it is served, at the root of the host: a program written for LINE only
 * changes its base address.
 *
 *     header → query → read, with the token's bot → calls an hour → answer
 *
 * A call reads the database once: what it asks for comes together with the bot of its token. Every answer, errors too, has an
 * `X-Line-Request-Id`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { findTokenBot, hashLineToken } from '../bots/line-tokens.ts';
import type { Sql } from '../database/database.ts';
import { Refusal } from '../errors.ts';
import { isObject } from '../json.ts';
import type { Random } from '../random.ts';
import { type Clock, hourMs } from '../time.ts';
import { bindContract, type Operation, readContract } from './contract.ts';
import { newRequestId, readLineToken, requestIdHeader } from './line-headers.ts';
import { sendLineError, wrongTokenMessage } from './line-insight-errors.ts';
import { type InsightOperation, insightOperations } from './line-insight-operations.ts';
import { RateLimit } from './rate-limit.ts';

export type InsightOptions = {
  sql: Sql;
  clock: Clock;
  random: Random;
  /** So long a day's answer is given again without a look (default 500 ms); 0: never. */
  rememberMs?: number;
  /** Calls an hour for each channel and operation; 0: no limit. */
  rateLimit: number;
  log: Pick<Logger, 'error'>;
};

const contractFile = new URL('../../contracts/line-insight.yaml', import.meta.url);
const prefix = '/v2/bot/insight';

/** Adds the contract's operations to the server, at `/v2/bot/insight/…`. */
export async function registerLineInsight(app: FastifyInstance, options: InsightOptions): Promise<void> {
  const contract = await readContract(contractFile);
  const handlers = insightOperations(options);
  const limit = options.rateLimit > 0 ? new RateLimit(options.rateLimit, hourMs) : null;
  await app.register(
    async (scope) => {
      scope.addHook('onRequest', (_request, reply, done) => {
        reply.header(requestIdHeader, newRequestId(options.random));
        done();
      });
      scope.setErrorHandler((error, request, reply) => sendLineError(error, request, reply, options.log));
      bindContract(scope, contract, {
        within: prefix,
        handlers,
        toRoute: (operation, handler: InsightOperation | null) => {
          if (handler === null) throw new Error(`${operation.id} has no handler`);
          return {
            handler: (request, reply) => answer(request, reply, { ...options, operation, handler, limit }),
          };
        },
      });
    },
    { prefix },
  );
}

type Call = InsightOptions & { operation: Operation; handler: InsightOperation; limit: RateLimit | null };

async function answer(
  { headers, params, query: sent }: FastifyRequest,
  reply: FastifyReply,
  { operation, handler, limit, sql, clock }: Call,
): Promise<unknown> {
  const tokenHash = hashLineToken(readLineToken(headers.authorization));
  const query = isObject(sent) ? sent : {};
  const isSound = operation.problemOf({ params, query, body: undefined }) === null;
  const problem = handler.problemOf(query, isSound);
  const found =
    problem === null
      ? await handler.read(tokenHash, query)
      : await findTokenBot(sql, tokenHash).then(
          (botId) => botId !== null && { botId, answer: () => problem },
        );
  if (!found) throw new Refusal('TOKEN_INVALID', wrongTokenMessage);
  if (limit && limit.take(`${operation.id} ${found.botId}`, clock()).retryAfterSeconds !== null) {
    throw new Refusal('RATE_LIMITED', 'The channel has used up its calls.');
  }
  if (problem !== null) reply.code(400);
  return found.answer();
}
