/** The scheduler against a model of LINE, in simulated time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../tests/harness/property.ts';
import { callLimit } from '../../collector/call-limit.ts';
import type { Question, Result, ScheduleState } from '../../collector/source.ts';
import { addDays, dayMs, dayOf, hourMs, lineDayStart, lineZone, minuteMs } from '../../time.ts';
import { type Kind, latestDayAt } from './kinds.ts';
import { daysToAsk, plan, sendQuestion, transition } from './schedule.ts';

const limit = callLimit(60);
const at = (time: string) => Date.parse(`${time}+09:00`);

/** The stored schedule of a collection, in memory. */
class StoredSchedule {
  readonly questions = new Map<string, Question>();
  readonly calls: { subject: string; at: number; wasFinal: boolean }[] = [];
  now: number;
  readonly #kind: Kind;
  #pausedUntil: number | null = null;
  #failures = 0;
  #fullAt: number | null = null;
  fromDay: string | null;

  constructor(kind: Kind, { now, fromDay = null }: { now: number; fromDay?: string | null }) {
    this.#kind = kind;
    this.now = now;
    this.fromDay = fromDay;
  }

  get state(): ScheduleState<Kind> {
    const days = [...this.questions.keys()].sort();
    const [first] = days;
    const isDay = this.#kind === 'followers';
    return {
      kind: this.#kind,
      fromDay: this.fromDay,
      earliest: isDay && first ? { day: first, outcome: this.questions.get(first)?.outcome ?? null } : null,
      latestDay: isDay ? (days.at(-1) ?? null) : null,
      openQuestions: [...this.questions.values()].flatMap(({ askAt, ...question }) =>
        askAt === null ? [] : [{ ...question, askAt }],
      ),
      pausedUntil: this.#pausedUntil,
      failures: this.#failures,
      fullAt: this.#fullAt,
    };
  }

  /** One step: asks and stores, or moves on to the time of the next check. */
  step(line: (subject: string, now: number) => Result, chance = 0.5): void {
    const { state, now } = this;
    const next = plan(state, { now, limit });
    if (next.ask === null) {
      assert.ok(next.checkAt > now, 'the next check is in the past');
      this.now = next.checkAt;
      return;
    }
    const { ask, opened } = next;
    for (const question of opened) this.questions.set(question.subject, question);
    this.calls.push({
      subject: ask.subject,
      at: now,
      wasFinal: this.questions.get(ask.subject)?.askAt === null,
    });
    const call = { kind: this.#kind, failures: state.failures, question: ask, fullAt: next.fullAt };
    const change = transition(call, line(ask.subject, now), { now, chance, limit });
    this.questions.set(ask.subject, change.question);
    this.#pausedUntil = change.pausedUntil;
    this.#failures = change.failures;
    this.#fullAt = change.fullAt;
  }

  run(until: number, line: (subject: string, now: number) => Result): void {
    for (let steps = 0; this.now < until; steps += 1) {
      assert.ok(steps < 200_000, 'the scheduler makes no progress');
      this.step(line);
    }
    this.now = until;
  }
}

const ready = { outcome: 'ready' } as const;

test('yesterday is requested first, from 10:00, then each earlier day in turn', () => {
  assert.equal(latestDayAt(at('2026-03-10T09:59:59.999')), '2026-03-08');
  assert.equal(latestDayAt(at('2026-03-10T10:00:00')), '2026-03-09');
  const schedule = new StoredSchedule('followers', { now: at('2026-03-10T10:00:00'), fromDay: '2026-03-01' });
  schedule.run(at('2026-03-10T11:00:00'), () => ready);
  const days = Array.from({ length: 9 }, (_, index) => addDays('2026-03-09', -index));
  assert.deepEqual(
    schedule.calls.map(({ subject }) => subject),
    days,
  );
});

test('after days without a server the newest day comes first, and no day is missing', () => {
  const schedule = new StoredSchedule('followers', { now: at('2026-03-10T10:00:00'), fromDay: '2026-03-08' });
  schedule.run(at('2026-03-10T12:00:00'), () => ready);
  schedule.now = at('2026-03-20T10:00:00');
  schedule.calls.length = 0;
  schedule.run(at('2026-03-20T12:00:00'), () => ready);
  assert.equal(schedule.calls[0]?.subject, '2026-03-19');
  const downtimeDays = Array.from({ length: 10 }, (_, index) => addDays('2026-03-10', index));
  assert.deepEqual(
    new Set(downtimeDays).difference(new Set(schedule.calls.map(({ subject }) => subject))).size,
    0,
  );
});

test('a ready day is requested again on each of the next 3 days, then never', () => {
  const schedule = new StoredSchedule('followers', { now: at('2026-03-10T10:00:00'), fromDay: '2026-03-09' });
  schedule.run(at('2026-04-10T00:00:00'), () => ready);
  const askedDays = schedule.calls
    .filter(({ subject }) => subject === '2026-03-09')
    .map((ask) => dayOf(ask.at, lineZone));
  assert.deepEqual(askedDays, ['2026-03-10', '2026-03-11', '2026-03-12', '2026-03-13']);
});

test('an unready day is requested every hour, later every day, later rarely, and still counts when it becomes ready', () => {
  const schedule = new StoredSchedule('followers', { now: at('2026-03-10T10:00:00'), fromDay: '2026-03-09' });
  const readyAt = at('2026-05-01T00:00:00');
  schedule.run(at('2026-08-01T00:00:00'), (subject, now) =>
    subject === '2026-03-09' && now < readyAt ? { outcome: 'unready' } : ready,
  );
  const askedDays = schedule.calls.filter(({ subject }) => subject === '2026-03-09').map((call) => call.at);
  const between = (from: string, to: string) =>
    askedDays.filter((time) => time >= at(from) && time < at(to)).length;
  assert.ok(between('2026-03-11T00:00:00', '2026-03-12T00:00:00') >= 20);
  assert.equal(between('2026-03-20T00:00:00', '2026-03-21T00:00:00'), 1);
  assert.ok(between('2026-04-10T00:00:00', '2026-05-10T00:00:00') <= 2);
  assert.equal(schedule.questions.get('2026-03-09')?.askAt, null);
  assert.equal(askedDays.filter((time) => time >= readyAt).length, 1);
});

test('out_of_service ends the questions about the past, but not those about new days', () => {
  const schedule = new StoredSchedule('followers', { now: at('2026-03-10T10:00:00') });
  schedule.run(at('2026-03-12T12:00:00'), (subject) =>
    subject < '2026-02-20' ? { outcome: 'out-of-service' } : ready,
  );
  const askedDays = schedule.calls.map(({ subject }) => subject);
  assert.equal(askedDays.toSorted()[0], '2026-02-19');
  assert.ok(askedDays.includes('2026-03-11'));
});

test('an earlier first day continues where the past ended', () => {
  const schedule = new StoredSchedule('followers', { now: at('2026-03-10T10:00:00'), fromDay: '2026-03-05' });
  schedule.run(at('2026-03-10T12:00:00'), () => ready);
  assert.equal(daysToAsk({ ...schedule.state, kind: 'followers' }, schedule.now), 0);
  schedule.fromDay = '2026-03-01';
  assert.equal(daysToAsk({ ...schedule.state, kind: 'followers' }, schedule.now), 4);
  schedule.calls.length = 0;
  schedule.run(schedule.now + hourMs, () => ready);
  assert.deepEqual(
    schedule.calls.map(({ subject }) => subject),
    ['2026-03-04', '2026-03-03', '2026-03-02', '2026-03-01'],
  );
});

test('a send is requested often at first, and finally when LINE stops counting', () => {
  const sentAt = at('2026-03-01T12:00:00');
  const schedule = new StoredSchedule('message-event', { now: sentAt });
  schedule.questions.set('request', sendQuestion({ requestId: 'request', sentAt }));
  schedule.run(sentAt + 40 * dayMs, () => ready);
  const ages = schedule.calls.map((ask) => (ask.at - sentAt) / hourMs);
  assert.ok(ages.length > 15 && ages.length < 40, `${ages.length} calls`);
  assert.ok((ages[0] ?? 0) >= 1 && (ages[0] ?? 0) < 2);
  assert.ok((ages.at(-1) ?? 0) >= 14 * 24 && (ages.at(-1) ?? 0) < 15 * 24);
  assert.equal(ages.filter((age) => age >= 14 * 24).length, 1);
});

test('quota is requested every hour, demographics once a day', () => {
  const calls = (kind: Kind) => {
    const schedule = new StoredSchedule(kind, { now: at('2026-03-10T10:00:00') });
    schedule.run(at('2026-03-20T10:00:00'), () => ready);
    return schedule.calls.length;
  };
  assert.equal(calls('quota'), 240);
  assert.equal(calls('demographic'), 10);
});

test('failures are retried with growing pauses, and a question that always fails does not delay the others', () => {
  const schedule = new StoredSchedule('followers', { now: at('2026-03-10T10:00:00'), fromDay: '2026-02-01' });
  schedule.run(at('2026-03-11T09:00:00'), (subject) =>
    subject === '2026-03-05' ? { failure: 'nonsense' } : ready,
  );
  assert.equal(daysToAsk({ ...schedule.state, kind: 'followers' }, schedule.now), 0);
  const failureTimes = schedule.calls
    .filter(({ subject }) => subject === '2026-03-05')
    .map((call) => call.at);
  const pauses = failureTimes.slice(1).map((time, index) => time - (failureTimes[index] ?? 0));
  assert.ok(failureTimes.length > 3);
  assert.deepEqual(
    pauses,
    pauses.toSorted((a, b) => a - b),
  );
});

test('429 empties the bucket, 403 pauses for a week, 401 stops', () => {
  const now = at('2026-03-10T10:00:00');
  const question = { ...sendQuestion({ requestId: 'request', sentAt: now }), askAt: now };
  const after = (failure: 'limited' | 'unavailable' | 'token-refused') =>
    transition(
      { kind: 'message-event', failures: 0, question, fullAt: now },
      { failure },
      { now, chance: 0.5, limit },
    );
  assert.equal(after('limited').fullAt, now + limit.burst * limit.intervalMs);
  assert.ok((after('limited').pausedUntil ?? 0) >= now + minuteMs);
  assert.equal(after('unavailable').pausedUntil, now + 7 * dayMs);
  assert.deepEqual(after('token-refused').question, question);
});

test('for any answers: at most 60 calls in any hour, no final question again, and an answer for every requested day', async (t) => {
  const start = at('2026-03-10T00:00:00');
  await holds(
    t,
    fc.property(
      fc.integer({ min: 0, max: 120 }),
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 0, max: dayMs }),
      (daysBack, seed, failurePercentage, startsAfterMs) => {
        const fromDay = addDays('2026-03-09', -daysBack);
        const schedule = new StoredSchedule('followers', { now: start + startsAfterMs, fromDay });
        const chance = (...of: (string | number)[]) => hash(seed, of.join(' ')) % 100;
        const endsAt = start + 12 * dayMs;
        schedule.run(endsAt, (subject, now) => {
          if (chance('fails', subject, now) < failurePercentage) {
            const failures = ['unreachable', 'nonsense', 'limited'] as const;
            return { failure: failures[chance('how', subject, now) % 3] ?? 'nonsense' };
          }
          const readyAt = lineDayStart(addDays(subject, 1)) + (chance('late', subject) / 100) * 2 * dayMs;
          return now < readyAt ? { outcome: 'unready' } : ready;
        });
        const times = schedule.calls.map((call) => call.at);
        for (const [index, time] of times.entries()) {
          assert.ok((times[index + 60] ?? Infinity) > time + hourMs, 'more than 60 calls in an hour');
          assert.ok(
            (times[index + limit.burst] ?? Infinity) > time,
            'more calls at once than the bucket holds',
          );
        }
        assert.ok(schedule.calls.every(({ wasFinal }) => !wasFinal));
        const [first] = schedule.calls;
        assert.equal(first?.subject, latestDayAt(first?.at ?? 0));
        // Later days may still be unready, and questions that failed often may be waiting.
        for (let day = fromDay; day <= addDays('2026-03-10', 5); day = addDays(day, 1)) {
          const question = schedule.questions.get(day);
          assert.ok(question, `${day} was never requested`);
          assert.ok(question.outcome === 'ready' || question.failures > 0, `${day} is ${question.outcome}`);
        }
      },
    ),
    { runs: 40 },
  );
});

/** A number from a seed and a text, spread well enough (FNV-1a). */
function hash(seed: number, text: string): number {
  let value = seed ^ 0x811c9dc5;
  for (const letter of text) value = Math.imul(value ^ letter.charCodeAt(0), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}
