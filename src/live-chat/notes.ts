/** Notes on a chat, for the business only: no operation of visitors reads this table. */
import type { components } from '../../contracts/types/management.ts';
import type { Queryable, Sql } from '../database/client.ts';
import { refuseUnknown } from './chats.ts';
import type { ChatKey } from './signals.ts';

export type ChatNote = components['schemas']['ChatNote'];

const notesMax = 200;

/** The newest notes of a chat, at most 200, oldest first. Throws Refusal CHAT_NOT_FOUND. */
export async function listNotes(sql: Queryable, { botId, visitorId }: ChatKey): Promise<ChatNote[]> {
  await requireChat(sql, { botId, visitorId });
  const notes = await sql<ChatNote[]>`
    select ${columns(sql)} from chat_notes where bot_id = ${botId} and visitor_id = ${visitorId}
    order by note_id desc limit ${notesMax}`;
  return notes.reverse();
}

/** Stores a note; a repetition with the same id returns the stored one. Throws Refusal CHAT_NOT_FOUND. */
export async function addNote(
  sql: Sql,
  { botId, visitorId }: ChatKey,
  { noteId, author, text }: { noteId: string; author: string; text: string },
  { now }: { now: number },
): Promise<ChatNote> {
  return sql.begin(async (tx): Promise<ChatNote> => {
    // The lock waits for a deletion of the visitor, which must not leave a note. Visitors without a message expire.
    const visitors = await tx`
      select from chat_visitors where bot_id = ${botId} and visitor_id = ${visitorId} and last_message_at is not null for key share`;
    if (visitors.length === 0) refuseUnknown({ botId, visitorId });
    await tx`
      insert into chat_notes (bot_id, visitor_id, note_id, author, text, created_at)
      values (${botId}, ${visitorId}, ${noteId}, ${author}, ${text}, ${new Date(now)})
      on conflict (bot_id, visitor_id, note_id) do nothing`;
    const [note] = await tx<ChatNote[]>`
      select ${columns(tx)} from chat_notes
      where bot_id = ${botId} and visitor_id = ${visitorId} and note_id = ${noteId}`;
    if (!note) throw new Error('a stored note has no row');
    return note;
  }) as Promise<ChatNote>;
}

/** Deletes a note. Safe to repeat. Throws Refusal CHAT_NOT_FOUND. */
export async function removeNote(
  sql: Queryable,
  { botId, visitorId }: ChatKey,
  noteId: string,
): Promise<void> {
  await requireChat(sql, { botId, visitorId });
  await sql`
    delete from chat_notes where bot_id = ${botId} and visitor_id = ${visitorId} and note_id = ${noteId}`;
}

async function requireChat(sql: Queryable, { botId, visitorId }: ChatKey): Promise<void> {
  const visitors = await sql`
    select from chat_visitors where bot_id = ${botId} and visitor_id = ${visitorId}`;
  if (visitors.length === 0) refuseUnknown({ botId, visitorId });
}

function columns(sql: Queryable) {
  return sql`note_id as "noteId", author, text,
    to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "createdAt"`;
}
