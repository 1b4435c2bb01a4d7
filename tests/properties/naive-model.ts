/**
 * The figures straight from their definitions: everything at once, nothing kept, nothing clever.
 */
import type { Sql } from '../../src/database/client.ts';
import type { ReportedEvent } from './bodies.ts';

const gapMs = 15 * 60_000;
const figureNames = [
  'followers',
  'blocks',
  'inbound',
  'outbound',
  'conversations',
  'conversationMessages',
  'conversationMs',
] as const;
type Sums = Record<(typeof figureNames)[number], number>;
type Message = { platform: string; at: number; inbound: boolean; person: string | null };
const kinds = ['message', 'echo', 'follow', 'unfollow', 'postback'] as const;
/** An event as all reports of its key together have it; `name` is the id on the platform that its person goes by. */
type Settled = {
  platform: ReportedEvent['platform'];
  key: string;
  kind: (typeof kinds)[number];
  at: number;
  name: string | null;
  person: string | null;
};

export type Figures = {
  totals: ({ platform: string } & Sums)[];
  days: ({ platform: string; zone: string; day: string } & Sums)[];
  /** Messages by hour of the zone; hours without any are left out. */
  hours: { platform: string; day: string; hour: number; inbound: number; outbound: number }[];
};

/** One event for each key: the earliest time, and the first of the kinds, the people and their ids. */
function settle(events: readonly ReportedEvent[]): Settled[] {
  const reports = events.filter(({ kind }) => kind !== 'failed').map((event) => reportOf(event, events));
  return [...Map.groupBy(reports, ({ platform, key }) => `${platform} ${key}`).values()].map((same) => {
    const rank = ({ kind, name }: Settled) => `${kinds.indexOf(kind)} ${name ?? '~'}`;
    const [first] = same.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
    if (!first) throw new Error('a key without a report');
    return { ...first, at: Math.min(...same.map(({ at }) => at)) };
  });
}

function reportOf(event: ReportedEvent, events: readonly ReportedEvent[]): Settled {
  const { platform, at, id } = event;
  const name = event.kind === 'group-message' ? null : nameOf(event);
  const person = name === null ? null : personOf(event, events);
  const report = { platform, at, name, person };
  if (event.platform === 'whatsapp') {
    const kind = event.kind === 'message' ? 'message' : 'echo';
    return { ...report, kind, key: event.key ?? `${kind} ${id}` };
  }
  const kind = event.kind === 'group-message' ? 'message' : event.kind;
  const eventKey = event.key ?? `${event.kind}-${id}`;
  if (platform === 'line') return { ...report, kind, key: eventKey };
  if (platform === 'liveChat') return { ...report, kind, key: `${name} ${eventKey}` };
  return { ...report, kind, key: `${kind === 'postback'} ${eventKey}` };
}

function nameOf(event: ReportedEvent): string | null {
  if (event.person === null) return null;
  if (event.platform === 'whatsapp')
    return event.named === 'user-id' ? `user.${event.person}` : `88690000000${event.person}`;
  return `${event.platform} ${event.person}`;
}

/** Who the event is about: WhatsApp's two ids are one person once any event brings both. */
function personOf(event: ReportedEvent, events: readonly ReportedEvent[]): string {
  const person = `${event.platform} ${event.person}`;
  if (event.platform !== 'whatsapp') return person;
  const isJoined = events.some(
    (other) => other.platform === 'whatsapp' && other.person === event.person && other.named === 'both',
  );
  return isJoined ? person : `${person} ${event.named}`;
}

/** Totals and days (in the zone, for LINE also in UTC+9) of a set of events. */
export function naiveFigures(events: readonly ReportedEvent[], zone: string): Figures {
  const marks = naiveMarks(events);
  const messages = messagesOf(settle(events));
  const totals = new Map<string, { platform: string } & Sums>();
  const days = new Map<string, { platform: string; zone: string; day: string } & Sums>();
  for (const { platform, at, change } of marks) {
    add(totals, platform, { platform }, change);
    for (const dayZone of platform === 'line' ? new Set([zone, 'Asia/Tokyo']) : [zone]) {
      const day = dayIn(dayZone, at);
      add(days, `${platform} ${dayZone} ${day}`, { platform, zone: dayZone, day }, change);
    }
  }
  return { totals: sorted(totals), days: sorted(days), hours: hoursOf(messages, zone) };
}

/** Every conversation with the instant at which it began (ms), its messages and its length. */
export function naiveConversations(
  events: readonly ReportedEvent[],
): { platform: string; at: number; messages: number; ms: number }[] {
  return conversationMarks(messagesOf(settle(events))).map(({ platform, at, change }) => {
    const { conversationMessages: messages = 0, conversationMs: ms = 0 } = change;
    return { platform, at, messages, ms };
  });
}

/** A change of figures at an instant (ms). */
export type Mark = { platform: string; at: number; change: Partial<Sums> };

export function naiveMarks(events: readonly ReportedEvent[]): Mark[] {
  const settled = settle(events);
  const messages = messagesOf(settled);
  return [
    ...messageMarks(messages),
    ...followMarks(settled),
    ...blockMarks(settled),
    ...conversationMarks(messages),
  ];
}

function messagesOf(events: readonly Settled[]): Message[] {
  return events
    .filter(({ kind }) => kind === 'message' || kind === 'echo')
    .map(({ platform, at, kind, person }) => ({ platform, at, inbound: kind === 'message', person }));
}

function hoursOf(messages: readonly Message[], zone: string): Figures['hours'] {
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, hour: 'numeric', hourCycle: 'h23' });
  const rows = messages.map(({ platform, at, inbound }) => ({
    ...{ platform, day: dayIn(zone, at), hour: Number(format.format(at)) },
    ...{ inbound: Number(inbound), outbound: Number(!inbound) },
  }));
  const nameOf = (row: Figures['hours'][number]) =>
    `${row.platform} ${row.day} ${String(row.hour).padStart(2, '0')}`;
  return [...Map.groupBy(rows, nameOf)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, same]) => {
      const sum = (figure: 'inbound' | 'outbound') => same.reduce((sum, row) => sum + row[figure], 0);
      return same.slice(0, 1).map((row) => ({ ...row, inbound: sum('inbound'), outbound: sum('outbound') }));
    });
}

function messageMarks(messages: readonly Message[]): Mark[] {
  return messages.map(({ platform, at, inbound }) => ({
    platform,
    at,
    change: inbound ? { inbound: 1 } : { outbound: 1 },
  }));
}

function followMarks(events: readonly Settled[]): Mark[] {
  const makes = events.filter(({ platform, kind }) =>
    platform === 'line'
      ? kind === 'follow' || kind === 'unfollow'
      : kind === 'message' || kind === 'postback',
  );
  return byPerson(makes).map((ofPerson) => ({
    platform: ofPerson[0]?.platform ?? '',
    at: Math.min(...ofPerson.map(({ at }) => at)),
    change: { followers: 1 },
  }));
}

function blockMarks(events: readonly Settled[]): Mark[] {
  const states = events.filter(({ kind }) => kind === 'follow' || kind === 'unfollow');
  return byPerson(states).flatMap((ofPerson) => {
    const ordered = ofPerson.sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
    return ordered.flatMap((event, index) => {
      const was = index > 0 && ordered[index - 1]?.kind === 'unfollow';
      const is = event.kind === 'unfollow';
      return was === is ? [] : [{ platform: 'line', at: event.at, change: { blocks: is ? 1 : -1 } }];
    });
  });
}

function conversationMarks(messages: readonly Message[]): Mark[] {
  const people = Map.groupBy(
    messages.filter(({ person }) => person !== null),
    ({ person }) => person,
  );
  return [...people.values()].flatMap((ofPerson) => {
    const ordered = ofPerson.sort((a, b) => a.at - b.at);
    const conversations: Message[][] = [];
    for (const message of ordered) {
      const current = conversations.at(-1);
      const previous = current?.at(-1);
      if (current && previous && message.at - previous.at <= gapMs) current.push(message);
      else conversations.push([message]);
    }
    return conversations
      .filter((conversation) => conversation.some(({ inbound }) => inbound))
      .map((conversation) => {
        const [first, last] = [conversation[0], conversation.at(-1)];
        if (!first || !last) throw new Error('a conversation without a message');
        const change = {
          conversations: 1,
          conversationMessages: conversation.length,
          conversationMs: last.at - first.at,
        };
        return { platform: first.platform, at: first.at, change };
      });
  });
}

function byPerson(events: readonly Settled[]): Settled[][] {
  return [...Map.groupBy(events, ({ person }) => person)].flatMap(([person, same]) =>
    person === null ? [] : [same],
  );
}

function dayIn(zone: string, at: number): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(at);
}

function add<Row extends object>(
  rows: Map<string, Row & Sums>,
  key: string,
  names: Row,
  change: Partial<Sums>,
): void {
  const zeros = Object.fromEntries(figureNames.map((name) => [name, 0])) as Sums;
  const row = rows.get(key) ?? { ...names, ...zeros };
  rows.set(key, row);
  for (const name of figureNames) Object.assign(row, { [name]: row[name] + (change[name] ?? 0) });
}

function sorted<Row extends Sums>(rows: Map<string, Row>): Row[] {
  const isSomething = (row: Row) =>
    [row.followers, row.blocks, row.inbound, row.outbound, row.conversations].some((sum) => sum !== 0);
  return [...rows]
    .filter(([, row]) => isSomething(row))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, row]) => row);
}

/** The kept rows in the same form. */
export async function keptFigures(sql: Sql, botId: string): Promise<ReturnType<typeof naiveFigures>> {
  const totals = await sql`
    select platform, followers, blocks, inbound, outbound, conversations,
      conversation_messages as "conversationMessages", conversation_ms as "conversationMs"
    from totals where bot_id = ${botId}
      and (followers, blocks, inbound, outbound, conversations) is distinct from (0, 0, 0, 0, 0)
    order by platform`;
  const days = await sql`
    select platform, zone, to_char(day, 'YYYY-MM-DD') as day, followers, blocks, inbound, outbound, conversations,
      conversation_messages as "conversationMessages", conversation_ms as "conversationMs"
    from days where bot_id = ${botId}
      and (followers, blocks, inbound, outbound, conversations) is distinct from (0, 0, 0, 0, 0)
    order by platform, zone, day`;
  const hours = await sql`
    select platform, to_char(day, 'YYYY-MM-DD') as day, hour, inbound, outbound
    from hours where bot_id = ${botId} and (inbound, outbound) is distinct from (0, 0)
    order by platform, hours.day, hour`;
  const plain = (rows: readonly object[]) => rows.map((row) => ({ ...row }));
  return { totals: plain(totals), days: plain(days), hours: plain(hours) } as never;
}
