/**
 * Entity tags (RFC 9110, sections 8.8.3 and 13.1): what a caller holds of an answer, to be told only when it has changed, and to
 * change only what it has seen.
 */
import { createHash } from 'node:crypto';

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
    const named = part.trim();
    return named === '*' || named === tag || (weakToo && named === `W/${tag}`);
  });
}
