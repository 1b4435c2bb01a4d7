/**
 * Errors of the management API, and of live chat, as problem details (RFC 9457). `type` leads to the code's entry in the list of errors that this
 * server shows; the message is safe to show and says what was expected.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Refusal, type RefusalCode } from '../errors.ts';
import { addressOf } from './caller-address.ts';

const kibibyte = 1_024;
/** After which a call that could not be served now may be: when an export or an import has ended, or the database is back. */
const retrySeconds: ReadonlyMap<RefusalCode, number> = new Map([
  ['TRANSFERS_BUSY', 10],
  ['CHAT_UNAVAILABLE', 2],
]);

/** Where a code is explained. Stable: programs may go by it. */
export function problemType(code: RefusalCode): string {
  return `/docs/errors#${code}`;
}

/** Fastify's own refusals, before a body is read. */
const bodyProblems = new Map<string, [RefusalCode, string]>([
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', ['MEDIA_TYPE_UNSUPPORTED', 'the body must be sent as application/json']],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', ['INPUT_INVALID', 'the body is not as long as Content-Length says']],
  ['FST_ERR_CTP_EMPTY_JSON_BODY', ['INPUT_INVALID', 'the body is empty, JSON was expected']],
  ['FST_ERR_CTP_INVALID_JSON_BODY', ['INPUT_INVALID', 'the body is not JSON']],
]);

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
  const { code, entry, message, retryAfterSeconds } = toRefusal(error, request.routeOptions.bodyLimit);
  const { status, cause } = entry;
  if (code === 'INTERNAL') log.error({ err: error, path: request.routeOptions.url }, `a ${api} call failed`);
  if (status === 401 || status === 403 || code === 'SIGN_IN_LIMITED') {
    const from = addressOf(request);
    log.info({ code, path: request.routeOptions.url, from }, `a ${api} call was refused`);
  }
  const seconds = retryAfterSeconds ?? retrySeconds.get(code);
  if (seconds !== undefined) reply.header('retry-after', String(seconds));
  if (code === 'TOKEN_INVALID') reply.header('www-authenticate', 'Bearer realm="shoal"');
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify({ type: problemType(code), title: cause, status, detail: message, code }));
}

function toRefusal(error: unknown, bodyBytesMax: number | undefined): Refusal {
  if (error instanceof Refusal) return error;
  const cause = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (cause === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const most = (bodyBytesMax ?? 0) / kibibyte;
    return new Refusal('BODY_TOO_LARGE', `the body must have at most ${most} KiB`);
  }
  const [code, message] = bodyProblems.get(cause) ?? [];
  if (code !== undefined && message !== undefined) return new Refusal(code, message);
  if (error instanceof SyntaxError && 'statusCode' in error)
    return new Refusal('INPUT_INVALID', 'the body is not JSON');
  return new Refusal('INTERNAL', 'A fault of the server.');
}
