/**
 * The record of a send, read from the body that LINE accepted and from its answer, as pure code (LINE Messaging API reference:
 * send push, multicast, broadcast, narrowcast and reply message; LINE notification messages API reference).
 *
 * Unreadable parts are recorded as unknown, because LINE accepted the send, so it counts.
 */
import { isObject, type JsonObject } from '../../json.ts';
import { unitForm } from '../answers.ts';
import type { SendKind } from '../daily-figures.ts';
import type { AnswerHeaders } from '../line-host.ts';
import { hashReplyToken } from '../reply-tokens.ts';
import type { SendRecord } from '../send-records.ts';
import { headerOf } from './headers.ts';

const userForm = /^U[0-9a-f]{32}$/;
const requestIdForm = /^[\x21-\x7e]{1,200}$/;

/** The body as a JSON object; null for anything else. */
export function readBody(body: Uint8Array): JsonObject | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * Returns the request id of an accepted send: that of this call, or of an earlier one with the same retry key. Null: LINE did not
 * accept it, or the answer has no id.
 */
export function acceptedRequestId({
  status,
  headers,
}: {
  status: number;
  headers: AnswerHeaders;
}): string | null {
  const name = isSuccess(status) ? 'x-line-request-id' : status === 409 ? 'x-line-accepted-request-id' : null;
  const id = name && headerOf(headers, name);
  return id !== null && requestIdForm.test(id) ? id : null;
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Returns the recipient of a push to one person; null: a group, a room, or not a push. */
export function personOf(kind: SendKind, body: JsonObject | null): string | null {
  const to = body?.to;
  return kind === 'push' && typeof to === 'string' && userForm.test(to) ? to : null;
}

/** Returns the record of a send that LINE accepted. `sentAt` in ms. */
export function toRecord(
  kind: SendKind,
  body: JsonObject | null,
  { requestId, sentAt, linkSet }: { requestId: string; sentAt: number; linkSet: string | null },
): SendRecord {
  const replyToken = kind === 'reply' ? body?.replyToken : null;
  return {
    requestId,
    kind,
    unit: unitOf(kind, body),
    recipients: recipientsOf(kind, body),
    sentAt,
    person: personOf(kind, body),
    replyTokenHash: typeof replyToken === 'string' ? hashReplyToken(replyToken) : null,
    linkSet,
  };
}

/** A push and a reply have one recipient, even a group, because LINE does not report its size. A telephone number is one person. */
function recipientsOf(kind: SendKind, body: JsonObject | null): number | null {
  if (kind === 'push' || kind === 'reply' || kind === 'pnp') return 1;
  if (kind !== 'multicast' || !Array.isArray(body?.to)) return null;
  return new Set<unknown>(body.to).size;
}

/** LINE allows at most one unit, for a push, a multicast or a phone-number push. */
function unitOf(kind: SendKind, body: JsonObject | null): string | null {
  if (kind !== 'push' && kind !== 'multicast' && kind !== 'pnp') return null;
  const [unit] = Array.isArray(body?.customAggregationUnits) ? body.customAggregationUnits : [];
  return typeof unit === 'string' && unitForm.test(unit) ? unit : null;
}
