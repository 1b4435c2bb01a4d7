/**
 * The people around the account as LINE knows them: who they are, when they became friends, when they blocked the account
 * and came back. Who somebody is follows from the user id alone, so that a person is the same in every run.
 */
import { dayMs } from '../../src/time.ts';
import { variety } from '../diary.ts';
import type { Happening, Person } from '../happening.ts';
import { ageNames, appTypeNames, areaNames, genderNames } from '../line-attributes.ts';

export type LinePerson = {
  userId: string;
  person: Person;
  /** Turns of friend and blocker, in order of time (ties: by id). */
  turns: { at: number; id: string; isBlocked: boolean }[];
  /** When the person last wrote in a chat of two, ms. */
  wroteAt: number | null;
};

export type Attributes = { gender: string; age: string; area: string; appType: string };

/** LINE goes on delivering pushes to somebody who is no friend for so long after a message. */
const strangerMs = 7 * dayMs;

export function newLinePerson(person: Person): LinePerson {
  return { userId: person.id ?? '', person, turns: [], wroteAt: null };
}

/** Notes that the person followed or blocked, if that is what happened. */
export function turn(one: LinePerson, { what, at, id }: Happening): void {
  if (what !== 'follow' && what !== 'unfollow') return;
  one.turns.push({ at, id, isBlocked: what === 'unfollow' });
  one.turns.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
}

/** At the end of the instant (ms): `stranger` never was a friend. Who blocks must have been one. */
export function stateAt({ turns }: LinePerson, at: number): 'stranger' | 'friend' | 'blocker' {
  const last = turns.findLast((one) => one.at <= at);
  if (last === undefined) return 'stranger';
  return last.isBlocked ? 'blocker' : 'friend';
}

/** Whether a message to the person arrives. */
export function isReachable(one: LinePerson, at: number): boolean {
  const state = stateAt(one, at);
  if (state !== 'stranger') return state === 'friend';
  return one.wroteAt !== null && at - one.wroteAt <= strangerMs;
}

/** What LINE's attributes say of the person; `unknown` for one in eight. */
export function attributesOf(userId: string): Attributes {
  const pick = (names: readonly string[], about: string) =>
    names[variety(`${about} ${userId}`, names.length)] ?? 'unknown';
  if (!isWellKnown(userId))
    return { gender: 'unknown', age: 'unknown', area: 'unknown', appType: pick(appTypeNames, 'app') };
  return {
    gender: pick(genderNames.slice(0, 2), 'gender'),
    age: pick(
      ageNames.filter((name) => name !== 'unknown'),
      'age',
    ),
    area: pick(
      areaNames.filter((name) => name !== 'unknown'),
      'area',
    ),
    appType: pick(appTypeNames, 'app'),
  };
}

/** Whether LINE knows enough of the person for sends by attribute. */
export function isWellKnown(userId: string): boolean {
  return variety(`known ${userId}`, 8) > 0;
}

/** The person's profile, as LINE shows it. */
export function profileOf(userId: string): { userId: string; displayName: string; language: string } {
  const names = ['王小明', '陳美玲', '佐藤 花子', 'สมชาย', 'Lin 🌸', 'Alex', '林先生', '田中'] as const;
  const languages = ['zh-TW', 'zh-TW', 'ja', 'th', 'zh-TW', 'en', 'zh-TW', 'ja'] as const;
  const place = variety(userId, names.length);
  return { userId, displayName: names[place] ?? names[0], language: languages[place] ?? languages[0] };
}
