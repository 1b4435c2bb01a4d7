/**
 * Errors in MantaGo's envelope: `{success: false, errResponse: {message, code, botId?}}`. Messages are the published ones where
 * there are any; what was wrong with a request is told behind them.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Refusal, type RefusalCode } from '../errors.ts';
import { isObject } from '../json.ts';

const published: Partial<Record<RefusalCode, string>> = {
  TOKEN_INVALID: 'Token is invalid or expired',
  PERMISSION_DENIED: 'permission denied',
  BOT_NOT_FOUND: '尋找Bot資訊失敗,無此botId',
  PAIR_REPLACED: 'Get open api failed',
  CONTACT_NOT_FOUND: 'Get client failed',
  BIND_FAILED: 'Bind customer client failed',
  UNBIND_FAILED: 'Unbind customer client failed',
  RATE_LIMITED: 'Rate limit exceeded',
  INTERNAL: 'Internal server error',
};
/** Where MantaGo's status is another one than everybody's. */
const statuses: Partial<Record<RefusalCode, number>> = { TAG_EXISTS: 403 };
const variablesMessage = 'Get correct request variables failed';
/** Fastify's own refusals, before a body is read. */
const bodyProblems = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'the body is too large, 1 MiB at most was expected'],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'the body must be JSON, sent as application/json'],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'the body is not as long as its Content-Length says'],
]);
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
    .code(statuses[refusal.code] ?? status)
    .send({ success: false, errResponse: { message: messageOf(refusal), code: mantago, ...named } });
}

function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal && error.entry.mantago !== null) return error;
  const problem =
    error instanceof Error && 'code' in error ? bodyProblems.get(String(error.code)) : undefined;
  if (problem !== undefined) return new Refusal('VARIABLES_INVALID', problem);
  return new Refusal('INTERNAL', 'A fault of the server.');
}

function messageOf({ code, message }: Refusal): string {
  return code === 'VARIABLES_INVALID' ? `${variablesMessage}: ${message}` : (published[code] ?? message);
}
