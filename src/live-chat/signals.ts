/**
 * Signals: by which the processes beside one database tell each other that something is new in a chat. They go by NOTIFY and
 * hold ids and numbers, never what was written: whoever has a socket that it concerns reads that from the tables.
 *
 * One notification holds many signals, as many as fit into its 8,000 bytes.
 */
import type { Queryable } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { isObject } from '../json.ts';

/** Names a chat by its visitor. */
export type ChatKey = { botId: string; visitorId: string };
export type Signal = ChatKey &
  (
    | { type: 'message'; sequence: number }
    /** `source`: the seat it comes from, which need not hear it. */
    | { type: 'typing'; from: 'visitor' | 'agent'; on: boolean; agentName: string | null; source: string }
    | { type: 'seen'; by: 'visitor' | 'business'; sequence: number }
    /** The visitor has a socket open somewhere, or none any more. */
    | { type: 'online'; on: boolean }
    /** Open, closed or blocked: what the chat's list tells. */
    | { type: 'chat' }
    /** The chat was erased. */
    | { type: 'gone' }
  );

export const signalChannel = 'shoal_live_chat';
/** PostgreSQL takes less than 8,000. */
const payloadBytesMax = 7_900;

/** Tells every process, this one too; within a transaction, when it commits. Not repeatable: each call tells once more. */
export async function sendSignals(sql: Queryable, signals: readonly Signal[]): Promise<void> {
  if (signals.length === 0) return;
  await sql`
    select pg_notify(${signalChannel}, payload)
    from unnest(${textList(toPayloads(signals))}::text[]) with ordinality as told (payload, place) order by place`;
}

/** The signals of one notification; what cannot be read (of another version of Shoal) is left out. */
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
