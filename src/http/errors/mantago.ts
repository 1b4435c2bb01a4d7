/**
 * Errors in MantaGo's envelope: `{success: false, errResponse: {message, code, botId?}}`. Messages are MantaGo's published ones if
 * there are any, followed by the problem of the request.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Refusal, type RefusalCode } from '../../errors.ts';
import { isObject } from '../../json.ts';
import { addRetryAfter, challenge, logFault, refusalOf } from './refusals.ts';

const published: Partial<Record<RefusalCode, string>> = {
  TOKEN_INVALID: 'Token is invalid or expired',
  PERMISSION_DENIED: 'permission denied',
  BOT_NOT_FOUND: '尋找Bot資訊失敗,無此botId',
  PAIR_REPLACED: 'Get open api failed',
  CONTACT_NOT_FOUND: 'Get client failed',
  CHANNEL_NOT_FOUND: '尋找Integration資訊失敗,無此IntegrationId',
  BROADCAST_FAILED: 'Create broadcast failed',
  BIND_FAILED: 'Bind customer client failed',
  UNBIND_FAILED: 'Unbind customer client failed',
  RATE_LIMITED: 'Rate limit exceeded',
  DATABASE_UNAVAILABLE: 'Internal server error',
  SERVER_BUSY: 'Internal server error',
  INTERNAL: 'Internal server error',
};
/** Codes with another status in MantaGo's API. */
const statuses: Partial<Record<RefusalCode, number>> = {
  TAG_EXISTS: 403,
  DATABASE_UNAVAILABLE: 500,
  SERVER_BUSY: 500,
};
const variablesMessage = 'Get correct request variables failed';
const botIdLengthMax = 64;

/** Answers a failed call. A fault of the server goes to the log, and no detail of it into the answer. */
export function sendError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Pick<Logger, 'error'>,
): FastifyReply {
  const refusal = toRefusal(error, request);
  logFault(error, refusal, { log, request, call: 'a MantaGo call' });
  addRetryAfter(reply, refusal);
  const botId = isObject(request.query) ? request.query.botId : undefined;
  const isShown = typeof botId === 'string' && botId !== '' && botId.length <= botIdLengthMax;
  const { status, body } = mantagoError(refusal, isShown ? { botId } : {});
  if (status === 401) reply.header('www-authenticate', challenge);
  return reply.code(status).send(body);
}

/** The error as MantaGo answers it. */
export function mantagoError(refusal: Refusal, bot: { botId?: string } = {}) {
  const { status, mantago = null } = toPublished(refusal).entry;
  const errResponse = { message: messageOf(toPublished(refusal)), code: mantago, ...bot };
  return {
    status: statuses[refusal.code] ?? status,
    type: 'application/json',
    body: { success: false, errResponse },
  };
}

function toRefusal(error: unknown, request: FastifyRequest): Refusal {
  const refusal = refusalOf(error, request);
  return refusal === null || toPublished(refusal).entry.mantago === undefined
    ? new Refusal('INTERNAL', 'A fault of the server.')
    : refusal;
}

/** MantaGo has one code for all invalid input. */
function toPublished(refusal: Refusal): Refusal {
  return refusal.code === 'INPUT_INVALID' ? new Refusal('VARIABLES_INVALID', refusal.message) : refusal;
}

function messageOf({ code, message }: Refusal): string {
  return code === 'VARIABLES_INVALID' ? `${variablesMessage}: ${message}` : (published[code] ?? message);
}
