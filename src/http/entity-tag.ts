/**
 * Entity tags (RFC 9110, sections 8.8.3 and 13.1). With the tag of an answer, a caller reads it again only if it has changed, and
 * changes only the state that it has read.
 */
import { createHash } from 'node:crypto';
import { Refusal } from '../errors.ts';

const tagLength = 27;

/** The strong tag of an answer's body. */
export function entityTagOf(body: unknown): string {
  const hash = createHash('sha256')
    .update(JSON.stringify(body) ?? '')
    .digest('base64url');
  return `"${hash.slice(0, tagLength)}"`;
}

/** True when a header `If-Match` or `If-None-Match` names the tag, or any. A weak tag counts for `If-None-Match` only. */
export function namesTag(header: string, tag: string, { weakToo }: { weakToo: boolean }): boolean {
  return header.split(',').some((part) => {
    const candidate = part.trim();
    return candidate === '*' || candidate === tag || (weakToo && candidate === `W/${tag}`);
  });
}

/** Throws Refusal PRECONDITION_FAILED when the header `If-Match` names another state than the current one. */
export function checkMatch(
  { 'if-match': expected }: { 'if-match'?: string },
  current: unknown,
  name: string,
): void {
  if (expected === undefined || namesTag(expected, entityTagOf(current), { weakToo: false })) return;
  throw new Refusal('PRECONDITION_FAILED', `${name} is no longer as If-Match says.`);
}
