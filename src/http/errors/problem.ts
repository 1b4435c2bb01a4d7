/**
 * Errors of the management API and of live chat as problem details (RFC 9457). `type` is the address of the code in the server's
 * list of errors. The message contains no secret.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Refusal, type RefusalCode } from '../../errors.ts';
import { addressOf } from '../caller-address.ts';
import { challenge, logFault, refusalOf } from './refusals.ts';

/** Seconds until a retry may succeed, because an export or an import has ended, or a server answers again. */
const retrySeconds: ReadonlyMap<RefusalCode, number> = new Map([
  ['TRANSFERS_BUSY', 10],
  ['SERVER_STOPPING', 2],
  ['CHAT_UNAVAILABLE', 2],
]);

/** The address of a code's explanation. It is stable, so programs may compare it. */
export function problemType(code: RefusalCode): string {
  return `/docs/errors#${code}`;
}

/**
 * Answers a failed call. A fault of the server goes to the log, and no detail of it into the answer. Missing rights go to the log
 * too. `api` is the API's name in the log.
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
