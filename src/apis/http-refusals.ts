/**
 * What Fastify and Node refuse before a handler runs, as refusals of the catalogue. Each API shows them in its own form.
 */
import type { FastifyRequest } from 'fastify';
import { Refusal, type RefusalCode } from '../errors.ts';

const kibibyte = 1_024;

/** RFC 9110, section 11.6.1: a 401 names the scheme that opens the resource. */
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

/** The refusal that an error is; null: it is a fault of the server. */
export function refusalOf(error: unknown, request?: FastifyRequest): Refusal | null {
  if (error instanceof Refusal) return error;
  if (!(error instanceof Error)) return null;
  const cause = 'code' in error ? String(error.code) : '';
  const [code, message] = refusals[cause] ?? [];
  if (code !== undefined && message !== undefined) return new Refusal(code, message);
  if (cause === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const most = (request?.routeOptions.bodyLimit ?? 0) / kibibyte;
    return new Refusal('BODY_TOO_LARGE', `the body must have at most ${most} KiB`);
  }
  // The caller closed the connection, so the answer reaches no one.
  if (request?.raw.errored === error) return new Refusal('INPUT_INVALID', 'the body broke off');
  const status = 'statusCode' in error ? Number(error.statusCode) : 500;
  return status >= 400 && status < 500 ? new Refusal('INPUT_INVALID', 'the body is not JSON') : null;
}
