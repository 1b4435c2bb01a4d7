/**
 * Reads stored sessions: all sessions of contacts, and those that changed messages touch. A message that another report moved in time,
 * or to another contact, leaves its session; only the session's events show what remains of it.
 */
import type { Queryable } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { rowTable } from '../database/row-table.ts';
import { messagesBetween } from '../events/contact-events.ts';
import { isMessage } from '../platforms/event.ts';
import {
  type FoundSession,
  groupSessions,
  type MessagesByContact,
  type Session,
  type SessionsByContact,
  sessionColumns,
  sessionOf,
  sessionsNear,
} from './conversations.ts';

/** All sessions of the contacts, in order of time. */
export async function sessionsOfContacts(
  sql: Queryable,
  botId: string,
  contactIds: readonly string[],
): Promise<SessionsByContact> {
  const rows = await sql<FoundSession[]>`
    select ${sessionColumns(sql)} from conversations
    where bot_id = ${botId} and contact_id = any(${textList(contactIds)}::text[])
    order by contact_id, first_at`;
  return groupSessions(rows);
}

/**
 * The sessions that the messages can touch, and those among them that a message has left (`broken`). Adds the messages of the broken
 * sessions to `messages`. The messages are written already.
 */
export async function findTouchedSessions(
  sql: Queryable,
  botId: string,
  messages: MessagesByContact,
  gapMs: number,
): Promise<{ stored: SessionsByContact; broken: ReadonlySet<Session> }> {
  if (messages.size === 0) return { stored: new Map(), broken: new Set() };
  const spans = [...messages.values()].map(({ contactId, sessions, formerTimes }) => {
    const times = [...formerTimes, ...[...sessions.values()].map(({ firstAt }) => firstAt)];
    return { contactId, from: Math.min(...times), to: Math.max(...times) + gapMs };
  });
  const rows = await sql<FoundSession[]>`
    select near.* from ${rowTable(sql, 'span', spans, {
      contact_id: ['text', ({ contactId }) => contactId],
      starts_at: ['timestamptz', ({ from }) => from],
      ends_at: ['timestamptz', ({ to }) => to],
    })}
    cross join lateral (${sessionsNear(sql, sql`${botId}`)}) near`;
  const stored = groupSessions(rows);
  const broken = brokenSessions(messages, stored);
  if (broken.size > 0) await addMessages(sql, botId, messages, broken);
  return { stored, broken: new Set(broken.keys()) };
}

function brokenSessions(messages: MessagesByContact, stored: SessionsByContact): Map<Session, string> {
  const broken = new Map<Session, string>();
  for (const { contactId, formerTimes } of messages.values()) {
    for (const session of stored.get(contactId) ?? []) {
      if (formerTimes.some((at) => at >= session.firstAt && at <= session.lastAt))
        broken.set(session, contactId);
    }
  }
  return broken;
}

async function addMessages(
  sql: Queryable,
  botId: string,
  messages: MessagesByContact,
  broken: ReadonlyMap<Session, string>,
): Promise<void> {
  const spans = [...broken].map(([{ firstAt, lastAt }, contactId]) => ({
    contactId,
    from: firstAt,
    to: lastAt,
  }));
  for (const { contactId, key, kind, happenedAt } of await messagesBetween(sql, botId, spans)) {
    if (isMessage(kind)) messages.get(contactId ?? '')?.sessions.set(key, sessionOf(happenedAt, kind));
  }
}
