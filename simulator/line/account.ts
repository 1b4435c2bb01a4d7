/**
 * The account as LINE's servers hold it: the people around it, everything that happened, everything that was sent, and the
 * figures counted from that. Nothing is scheduled or sent here; times are given, ms.
 */
import { addDays, dayMs, dayOf, lineDayStart, lineZone } from '../../src/time.ts';
import { variety } from '../diary.ts';
import type { Happening } from '../happening.ts';
import type { Bubble } from './bubbles.ts';
import { isReachable, isWellKnown, type LinePerson, newLinePerson, stateAt, turn } from './people.ts';

/** `manager`: a broadcast that the owner made by hand in LINE Official Account Manager. */
export type SendKind = 'reply' | 'push' | 'multicast' | 'broadcast' | 'narrowcast' | 'manager';

/** What a person did with a bubble; `percent` of its video or audio: 0 is the start. */
export type Interaction = { userId: string; at: number; seq: number } & (
  | { kind: 'impression' }
  | { kind: 'click'; url: string }
  | { kind: 'play'; percent: 0 | 25 | 50 | 75 | 100 }
);

export type Send = {
  kind: SendKind;
  requestId: string;
  acceptedAt: number;
  /** When it went out; a narrowcast takes a while. */
  sentAt: number;
  bubbles: Bubble[];
  unit: string | null;
  /** Those whom it reached, each once. */
  recipients: string[];
  /** Of a narrowcast that failed: LINE's code. */
  failure: number | null;
  /** What people do with it, those of later instants included. */
  interactions: Interaction[];
};

export type Audience = { followers: number; blocks: number; targetedReaches: number };

/** The field of the day's delivery report in which a send is counted. */
const reportFields: Record<SendKind, string> = {
  reply: 'apiReply',
  push: 'apiPush',
  multicast: 'apiMulticast',
  broadcast: 'apiBroadcast',
  narrowcast: 'apiNarrowcast',
  manager: 'broadcast',
};

export class Account {
  readonly people = new Map<string, LinePerson>();
  /** Who is in a group, as far as the platform says who wrote. */
  readonly groups = new Map<string, Set<string>>();
  readonly happenings: Happening[] = [];
  readonly sends: Send[] = [];
  /** The account's first day, in UTC+9. */
  readonly firstDay: string;
  readonly #answers = new Map<string, Record<string, number>>();

  constructor(openedAt: number) {
    this.firstDay = dayOf(openedAt, lineZone);
  }

  /** Lets it happen. */
  happen(happening: Happening): void {
    this.happenings.push(happening);
    const { person, what, at, group } = happening;
    if (group !== undefined && !this.groups.has(group)) this.groups.set(group, new Set());
    if (person?.id) {
      const one = this.people.get(person.id) ?? newLinePerson(person);
      this.people.set(person.id, one);
      if (group !== undefined) this.groups.get(group)?.add(person.id);
      if (what === 'message') one.wroteAt = at;
      turn(one, happening);
    }
    this.#answer(happening);
  }

  /** Everybody whom a message reaches as a friend. */
  friendsAt(at: number): string[] {
    return [...this.people.values()]
      .filter((one) => stateAt(one, at) === 'friend')
      .map(({ userId }) => userId);
  }

  isReachable(userId: string, at: number): boolean {
    const one = this.people.get(userId);
    return one !== undefined && isReachable(one, at);
  }

  /** Friends and blocks at the instant: `followers` never falls, and holds who blocked too. */
  audienceAt(at: number): Audience {
    const states = [...this.people.values()].map((one) => ({ one, state: stateAt(one, at) }));
    const friends = states.filter(({ state }) => state === 'friend');
    const blocks = states.filter(({ state }) => state === 'blocker').length;
    const targetedReaches = friends.filter(({ one }) => isWellKnown(one.userId)).length;
    return { followers: friends.length + blocks, blocks, targetedReaches };
  }

  /** What was sent on the day (UTC+9), per recipient and way of sending; ways without any are left out. */
  deliveriesOn(day: string): Record<string, number> {
    const counts = { ...this.#answers.get(day) };
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

  /** Messages of the instant's month that use up the quota: replies and answers by hand are free. */
  usageAt(at: number): number {
    const month = dayOf(at, lineZone).slice(0, 7);
    const sends = this.sendsFrom(`${month}-01`, addDays(dayOf(at, lineZone), 1));
    return sends.reduce((sum, { kind, recipients }) => sum + (kind === 'reply' ? 0 : recipients.length), 0);
  }

  /** The units named in the instant's month, in order of first use. */
  unitsAt(at: number): string[] {
    const month = dayOf(at, lineZone).slice(0, 7);
    const sends = this.sendsFrom(`${month}-01`, addDays(dayOf(at, lineZone), 1));
    return [...new Set(sends.flatMap(({ unit }) => unit ?? []))];
  }

  // What the owner's settings in LINE Official Account Manager do: a greeting for who is new, answers now and then.
  #answer(happening: Happening): void {
    const field = answerTo(happening);
    if (field === null) return;
    const day = dayOf(happening.at, lineZone);
    const counts = this.#answers.get(day) ?? {};
    this.#answers.set(day, { ...counts, [field]: (counts[field] ?? 0) + 1 });
  }
}

function answerTo({ what, form, id }: Happening): string | null {
  if (what === 'follow') return form === 'unblocked' ? null : 'welcomeResponse';
  if (what !== 'message') return null;
  if (variety(`auto ${id}`, 20) === 0) return 'autoResponse';
  return variety(`chat ${id}`, 6) === 0 ? 'chat' : null;
}
