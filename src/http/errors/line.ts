/**
 * Errors of the LINE calls in LINE's own form, `{"message": …}`, and with LINE's own words (LINE Messaging API reference,
 * "Error responses"; those of 401 as the live API answers).
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Refusal, type RefusalCode } from '../../errors.ts';
import { addRetryAfter, challenge, logFault, refusalOf } from './refusals.ts';

export const noTokenMessage =
  "Authorization header required. Must follow the scheme, 'Authorization: Bearer <ACCESS TOKEN>'";
export const wrongTokenMessage =
  'Authentication failed. Confirm that the access token in the authorization header is valid.';

const published: Partial<Record<RefusalCode, string>> = {
  RATE_LIMITED: 'The API rate limit has been exceeded. Try again later.',
  SEND_NOT_FOUND: 'Not found',
  OPERATION_NOT_FOUND: 'Not found',
  METHOD_NOT_ALLOWED: 'Method not allowed',
  BODY_TOO_LARGE: 'The request exceeds the max size.',
  INPUT_INVALID: 'Bad Request',
  MEDIA_TYPE_UNSUPPORTED: 'Unsupported Media Type',
  ADDRESS_TOO_LONG: 'URI Too Long',
  HEADERS_TOO_LARGE: 'Request Header Fields Too Large',
  EXPECTATION_FAILED: 'Expectation Failed',
  REQUEST_TOO_SLOW: 'Request Timeout',
  INTERNAL: 'Internal server error',
};

/** Bodies of 400. */
export const badQueries = {
  noDate: { message: 'date is required' },
  other: { message: 'Bad Request' },
  /** LINE's answer to any invalid call for a unit. */
  ofUnit: { message: null, key: null, stacktrace: null, code: null },
} as const;

/** Answers a failed call. A fault of the server goes to the log, and no detail of it into the answer. */
export function sendLineError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Pick<Logger, 'error'>,
  failed = 'a LINE call',
): FastifyReply {
  const refusal = refusalOf(error, request) ?? new Refusal('INTERNAL', 'A fault of the server.');
  logFault(error, refusal, { log, request, call: failed });
  addRetryAfter(reply, refusal);
  const { status, body } = lineError(refusal);
  if (status === 401) reply.header('www-authenticate', challenge);
  return reply.code(status).send(body);
}

/** The error as LINE answers it. */
export function lineError({ code, entry: { status }, message }: Refusal) {
  return { status, type: 'application/json', body: { message: published[code] ?? message } };
}
