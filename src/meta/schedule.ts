/**
 * The schedule of requests to Meta, as pure functions.
 *
 *     spans       the current one first; then each earlier one, as far back as Meta has figures
 *     a span      every day until 3 days after its end
 *     present     once a day
 *     templates   page after page, once a day
 *     history     page after page, on request
 */
import type { CallLimit } from '../collector/call-limit.ts';
import { afterFailure, newQuestion, planOf } from '../collector/schedule.ts';
import type {
  CallState,
  CallTime,
  OpenQuestion,
  Plan,
  Result,
  ScheduleState,
  Transition,
} from '../collector/source.ts';
import { addDays, countDays, dayMs, dayOf, dayStart, hourMs } from '../time.ts';
import {
  isHistoryKind,
  isPagedKind,
  isSpanKind,
  type MetaKind,
  type SpanKind,
  spanRules,
  templateRule,
} from './kinds.ts';

type State = ScheduleState<MetaKind>;
type AskedSpans = Pick<State, 'fromDay' | 'earliest' | 'latestDay'>;

const correctionDays = 3;
/** The first day of a span of every kind. */
const gridDay = '2001-01-01';
const restMs = 7 * dayMs;
/** The subject of a question about the first page, and of one about a present value. */
export const firstPage = '';

/** Returns the question to ask at `now`, with its call already counted, or the time of the next check. */
export function plan(state: State, time: { now: number; limit: CallLimit }): Plan {
  const { now } = time;
  return planOf(state, time, {
    open: () => newQuestions(state, now),
    isBefore: (question, other) =>
      isSpanKind(state.kind) ? question.subject > other.subject : question.askAt < other.askAt,
    nextCheck: () => nextCheck(state, now),
  });
}

/** Returns the changes after a call. */
export function transition(state: CallState<MetaKind>, result: Result, time: CallTime): Transition {
  if ('failure' in result) return afterFailure(state, result.failure, time);
  const { kind, question, fullAt } = state;
  const askAt = askAgainAt(kind, question, time);
  return {
    question: { ...question, outcome: result.outcome, failures: 0, askAt },
    ...{ pausedUntil: null, failures: 0, fullAt },
  };
}

/** The days of a span's call: those that Meta has at `now`, both included. Null: none of them. */
export function daysOfSpan(
  kind: SpanKind,
  span: string,
  now: number,
): { first: string; last: string } | null {
  const first = span > earliestDay(kind, now) ? span : earliestDay(kind, now);
  const end = addDays(span, spanRules[kind].spanDays - 1);
  const latest = latestDayAt(kind, now);
  const last = end < latest ? end : latest;
  return first > last ? null : { first, last };
}

/** The days of templates that Meta has at `now`, both included. */
export function daysOfTemplates(now: number): { first: string; last: string } {
  const first = addDays(dayOf(now, 'UTC'), -templateRule.lookbackDays);
  return { first, last: addDays(dayOf(now - templateRule.readyHours * hourMs, 'UTC'), -1) };
}

/** The number of spans without a question. */
export function spansToAsk(kind: SpanKind, asked: AskedSpans, now: number): number {
  const { spanDays } = spanRules[kind];
  const goal = goalSpan(kind, asked.fromDay, now);
  const latest = spanOf(kind, latestDayAt(kind, now));
  if (asked.earliest === null || asked.latestDay === null)
    return Math.ceil(countDays(goal, latest) / spanDays);
  const recent = Math.max(0, (countDays(asked.latestDay, latest) - 1) / spanDays);
  return recent + Math.max(0, (countDays(goal, asked.earliest.day) - 1) / spanDays);
}

/** The latest day whose figures may be ready at `now`. */
export function latestDayAt(kind: SpanKind, now: number): string {
  return addDays(dayOf(now - spanRules[kind].readyHours * hourMs, 'UTC'), -1);
}

/** A question about the first page of the conversations. */
export function firstHistoryPage(now: number): OpenQuestion {
  return newQuestion(firstPage, now, null);
}

function newQuestions(state: State, now: number): OpenQuestion[] {
  const { kind, fromDay, earliest, latestDay, openQuestions } = state;
  if (isHistoryKind(kind)) return [];
  if (!isSpanKind(kind)) return openQuestions.length > 0 ? [] : [newQuestion(firstPage, now, null)];
  const latest = spanOf(kind, latestDayAt(kind, now));
  if (latestDay === null || earliest === null) return [spanQuestion(kind, latest, now)];
  const { spanDays } = spanRules[kind];
  const opened: OpenQuestion[] = [];
  for (let span = addDays(latestDay, spanDays); span <= latest; span = addDays(span, spanDays))
    opened.push(spanQuestion(kind, span, now));
  const isDone = earliest.day <= goalSpan(kind, fromDay, now);
  if (opened.length > 0 || isDone || openQuestions.some(({ askAt }) => askAt <= now)) return opened;
  return [spanQuestion(kind, addDays(earliest.day, -spanDays), now)];
}

function spanQuestion(kind: SpanKind, span: string, now: number): OpenQuestion {
  const settledDay = addDays(span, spanRules[kind].spanDays + correctionDays);
  return newQuestion(span, now, dayStart(settledDay, 'UTC'));
}

function askAgainAt(
  kind: MetaKind,
  { subject, settledAt }: OpenQuestion,
  { now, chance }: CallTime,
): number | null {
  if (isHistoryKind(kind) || (isPagedKind(kind) && subject !== firstPage)) return null;
  if (settledAt !== null && now >= settledAt) return null;
  return nextReadyAt(kind, now) + Math.floor(chance * hourMs);
}

function nextCheck({ kind, openQuestions }: State, now: number): number {
  const times = openQuestions.map(({ askAt }) => askAt);
  return Math.min(...times, isHistoryKind(kind) ? now + restMs : nextReadyAt(kind, now));
}

/** The next time at which another day may be ready. */
function nextReadyAt(kind: MetaKind, now: number): number {
  const readyMs = readyHoursOf(kind) * hourMs;
  return dayStart(addDays(dayOf(now - readyMs, 'UTC'), 1), 'UTC') + readyMs;
}

function readyHoursOf(kind: MetaKind): number {
  if (kind === templateRule.kind) return templateRule.readyHours;
  return isSpanKind(kind) ? spanRules[kind].readyHours : 0;
}

function spanOf(kind: SpanKind, day: string): string {
  const { spanDays } = spanRules[kind];
  const days = countDays(gridDay, day) - 1;
  return addDays(gridDay, Math.floor(days / spanDays) * spanDays);
}

function earliestDay(kind: SpanKind, now: number): string {
  return addDays(dayOf(now, 'UTC'), -spanRules[kind].lookbackDays);
}

/** The first span to ask for. */
function goalSpan(kind: SpanKind, fromDay: string | null, now: number): string {
  const earliest = earliestDay(kind, now);
  return spanOf(kind, fromDay !== null && fromDay > earliest ? fromDay : earliest);
}
