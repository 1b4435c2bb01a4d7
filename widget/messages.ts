/**
 * The list of messages: what the server knows, in the order of its sequence, then what is not sent yet, in the order it was
 * written. A message has one id from the moment it is written, so however often and by whichever way it comes back, it is one.
 */
import type { Message } from './protocol.ts';

/** A message of this visitor that the server has not confirmed. */
export type Unsent = {
  messageId: string;
  /** Of an image: the image itself. */
  content: { kind: 'text'; text: string } | { kind: 'image'; image: Blob };
  state: 'sending' | 'failed';
  /** ms */
  writtenAt: number;
};

/** Both together, each message once, ascending. Messages that came before stay the same objects, so they are not drawn anew. */
export function mergeMessages(known: readonly Message[], incoming: readonly Message[]): readonly Message[] {
  const ids = new Set(known.map(({ messageId }) => messageId));
  const fresh = incoming.filter(({ messageId }) => !ids.has(messageId) && ids.add(messageId));
  if (fresh.length === 0) return known;
  return [...known, ...fresh].sort((one, other) => one.sequence - other.sequence);
}

/** What of it the server has not confirmed by now. */
export function stillUnsent(unsent: readonly Unsent[], confirmed: readonly Message[]): readonly Unsent[] {
  const ids = new Set(confirmed.map(({ messageId }) => messageId));
  const left = unsent.filter(({ messageId }) => !ids.has(messageId));
  return left.length === unsent.length ? unsent : left;
}

/** How many messages of the business the visitor has not seen; `seen` is a sequence. */
export function countUnread(messages: readonly Message[], seen: number): number {
  return messages.filter(({ from, sequence }) => from !== 'visitor' && sequence > seen).length;
}

/** The sequence of the newest message of the business; 0 when there is none. */
export function newestOfBusiness(messages: readonly Message[]): number {
  return messages.findLast(({ from }) => from !== 'visitor')?.sequence ?? 0;
}

/** The visitor's last message that the business has seen; null when it has seen none. */
export function lastSeenOwn(messages: readonly Message[], seenByBusiness: number): string | null {
  const own = messages.findLast(({ from, sequence }) => from === 'visitor' && sequence <= seenByBusiness);
  return own?.messageId ?? null;
}

/** Quick replies stand under the last message only, until something is written. */
export function openQuickReplies(messages: readonly Message[], unsent: readonly Unsent[]): readonly string[] {
  const last = messages.at(-1);
  return last === undefined || last.from === 'visitor' || unsent.length > 0 ? [] : last.quickReplies;
}
