/**
 * Headers of all LINE calls: the caller's token, and the request id of every answer.
 */
import { Refusal } from '../errors.ts';
import { noTokenMessage, wrongTokenMessage } from '../http/errors/line.ts';
import type { Random } from '../random.ts';

export const requestIdHeader = 'x-line-request-id';
const tokenLengthMax = 1_000;

/** Reads the token. Throws Refusal TOKEN_INVALID if it is missing or cannot be valid. */
export function readLineToken(header: string | undefined): string {
  const token = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
  if (token === undefined) throw new Refusal('TOKEN_INVALID', noTokenMessage);
  if (token.length > tokenLengthMax) throw new Refusal('TOKEN_INVALID', wrongTokenMessage);
  return token;
}

/** A random UUID (RFC 9562, version 4). */
export function newRequestId(random: Random): string {
  const bytes = Buffer.from(random(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
