/**
 * Signals: news of chats between the processes of one database. NOTIFY carries them with ids and numbers only. The hub reads
 * messages from the tables.
 *
 * One notification holds as many signals as fit into its 8,000 bytes.
 */
import type { Queryable } from '../database/client.ts';
import { type Column, rowTable } from '../database/row-table.ts';
import { isObject } from '../json.ts';

/** Names a chat by its visitor. */
export type ChatKey = { botId: string; visitorId: string };

/** The key as a text, for maps. */
export function keyOf({ botId, visitorId }: ChatKey): string {
  return `${botId} ${visitorId}`;
}

/** For tables in statements: the columns of the key. */
export const chatColumns = {
  bot_id: ['text', ({ botId }) => botId],
  visitor_id: ['text', ({ visitorId }) => visitorId],
} as const satisfies Record<string, Column<ChatKey>>;

export type Signal = ChatKey &
  (
    | { type: 'message'; sequence: number }
    /** `source`: the subscription that sent it, which does not get it. */
    | { type: 'typing'; from: 'visitor' | 'agent'; on: boolean; agentName: string | null; source: string }
    | { type: 'seen'; by: 'visitor' | 'business'; sequence: number }
    /** Whether the visitor has an open socket in any process. */
    | { type: 'online'; on: boolean }
    /** The chat was opened, closed, blocked or unblocked. */
    | { type: 'chat' }
    /** The chat was erased. */
    | { type: 'gone' }
  );

export const signalChannel = 'shoal_live_chat';
/** PostgreSQL's limit is below 8,000. */
const payloadBytesMax = 7_900;

/** Notifies every process, including this one; in a transaction, at its commit. Not repeatable: each call notifies again. */
export async function sendSignals(sql: Queryable, signals: readonly Signal[]): Promise<void> {
  if (signals.length === 0) return;
  await sql`
    select pg_notify(${signalChannel}, payload)
    from ${rowTable(sql, 'sent', toPayloads(signals), {
      payload: ['text', (payload) => payload],
      place: ['integer', (_, index) => index],
    })}
    order by place`;
}

/** The signals of one notification, without unreadable ones of other versions of Shoal. */
export function readSignals(payload: string): Signal[] {
  const signals: unknown = JSON.parse(payload);
  return Array.isArray(signals) ? signals.filter(isSignal) : [];
}

function isSignal(value: unknown): value is Signal {
  return isObject(value) && typeof value.botId === 'string' && typeof value.visitorId === 'string';
}

function toPayloads(signals: readonly Signal[]): string[] {
  const payloads: string[] = [];
  let open: string[] = [];
  let bytes = 2;
  for (const text of signals.map((signal) => JSON.stringify(signal))) {
    const size = Buffer.byteLength(text) + 1;
    if (bytes + size > payloadBytesMax && open.length > 0) {
      payloads.push(`[${open.join(',')}]`);
      open = [];
      bytes = 2;
    }
    open.push(text);
    bytes += size;
  }
  payloads.push(`[${open.join(',')}]`);
  return payloads;
}
