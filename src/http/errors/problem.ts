/**
 * Errors of the management API, and of live chat, as problem details (RFC 9457). `type` leads to the code's entry in the list of errors that this
 * server shows; the message is safe to show and says what was expected.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Refusal, type RefusalCode } from '../../errors.ts';
import { addressOf } from '../caller-address.ts';
import { challenge, logFault, refusalOf } from './refusals.ts';

/** After which a call that could not be served now may be: when an export or an import has ended, or the database is back. */
const retrySeconds: ReadonlyMap<RefusalCode, number> = new Map([
  ['TRANSFERS_BUSY', 10],
  ['CHAT_UNAVAILABLE', 2],
]);

/** Where a code is explained. Stable: programs may go by it. */
export function problemType(code: RefusalCode): string {
  return `/docs/errors#${code}`;
}

/**
 * Answers a call that failed. What is no refusal to a caller goes to the log, and nothing of it into the answer. Who tried what
 * they may not is told to the log, too. `api` is what it calls the API.
 */
export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Pick<Logger, 'error' | 'info'>,
  api = 'management',
): FastifyReply {
  const refusal = refusalOf(error, request) ?? new Refusal('INTERNAL', 'A fault of the server.');
  const { code, retryAfterSeconds } = refusal;
  const { status, type, body } = problem(refusal);
  logFault(error, refusal, { log, request, call: `a ${api} call` });
  if (status === 401 || status === 403 || code === 'SIGN_IN_LIMITED') {
    const from = addressOf(request);
    log.info({ code, path: request.routeOptions.url, from }, `a ${api} call was refused`);
  }
  const seconds = retryAfterSeconds ?? retrySeconds.get(code);
  if (seconds !== undefined) reply.header('retry-after', String(seconds));
  if (status === 401) reply.header('www-authenticate', challenge);
  return reply.code(status).header('cache-control', 'no-store').type(type).send(JSON.stringify(body));
}

/** The error as problem details. */
export function problem({ code, entry: { status, cause }, message }: Refusal) {
  return {
    status,
    type: 'application/problem+json',
    body: { type: problemType(code), title: cause, status, detail: message, code },
  };
}
