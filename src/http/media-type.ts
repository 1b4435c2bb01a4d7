/**
 * The media type of a body.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from '../errors.ts';

/** The media type without its parameters, or '' if there is none. */
export function mediaTypeOf(headers: IncomingHttpHeaders): string {
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1);
  return type.trim().toLowerCase();
}

/** Throws Refusal MEDIA_TYPE_UNSUPPORTED unless the body has one of the types. `isOptional`: a call may name no type. */
export function checkMediaType(
  headers: IncomingHttpHeaders,
  types: readonly string[],
  { isOptional = false } = {},
): void {
  const type = mediaTypeOf(headers);
  if (types.includes(type) || (type === '' && isOptional)) return;
  throw new Refusal('MEDIA_TYPE_UNSUPPORTED', `the body must be sent as ${types.join(' or ')}`);
}
