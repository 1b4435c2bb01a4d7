/** The collector over real HTTP against a simulated LINE, in simulated time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collecting } from '../../../tests/harness/collecting.ts';
import { recordSend } from '../../../tests/harness/line-figures.ts';
import { addDays, dayMs, hourMs, minuteMs } from '../../time.ts';
import { importSnapshots } from '../snapshots.ts';
import { dayKinds } from './kinds.ts';

const at = (time: string) => Date.parse(`${time}+09:00`);
const start = at('2026-03-10T10:30:00');

test('after a complete collection every figure equals LINE’s answer', async (t) => {
  const test = await collecting(t, { now: start });
  test.line.firstDay = '2026-02-20';
  await test.run(3 * hourMs);
  for (const kind of dayKinds) {
    const answers: Record<string, unknown> = {};
    for (let day = '2026-02-19'; day <= '2026-03-09'; day = addDays(day, 1))
      answers[day] = test.line.answer(kind, day);
    assert.deepEqual(await test.snapshots(kind), answers, kind);
  }
  assert.deepEqual(await test.snapshots('quota'), {
    '2026-03-10': { type: 'limited', value: 3_000, totalUsage: 420 },
  });
  assert.deepEqual(await test.snapshots('demographic'), {
    '2026-03-10': test.line.answer('demographic', ''),
  });
  const [channel] = await test.sql`select account_id from channels`;
  assert.equal(channel?.account_id, test.line.accountId);
  const [totals] = await test.sql`select outbound from totals where platform = 'line'`;
  const messages = Object.values(await test.snapshots('delivery')) as Record<string, number>[];
  const sum = messages.reduce((so, { apiPush = 0, stepMessage = 0 }) => so + apiPush + stepMessage, 0);
  assert.equal(totals?.outbound, sum);
  const aside = await test.sql`select from deliveries where set_aside_reason is not null`;
  assert.equal(aside.length, 0);
  assert.ok(test.calls.every((call) => call.endsWith(' answered')));
});

test('no endpoint is called more than 60 times in any hour, and yesterday comes first', async (t) => {
  const test = await collecting(t, { now: start });
  await test.only('followers', 'sent-push');
  await test.run(2 * hourMs);
  for (const endpoint of new Set(test.line.calls.map((call) => call.endpoint))) {
    const times = test.line.calls.filter((call) => call.endpoint === endpoint).map((call) => call.at);
    for (const [index, time] of times.entries())
      assert.ok((times[index + 60] ?? Infinity) > time + hourMs, endpoint);
  }
  for (const kind of ['followers', 'sent-push']) {
    const days = test.line.callsOf(kind);
    assert.equal(days[0], '2026-03-09');
    assert.ok(days.length > 50);
    assert.equal(new Set(days).size, days.length, 'a day was requested twice');
  }
});

test('the figures of a rich menu are collected daily by month until they are final, and a deleted menu is not asked about again', async (t) => {
  const test = await collecting(t, { now: at('2026-03-30T10:30:00') });
  const [kept, deleted] = ['richmenu-kept', 'richmenu-deleted'];
  test.line.richMenuIds = [kept, deleted];
  test.line.fault = ({ endpoint, subject }) =>
    endpoint.startsWith('rich-menu-') && subject.startsWith(deleted)
      ? { status: 404, body: '{"message":"Not found"}' }
      : null;
  await test.only('rich-menus', 'rich-menu-daily', 'rich-menu-summary');
  const reports = async () => {
    const rows = await test.sql`
      select rich_menu_id as id, kind, to_char(first_day, 'MM-DD') as from, to_char(last_day, 'MM-DD') as to
      from line_rich_menu_events order by kind, first_day`;
    return rows.map(({ id, kind, from, to }) => `${id} ${kind} ${from} ${to}`);
  };
  for (let hours = 0; hours < 3; hours += 1) await test.run(hourMs);
  assert.deepEqual(await reports(), [
    `${kept} rich-menu-daily 03-01 03-29`,
    `${kept} rich-menu-summary 03-01 03-29`,
  ]);
  test.line.richMenuIds = [kept];
  for (let days = 0; days < 8; days += 1) await test.run(dayMs);
  assert.deepEqual(await reports(), [
    `${kept} rich-menu-daily 03-01 03-31`,
    `${kept} rich-menu-daily 04-01 04-06`,
    `${kept} rich-menu-summary 03-01 03-31`,
    `${kept} rich-menu-summary 04-01 04-06`,
  ]);
  const calls = test.line.callsOf('rich-menu-daily');
  assert.equal(calls.filter((call) => call.startsWith(deleted)).length, 1);
  assert.deepEqual(
    calls.filter((call) => call.startsWith(`${kept} 202603`)).map((call) => call.slice(-4)),
    ['0329', '0330', '0331', '0331', '0331', '0331'],
  );
});

test('an unready day is missing, not 0, until LINE reports it', async (t) => {
  const test = await collecting(t, { now: start });
  test.line.firstDay = '2026-03-08';
  test.line.readyDay = '2026-03-08';
  await test.only('delivery');
  await test.run(3 * hourMs);
  assert.equal((await test.snapshots('delivery'))['2026-03-09'], undefined);
  test.line.readyDay = '2026-03-09';
  await test.run(2 * hourMs);
  assert.deepEqual(
    (await test.snapshots('delivery'))['2026-03-09'],
    test.line.answer('delivery', '2026-03-09'),
  );
});

test('a correction by LINE replaces the day, and an equal answer is not stored again', async (t) => {
  const test = await collecting(t, { now: start });
  test.line.firstDay = '2026-03-07';
  await test.only('followers', 'delivery');
  await test.run(hourMs);
  const entries = async () => {
    const [row] = await test.sql`
      select count(*)::integer as count from deliveries where convert_from(body, 'UTF8') like '%"2026-03-09"%'`;
    return row?.count;
  };
  const before = await entries();
  const corrected = { status: 'ready', followers: 7, blocks: 1, targetedReaches: 6 };
  test.line.corrections.set('followers 2026-03-09', corrected);
  await test.run(2 * dayMs);
  assert.deepEqual((await test.snapshots('followers'))['2026-03-09'], corrected);
  assert.equal(test.line.callsOf('followers').filter((day) => day === '2026-03-09').length, 3);
  assert.equal(await entries(), before + 1);
});

test('the next answer of LINE replaces a different imported figure, even if the answer is unchanged', async (t) => {
  const test = await collecting(t, { now: start });
  test.line.firstDay = '2026-03-08';
  const unit = { unit: 'spring_sale', recipients: 9, sentAt: start };
  await recordSend(test.sql, test.botId, { ...unit, requestId: 'push-1', kind: 'multicast' });
  const broadcast = { unit: null, recipients: null, sentAt: start };
  await recordSend(test.sql, test.botId, { ...broadcast, requestId: 'broadcast-1', kind: 'broadcast' });
  await test.run(26 * hourMs);
  const readAnswers = () => test.sql`
    select kind as name, value from snapshots where day = '2026-03-09'
    union all
    select * from (
      select distinct on (kind) kind, value from snapshots where kind in ('quota', 'demographic') order by kind, day desc
    ) latest
    union all select 'event ' || request_id, value from line_message_events
    union all select 'unit ' || unit, value from line_unit_events
    order by name`;
  const observed = await readAnswers();
  assert.equal(observed.length, 6 + 2 + 2);
  const counts = { status: 'ready', followers: 1, targetedReaches: 1, blocks: 0, success: 1, apiPush: 1 };
  const statistic = { overview: { delivered: 1 }, messages: [], clicks: [] };
  const entries = [
    ...dayKinds.map((kind) => ({ kind, day: '2026-03-09', value: counts })),
    { kind: 'quota', day: '2026-03-11', value: { type: 'limited', value: 1, totalUsage: 1 } },
    { kind: 'demographic', day: '2026-03-11', value: { available: false } },
    { kind: 'message-event', requestId: 'broadcast-1', value: statistic },
    { kind: 'unit', unit: 'spring_sale', from: '2026-03-10', to: '2026-03-10', value: statistic },
  ];
  await importSnapshots(test.sql, { botId: test.botId, entries }, { now: test.now });
  for (const { name, value } of await readAnswers())
    assert.notDeepEqual(value, observed.find((row) => row.name === name)?.value, name);
  await test.run(2 * hourMs);
  assert.deepEqual(
    (await test.snapshots('quota'))['2026-03-11'],
    observed.find(({ name }) => name === 'quota')?.value,
  );
  await test.run(2 * dayMs);
  assert.deepEqual(await readAnswers(), observed);
});

test('statistics of broadcasts are requested until 14 days after sending, and give the number of recipients', async (t) => {
  const test = await collecting(t, { now: start });
  test.line.firstDay = '2026-03-09';
  const send = { unit: null, recipients: null, sentAt: start };
  await recordSend(test.sql, test.botId, { ...send, requestId: 'broadcast-1', kind: 'broadcast' });
  await recordSend(test.sql, test.botId, { ...send, requestId: 'push-1', kind: 'push', recipients: 1 });
  await test.only('message-event');
  await test.run(2 * hourMs);
  const sends = await test.sql`select request_id, recipients from line_sends order by request_id`;
  assert.deepEqual(
    sends.map(({ recipients }) => recipients),
    [320, 1],
  );
  await test.run(15 * dayMs);
  const calls = test.line.calls.filter(({ endpoint }) => endpoint === 'message-event');
  assert.ok(calls.every(({ subject }) => subject === 'broadcast-1'));
  assert.equal(calls.filter((call) => call.at >= start + 14 * dayMs).length, 1);
  const [statistics] = await test.sql`select value from line_message_events`;
  assert.deepEqual(statistics?.value, test.line.answer('message-event', ''));
});

test('statistics of a unit are requested for the days of its sends in a month, and longer ranges replace shorter ones', async (t) => {
  const test = await collecting(t, { now: start });
  test.line.firstDay = '2026-03-09';
  const push = (requestId: string, sentAt: number) =>
    recordSend(test.sql, test.botId, {
      requestId,
      kind: 'multicast',
      unit: 'spring_sale',
      recipients: 9,
      sentAt,
    });
  await test.only('unit');
  await push('1', at('2026-02-27T23:59:59'));
  await push('2', at('2026-03-02T00:00:00'));
  await test.run(hourMs);
  await push('3', at('2026-03-10T11:00:00'));
  await test.run(hourMs);
  await test.run(17 * dayMs);
  const calls = test.line.calls.filter(({ endpoint }) => endpoint === 'unit');
  const last = new Map(calls.map(({ subject, at }) => [subject, at]));
  const [february = '', short = '', long = ''] = [...last.keys()];
  assert.deepEqual(
    [february, short, long],
    ['spring_sale 20260227 20260227', 'spring_sale 20260302 20260302', 'spring_sale 20260302 20260310'],
  );
  assert.ok((last.get(long) ?? 0) >= at('2026-03-25T00:00:00'));
  const statistics =
    await test.sql`select unit, to_char(last_day, 'YYYY-MM-DD') as to from line_unit_events order by last_day`;
  assert.deepEqual(
    statistics.map(({ to }) => to),
    ['2026-02-27', '2026-03-02', '2026-03-10'],
  );
});

test('a refused token stops the whole collection of the channel until another one is set', async (t) => {
  const test = await collecting(t, { now: start });
  test.line.token = 'another-token';
  await test.run(hourMs);
  const calls = test.line.calls.length;
  assert.ok(calls >= 1 && calls <= 4, `${calls} calls with a refused token`);
  await test.run(dayMs);
  assert.equal(test.line.calls.length, calls);
  test.line.firstDay = '2026-03-01';
  await test.setToken('another-token');
  await test.run(hourMs);
  assert.equal(Object.keys(await test.snapshots('followers')).length, 10);
});

test('a kind that LINE does not offer to the account is requested rarely, and the others continue', async (t) => {
  const test = await collecting(t, { now: start });
  test.line.fault = ({ endpoint }) =>
    endpoint === 'demographic'
      ? { status: 403, body: '{"message":"Access to this API is not available for your account"}' }
      : null;
  test.line.firstDay = '2026-03-01';
  test.line.readyDay = '2026-04-01';
  await test.only('demographic', 'followers');
  await test.run(10 * dayMs);
  assert.equal(test.line.callsOf('demographic').length, 2);
  assert.equal(Object.keys(await test.snapshots('followers')).length, 20);
});

test('429 causes a pause, then collection continues', async (t) => {
  const test = await collecting(t, { now: start });
  test.line.firstDay = '2026-02-20';
  await test.only('followers');
  let refusals = 0;
  test.line.fault = ({ endpoint }) =>
    endpoint === 'followers' && refusals++ < 3 ? { status: 429, body: '{"message":"rate limit"}' } : null;
  await test.run(2 * hourMs);
  const [first = 0, second = 0] = test.line.calls
    .filter((call) => call.endpoint === 'followers')
    .map((call) => call.at);
  assert.ok(second - first >= minuteMs * 0.75);
  assert.ok(Object.keys(await test.snapshots('followers')).length > 15);
});

test('errors, timeouts and invalid answers never become figures, and their questions are requested again', async (t) => {
  const test = await collecting(t, {
    now: start,
    times: { headMs: 60, allMs: 150 },
  });
  await test.only('followers');
  test.line.firstDay = '2026-03-01';
  const faults = [
    { status: 500, body: '{"message":"Internal Server Error"}' },
    { status: 0, body: '' },
    { status: 200, body: '{"status":"ready","followers":"many"}' },
    { status: 200, body: '<html>maintenance</html>' },
    { status: 200, body: '[]' },
    { status: 200, body: `"${'x'.repeat(1_100_000)}"` },
    { status: 302, body: '' },
    { status: 200, body: '{"status":"ready","followers":1,"blocks":1}', afterMs: 400 },
    { status: 400, body: '{"message":"Bad Request"}' },
  ];
  let failures = 0;
  test.line.fault = () => faults[failures++ % faults.length] ?? null;
  await test.run(2 * hourMs);
  assert.ok(failures >= faults.length, `${failures} calls`);
  assert.deepEqual(await test.snapshots('followers'), {});
  test.line.fault = () => null;
  await test.run(20 * hourMs);
  const snapshots = await test.snapshots('followers');
  for (let day = '2026-03-01'; day <= '2026-03-09'; day = addDays(day, 1))
    assert.deepEqual(snapshots[day], test.line.answer('followers', day));
  const outcomes = new Set(test.calls.filter((call) => call.startsWith('followers')));
  assert.deepEqual(outcomes, new Set(['followers unreachable', 'followers answered', 'followers nonsense']));
});

test('an unreachable LINE is retried, and nothing is lost', async (t) => {
  const test = await collecting(t, { now: start });
  test.line.fault = () => ({ status: 0, body: '' });
  test.line.firstDay = '2026-03-05';
  await test.only('followers', 'quota');
  await test.run(6 * hourMs);
  const followers = test.line.callsOf('followers').length;
  assert.ok(followers > 10 && followers < 40, `${followers} calls to an unreachable LINE`);
  test.line.fault = () => null;
  await test.run(6 * hourMs);
  assert.equal(Object.keys(await test.snapshots('followers')).length, 6);
});

test('two processes never ask the same question at once, nor an answered day again', async (t) => {
  const test = await collecting(t, { now: start });
  test.line.fault = () => null;
  const other = test.addCollector();
  for (let minute = 0; minute < 60; minute += 1) {
    await Promise.all([test.collector.round(), other.round(), test.collector.round()]);
    test.now += minuteMs;
  }
  assert.equal(test.line.overlaps, 0);
  const days = test.line.callsOf('followers');
  assert.equal(new Set(days).size, days.length);
  assert.ok(days.length > 40 && days.length <= 60, `${days.length} calls`);
});

test('a destination that differs from the account is reported and stays', async (t) => {
  const test = await collecting(t, { now: start });
  const set = `U${'0'.repeat(32)}`;
  await test.sql`update channels set account_id = ${set}`;
  await test.only('info');
  await test.run(hourMs);
  const [channel] = await test.sql`select account_id from channels`;
  assert.equal(channel?.account_id, set);
  const [info] = await test.sql`select state, problem from collections where kind = 'info'`;
  assert.match(info?.problem, /U0000.*ignored/);
});

test('credentials that cannot be decrypted stop the calls, not the process, and the problem names the remedy', async (t) => {
  const test = await collecting(t, { now: start });
  await test.sql`update channels set access_token_sealed = 'no box'`;
  await test.run(hourMs);
  assert.equal(test.line.calls.length, 0);
  const states = await test.sql`select distinct state, problem from collections
    where kind not in ('message-event', 'unit', 'rich-menu-daily', 'rich-menu-summary')`;
  assert.deepEqual(
    states.map(({ state }) => state),
    ['sealed'],
  );
  assert.match(states[0]?.problem, /or set the access token again/);
});

test('the access token appears neither in the log nor in the database, even if the answer contains it', async (t) => {
  const test = await collecting(t, { now: start });
  test.line.fault = ({ endpoint }) => ({
    status: endpoint === 'followers' ? 200 : 500,
    body: JSON.stringify({ status: test.line.token, message: `Bearer ${test.line.token}` }),
  });
  await test.run(hourMs);
  assert.ok(test.logEntries.length > 0);
  const texts = await test.sql`
    select convert_from(body, 'UTF8') as text from deliveries
    union all select problem from collections union all select problem from collection_questions`;
  assert.ok(texts.length > 0);
  assert.ok(!JSON.stringify([...texts, test.logEntries]).includes(test.line.token));
});
