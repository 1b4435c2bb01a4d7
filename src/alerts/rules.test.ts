import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayMs, hourMs, minuteMs } from '../time.ts';
import { calmMs, changesOf, type RunningAlert } from './changes.ts';
import { businessHours, type Facts, readingsOf } from './readings.ts';
import { defaultOf, type Reading, type RuleName, ruleNames } from './rules.ts';
import { languages } from './targets.ts';
import { summaryOf, textOf } from './texts.ts';

/** A Monday, 18:00 in Taipei. */
const now = Date.parse('2026-03-16T10:00:00Z');
const quiet: Facts = {
  ...{
    botId: 'shop',
    timeZone: 'Asia/Taipei',
    today: [],
    lineFollowers: null,
    quota: null,
    tokens: [],
    stopped: [],
  },
  channels: [{ platform: 'line', enabled: true, hasAccess: true, changedAt: 0 }],
  totals: [{ platform: 'line', followers: 1_000, blocks: 100, lastDeliveryAt: now - minuteMs }],
  ...{ wrongSignatures: [], oldestAt: null, givenUp: null },
};

/** The default rules that begin with these facts. */
function begun(part: Partial<Facts>): string[] {
  const readings = readingsOf({ ...quiet, ...part }, defaultOf, now);
  return changesOf(readings, [], { settingsOf: defaultOf, now }).flatMap((change) =>
    change.kind === 'begin' ? [change.rule] : [],
  );
}

test('each default rule begins at its threshold, and not before', () => {
  const lineSilentFor = (ms: number) => [{ ...quiet.totals[0]!, lastDeliveryAt: now - ms }];
  const quotaOf = (used: number, day = '2026-03-16') => ({ day, at: now, size: 1_000, used });
  const cases: [RuleName[], Partial<Facts>][] = [
    [[], {}],
    [['no-delivery'], { totals: lineSilentFor(27 * hourMs) }],
    [[], { totals: lineSilentFor(20 * hourMs) }],
    [
      [],
      {
        totals: lineSilentFor(27 * hourMs),
        channels: [{ platform: 'line', enabled: false, hasAccess: true, changedAt: 0 }],
      },
    ],
    [
      [],
      {
        totals: lineSilentFor(27 * hourMs),
        channels: [{ platform: 'line', enabled: true, hasAccess: true, changedAt: now - hourMs }],
      },
    ],
    [['wrong-signatures'], { wrongSignatures: [{ platform: 'line', count: 10 }] }],
    [[], { wrongSignatures: [{ platform: 'line', count: 9 }] }],
    [['collection-stopped'], { stopped: ['line'] }],
    [
      [],
      { stopped: ['line'], channels: [{ platform: 'line', enabled: true, hasAccess: false, changedAt: 0 }] },
    ],
    [['quota-expected'], { quota: quotaOf(700) }],
    [['quota-used', 'quota-expected'], { quota: quotaOf(800) }],
    [['quota-used', 'quota-full', 'quota-expected'], { quota: quotaOf(1_000) }],
    [[], { quota: quotaOf(1_000, '2026-02-28') }],
    [[], { quota: { ...quotaOf(1_000), size: null } }],
    [['backlog'], { oldestAt: now - minuteMs }],
    [[], { oldestAt: now - minuteMs + 1_000 }],
    [['webhook-given-up'], { givenUp: 1 }],
    [[], { givenUp: 0 }],
    [['token-expiring'], { tokens: [{ platform: 'line', expiresAt: now + 7 * dayMs }] }],
    [[], { tokens: [{ platform: 'line', expiresAt: now + 8 * dayMs }] }],
    [['followers-falling'], { today: [{ platform: 'line', followers: 0, blocks: 50 }] }],
    [[], { today: [{ platform: 'line', followers: 20, blocks: 50 }] }],
    [
      [],
      {
        today: [{ platform: 'line', followers: 0, blocks: 50 }],
        lineFollowers: { followers: 5_000, blocks: 0 },
      },
    ],
    [['blocks'], { today: [{ platform: 'line', followers: 90, blocks: 100 }] }],
  ];
  for (const [expected, part] of cases) assert.deepEqual(begun(part), expected, JSON.stringify(part));
});

test('only business hours count: 27 hours with a night between them are 15', () => {
  const hours = { from: 9, until: 21, weekdays: [1, 2, 3, 4, 5, 6, 7] };
  const span = (ms: number) => ({ from: now - ms, to: now });
  const count = (ms: number, weekdays = hours.weekdays) =>
    businessHours(span(ms), { ...hours, weekdays }, 'Asia/Taipei');
  assert.equal(count(2 * hourMs), 2);
  assert.equal(count(24 * hourMs), 12);
  assert.equal(count(27 * hourMs), 15, 'Sunday 15:00 to 21:00 are 6 hours, Monday 9:00 to 18:00 are 9');
  assert.equal(count(27 * hourMs, [1, 2, 3, 4, 5]), 9);
  assert.equal(count(365 * dayMs), 168, 'the count is bounded');
});

test('an alert ends once its number has passed the calm level for ten minutes, and never begins twice', () => {
  const at = (value: number): Reading => ({ rule: 'backlog', subject: '', value });
  const alert: RunningAlert = { botId: 'shop', alertId: 1, rule: 'backlog', subject: '', calmSince: null };
  const changes = (readings: Reading[], running: RunningAlert[], time = now) =>
    changesOf(readings, running, { settingsOf: defaultOf, now: time });
  assert.deepEqual(changes([at(60)], []), [
    { kind: 'begin', rule: 'backlog', subject: '', value: 60, threshold: 60 },
  ]);
  assert.deepEqual(changes([at(90)], [alert]), []);
  assert.deepEqual(changes([at(59)], [alert]), [], 'near the threshold it still runs');
  assert.deepEqual(changes([at(29)], [alert]), [{ kind: 'calm', alertId: 1, since: now }]);
  const calm = { ...alert, calmSince: now };
  assert.deepEqual(changes([at(0)], [calm], now + calmMs - 1), []);
  assert.deepEqual(changes([at(45)], [calm], now + calmMs), [{ kind: 'calm', alertId: 1, since: null }]);
  assert.deepEqual(changes([at(0)], [calm], now + calmMs), [{ kind: 'end', alertId: 1 }]);
  assert.deepEqual(changes([], [calm], now + calmMs), [{ kind: 'end', alertId: 1 }], 'the rule is off');
});

test('every rule has a text in every language, with the bot, the platform, the number and the times', () => {
  const facts = {
    ...{ alertId: 1, subject: 'line', value: 81.25, threshold: 80, key: '', beganAt: new Date(now) },
    ...{ endedAt: new Date(now + hourMs), publicUrl: 'https://shoal.example' },
    bot: { botId: 'shop', name: '小店', timeZone: 'Asia/Taipei' },
  };
  for (const language of languages) {
    const lines = ruleNames.map((rule) => summaryOf({ ...facts, rule, language, phase: 'begin' }));
    assert.equal(new Set(lines).size, ruleNames.length);
    for (const line of lines) assert.ok(line.includes('小店 · LINE') && !/[{}]/.test(line), line);
  }
  assert.equal(
    textOf({ ...facts, rule: 'quota-used', language: 'en', phase: 'end' }).replaceAll('\u202f', ' '),
    'Resolved: 小店 · LINE – 81.3 % of the monthly message quota is used (limit 80 %)\n' +
      'Since: Mar 16, 2026, 6:00 PM\nUntil: Mar 16, 2026, 7:00 PM\nDetails: https://shoal.example/bots/shop/alerts',
  );
});
