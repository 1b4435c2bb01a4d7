/**
 * The figures straight from their definitions: everything at once, nothing kept, nothing clever.
 */
import type { Sql } from '../../src/database/database.ts';
import type { Told } from './bodies.ts';

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

export type Figures = {
  totals: ({ platform: string } & Sums)[];
  days: ({ platform: string; zone: string; day: string } & Sums)[];
  /** Messages by hour of the zone; hours without any are left out. */
  hours: { platform: string; day: string; hour: number; inbound: number; outbound: number }[];
};

/** Who the event is about: WhatsApp's two ids are one person once any event brings both. */
function personOf(event: Told, events: readonly Told[]): string {
  const person = `${event.platform} ${event.person}`;
  if (event.platform !== 'whatsapp') return person;
  const isJoined = events.some(
    (other) => other.platform === 'whatsapp' && other.person === event.person && other.named === 'both',
  );
  return isJoined ? person : `${person} ${event.named}`;
}

/** Totals and days (in the zone, for LINE also in UTC+9) of a set of events without repetitions. */
export function naiveFigures(events: readonly Told[], zone: string): Figures {
  const marks = [
    ...messageMarks(messagesOf(events)),
    ...followMarks(events),
    ...blockMarks(events),
    ...conversationMarks(messagesOf(events)),
  ];
  const totals = new Map<string, { platform: string } & Sums>();
  const days = new Map<string, { platform: string; zone: string; day: string } & Sums>();
  for (const { platform, at, change } of marks) {
    add(totals, platform, { platform }, change);
    for (const dayZone of platform === 'line' ? new Set([zone, 'Asia/Tokyo']) : [zone]) {
      const day = dayIn(dayZone, at);
      add(days, `${platform} ${dayZone} ${day}`, { platform, zone: dayZone, day }, change);
    }
  }
  return { totals: sorted(totals), days: sorted(days), hours: hoursOf(messagesOf(events), zone) };
}

/** Every conversation with the instant at which it began (ms), its messages and its length. */
export function naiveConversations(
  events: readonly Told[],
): { platform: string; at: number; messages: number; ms: number }[] {
  return conversationMarks(messagesOf(events)).map(({ platform, at, change }) => {
    const { conversationMessages: messages = 0, conversationMs: ms = 0 } = change;
    return { platform, at, messages, ms };
  });
}

type Mark = { platform: string; at: number; change: Partial<Sums> };

function messagesOf(events: readonly Told[]): Message[] {
  const messages: Message[] = [];
  const sentAt = new Map<string, Message>();
  for (const event of events) {
    const { platform, at } = event;
    const person = personOf(event, events);
    if (platform === 'whatsapp' && event.kind !== 'message') {
      const known = sentAt.get(String(event.id));
      if (event.kind !== 'failed' && (!known || at < known.at)) {
        sentAt.set(String(event.id), { platform, at, inbound: false, person });
      }
    } else if (event.kind === 'message') messages.push({ platform, at, inbound: true, person });
    else if (event.kind === 'group-message') messages.push({ platform, at, inbound: true, person: null });
    else if (event.kind === 'echo') messages.push({ platform, at, inbound: false, person });
  }
  return [...messages, ...sentAt.values()];
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

function followMarks(events: readonly Told[]): Mark[] {
  const makes = events.filter(({ platform, kind }) =>
    platform === 'line'
      ? kind === 'follow' || kind === 'unfollow'
      : kind === 'message' || kind === 'postback',
  );
  return byPerson(makes, events).map((ofPerson) => ({
    platform: ofPerson[0]?.platform ?? '',
    at: Math.min(...ofPerson.map(({ at }) => at)),
    change: { followers: 1 },
  }));
}

function blockMarks(events: readonly Told[]): Mark[] {
  const states = events.filter(({ kind }) => kind === 'follow' || kind === 'unfollow');
  return byPerson(states, events).flatMap((ofPerson) => {
    const ordered = ofPerson.sort(
      (a, b) => a.at - b.at || (`${a.kind}-${a.id}` < `${b.kind}-${b.id}` ? -1 : 1),
    );
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

function byPerson(some: readonly Told[], events: readonly Told[]): Told[][] {
  return [...Map.groupBy(some, (event) => personOf(event, events)).values()];
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
