/**
 * Maps the errors of Fastify and Node to refusals of the catalogue. Each API shows them in its own form.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { isOutage, logOutage } from '../../database/outage.ts';
import { Refusal, type RefusalCode } from '../../errors.ts';

const retryAfterSeconds = 2;
const kibibyte = 1_024;

/** RFC 9110, section 11.6.1: a 401 names the authentication scheme. */
export const challenge = 'Bearer realm="shoal"';

const refusals: Readonly<Record<string, [RefusalCode, string]>> = {
  FST_ERR_BAD_URL: ['INPUT_INVALID', 'the address holds a percent sign that does not encode UTF-8'],
  FST_ERR_MAX_PARAM_LENGTH: ['ADDRESS_TOO_LONG', 'a part of the address is too long'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['MEDIA_TYPE_UNSUPPORTED', 'the body must be sent as application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['INPUT_INVALID', 'the body is not as long as Content-Length says'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['INPUT_INVALID', 'the body is empty, JSON was expected'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['INPUT_INVALID', 'the body is not JSON'],
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'the headers have more than 16 KiB'],
};

/** The refusal for an error, or null for a fault of the server. */
export function refusalOf(error: unknown, request?: FastifyRequest): Refusal | null {
  if (error instanceof Refusal) return error;
  if (!(error instanceof Error)) return null;
  if (isOutage(error) && request?.raw.errored !== error) {
    return new Refusal('DATABASE_UNAVAILABLE', 'The database does not answer.', { retryAfterSeconds });
  }
  const cause = 'code' in error ? String(error.code) : '';
  const [code, message] = refusals[cause] ?? [];
  if (code !== undefined && message !== undefined) return new Refusal(code, message);
  if (cause === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const most = (request?.routeOptions.bodyLimit ?? 0) / kibibyte;
    return new Refusal('BODY_TOO_LARGE', `the body must have at most ${most} KiB`);
  }
  // The caller has closed the connection, so the answer is never read.
  if (request?.raw.errored === error) return new Refusal('INPUT_INVALID', 'the body is incomplete');
  const status = 'statusCode' in error ? Number(error.statusCode) : 500;
  return status >= 400 && status < 500 ? new Refusal('INPUT_INVALID', 'the body is not JSON') : null;
}

/** Logs a fault of the server in full, and an outage of the database in one line. */
export function logFault(
  error: unknown,
  { code }: Refusal,
  { log, request, call }: { log: Pick<Logger, 'error'>; request: FastifyRequest; call: string },
): void {
  if (code === 'DATABASE_UNAVAILABLE' && isOutage(error)) logOutage(log, error);
  if (code === 'INTERNAL') log.error({ err: error, path: request.routeOptions.url }, `${call} failed`);
}

/** Adds the seconds until a retry may succeed, if they are known. */
export function addRetryAfter(reply: FastifyReply, { retryAfterSeconds }: Refusal): void {
  if (retryAfterSeconds !== null) reply.header('retry-after', String(retryAfterSeconds));
}
