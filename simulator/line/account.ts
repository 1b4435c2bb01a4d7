/**
 * The LINE account as LINE's servers store it: its people, events and sends, and the figures counted from them. It schedules
 * and sends nothing. Times are ms.
 */
import { addDays, dayMs, dayOf, lineDayStart, lineZone } from '../../src/time.ts';
import type { SimulatedEvent } from '../events/event.ts';
import { stableNumber } from '../events/ids.ts';
import type { Bubble } from './bubbles.ts';
import {
  hashOfNumber,
  isReachable,
  isWellKnown,
  type LinePerson,
  newLinePerson,
  numberOf,
  type Profile,
  recordFollow,
  stateAt,
} from './people.ts';

/**
 * `pnp` and `pnp-templated`: pushes to telephone numbers, free and by template; `manager`: a broadcast made by hand in LINE Official
 * Account Manager.
 */
export type SendKind =
  | 'reply'
  | 'push'
  | 'multicast'
  | 'broadcast'
  | 'narrowcast'
  | 'pnp'
  | 'pnp-templated'
  | 'manager';

/** An action of a person on a bubble; `percent`: the part of its video or audio that was played, 0 at the start. */
export type Interaction = { userId: string; at: number; seq: number } & (
  | { kind: 'impression' }
  | { kind: 'click'; url: string }
  | { kind: 'play'; percent: 0 | 25 | 50 | 75 | 100 }
);

export type Send = {
  kind: SendKind;
  requestId: string;
  acceptedAt: number;
  /** The time of delivery; a narrowcast needs some seconds. */
  sentAt: number;
  bubbles: Bubble[];
  unit: string | null;
  /** The ids of the people who received it, each once. */
  recipients: string[];
  /** LINE's code of a failed narrowcast. */
  failure: number | null;
  /** Includes interactions that are still in the future. */
  interactions: Interaction[];
};

export type Audience = { followers: number; targetedReaches: number; blocks: number };

/** The field of the day's delivery report that counts a send. */
const reportFields: Record<SendKind, string> = {
  reply: 'apiReply',
  push: 'apiPush',
  multicast: 'apiMulticast',
  broadcast: 'apiBroadcast',
  narrowcast: 'apiNarrowcast',
  pnp: 'pnpNoticeMessage',
  'pnp-templated': 'pnpNoticeMessage',
  manager: 'broadcast',
};

/** A send that was accepted and delivered at once, except for the given fields. */
export function newSend(fields: Pick<Send, 'kind' | 'sentAt' | 'recipients'> & Partial<Send>): Send {
  const acceptedAt = fields.sentAt;
  return { requestId: '', acceptedAt, bubbles: [], unit: null, failure: null, interactions: [], ...fields };
}

export class Account {
  readonly people = new Map<string, LinePerson>();
  /** The user ids in each group, of members whom the platform has named. */
  readonly groups = new Map<string, Set<string>>();
  readonly events: SimulatedEvent[] = [];
  readonly sends: Send[] = [];
  /** Parts of profiles that a person has changed, by user id. */
  readonly profiles = new Map<string, Partial<Profile>>();
  /** The account's first day, in UTC+9. */
  readonly firstDay: string;
  /** Later than the simulation's clock after events that were simulated elsewhere. */
  lastEventAt = 0;
  readonly #autoResponses = new Map<string, Record<string, number>>();

  constructor(openedAt: number) {
    this.firstDay = dayOf(openedAt, lineZone);
  }

  record(event: SimulatedEvent): void {
    this.events.push(event);
    this.lastEventAt = Math.max(this.lastEventAt, event.at);
    const { person, kind, at, groupId } = event;
    if (groupId !== undefined && !this.groups.has(groupId)) this.groups.set(groupId, new Set());
    if (person?.id) {
      const linePerson = this.people.get(person.id) ?? newLinePerson(person);
      this.people.set(person.id, linePerson);
      if (groupId !== undefined) this.groups.get(groupId)?.add(person.id);
      if (kind === 'message') linePerson.wroteAt = at;
      recordFollow(linePerson, event);
    }
    this.#respond(event);
  }

  /** The user ids of all friends who have not blocked the account. */
  friendsAt(at: number): string[] {
    const people = [...this.people.values()];
    return people.filter((person) => stateAt(person, at) === 'friend').map(({ userId }) => userId);
  }

  isReachable(userId: string, at: number): boolean {
    const person = this.people.get(userId);
    return person !== undefined && isReachable(person, at);
  }

  /** The person with the telephone number, by its SHA-256 in hexadecimal digits; null: no user of LINE. */
  personWithNumber(hash: string): string | null {
    for (const userId of this.people.keys()) if (hashOfNumber(numberOf(userId)) === hash) return userId;
    return null;
  }

  /** Whole days since the day after the person became a friend. */
  friendDays(userId: string, at: number): number {
    const since = this.people.get(userId)?.follows[0]?.at ?? at;
    const days = Date.parse(dayOf(at, lineZone)) - Date.parse(dayOf(since, lineZone));
    return Math.max(0, days / dayMs - 1);
  }

  /** Followers include people who block the account, so their number never decreases. */
  audienceAt(at: number): Audience {
    const friends = this.friendsAt(at);
    const blocks = [...this.people.values()].filter((person) => stateAt(person, at) === 'blocked').length;
    const targetedReaches = friends.filter(isWellKnown).length;
    return { followers: friends.length + blocks, targetedReaches, blocks };
  }

  audienceAtEndOf(day: string): Audience {
    return this.audienceAt(lineDayStart(day) + dayMs - 1);
  }

  /** The messages of the day (UTC+9), one per recipient, by the fields of LINE's delivery report. Zeros are omitted. */
  deliveriesOn(day: string): Record<string, number> {
    const counts = { ...this.#autoResponses.get(day) };
    for (const { kind, recipients } of this.sendsFrom(day, day)) {
      const field = reportFields[kind];
      if (recipients.length > 0) counts[field] = (counts[field] ?? 0) + recipients.length;
    }
    return counts;
  }

  /** The sends of the days, both included. */
  sendsFrom(first: string, last: string): Send[] {
    const from = lineDayStart(first);
    const until = lineDayStart(last) + dayMs;
    return this.sends.filter(({ sentAt }) => sentAt >= from && sentAt < until);
  }

  /** Messages of the instant's month that count towards the quota. Replies are free. */
  usageAt(at: number): number {
    const sends = this.#sendsOfMonth(at).filter(({ kind }) => kind !== 'reply');
    return sends.reduce((sum, { recipients }) => sum + recipients.length, 0);
  }

  /** The aggregation units of the instant's month, in order of first use. */
  unitsAt(at: number): string[] {
    return [...new Set(this.#sendsOfMonth(at).flatMap(({ unit }) => unit ?? []))];
  }

  #sendsOfMonth(at: number): Send[] {
    const day = dayOf(at, lineZone);
    return this.sendsFrom(`${day.slice(0, 7)}-01`, addDays(day, 1));
  }

  // The owner's settings in LINE Official Account Manager: a greeting for new friends, an answer to some messages.
  #respond(event: SimulatedEvent): void {
    const field = responseTo(event);
    if (field === null) return;
    const day = dayOf(event.at, lineZone);
    const counts = this.#autoResponses.get(day) ?? {};
    this.#autoResponses.set(day, { ...counts, [field]: (counts[field] ?? 0) + 1 });
  }
}

function responseTo({ kind, form, id }: SimulatedEvent): string | null {
  if (kind === 'follow') return form === 'unblocked' ? null : 'welcomeResponse';
  if (kind !== 'message') return null;
  if (stableNumber(`auto ${id}`, 20) === 0) return 'autoResponse';
  return stableNumber(`chat ${id}`, 6) === 0 ? 'chat' : null;
}
