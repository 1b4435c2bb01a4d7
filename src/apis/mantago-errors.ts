/**
 * Errors in MantaGo's envelope: `{success: false, errResponse: {message, code, botId?}}`. Messages are the published ones where
 * there are any; what was wrong with a request is told behind them.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Refusal, type RefusalCode } from '../errors.ts';
import { isObject } from './json.ts';

const published: Partial<Record<RefusalCode, string>> = {
  TOKEN_INVALID: 'Token is invalid or expired',
  PERMISSION_DENIED: 'permission denied',
  BOT_NOT_FOUND: '尋找Bot資訊失敗,無此botId',
  PAIR_REPLACED: 'Get open api failed',
  CONTACT_NOT_FOUND: 'Get client failed',
  RATE_LIMITED: 'Rate limit exceeded',
  INTERNAL: 'Internal server error',
};
const variablesMessage = 'Get correct request variables failed';
const botIdLengthMax = 64;

/** Answers a request that failed. What is no refusal to a caller goes to the log, and nothing of it into the answer. */
export function sendError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Pick<Logger, 'error'>,
): FastifyReply {
  const refusal = toRefusal(error);
  if (refusal.code === 'INTERNAL')
    log.error({ err: error, path: request.routeOptions.url }, 'a MantaGo call failed');
  const { status, mantago } = refusal.entry;
  const botId = isObject(request.query) ? request.query.botId : undefined;
  const named = typeof botId === 'string' && botId !== '' && botId.length <= botIdLengthMax ? { botId } : {};
  return reply
    .code(status)
    .send({ success: false, errResponse: { message: messageOf(refusal), code: mantago, ...named } });
}

function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal && error.entry.mantago !== null) return error;
  // Fastify's own refusals are about the body: its size, its length, its type.
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('FST_ERR_CTP_')) {
    return new Refusal('VARIABLES_INVALID', `the body cannot be read: ${error.message}`);
  }
  return new Refusal('INTERNAL', 'A fault of the server.');
}

function messageOf({ code, message }: Refusal): string {
  return code === 'VARIABLES_INVALID' ? `${variablesMessage}: ${message}` : (published[code] ?? message);
}
