/**
 * The schedule of requests to LINE, as pure functions of a collection's schedule state, the time and a random number.
 *
 *     days        yesterday first, from 10:00 (UTC+9); then each earlier day, back to the first requested day or until LINE
 *                 answers out_of_service
 *     a day       ready: again on each of the next 3 days, because LINE corrects figures; unready: every hour, after 3 days
 *                 once a day, after 30 days every 30 days
 *     a send      often at first, then once a day, and finally 14 days after sending, when LINE stops counting
 *     a unit      the same from the day after its last send, less often
 *     a rich menu  by month: daily, and finally 3 days after the end of the month
 *     present     quota every hour, demographics and bot information once a day
 *     failures    with growing pauses, for the kind and for the single question
 *
 * LINE does not document the hour at which a day becomes ready, only that it usually happens within the next day.
 */
import type { CallLimit } from '../../collector/call-limit.ts';
import { afterFailure, newQuestion, planOf } from '../../collector/schedule.ts';
import type {
  CallState,
  CallTime,
  OpenQuestion,
  Plan,
  Question,
  Result,
  ScheduleState,
  Transition,
} from '../../collector/source.ts';
import { addDays, countDays, dayMs, dayOf, hourMs, lineDayStart, lineZone, minuteMs } from '../../time.ts';
import { daysOfMonth } from '../rich-menus.ts';
import {
  type DayKind,
  dayHourMs,
  firstDays,
  isDayKind,
  isStatisticKind,
  type Kind,
  latestDayAt,
} from './kinds.ts';

type LineState = ScheduleState<Kind>;
type AskedDays = Pick<LineState, 'fromDay' | 'earliest' | 'latestDay'>;

/** Days in which LINE may correct the figures of a day. */
const correctionDays = 3;
/** The time in which LINE counts interactions with a send, and an hour for the sums to settle. */
const statisticsSettledMs = 14 * dayMs + hourMs;
const presentPauseMs: Partial<Record<Kind, number>> = { quota: hourMs };
/** The interval of checks for new sends: shorter than that of questions about them. */
const sendsCheckMs = 30 * minuteMs;

/** Returns the question to ask at `now`, with its call already counted, or the time of the next check. */
export function plan(state: LineState, time: { now: number; limit: CallLimit }): Plan {
  const { now } = time;
  return planOf(state, time, {
    open: () => newQuestions(state, now),
    isBefore: isDayKind(state.kind) ? isLater : isLongerDue,
    nextCheck: () => nextCheck(state, now),
  });
}

/** Returns the changes after a call. */
export function transition(state: CallState<Kind>, result: Result, time: CallTime): Transition {
  if ('failure' in result) return afterFailure(state, result.failure, time);
  const { kind, question, fullAt } = state;
  const answeredQuestion = { ...question, outcome: result.outcome, failures: 0 };
  const askAt = askAgainAt(kind, answeredQuestion, time);
  return { question: { ...answeredQuestion, askAt }, pausedUntil: null, failures: 0, fullAt };
}

/** The first day to request. */
function goalDay(kind: DayKind, fromDay: string | null): string {
  return fromDay !== null && fromDay > firstDays[kind] ? fromDay : firstDays[kind];
}

/** The number of days without a question. Days whose figures are not ready yet do not count. */
export function daysToAsk(
  { kind, fromDay, earliest, latestDay }: AskedDays & { kind: DayKind },
  now: number,
): number {
  const goal = goalDay(kind, fromDay);
  const recent = countDays(latestDay === null ? goal : addDays(latestDay, 1), latestDayAt(now));
  const isDone = earliest === null || earliest.outcome === 'out-of-service';
  return recent + (isDone ? 0 : countDays(goal, addDays(earliest.day, -1)));
}

/** A question about a send; `sentAt` in ms. */
export function sendQuestion({ requestId, sentAt }: { requestId: string; sentAt: number }): OpenQuestion {
  return newQuestion(requestId, sentAt + hourMs, sentAt + statisticsSettledMs);
}

/** A question about a unit with its last send on the day. */
export function unitQuestion(subject: string, lastDay: string): OpenQuestion {
  const dayEnd = lineDayStart(addDays(lastDay, 1));
  return newQuestion(subject, dayEnd + dayHourMs, dayEnd + statisticsSettledMs);
}

/** A question about a rich menu in a month (YYYY-MM): daily until the figures of its last day are final. */
export function richMenuQuestion(subject: string, month: string): OpenQuestion {
  const { from, to } = daysOfMonth(month, '9999');
  return newQuestion(subject, readyTime(from), readyTime(addDays(to, correctionDays)));
}

/** New questions: days that have become available or, if no question is due, the day before the earliest. */
function newQuestions(state: LineState, now: number): OpenQuestion[] {
  const { kind, fromDay, earliest, latestDay, openQuestions } = state;
  if (isStatisticKind(kind)) return [];
  if (!isDayKind(kind)) return openQuestions.length > 0 ? [] : [newQuestion('', now, null)];
  const goal = goalDay(kind, fromDay);
  const latest = latestDayAt(now);
  if (latestDay === null || earliest === null) return latest < goal ? [] : [openDay(latest, now)];
  const count = countDays(addDays(latestDay, 1), latest);
  if (count > 0) return Array.from({ length: count }, (_, index) => openDay(addDays(latest, -index), now));
  const isDone = earliest.day <= goal || earliest.outcome === 'out-of-service';
  if (isDone || openQuestions.some(({ askAt }) => askAt <= now)) return [];
  return [openDay(addDays(earliest.day, -1), now)];
}

function nextCheck({ kind, latestDay, openQuestions }: LineState, now: number): number {
  const times = openQuestions.map(({ askAt }) => askAt);
  if (isStatisticKind(kind)) times.push(now + sendsCheckMs);
  if (isDayKind(kind)) times.push(readyTime(addDays(latestDay ?? latestDayAt(now), 1)));
  return Math.min(...times);
}

/** The time from which LINE may have figures of the day, on the next day. */
function readyTime(day: string): number {
  return lineDayStart(addDays(day, 1)) + dayHourMs;
}

function askAgainAt(
  kind: Kind,
  { subject, outcome, settledAt }: Question,
  { now, chance }: { now: number; chance: number },
): number | null {
  if (kind === 'message-event' || kind === 'unit') return askStatisticsAgainAt(kind, settledAt ?? now, now);
  const spreadMs = Math.floor(chance * hourMs);
  const tomorrow = readyTime(dayOf(now, lineZone)) + spreadMs;
  if (kind === 'rich-menu-daily' || kind === 'rich-menu-summary') {
    return outcome === 'unknown' || now >= (settledAt ?? now) ? null : tomorrow;
  }
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
  return newQuestion(day, now, lineDayStart(addDays(day, 1 + correctionDays)));
}

function isLater(question: OpenQuestion, other: OpenQuestion): boolean {
  return question.subject > other.subject;
}

function isLongerDue(question: OpenQuestion, other: OpenQuestion): boolean {
  return question.askAt < other.askAt;
}
