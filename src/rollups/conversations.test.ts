import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import { mergeRuns, type Run, runOf, tallyRun } from './conversations.ts';
import { Tally } from './counters.ts';

const gapMs = 15 * 60_000;
const at = (time: string): number => Date.parse(`2026-03-01T${time}+08:00`);

test('messages exactly one gap apart are one conversation, a millisecond more cuts', () => {
  const second = at('10:00:00') + gapMs;
  const runs = (later: number) =>
    mergeRuns([runOf(at('10:00:00'), 'message-in'), runOf(later, 'message-in')], gapMs);
  assert.equal(runs(second).length, 1);
  assert.equal(runs(second + 1).length, 2);
});

test('the worked example gives two conversations, of 900 s and of 0 s', () => {
  const times = ['10:01:00', '10:16:00', '10:31:01'].map(at);
  const runs = mergeRuns(
    times.map((time) => runOf(time, 'message-in')),
    gapMs,
  );
  assert.deepEqual(
    runs.map(({ firstAt, lastAt, inbound }) => [(lastAt - firstAt) / 1_000, inbound]),
    [
      [900, 2],
      [0, 1],
    ],
  );
});

test('a late message joins the two conversations around it', () => {
  const early: Run[] = [runOf(at('10:00:00'), 'message-in'), runOf(at('10:20:00'), 'message-out')];
  assert.equal(mergeRuns(early, gapMs).length, 2);
  assert.deepEqual(mergeRuns([...early, runOf(at('10:10:00'), 'message-in')], gapMs), [
    { firstAt: at('10:00:00'), lastAt: at('10:20:00'), inbound: 2, outbound: 1 },
  ]);
});

test('messages of the business alone are no conversation, and the day of the first message counts', () => {
  const tally = new Tally('Asia/Taipei');
  tallyRun(tally, 'whatsapp', runOf(at('10:00:00'), 'message-out'), 1);
  assert.deepEqual(tally.rows().totals, []);
  const overMidnight = { firstAt: at('23:59:00'), lastAt: at('23:59:00') + 120_000, inbound: 1, outbound: 1 };
  tallyRun(tally, 'whatsapp', overMidnight, 1);
  assert.deepEqual(
    tally
      .rows()
      .days.map(({ day, sums }) => [day, sums.conversations, sums.conversationMessages, sums.conversationMs]),
    [['2026-03-01', 1, 2, 120_000]],
  );
});

/** The definition, word for word: messages in order of time, cut at each pause longer than the gap. */
function cut(messages: readonly { time: number; inbound: boolean }[]): Run[] {
  const runs: Run[] = [];
  for (const { time, inbound } of [...messages].sort((a, b) => a.time - b.time)) {
    const last = runs.at(-1);
    if (!last || time - last.lastAt > gapMs)
      runs.push({ firstAt: time, lastAt: time, inbound: 0, outbound: 0 });
    const run = runs.at(-1);
    assert.ok(run);
    run.lastAt = time;
    if (inbound) run.inbound++;
    else run.outbound++;
  }
  return runs;
}

test('merging in any order and in any groups gives what the definition gives', async (t) => {
  const message = fc.record({
    time: fc.integer({ min: 0, max: 40 }).map((steps) => (steps * gapMs) / 3),
    inbound: fc.boolean(),
    group: fc.nat({ max: 3 }),
  });
  await holds(
    t,
    fc.property(fc.array(message, { maxLength: 25 }), (messages) => {
      const groups = Map.groupBy(messages, ({ group }) => group);
      let kept: Run[] = [];
      for (const group of groups.values()) {
        const added = group.map(({ time, inbound }) => runOf(time, inbound ? 'message-in' : 'message-out'));
        kept = mergeRuns([...kept, ...mergeRuns(added, gapMs)], gapMs);
      }
      assert.deepEqual(kept, cut(messages));
    }),
  );
});
