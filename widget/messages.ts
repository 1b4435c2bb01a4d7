/**
 * The list of messages: the stored ones in the server's order, then the unsent ones in the order of writing. A message has one id
 * from the start, so every copy of it is recognised.
 */
import type { Message } from './protocol.ts';

/** A message of this visitor that the server has not confirmed. */
export type Unsent = {
  messageId: string;
  content: { kind: 'text'; text: string } | { kind: 'image'; image: Blob };
  state: 'sending' | 'failed';
  /** ms */
  writtenAt: number;
};

/** Merges both lists, each message once, ascending. Existing messages stay the same objects, so they do not render again. */
export function mergeMessages(
  existing: readonly Message[],
  incoming: readonly Message[],
): readonly Message[] {
  const ids = new Set(existing.map(({ messageId }) => messageId));
  const added = incoming.filter(({ messageId }) => !ids.has(messageId) && ids.add(messageId));
  if (added.length === 0) return existing;
  return [...existing, ...added].sort((one, other) => one.sequence - other.sequence);
}

/** The unsent messages without the confirmed ones. */
export function stillUnsent(unsent: readonly Unsent[], confirmed: readonly Message[]): readonly Unsent[] {
  const ids = new Set(confirmed.map(({ messageId }) => messageId));
  const remaining = unsent.filter(({ messageId }) => !ids.has(messageId));
  return remaining.length === unsent.length ? unsent : remaining;
}

/** The number of messages of the business after the sequence `seen`. */
export function countUnread(messages: readonly Message[], seen: number): number {
  return messages.filter(({ from, sequence }) => from !== 'visitor' && sequence > seen).length;
}

/** The sequence of the newest message of the business; 0 without one. */
export function newestOfBusiness(messages: readonly Message[]): number {
  return messages.findLast(({ from }) => from !== 'visitor')?.sequence ?? 0;
}

/** The visitor's last message that the business has seen; null without one. */
export function lastSeenOwn(messages: readonly Message[], seenByBusiness: number): string | null {
  const own = messages.findLast(({ from, sequence }) => from === 'visitor' && sequence <= seenByBusiness);
  return own?.messageId ?? null;
}

/** The quick replies of the last message, until the visitor writes something. */
export function openQuickReplies(messages: readonly Message[], unsent: readonly Unsent[]): readonly string[] {
  const last = messages.at(-1);
  return last === undefined || last.from === 'visitor' || unsent.length > 0 ? [] : last.quickReplies;
}
