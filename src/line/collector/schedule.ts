/**
 * What is asked of LINE next, and when again, as pure functions of how a collection stands, of the time and of chance.
 *
 *     days        yesterday first, from 10:00 (UTC+9) on; then one day after the other into the past, until the first day
 *                 that is wanted or LINE says out_of_service
 *     a day       ready: once more on each of the next days, because LINE corrects, until 3 days after it; unready: each hour,
 *                 after 3 days once a day, after 30 days once in 30
 *     a send      often at first, then once a day, and for the last time 14 days after sending, when LINE counts no more
 *     a unit      the same from the day after its last send, more rarely
 *     present     quota each hour, demographics and bot information once a day
 *     failures    with growing pauses, of the kind and of the one thing that was asked
 *
 * LINE does not tell at which hour a day turns ready, only that it usually is within the next day.
 */
import {
  addDays,
  countDays,
  dayMs,
  dayOf,
  hourMs,
  lineDayStart,
  lineZone,
  minuteMs,
  secondMs,
} from '../../time.ts';
import { afterCall, type CallLimit, callableAt, emptied } from './call-limit.ts';
import { type DayKind, firstDays, isDayKind, type Kind, type Outcome } from './kinds.ts';

/** One thing to be asked. Times in ms. */
export type Question = {
  subject: string;
  /** Null: LINE has said its last word. */
  askAt: number | null;
  /** What LINE says from then on is its last word; null: it never is. */
  settledAt: number | null;
  outcome: Outcome | null;
  /** Times that it could not be answered, one after the other. */
  failures: number;
};

export type OpenQuestion = Question & { askAt: number };

/** How the collecting of a kind stands. */
export type Standing = {
  kind: Kind;
  /** Days before are not wanted; null: as far back as LINE tells. */
  fromDay: string | null;
  /** Of the days asked for: every one from the earliest to the latest has its question. */
  earliest: { day: string; outcome: Outcome | null } | null;
  latestDay: string | null;
  open: readonly OpenQuestion[];
  pausedUntil: number | null;
  failures: number;
  /** When the bucket of calls is full again; null: it is. */
  fullAt: number | null;
};

/** What is to be done now. `opened` are new questions, the one that is asked perhaps among them. */
export type Plan =
  | { ask: OpenQuestion; opened: OpenQuestion[]; fullAt: number }
  | { ask: null; state: 'resting' | 'out-of-calls' | null; lookAt: number };

/** Why a call brought no answer. */
export type Failure =
  | 'token-refused'
  | 'unavailable'
  | 'limited'
  | 'unreachable'
  | 'nonsense'
  // The access token cannot be opened here.
  | 'sealed';

export type Result = { outcome: Outcome } | { failure: Failure };

/** What follows from a result. */
export type Turn = {
  question: Question;
  pausedUntil: number | null;
  failures: number;
  fullAt: number;
};

/** From this hour on a day may be told of. */
const dayHourMs = 10 * hourMs;
/** So long LINE is asked whether a day's figures are still the same. */
const correctionDays = 3;
/** So long LINE counts what people do with a send, and a while for it to add up. */
export const statisticsSettledMs = 14 * dayMs + hourMs;
const presentPauseMs: Partial<Record<Kind, number>> = { quota: hourMs };
/** How often new sends are looked for: more often than they would be asked about. */
const sendsLookMs = 30 * minuteMs;
const unavailablePauseMs = 7 * dayMs;

/** What to ask at `now`, the call it takes counted; or when to look again. */
export function plan(standing: Standing, { now, limit }: { now: number; limit: CallLimit }): Plan {
  const { pausedUntil, fullAt } = standing;
  if (pausedUntil !== null && pausedUntil > now) return { ask: null, state: null, lookAt: pausedUntil };
  const opened = openedBy(standing, now);
  const due = [...standing.open, ...opened].filter(({ askAt }) => askAt <= now);
  const ask = due.reduce<OpenQuestion | null>(isDayKind(standing.kind) ? later : longerDue, null);
  if (ask === null) return { ask: null, state: 'resting', lookAt: nextLook(standing, now) };
  const callAt = callableAt(fullAt, limit);
  if (callAt > now) return { ask: null, state: 'out-of-calls', lookAt: callAt };
  return { ask, opened, fullAt: afterCall(fullAt, now, limit) };
}

/** What becomes of the question and its kind. `chance` from 0 to 1 spreads what would else come at once. */
export function follow(
  {
    kind,
    failures,
    question,
    fullAt,
  }: Pick<Standing, 'kind' | 'failures'> & {
    question: OpenQuestion;
    /** After the call. */
    fullAt: number;
  },
  result: Result,
  { now, chance, limit }: { now: number; chance: number; limit: CallLimit },
): Turn {
  if ('outcome' in result) {
    const answered = { ...question, outcome: result.outcome, failures: 0 };
    const askAt = askAgainAt(kind, answered, { now, chance });
    return { question: { ...answered, askAt }, pausedUntil: null, failures: 0, fullAt };
  }
  const failed = failures + 1;
  const pauseMs = (unitMs: number, maxMs: number, count: number) =>
    Math.min(maxMs, unitMs * 2 ** Math.min(count - 1, exponentMax)) * (0.75 + chance / 2);
  const paused = (ms: number, part: Partial<Turn> = {}): Turn => ({
    question,
    pausedUntil: Math.ceil(now + ms),
    failures: failed,
    fullAt,
    ...part,
  });
  const asked = (maxMs: number) => {
    const ms = pauseMs(minuteMs, maxMs, question.failures + 1);
    return { ...question, failures: question.failures + 1, askAt: Math.ceil(now + ms) };
  };
  switch (result.failure) {
    case 'token-refused':
      return { question, pausedUntil: null, failures: failed, fullAt };
    case 'unavailable':
      return paused(unavailablePauseMs);
    case 'limited':
      // Others may be calling LINE with the same token: go on at their pace.
      return paused(pauseMs(limit.intervalMs, hourMs, failed), { fullAt: emptied(now, limit) });
    case 'sealed':
      return paused(hourMs);
    case 'unreachable':
      return paused(pauseMs(failurePauseMs, failurePauseMsMax, failed), { question: asked(hourMs) });
    case 'nonsense':
      return paused(pauseMs(failurePauseMs, failurePauseMsMax, failed), { question: asked(7 * dayMs) });
  }
}

const failurePauseMs = 5 * secondMs;
const failurePauseMsMax = 15 * minuteMs;
const exponentMax = 20;

/** The first day that is wanted. */
export function goalDay(kind: DayKind, fromDay: string | null): string {
  return fromDay !== null && fromDay > firstDays[kind] ? fromDay : firstDays[kind];
}

/** The latest day that LINE may have told of by now. */
export function latestDayAt(now: number): string {
  return addDays(dayOf(now - dayHourMs, lineZone), -1);
}

/** How many days are still to be asked for, without those that only wait for LINE. */
export function daysToAsk(
  {
    kind,
    fromDay,
    earliest,
    latestDay,
  }: Pick<Standing, 'fromDay' | 'earliest' | 'latestDay'> & {
    kind: DayKind;
  },
  now: number,
): number {
  const goal = goalDay(kind, fromDay);
  const recent = countDays(latestDay === null ? goal : addDays(latestDay, 1), latestDayAt(now));
  const isDone = earliest === null || earliest.outcome === 'out-of-service';
  return recent + (isDone ? 0 : countDays(goal, addDays(earliest.day, -1)));
}

/** A question about a send; `sentAt` (ms). */
export function sendQuestion(requestId: string, sentAt: number): OpenQuestion {
  return open(requestId, sentAt + hourMs, sentAt + statisticsSettledMs);
}

/** A question about a unit whose last send was on the day. */
export function unitQuestion(subject: string, lastDay: string): OpenQuestion {
  const dayEnd = lineDayStart(addDays(lastDay, 1));
  return open(subject, dayEnd + dayHourMs, dayEnd + statisticsSettledMs);
}

/** New questions: days that have come, or, when nothing else is due, the day before the earliest. */
function openedBy(standing: Standing, now: number): OpenQuestion[] {
  const { kind, fromDay, earliest, latestDay, open: known } = standing;
  if (kind === 'message-event' || kind === 'unit') return [];
  if (!isDayKind(kind)) return known.length > 0 ? [] : [open('', now, null)];
  const goal = goalDay(kind, fromDay);
  const latest = latestDayAt(now);
  if (latestDay === null || earliest === null) return latest < goal ? [] : [openDay(latest, now)];
  const count = countDays(addDays(latestDay, 1), latest);
  if (count > 0) return Array.from({ length: count }, (_, place) => openDay(addDays(latest, -place), now));
  const isDone = earliest.day <= goal || earliest.outcome === 'out-of-service';
  if (isDone || known.some(({ askAt }) => askAt <= now)) return [];
  return [openDay(addDays(earliest.day, -1), now)];
}

function nextLook({ kind, latestDay, open: known }: Standing, now: number): number {
  const times = known.map(({ askAt }) => askAt);
  if (kind === 'message-event' || kind === 'unit') times.push(now + sendsLookMs);
  if (isDayKind(kind)) times.push(dayTurn(addDays(latestDay ?? latestDayAt(now), 1)));
  return Math.min(...times);
}

/** When LINE may tell of the day: on the next one. */
function dayTurn(day: string): number {
  return lineDayStart(addDays(day, 1)) + dayHourMs;
}

function askAgainAt(
  kind: Kind,
  { subject, outcome, settledAt }: Question,
  { now, chance }: { now: number; chance: number },
): number | null {
  if (kind === 'message-event' || kind === 'unit') return askStatisticsAgainAt(kind, settledAt ?? now, now);
  const spreadMs = Math.floor(chance * hourMs);
  const tomorrow = dayTurn(dayOf(now, lineZone)) + spreadMs;
  if (!isDayKind(kind)) return presentPauseMs[kind] === undefined ? tomorrow : now + presentPauseMs[kind];
  if (outcome === 'unready') {
    const age = now - lineDayStart(addDays(subject, 1));
    if (age < correctionDays * dayMs) return now + hourMs + Math.floor(spreadMs / 4);
    return age < 30 * dayMs ? tomorrow : now + 30 * dayMs;
  }
  if (outcome === 'out-of-service' || now >= (settledAt ?? 0)) return null;
  return tomorrow;
}

function askStatisticsAgainAt(kind: 'message-event' | 'unit', settledAt: number, now: number): number | null {
  if (now >= settledAt) return null;
  const age = now - (settledAt - statisticsSettledMs);
  const [share, least, most] = kind === 'unit' ? [2, dayMs, 7 * dayMs] : [4, hourMs, dayMs];
  return Math.min(settledAt, now + Math.max(least, Math.min(most, Math.floor(age / share))));
}

function openDay(day: string, now: number): OpenQuestion {
  return open(day, now, lineDayStart(addDays(day, 1 + correctionDays)));
}

function open(subject: string, askAt: number, settledAt: number | null): OpenQuestion {
  return { subject, askAt, settledAt, outcome: null, failures: 0 };
}

function later(best: OpenQuestion | null, question: OpenQuestion): OpenQuestion {
  return best === null || question.subject > best.subject ? question : best;
}

function longerDue(best: OpenQuestion | null, question: OpenQuestion): OpenQuestion {
  return best === null || question.askAt < best.askAt ? question : best;
}
