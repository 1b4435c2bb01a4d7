/**
 * The people around the account: their attributes, and when they followed or blocked it. Attributes depend on the user id
 * alone, so a person is the same in every run.
 */
import { createHash } from 'node:crypto';
import { dayMs } from '../../src/time.ts';
import { byTimeAndId, type Person, type SimulatedEvent } from '../events/event.ts';
import { stableNumber } from '../events/ids.ts';
import { ageNames, appTypeNames, areaNames, genderNames } from './demographic.ts';

export type LinePerson = {
  userId: string;
  person: Person;
  /** Follows and blocks, in order of time (ties: by id). */
  follows: { at: number; id: string; isBlocked: boolean }[];
  /** The time of the last message in a one-to-one chat, ms. */
  wroteAt: number | null;
};

type Attributes = { gender: string; age: string; area: string; appType: string };

/** For this long after a message, LINE also delivers pushes to a stranger. */
const strangerMs = 7 * dayMs;

export function newLinePerson(person: Person): LinePerson {
  return { userId: person.id ?? '', person, follows: [], wroteAt: null };
}

/** Records the event when it is a follow or a block. */
export function recordFollow({ follows }: LinePerson, { kind, at, id }: SimulatedEvent): void {
  if (kind !== 'follow' && kind !== 'unfollow') return;
  follows.push({ at, id, isBlocked: kind === 'unfollow' });
  follows.sort(byTimeAndId);
}

/** The state at the end of the instant (ms). A person who blocks the account must have been a friend. */
export function stateAt({ follows }: LinePerson, at: number): 'stranger' | 'friend' | 'blocked' {
  const last = follows.findLast((follow) => follow.at <= at);
  if (last === undefined) return 'stranger';
  return last.isBlocked ? 'blocked' : 'friend';
}

/** True when a push reaches the person. */
export function isReachable(person: LinePerson, at: number): boolean {
  const state = stateAt(person, at);
  if (state !== 'stranger') return state === 'friend';
  return person.wroteAt !== null && at - person.wroteAt <= strangerMs;
}

/** The person's attributes; one person in eight is `unknown`. */
export function attributesOf(userId: string): Attributes {
  const pick = (attribute: string, names: readonly string[]) =>
    names[stableNumber(`${attribute} ${userId}`, names.length)] ?? 'unknown';
  const pickKnown = (attribute: string, names: readonly string[]) =>
    isWellKnown(userId)
      ? pick(
          attribute,
          names.filter((name) => name !== 'unknown'),
        )
      : 'unknown';
  return {
    gender: pickKnown('gender', genderNames),
    age: pickKnown('age', ageNames),
    area: pickKnown('area', areaNames),
    appType: pick('app', appTypeNames),
  };
}

/** True when LINE's data about the person suffices for sends by attribute. */
export function isWellKnown(userId: string): boolean {
  return stableNumber(`known ${userId}`, 8) > 0;
}

/** The person's telephone number (E.164). */
export function numberOf(userId: string): string {
  return `+8869${String(stableNumber(`number ${userId}`, 1e8)).padStart(8, '0')}`;
}

/** A telephone number as LINE's calls name it. */
export function hashOfNumber(number: string): string {
  return createHash('sha256').update(number).digest('hex');
}

/** The profile that LINE has of a person. One person in four has no picture, and one in two no status message. */
export type Profile = {
  userId: string;
  displayName: string;
  language: string;
  pictureUrl?: string;
  statusMessage?: string;
};

/** `address`: of the simulator, which serves the pictures. */
export function profileOf(userId: string, address: string): Profile {
  const names = ['王小明', '陳美玲', '佐藤 花子', 'สมชาย', 'Lin 🌸', 'Alex', '林先生', 'שרה כהן'] as const;
  const languages = ['zh-TW', 'zh-TW', 'ja', 'th', 'zh-TW', 'en', 'zh-TW', 'he'] as const;
  const index = stableNumber(userId, names.length);
  const hasPicture = stableNumber(`picture ${userId}`, 4) > 0;
  const hasStatus = stableNumber(`status ${userId}`, 2) > 0;
  return {
    userId,
    displayName: names[index] ?? names[0],
    language: languages[index] ?? languages[0],
    ...(hasPicture ? { pictureUrl: `${address}/pictures/${userId}.png` } : {}),
    ...(hasStatus ? { statusMessage: '今天也要加油 ☕' } : {}),
  };
}
