import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import { mergeSessions, type Session, sessionOf, tallySession } from './conversations.ts';
import { Tally } from './counters.ts';

const gapMs = 15 * 60_000;
const at = (time: string): number => Date.parse(`2026-03-01T${time}+08:00`);

test('messages exactly one gap apart are one conversation, a millisecond more cuts', () => {
  const second = at('10:00:00') + gapMs;
  const sessions = (later: number) =>
    mergeSessions([sessionOf(at('10:00:00'), 'message-in'), sessionOf(later, 'message-in')], gapMs);
  assert.equal(sessions(second).length, 1);
  assert.equal(sessions(second + 1).length, 2);
});

test('the worked example gives two conversations, of 900 s and of 0 s', () => {
  const times = ['10:01:00', '10:16:00', '10:31:01'].map(at);
  const sessions = mergeSessions(
    times.map((time) => sessionOf(time, 'message-in')),
    gapMs,
  );
  assert.deepEqual(
    sessions.map(({ firstAt, lastAt, inbound }) => [(lastAt - firstAt) / 1_000, inbound]),
    [
      [900, 2],
      [0, 1],
    ],
  );
});

test('a late message merges the two conversations around it', () => {
  const early: Session[] = [
    sessionOf(at('10:00:00'), 'message-in'),
    sessionOf(at('10:20:00'), 'message-out'),
  ];
  assert.equal(mergeSessions(early, gapMs).length, 2);
  assert.deepEqual(mergeSessions([...early, sessionOf(at('10:10:00'), 'message-in')], gapMs), [
    { firstAt: at('10:00:00'), lastAt: at('10:20:00'), inbound: 2, outbound: 1 },
  ]);
});

test('messages of the business alone are no conversation, and the day of the first message counts', () => {
  const tally = new Tally('Asia/Taipei');
  tallySession(tally, 'whatsapp', sessionOf(at('10:00:00'), 'message-out'), 1);
  assert.deepEqual(tally.rows().totals, []);
  const overMidnight = { firstAt: at('23:59:00'), lastAt: at('23:59:00') + 120_000, inbound: 1, outbound: 1 };
  tallySession(tally, 'whatsapp', overMidnight, 1);
  assert.deepEqual(
    tally
      .rows()
      .days.map(({ day, sums }) => [day, sums.conversations, sums.conversationMessages, sums.conversationMs]),
    [['2026-03-01', 1, 2, 120_000]],
  );
});

/** The definition, word for word: messages in order of time, cut at each pause longer than the gap. */
function cut(messages: readonly { time: number; inbound: boolean }[]): Session[] {
  const sessions: Session[] = [];
  for (const { time, inbound } of [...messages].sort((a, b) => a.time - b.time)) {
    const last = sessions.at(-1);
    if (!last || time - last.lastAt > gapMs)
      sessions.push({ firstAt: time, lastAt: time, inbound: 0, outbound: 0 });
    const session = sessions.at(-1);
    assert.ok(session);
    session.lastAt = time;
    if (inbound) session.inbound++;
    else session.outbound++;
  }
  return sessions;
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
      let merged: Session[] = [];
      for (const group of groups.values()) {
        const added = group.map(({ time, inbound }) =>
          sessionOf(time, inbound ? 'message-in' : 'message-out'),
        );
        merged = mergeSessions([...merged, ...mergeSessions(added, gapMs)], gapMs);
      }
      assert.deepEqual(merged, cut(messages));
    }),
  );
});
