import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../tests/harness/database.ts';
import { foldPending } from '../../tests/harness/fold.ts';
import { putSnapshot } from '../../tests/harness/line-figures.ts';
import { holds } from '../../tests/harness/property.ts';
import type { Sql } from '../database/client.ts';
import { readContract } from '../http/contract.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import { isObject } from '../json.ts';
import { lineZone } from '../time.ts';
import { demographicWords } from './answers.ts';
import { findLatest, importSnapshots, lineDeliverySums } from './snapshots.ts';

const now = Date.parse('2026-03-10T00:00:00Z');
const unready = { status: 'unready' };

async function addBot(sql: Sql, botId: string, timeZone = 'Asia/Taipei'): Promise<void> {
  await sql`insert into bots (bot_id, name, time_zone) values (${botId}, 'Bot', ${timeZone})`;
}

async function outbound(
  sql: Sql,
  botId: string,
): Promise<{ total: number; days: [string, string, number][] }> {
  const [totals] = await sql<{ outbound: number }[]>`
    select outbound::integer from totals where bot_id = ${botId} and platform = 'line'`;
  const days = await sql<{ zone: string; day: string; outbound: number }[]>`
    select zone, to_char(day, 'YYYY-MM-DD') as day, outbound::integer from days
    where bot_id = ${botId} and platform = 'line' and outbound <> 0 order by days.day, zone`;
  return { total: totals?.outbound ?? 0, days: days.map((row) => [row.zone, row.day, row.outbound]) };
}

function delivery(messages: number, status = 'ready'): object {
  return status === 'ready' ? { status, broadcast: messages } : { status };
}

/** Puts an answer of LINE into the inbox. */
function putAnswer(sql: Sql, text: string, receivedAt: number): Promise<unknown> {
  const body = Buffer.from(text);
  return putDeliveries(sql, [{ botId: 'bot', platform: 'line', source: 'line-answer', body, receivedAt }]);
}

const random = () => assert.fail('no random bytes are needed');

test('a delivery snapshot sets the messages of its day in the bot’s zone and LINE’s, and a later one replaces it', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, 'bot');
  const put = (day: string, value: object, receivedAt = now) =>
    putSnapshot(sql, { botId: 'bot', kind: 'delivery', day, value, receivedAt });
  await put('2026-03-01', { status: 'ready', broadcast: 100, apiReply: 5, stepMessage: 3 });
  await put('20260302', { status: 'ready', apiPush: 7 });
  assert.deepEqual(await outbound(sql, 'bot'), {
    total: 115,
    days: [
      ['Asia/Taipei', '2026-03-01', 108],
      [lineZone, '2026-03-01', 108],
      ['Asia/Taipei', '2026-03-02', 7],
      [lineZone, '2026-03-02', 7],
    ],
  });
  await put('2026-03-01', { status: 'ready', broadcast: 40 }, now + 1);
  await put('2026-03-01', { status: 'ready', broadcast: 40 }, now + 1);
  assert.equal((await outbound(sql, 'bot')).total, 47);
  assert.deepEqual(await lineDeliverySums(sql, 'bot'), [
    { day: '2026-03-01', messages: 40 },
    { day: '2026-03-02', messages: 7 },
  ]);
});

test('an answer of LINE in the inbox is stored like an imported one, and an unreadable one is set aside', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, 'bot');
  const put = (text: string, receivedAt = now) => putAnswer(sql, text, receivedAt);
  const answer = (value: object) => JSON.stringify({ kind: 'delivery', day: '20260301', value });
  await put(answer({ status: 'ready', broadcast: 100 }), now + 1);
  await put(answer(unready), now + 2);
  await put(answer({ status: 'ready', broadcast: 7 }));
  await put('{"kind":"delivery","day":"20260302","value":{"status":"ready","broadcast":-1}}');
  await put('<html>');
  const outcome = await foldPending(sql, 'bot', { now: now + 3, random });
  assert.equal((await outbound(sql, 'bot')).total, 100);
  assert.deepEqual(
    outcome.setAside.map(({ reason }) => reason),
    ['value.broadcast must be a whole number from 0, not -1.', 'JSON was expected.'],
  );
});

test('a ready snapshot stays when LINE later reports the day as unready', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, 'bot', lineZone);
  const put = (value: object, receivedAt: number) =>
    putSnapshot(sql, { botId: 'bot', kind: 'delivery', day: '2026-03-01', value, receivedAt });
  assert.deepEqual(await put(unready, now), { stored: 1, passedOver: 0 });
  assert.equal((await outbound(sql, 'bot')).total, 0);
  assert.deepEqual(await put(delivery(9), now + 1), { stored: 1, passedOver: 0 });
  assert.deepEqual(await put(unready, now + 2), { stored: 0, passedOver: 1 });
  assert.deepEqual(await outbound(sql, 'bot'), { total: 9, days: [[lineZone, '2026-03-01', 9]] });
});

test('an import stores answers of every kind unchanged', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, 'bot');
  const entries = [
    {
      kind: 'followers',
      day: '20260301',
      value: { status: 'ready', followers: 10, targetedReaches: 8, blocks: 1 },
    },
    { kind: 'delivery', day: '20260301', value: { status: 'ready', broadcast: 4 } },
    { kind: 'delivery', day: '20260301', value: { status: 'ready', broadcast: 5, 新: '字' } },
    { kind: 'demographic', day: '2026-03-01', value: { available: false } },
    { kind: 'quota', day: '2026-03-01', value: { type: 'limited', value: 3000, totalUsage: 7 } },
  ];
  assert.deepEqual(await importSnapshots(sql, { botId: 'bot', entries }, { now }), {
    stored: 5,
    passedOver: 0,
  });
  assert.deepEqual(await importSnapshots(sql, { botId: 'bot', entries }, { now }), {
    stored: 5,
    passedOver: 0,
  });
  const rows = await sql<{ kind: string; value: unknown }[]>`select kind, value from snapshots order by kind`;
  assert.deepEqual(
    rows.map(({ value }) => value),
    [2, 3, 0, 4].map((index) => entries[index]?.value),
  );
  assert.equal((await outbound(sql, 'bot')).total, 5);
});

test('an import with a wrong entry names its index and changes nothing', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, 'bot');
  const good = { kind: 'delivery', day: '20260301', value: { status: 'ready', broadcast: 4 } };
  const entries = [good, { ...good, day: '20260229' }, 'text', { ...good, day: '20260312' }];
  await assert.rejects(importSnapshots(sql, { botId: 'bot', entries }, { now }), {
    code: 'INPUT_INVALID',
    message: [
      'Nothing was imported.',
      'index 1: day must be a calendar day from 2000 to 2199, YYYYMMDD or YYYY-MM-DD, not "20260229".',
      'index 2: an object with kind, day and value was expected, not "text".',
      'index 3: day must not be in the future, not "20260312".',
    ].join('\n  '),
  });
  await assert.rejects(importSnapshots(sql, { botId: 'bot', entries: good }, { now }), {
    code: 'INPUT_INVALID',
  });
  await assert.rejects(importSnapshots(sql, { botId: 'none', entries: [good] }, { now }), {
    code: 'BOT_NOT_FOUND',
  });
  assert.equal((await sql`select from snapshots`).length, 0);
});

test('an import allows only values of LINE’s contract, but LINE’s own answers may contain new ones', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, 'bot');
  const shares = {
    genders: [
      { gender: 'male', percentage: 60 },
      { gender: 'other', percentage: 40 },
    ],
    ages: [{ age: 'from15to18', percentage: 100 }],
    appTypes: [{ appType: 'web', percentage: 100 }],
    subscriptionPeriods: [{ subscriptionPeriod: 'within1day', percentage: 100 }],
  };
  const demographic = (part: object) => ({
    kind: 'demographic',
    day: '20260301',
    value: { available: true, ...part },
  });
  const entries = [
    ...Object.entries(shares).map(([name, list]) => demographic({ [name]: list })),
    { kind: 'quota', day: '20260301', value: { type: 'endless', totalUsage: 1 } },
    { kind: 'followers', day: '20260301', value: { status: 'done', followers: 1, blocks: 0 } },
    { kind: 'message-event', requestId: 'a\0b', value: { overview: {}, messages: [], clicks: [] } },
  ];
  const expected = [
    'index 0: value.genders[1].gender must be one of male, female, unknown, not "other".',
    /^index 1: value.ages\[0\].age must be one of from0to14,/,
    'index 2: value.appTypes[0].appType must be one of ios, android, others, not "web".',
    /^index 3: value.subscriptionPeriods\[0\].subscriptionPeriod must be one of within7days,/,
    'index 4: value.type must be one of none, limited, not "endless".',
    'index 5: value.status must be one of ready, unready, out_of_service, not "done".',
    'index 6: requestId must be the X-Line-Request-Id of the send, not "a\\u0000b".',
  ];
  await assert.rejects(importSnapshots(sql, { botId: 'bot', entries }, { now }), (error: Error) => {
    const lines = error.message.split('\n  ').slice(1);
    for (const [index, line] of expected.entries())
      if (typeof line === 'string') assert.equal(lines[index], line);
      else assert.match(lines[index] ?? '', line);
    return true;
  });
  const { value } = demographic({ genders: shares.genders });
  await putAnswer(sql, JSON.stringify({ kind: 'demographic', day: '20260301', value }), now);
  assert.deepEqual((await foldPending(sql, 'bot', { now, random })).setAside, []);
  assert.deepEqual((await findLatest(sql, 'bot', 'demographic'))?.value, value);
});

test('the allowed values of an import are those of LINE’s contract', async () => {
  const contract = await readContract(new URL('../../contracts/line-insight.yaml', import.meta.url));
  const schema = contract.operations.find(({ id }) => id === 'getFriendsDemographics')?.answers['200'];
  const words = new Map<string, unknown>();
  const collect = (node: unknown): void => {
    if (!isObject(node)) return;
    for (const [name, child] of Object.entries(node)) {
      if (isObject(child) && Array.isArray(child.enum)) words.set(name, child.enum);
      collect(child);
    }
  };
  collect(schema);
  assert.deepEqual(Object.fromEntries(words), demographicWords);
});

const arrival = fc.record({
  day: fc.constantFrom('2026-03-01', '2026-03-02', '2026-03-03'),
  status: fc.constantFrom('ready', 'ready', 'unready', 'out_of_service'),
  messages: fc.nat({ max: 50 }),
});

test('snapshots in any order and grouping leave the same messages, which are those of lineDeliverySums', async (t) => {
  const { sql } = await testDatabase(t);
  let run = 0;
  await holds(
    t,
    fc.asyncProperty(fc.array(arrival, { maxLength: 10 }), fc.func(fc.nat()), async (arrivals, rank) => {
      run += 1;
      const reports = arrivals.map((each, index) => ({ ...each, receivedAt: now + index }));
      const shuffled = reports.toSorted((a, b) => rank(a.receivedAt) - rank(b.receivedAt));
      const results = [];
      for (const [order, list] of [reports, shuffled].entries()) {
        const botId = `bot ${run} ${order}`;
        await addBot(sql, botId, 'America/New_York');
        for (const { day, status, messages, receivedAt } of list) {
          const value = delivery(messages, status);
          await putSnapshot(sql, { botId, kind: 'delivery', day, value, receivedAt });
        }
        results.push({ ...(await outbound(sql, botId)), sums: await lineDeliverySums(sql, botId) });
      }
      const [first, second] = results;
      assert.deepEqual(second, first);
      const total = first?.sums.reduce((sum, { messages }) => sum + messages, 0);
      assert.equal(first?.total, total);
      const latest = new Map(
        reports.filter(({ status }) => status === 'ready').map(({ day, messages }) => [day, messages]),
      );
      assert.deepEqual(
        Object.fromEntries(first?.sums.map(({ day, messages }) => [day, messages]) ?? []),
        Object.fromEntries([...latest].sort()),
      );
    }),
    { runs: 30 },
  );
});
