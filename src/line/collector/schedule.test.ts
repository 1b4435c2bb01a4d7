/** The scheduler against a model of LINE, in simulated time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../tests/harness/property.ts';
import { addDays, dayMs, dayOf, hourMs, lineDayStart, lineZone, minuteMs } from '../../time.ts';
import { callLimit } from './call-limit.ts';
import type { Kind } from './kinds.ts';
import {
  daysToAsk,
  follow,
  latestDayAt,
  plan,
  type Question,
  type Result,
  type Standing,
  sendQuestion,
} from './schedule.ts';

const limit = callLimit(60);
const at = (time: string) => Date.parse(`${time}+09:00`);

/** What the database keeps of a collection, in memory. */
class Kept {
  readonly questions = new Map<string, Question>();
  readonly asked: { subject: string; at: number; wasFinal: boolean }[] = [];
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

  get standing(): Standing {
    const days = [...this.questions.keys()].sort();
    const [first] = days;
    const isDay = this.#kind === 'followers';
    return {
      kind: this.#kind,
      fromDay: this.fromDay,
      earliest: isDay && first ? { day: first, outcome: this.questions.get(first)?.outcome ?? null } : null,
      latestDay: isDay ? (days.at(-1) ?? null) : null,
      open: [...this.questions.values()].flatMap(({ askAt, ...question }) =>
        askAt === null ? [] : [{ ...question, askAt }],
      ),
      pausedUntil: this.#pausedUntil,
      failures: this.#failures,
      fullAt: this.#fullAt,
    };
  }

  /** One step: asks and stores, or moves on to the time of the next look. */
  step(line: (subject: string, now: number) => Result, chance = 0.5): void {
    const { standing, now } = this;
    const next = plan(standing, { now, limit });
    if (next.ask === null) {
      assert.ok(next.lookAt > now, 'a look that is over');
      this.now = next.lookAt;
      return;
    }
    const { ask, opened } = next;
    for (const question of opened) this.questions.set(question.subject, question);
    this.asked.push({
      subject: ask.subject,
      at: now,
      wasFinal: this.questions.get(ask.subject)?.askAt === null,
    });
    const asked = { kind: this.#kind, failures: standing.failures, question: ask, fullAt: next.fullAt };
    const turn = follow(asked, line(ask.subject, now), { now, chance, limit });
    this.questions.set(ask.subject, turn.question);
    this.#pausedUntil = turn.pausedUntil;
    this.#failures = turn.failures;
    this.#fullAt = turn.fullAt;
  }

  run(until: number, line: (subject: string, now: number) => Result): void {
    for (let steps = 0; this.now < until; steps += 1) {
      assert.ok(steps < 200_000, 'the scheduler does not come forward');
      this.step(line);
    }
    this.now = until;
  }
}

const ready = { outcome: 'ready' } as const;

test('yesterday is asked first, from 10:00 on, then the days before it, one after the other', () => {
  assert.equal(latestDayAt(at('2026-03-10T09:59:59.999')), '2026-03-08');
  assert.equal(latestDayAt(at('2026-03-10T10:00:00')), '2026-03-09');
  const kept = new Kept('followers', { now: at('2026-03-10T10:00:00'), fromDay: '2026-03-01' });
  kept.run(at('2026-03-10T11:00:00'), () => ready);
  const days = Array.from({ length: 9 }, (_, place) => addDays('2026-03-09', -place));
  assert.deepEqual(
    kept.asked.map(({ subject }) => subject),
    days,
  );
});

test('after days without a server the newest comes first, and none is left out', () => {
  const kept = new Kept('followers', { now: at('2026-03-10T10:00:00'), fromDay: '2026-03-08' });
  kept.run(at('2026-03-10T12:00:00'), () => ready);
  kept.now = at('2026-03-20T10:00:00');
  kept.asked.length = 0;
  kept.run(at('2026-03-20T12:00:00'), () => ready);
  assert.equal(kept.asked[0]?.subject, '2026-03-19');
  const missed = Array.from({ length: 10 }, (_, place) => addDays('2026-03-10', place));
  assert.deepEqual(new Set(missed).difference(new Set(kept.asked.map(({ subject }) => subject))).size, 0);
});

test('a ready day is asked again on each of the next 3 days, and then never', () => {
  const kept = new Kept('followers', { now: at('2026-03-10T10:00:00'), fromDay: '2026-03-09' });
  kept.run(at('2026-04-10T00:00:00'), () => ready);
  const asked = kept.asked
    .filter(({ subject }) => subject === '2026-03-09')
    .map((ask) => dayOf(ask.at, lineZone));
  assert.deepEqual(asked, ['2026-03-10', '2026-03-11', '2026-03-12', '2026-03-13']);
});

test('an unready day is asked each hour, later each day, later rarely, and still counts when it turns ready', () => {
  const kept = new Kept('followers', { now: at('2026-03-10T10:00:00'), fromDay: '2026-03-09' });
  const readyAt = at('2026-05-01T00:00:00');
  kept.run(at('2026-08-01T00:00:00'), (subject, now) =>
    subject === '2026-03-09' && now < readyAt ? { outcome: 'unready' } : ready,
  );
  const asked = kept.asked.filter(({ subject }) => subject === '2026-03-09').map((ask) => ask.at);
  const between = (from: string, to: string) =>
    asked.filter((time) => time >= at(from) && time < at(to)).length;
  assert.ok(between('2026-03-11T00:00:00', '2026-03-12T00:00:00') >= 20);
  assert.equal(between('2026-03-20T00:00:00', '2026-03-21T00:00:00'), 1);
  assert.ok(between('2026-04-10T00:00:00', '2026-05-10T00:00:00') <= 2);
  assert.equal(kept.questions.get('2026-03-09')?.askAt, null);
  assert.equal(asked.filter((time) => time >= readyAt).length, 1);
});

test('out_of_service ends the way into the past; new days are asked all the same', () => {
  const kept = new Kept('followers', { now: at('2026-03-10T10:00:00') });
  kept.run(at('2026-03-12T12:00:00'), (subject) =>
    subject < '2026-02-20' ? { outcome: 'out-of-service' } : ready,
  );
  const asked = kept.asked.map(({ subject }) => subject);
  assert.equal(asked.toSorted()[0], '2026-02-19');
  assert.ok(asked.includes('2026-03-11'));
});

test('an earlier first day goes on where the past ended', () => {
  const kept = new Kept('followers', { now: at('2026-03-10T10:00:00'), fromDay: '2026-03-05' });
  kept.run(at('2026-03-10T12:00:00'), () => ready);
  assert.equal(daysToAsk({ ...kept.standing, kind: 'followers' }, kept.now), 0);
  kept.fromDay = '2026-03-01';
  assert.equal(daysToAsk({ ...kept.standing, kind: 'followers' }, kept.now), 4);
  kept.asked.length = 0;
  kept.run(kept.now + hourMs, () => ready);
  assert.deepEqual(
    kept.asked.map(({ subject }) => subject),
    ['2026-03-04', '2026-03-03', '2026-03-02', '2026-03-01'],
  );
});

test('a send is asked for often at first, and for the last time when LINE counts no more', () => {
  const sentAt = at('2026-03-01T12:00:00');
  const kept = new Kept('message-event', { now: sentAt });
  kept.questions.set('request', sendQuestion('request', sentAt));
  kept.run(sentAt + 40 * dayMs, () => ready);
  const ages = kept.asked.map((ask) => (ask.at - sentAt) / hourMs);
  assert.ok(ages.length > 15 && ages.length < 40, `${ages.length} calls`);
  assert.ok((ages[0] ?? 0) >= 1 && (ages[0] ?? 0) < 2);
  assert.ok((ages.at(-1) ?? 0) >= 14 * 24 && (ages.at(-1) ?? 0) < 15 * 24);
  assert.equal(ages.filter((age) => age >= 14 * 24).length, 1);
});

test('quota is asked each hour, demographics once a day', () => {
  const calls = (kind: Kind) => {
    const kept = new Kept(kind, { now: at('2026-03-10T10:00:00') });
    kept.run(at('2026-03-20T10:00:00'), () => ready);
    return kept.asked.length;
  };
  assert.equal(calls('quota'), 240);
  assert.equal(calls('demographic'), 10);
});

test('failures are tried again with growing pauses, and one thing that always fails does not hold up the others', () => {
  const kept = new Kept('followers', { now: at('2026-03-10T10:00:00'), fromDay: '2026-02-01' });
  kept.run(at('2026-03-11T09:00:00'), (subject) =>
    subject === '2026-03-05' ? { failure: 'nonsense' } : ready,
  );
  assert.equal(daysToAsk({ ...kept.standing, kind: 'followers' }, kept.now), 0);
  const failed = kept.asked.filter(({ subject }) => subject === '2026-03-05').map((ask) => ask.at);
  const pauses = failed.slice(1).map((time, place) => time - (failed[place] ?? 0));
  assert.ok(failed.length > 3);
  assert.deepEqual(
    pauses,
    pauses.toSorted((a, b) => a - b),
  );
});

test('429 empties the bucket, 403 rests for a week, 401 asks no more by itself', () => {
  const now = at('2026-03-10T10:00:00');
  const question = { ...sendQuestion('request', now), askAt: now };
  const turn = (failure: 'limited' | 'unavailable' | 'token-refused') =>
    follow(
      { kind: 'message-event', failures: 0, question, fullAt: now },
      { failure },
      { now, chance: 0.5, limit },
    );
  assert.equal(turn('limited').fullAt, now + limit.burst * limit.intervalMs);
  assert.ok((turn('limited').pausedUntil ?? 0) >= now + minuteMs);
  assert.equal(turn('unavailable').pausedUntil, now + 7 * dayMs);
  assert.deepEqual(turn('token-refused').question, question);
});

test('whatever LINE answers: no more than 60 calls in any hour, nothing asked that is final, every wanted day told in the end', async (t) => {
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
        const kept = new Kept('followers', { now: start + startsAfterMs, fromDay });
        const chance = (...of: (string | number)[]) => hash(seed, of.join(' ')) % 100;
        const endsAt = start + 12 * dayMs;
        kept.run(endsAt, (subject, now) => {
          if (chance('fails', subject, now) < failurePercentage) {
            const failures = ['unreachable', 'nonsense', 'limited'] as const;
            return { failure: failures[chance('how', subject, now) % 3] ?? 'nonsense' };
          }
          const readyAt = lineDayStart(addDays(subject, 1)) + (chance('late', subject) / 100) * 2 * dayMs;
          return now < readyAt ? { outcome: 'unready' } : ready;
        });
        const times = kept.asked.map((ask) => ask.at);
        for (const [place, time] of times.entries()) {
          assert.ok((times[place + 60] ?? Infinity) > time + hourMs, 'more than 60 calls in an hour');
          assert.ok(
            (times[place + limit.burst] ?? Infinity) > time,
            'more calls at once than the bucket holds',
          );
        }
        assert.ok(kept.asked.every(({ wasFinal }) => !wasFinal));
        const [first] = kept.asked;
        assert.equal(first?.subject, latestDayAt(first?.at ?? 0));
        // What is younger may still be unready, and what failed often may be waiting.
        for (let day = fromDay; day <= addDays('2026-03-10', 5); day = addDays(day, 1)) {
          const question = kept.questions.get(day);
          assert.ok(question, `${day} was never asked`);
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
