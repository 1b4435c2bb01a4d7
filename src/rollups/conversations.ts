/**
 * Conversations (figures.md, section 6): a contact's messages in order of time, cut where two neighbours are further apart than the
 * bot's gap.
 *
 * `conversations` stores sessions: such stretches of messages, with or without an inbound message. A session counts as a conversation
 * once it has one. Sessions of one contact are further apart than the gap, so a message can only touch its neighbours, and two sets
 * of sessions merge by their ends alone. That makes the fold correct for any split of the messages into batches. A session that lost
 * a message is rebuilt from its messages (stored-sessions.ts).
 */
import type { Fragment, Queryable } from '../database/client.ts';
import { type Column, changedBotOf, rowsOfBots, rowTable } from '../database/row-table.ts';
import { type Event, isMessage } from '../platforms/event.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Tally } from './counters.ts';
import type { EventChange } from './followers.ts';

/** Times in ms. */
export type Session = { firstAt: number; lastAt: number; inbound: number; outbound: number };
export type SessionsByContact = ReadonlyMap<string, readonly Session[]>;

/** A session of one message. */
export function sessionOf(at: number, kind: 'message-in' | 'message-out'): Session {
  const inbound = kind === 'message-in' ? 1 : 0;
  return { firstAt: at, lastAt: at, inbound, outbound: 1 - inbound };
}

/**
 * The sessions that these form together, in order of time. Exactly `gapMs` apart does not cut.
 * Worked example with a gap of 15 minutes: messages at 10:01, 10:16 and 10:31:01 form two sessions, of 900 s and of 0 s.
 */
export function mergeSessions(sessions: readonly Session[], gapMs: number): Session[] {
  const merged: Session[] = [];
  for (const session of [...sessions].sort((a, b) => a.firstAt - b.firstAt)) {
    const last = merged.at(-1);
    if (last && session.firstAt - last.lastAt <= gapMs) {
      last.lastAt = Math.max(last.lastAt, session.lastAt);
      last.inbound += session.inbound;
      last.outbound += session.outbound;
    } else {
      merged.push({ ...session });
    }
  }
  return merged;
}

/** Counts the session on the day of its first message; without an inbound message it counts nothing. */
export function tallySession(tally: Tally, platform: PlatformName, session: Session, sign: 1 | -1): void {
  if (session.inbound === 0) return;
  const change = {
    conversations: 1,
    conversationMessages: session.inbound + session.outbound,
    conversationMs: session.lastAt - session.firstAt,
  };
  tally.add(platform, session.firstAt, change, sign);
}

type SessionRow = Session & { botId: string; contactId: string; platform: PlatformName };

/** The changes to the rows of `conversations`. No two sessions of a contact begin at the same time. */
export type SessionChanges = {
  removed: { botId: string; contactId: string; firstAt: number }[];
  added: SessionRow[];
  changed: SessionRow[];
};

export function noSessionChanges(): SessionChanges {
  return { removed: [], added: [], changed: [] };
}

/** Tallies how `before` differs from `after`, and adds the difference to `changes`. */
export function addSessionChanges(
  changes: SessionChanges,
  tally: Tally,
  { botId, contactId, platform }: { botId: string; contactId: string; platform: PlatformName },
  before: readonly Session[],
  after: readonly Session[],
): void {
  if (before.length === 0) {
    for (const session of after) {
      tallySession(tally, platform, session, 1);
      changes.added.push({ ...session, botId, contactId, platform });
    }
    return;
  }
  const removed = new Map(before.map((session) => [session.firstAt, session]));
  for (const session of after) {
    const former = removed.get(session.firstAt);
    removed.delete(session.firstAt);
    if (former && isSame(former, session)) continue;
    if (former) tallySession(tally, platform, former, -1);
    tallySession(tally, platform, session, 1);
    const list = former ? changes.changed : changes.added;
    list.push({ ...session, botId, contactId, platform });
  }
  for (const session of removed.values()) {
    tallySession(tally, platform, session, -1);
    changes.removed.push({ botId, contactId, firstAt: session.firstAt });
  }
}

/** Of two sessions with the same begin. */
function isSame(a: Session, b: Session): boolean {
  return a.lastAt === b.lastAt && a.inbound === b.inbound && a.outbound === b.outbound;
}

/** The messages of a batch of one contact. */
export type ContactMessages = {
  botId: string;
  contactId: string;
  platform: PlatformName;
  /** By event key, each a session of one message. */
  sessions: Map<string, Session>;
  /** The former times of messages whose time or contact changed (ms). */
  formerTimes: number[];
};
export type MessagesByContact = ReadonlyMap<string, ContactMessages>;

/** The messages of a bot in a batch, by contact. */
export function messagesByContact(
  botId: string,
  newEvents: readonly Event[],
  eventChanges: readonly EventChange<Event>[],
): MessagesByContact {
  const contacts = new Map<string, ContactMessages>();
  const contactOf = (contactId: string, platform: PlatformName): ContactMessages => {
    const contact = contacts.get(contactId);
    if (contact) return contact;
    const empty = { botId, contactId, platform, sessions: new Map(), formerTimes: [] };
    contacts.set(contactId, empty);
    return empty;
  };
  const added = [...newEvents, ...eventChanges.map(({ after }) => after)];
  for (const { platform, key, kind, contactId, happenedAt } of added) {
    if (contactId !== null && isMessage(kind))
      contactOf(contactId, platform).sessions.set(key, sessionOf(happenedAt, kind));
  }
  for (const { before } of eventChanges) {
    const { contactId, platform, kind, happenedAt } = before;
    if (contactId !== null && isMessage(kind)) contactOf(contactId, platform).formerTimes.push(happenedAt);
  }
  return contacts;
}

/**
 * Merges a bot's messages into the stored sessions, tallies the difference and adds it to `changes`. `stored`: the sessions that the
 * messages can touch, without those that a message has left (`broken`), which are rebuilt from the messages.
 */
export function foldConversations(
  changes: SessionChanges,
  tally: Tally,
  messages: MessagesByContact,
  { stored, broken = new Set() }: { stored: SessionsByContact; broken?: ReadonlySet<Session> },
  gapMs: number,
): void {
  for (const contact of messages.values()) {
    const before = stored.get(contact.contactId) ?? [];
    const unbroken = before.filter((session) => !broken.has(session));
    const after = mergeSessions([...unbroken, ...contact.sessions.values()], gapMs);
    addSessionChanges(changes, tally, contact, before, after);
  }
}

/**
 * For queries: the sessions that messages of the bot and of the contact of `span` can touch within it: the latest that begins before it, and
 * those that begin within it.
 */
export function sessionsNear(sql: Queryable, bot: Fragment): Fragment {
  const sessions = sql`
    select ${sessionColumns(sql)} from conversations c
    where c.bot_id = ${bot} and c.contact_id = span.contact_id and first_at`;
  return sql`
    (${sessions} <= span.starts_at order by first_at desc limit 1)
    union all
    (${sessions} > span.starts_at and first_at <= span.ends_at)`;
}

export function sessionColumns(sql: Queryable): Fragment {
  return sql`
    contact_id, date_part('epoch', first_at) as first_seconds, date_part('epoch', last_at) as last_seconds, inbound, outbound`;
}

export type FoundSession = Pick<Session, 'inbound' | 'outbound'> & {
  contact_id: string;
  first_seconds: number;
  last_seconds: number;
};

export function groupSessions(rows: Iterable<FoundSession>): SessionsByContact {
  const byContact = new Map<string, Session[]>();
  for (const { contact_id: contactId, first_seconds, last_seconds, inbound, outbound } of rows) {
    const [firstAt, lastAt] = [Math.round(first_seconds * 1_000), Math.round(last_seconds * 1_000)];
    const session = { firstAt, lastAt, inbound, outbound };
    const sessions = byContact.get(contactId);
    if (sessions) sessions.push(session);
    else byContact.set(contactId, [session]);
  }
  return byContact;
}

/** Writes the changes. Not repeatable: belongs in the transaction that has read the sessions. */
export async function writeSessions(
  sql: Queryable,
  { removed, added, changed }: SessionChanges,
): Promise<void> {
  const removal = () => sql`
    delete from conversations using ${rowTable(sql, 'old', removed, {
      bot_id: ['text', ({ botId }) => botId],
      contact_id: ['text', ({ contactId }) => contactId],
      first_at: ['timestamptz', ({ firstAt }) => firstAt],
    })}
    where conversations.bot_id = ${changedBotOf(sql, 'old', removed)} and conversations.contact_id = old.contact_id
      and conversations.first_at = old.first_at`;
  const update = () => sql`
    update conversations set last_at = new.last_at, inbound = new.inbound, outbound = new.outbound
    from ${rowTable(sql, 'new', changed, rowColumns)}
    where conversations.bot_id = ${changedBotOf(sql, 'new', changed)} and conversations.contact_id = new.contact_id
      and conversations.first_at = new.first_at`;
  const insertion = () => sql`
    insert into conversations (bot_id, contact_id, first_at, last_at, platform, inbound, outbound)
    select * from ${rowsOfBots(sql, 'new', added, rowColumns)}`;
  await Promise.all([
    removed.length > 0 ? removal() : undefined,
    changed.length > 0 ? update() : undefined,
    added.length > 0 ? insertion() : undefined,
  ]);
}

const rowColumns: Record<string, Column<SessionRow>> = {
  bot_id: ['text', ({ botId }) => botId],
  contact_id: ['text', ({ contactId }) => contactId],
  first_at: ['timestamptz', ({ firstAt }) => firstAt],
  last_at: ['timestamptz', ({ lastAt }) => lastAt],
  platform: ['text', ({ platform }) => platform],
  inbound: ['integer', ({ inbound }) => inbound],
  outbound: ['integer', ({ outbound }) => outbound],
};
