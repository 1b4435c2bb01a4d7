/**
 * The data that the pages read through the management API: the overview and current figures, LINE's own figures, points by
 * period, the health of a bot, and the callback.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setChannel } from '../../src/bots/set-channel.ts';
import { createContacts } from '../../src/contacts/contacts.ts';
import { isOnCluster } from '../../src/database/row-table.ts';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { countClicks, keepClicks, putLinks } from '../../src/line/clicks.ts';
import type { Send } from '../../src/line/sends.ts';
import { importSnapshots } from '../../src/line/snapshots.ts';
import { dayMs, hourMs, minuteMs } from '../../src/time.ts';
import { enqueueMessages } from '../../src/webhooks-out/outbox.ts';
import { claimDue, recordAttempt } from '../../src/webhooks-out/queue.ts';
import { foldPending } from '../harness/fold.ts';
import { recordSend } from '../harness/line-figures.ts';
import { earn, spend } from '../harness/points.ts';
import { bodyOf, type ReportedEvent } from '../properties/bodies.ts';
import { foldAll } from '../properties/events.ts';
import { type ManagementServer, managementServer } from './management-server.ts';

/** A bot in Taipei with a LINE and a Facebook channel; its clock is stopped at noon of 2026-03-15. */
async function ready() {
  const server = await managementServer();
  const { sql, botId, keys, now } = server;
  const making = { now, random: randomBytes, keys };
  await setChannel(sql, { botId, platform: 'line', secret: 'hush' }, making);
  const meta = { secret: 'hush', accountId: '1', verifyToken: 'hush' };
  await setChannel(sql, { botId, platform: 'facebook', ...meta }, making);
  await sql`update channels set account_id = 'account' where bot_id = ${botId} and platform = 'facebook'`;
  const get = async (id: string, query: Record<string, string> = {}) => {
    const { status, text } = await server.call(id, { query });
    assert.equal(status, 200, `${id}: ${text}`);
    return JSON.parse(text);
  };
  const put = async (events: readonly ReportedEvent[], receivedAt = now) => {
    const deliveries = events.map((event) => ({
      ...{ botId, platform: event.platform, source: 'webhook' as const, receivedAt },
      body: Buffer.from(bodyOf(event)),
    }));
    await putDeliveries(sql, deliveries);
    await foldAll(sql, botId, { batch: 100, folds: 1 });
  };
  const addSnapshots = (entries: object[], at = now) => importSnapshots(sql, { botId, entries }, { now: at });
  return { ...server, server, get, put, tellSnapshots: addSnapshots };
}

/** Noon in Taipei on a day in March. */
const noon = (day: number) => Date.parse('2026-03-01T04:00:00Z') + (day - 1) * dayMs;

test('the overview of a range up to today equals the current figures, also where LINE reported its own', async () => {
  const { get, put, tellSnapshots: addSnapshots, sql, botId, now } = await ready();
  await put([
    { platform: 'line', kind: 'follow', id: 1, person: 1, at: noon(1) },
    { platform: 'line', kind: 'follow', id: 2, person: 2, at: noon(13) },
    { platform: 'line', kind: 'message', id: 3, person: 2, at: noon(13) + hourMs },
    { platform: 'line', kind: 'unfollow', id: 4, person: 1, at: noon(14) },
    { platform: 'facebook', kind: 'message', id: 5, person: 1, at: noon(14) },
    { platform: 'facebook', kind: 'echo', id: 6, person: 1, at: noon(14) + minuteMs },
  ]);
  await addSnapshots([
    { kind: 'followers', day: '2026-03-10', value: { status: 'ready', followers: 500, blocks: 20 } },
  ]);
  await createContacts(sql, botId, 'line', ['U9'], { now, random: randomBytes });
  await sql`
    insert into contact_tags (bot_id, contact_id, tag_id, created_at)
    select bot_id, contact_id, 'tag', now() from contacts where bot_id = ${botId} and platform_contact_id = 'U9'`;
  await sql`update totals set tagged_contacts = 1 where bot_id = ${botId} and platform = 'line'`;
  const query = { from: '2026-03-13', to: '2026-03-17' };
  const { figures, days, series, before } = await get('getOverview', query);
  assert.deepEqual(before, { from: '2026-03-08', to: '2026-03-10', until: '2026-03-10T04:00:00.000Z' });
  assert.deepEqual(days.length, 5);
  const figureOf = (platform: string, figure: string) =>
    figures.find(
      (one: { platform: string; figure: string }) => one.platform === platform && one.figure === figure,
    );
  const values = (platform: string, figure: string) =>
    series.find(
      (one: { platform: string; figure: string }) => one.platform === platform && one.figure === figure,
    ).values;
  const now15 = await get('getFigures');
  for (const platform of ['line', 'facebook']) {
    for (const figure of ['followers', 'blocks', 'tagCoverRate'])
      assert.equal(
        figureOf(platform, figure).now,
        now15.platforms[platform][figure],
        `${platform} ${figure}`,
      );
  }
  assert.equal(figureOf('all', 'followers').now, now15.all.followers);
  assert.deepEqual(figureOf('line', 'followers'), {
    ...{ figure: 'followers', platform: 'line', now: 501, before: 500, change: 1, changeRate: 0.002 },
  });
  assert.deepEqual([figureOf('line', 'blocks').now, figureOf('line', 'blocks').before], [21, 20]);
  assert.deepEqual(values('line', 'followers'), [501, 501, 501, null, null]);
  assert.deepEqual(values('all', 'messages'), [1, 2, 0, null, null]);
  assert.deepEqual(figureOf('line', 'tagCoverRate').before, null);
  assert.equal(figureOf('instagram', 'followers'), undefined);
  const averages = ['averageConversationMessages', 'averageConversationSeconds'].map((name) =>
    figureOf('all', name),
  );
  assert.deepEqual(
    averages.map(({ now, before }) => [now, before]),
    [
      [2, null],
      [30, null],
    ],
  );
});

test('points by period add up to the balance, and expire on their day before the expiry is recorded', async () => {
  const { get, sql, botId } = await ready();
  const ada = { botId, contactId: 'ada' };
  await earn(sql, { ...ada, key: '1', amount: 100, expiresAt: null }, { now: noon(1) });
  await earn(sql, { ...ada, key: '2', amount: 40, expiresAt: noon(12) }, { now: noon(2) });
  await spend(sql, { ...ada, key: '3', amount: 10 }, { now: noon(11) });
  await earn(sql, { botId, contactId: 'ben', key: '4', amount: 5, expiresAt: noon(13) }, { now: noon(11) });
  const range = { from: '2026-03-11', to: '2026-03-16' };
  const pointSeries = await get('getPointSeries', range);
  assert.equal(pointSeries.before, 140);
  const rows = pointSeries.periods.map((period: Record<string, number>) =>
    ['earned', 'spent', 'corrected', 'expired', 'outstanding'].map((name) => period[name]),
  );
  assert.deepEqual(rows, [
    [5, 10, 0, 0, 135],
    [0, 0, 0, 30, 105],
    [0, 0, 0, 5, 100],
    [0, 0, 0, 0, 100],
    [0, 0, 0, 0, 100],
    [0, 0, 0, 0, null],
  ]);
  assert.deepEqual(pointSeries.totals, { earned: 5, spent: 10, corrected: 0, expired: 35, outstanding: 100 });
  // The next change of the account records the expiry, which stays on its day.
  await earn(sql, { ...ada, key: '5', amount: 1, expiresAt: null }, { now: noon(14) });
  const [{ expired }] = (await get('getPointSeries', { ...range, from: '2026-03-12' })).periods;
  assert.equal(expired, 30);
  const weeks = await get('getPointSeries', { ...range, by: 'week' });
  assert.deepEqual(
    weeks.periods.map(({ name, outstanding }: Record<string, unknown>) => [name, outstanding]),
    [
      ['2026-W11', 101],
      ['2026-W12', null],
    ],
  );
  const { figures } = await get('getOverview', { from: '2026-03-12', to: '2026-03-15' });
  const outstanding = figures.find(({ figure }: { figure: string }) => figure === 'pointsOutstanding');
  assert.deepEqual([outstanding.now, outstanding.before], [101, 135]);
});

test("LINE's demographics are null before they are fetched, and have no sums besides their parts", async () => {
  const { get, tellSnapshots: addSnapshots } = await ready();
  const { botId, ...none } = await get('getLineDemographics');
  assert.deepEqual(new Set(Object.values(none)), new Set([null]));
  const value = {
    available: true,
    genders: [{ gender: 'male', percentage: 60 }],
    ages: [
      { age: 'from50', percentage: 10 },
      { age: 'from50to54', percentage: 10 },
    ],
    subscriptionPeriods: [{ subscriptionPeriod: 'over365days', percentage: 100 }],
  };
  await addSnapshots([{ kind: 'demographic', day: '2026-03-02', value: { available: false } }]);
  const empty = await get('getLineDemographics');
  assert.deepEqual([empty.day, empty.available, empty.genders], ['2026-03-02', false, []]);
  await addSnapshots([{ kind: 'demographic', day: '2026-03-10', value }]);
  assert.deepEqual(await get('getLineDemographics'), {
    ...{ botId, day: '2026-03-10', available: true, genders: [{ key: 'male', percentage: 60 }] },
    ages: [{ key: 'from50to54', percentage: 10 }],
    ...{ areas: [], appTypes: [] },
    subscriptionPeriods: [{ key: 'over365days', percentage: 100 }],
  });
});

const send = (requestId: string, rest: Partial<Send>): Send => ({
  ...{ requestId, kind: 'broadcast', unit: null, recipients: null, sentAt: noon(2) },
  ...rest,
});

test("sent messages by day are LINE's figures where reported, otherwise the gateway's, and null if unknown", async () => {
  const { get, tellSnapshots: addSnapshots, sql, botId } = await ready();
  await recordSend(sql, botId, send('a', { kind: 'push', recipients: 3 }));
  await recordSend(sql, botId, send('b', { kind: 'push', recipients: 4, sentAt: noon(3) }));
  await recordSend(sql, botId, send('c', { sentAt: noon(3) }));
  await addSnapshots([
    {
      kind: 'delivery',
      day: '2026-03-01',
      value: { status: 'ready', broadcast: 120, stepMessage: 2, chat: null },
    },
    { kind: 'delivery', day: '2026-03-02', value: { status: 'unready' } },
  ]);
  const { days, zone } = await get('getLineDeliveries', { from: '2026-03-01', to: '2026-03-04' });
  assert.equal(zone, 'Asia/Tokyo');
  assert.deepEqual(
    days.map(({ day: _, ...rest }: { day: string }) => rest),
    [
      {
        ...{ status: 'ready', source: 'line', messages: 122 },
        kinds: [
          { kind: 'broadcast', messages: 120 },
          { kind: 'stepMessage', messages: 2 },
        ],
      },
      { status: 'unready', source: 'gateway', messages: 3, kinds: [{ kind: 'apiPush', messages: 3 }] },
      {
        ...{ status: null, source: 'gateway', messages: null },
        kinds: [
          { kind: 'apiBroadcast', messages: null },
          { kind: 'apiPush', messages: 4 },
        ],
      },
      { status: null, source: null, messages: null, kinds: [] },
    ],
  );
});

test('the quota shows the daily usage and the forecast for the month', async () => {
  const { get, tellSnapshots: addSnapshots } = await ready();
  const { botId, days: unknown, month, ...none } = await get('getLineQuota');
  assert.deepEqual(none, { quota: null, used: null, day: null, expectedAtMonthEnd: null });
  assert.deepEqual([month, unknown.length, unknown[0]], ['2026-03', 15, { day: '2026-03-01', used: null }]);
  const quota = (day: string, totalUsage: number) => ({
    ...{ kind: 'quota', day },
    value: { type: 'limited', value: 3_000, totalUsage },
  });
  await addSnapshots([quota('2026-02-28', 2_900)], Date.parse('2026-02-28T04:00:00Z'));
  const february = await get('getLineQuota');
  assert.deepEqual([february.used, february.day, february.expectedAtMonthEnd], [2_900, '2026-02-28', null]);
  await addSnapshots([quota('2026-03-01', 5)], Date.parse('2026-03-01T04:00:00Z'));
  assert.equal((await get('getLineQuota')).expectedAtMonthEnd, null);
  // 10 of the 31 days have passed.
  await addSnapshots([quota('2026-03-11', 100)], Date.parse('2026-03-10T15:00:00Z'));
  const { days, ...quotaSummary } = await get('getLineQuota');
  assert.deepEqual(quotaSummary, {
    ...{ botId, quota: 3_000, used: 100, day: '2026-03-11', month: '2026-03', expectedAtMonthEnd: 310 },
  });
  assert.deepEqual(
    [0, 9, 10, 11].map((index) => days[index].used),
    [5, null, 100, null],
  );
});

test('sends are listed newest first, page by page, with the statistics of LINE and of the tracked links', async () => {
  const { get, tellSnapshots: addSnapshots, sql, botId, now } = await ready();
  await recordSend(sql, botId, send('first', { linkSet: 'links', recipients: 300 }));
  await recordSend(sql, botId, send('quiet', { linkSet: 'none', sentAt: noon(2) }));
  await recordSend(sql, botId, send('push', { kind: 'push', unit: 'news', recipients: 1, sentAt: noon(4) }));
  const link = { code: 'code', linkSet: 'links', seq: 1, url: 'https://shop.example/', person: null };
  await putLinks(sql, botId, [link], now);
  const click = (clickId: string, person: string) => ({
    ...{ kind: 'click' as const, clickId, code: 'code', person, clickedAt: noon(3) },
  });
  await keepClicks(sql, botId, [click('1', 'ada'), click('2', 'ada'), click('3', 'ben')]);
  await sql.begin((tx) => countClicks(tx, botId));
  const overview = { requestId: 'first', delivered: 290, uniqueImpression: 120, uniqueClick: null };
  await addSnapshots([
    { kind: 'message-event', requestId: 'first', value: { overview, messages: [], clicks: [] } },
  ]);
  const range = { from: '2026-03-01', to: '2026-03-05' };
  const page = await get('listLineSends', { ...range, limit: '2' });
  const rest = await get('listLineSends', { ...range, limit: '2', cursor: page.nextCursor });
  assert.equal(rest.nextCursor, null);
  const ids = (sends: { requestId: string }[]) => sends.map(({ requestId }) => requestId);
  assert.deepEqual([ids(page.sends), ids(rest.sends)], [['push', 'quiet'], ['first']]);
  assert.deepEqual(rest.sends[0], {
    ...{ requestId: 'first', kind: 'broadcast', unit: null, sentAt: new Date(noon(2)).toISOString() },
    ...{ recipients: 290, delivered: 290, opened: 120, clicked: null, toldAt: new Date(now).toISOString() },
    ...{ ownClicks: 3, ownClickers: 2 },
  });
  const unknown = { delivered: null, opened: null, clicked: null, toldAt: null };
  const [push, quiet] = page.sends;
  assert.deepEqual({ ...push, ...unknown, ownClicks: null, ownClickers: null }, push);
  assert.deepEqual({ ...quiet, ...unknown, recipients: null, ownClicks: 0, ownClickers: 0 }, quiet);
  const broadcasts = await get('listLineSends', { ...range, kinds: 'broadcast,narrowcast' });
  assert.deepEqual(ids(broadcasts.sends), ['quiet', 'first']);
  assert.deepEqual((await get('listLineSends', { from: '2026-03-03', to: '2026-03-03' })).sends, []);
});

test('the health of a bot shows its last delivery, the age of the queue, and deliveries set aside', async () => {
  const { get, put, sql, botId, now } = await ready();
  const at = noon(10);
  const message = (id: number): ReportedEvent => ({ platform: 'line', kind: 'message', id, person: 1, at });
  await put([message(1)], now - minuteMs);
  await put([message(1)], at);
  await sql`
    insert into refused_deliveries (bot_id, platform, hour, reason, count, last_at) values
      (${botId}, 'line', ${new Date(now - (now % hourMs))}, 'wrong-signature', 3, ${new Date(now)}),
      (${botId}, 'line', ${new Date(now - (now % hourMs))}, 'other-account', 2, ${new Date(now - minuteMs)})`;
  const first = await get('getHealth');
  assert.deepEqual(first.channels, [
    {
      ...{ platform: 'facebook', enabled: true, credentialsReadable: true, lastDeliveryAt: null },
      ...{
        tokenCheck: null,
        deliveriesPerMinute: 0,
        refusals: [],
        wrongSignatures: { lastDay: 0, lastAt: null },
      },
    },
    {
      ...{ platform: 'line', enabled: true, credentialsReadable: true, tokenCheck: null },
      lastDeliveryAt: new Date(now - minuteMs).toISOString(),
      deliveriesPerMinute: 0.2,
      refusals: [
        { reason: 'wrong-signature', lastDay: 3, lastAt: new Date(now).toISOString() },
        { reason: 'other-account', lastDay: 2, lastAt: new Date(now - minuteMs).toISOString() },
      ],
      wrongSignatures: { lastDay: 3, lastAt: new Date(now).toISOString() },
    },
  ]);
  const nothing = { waiting: 0, oldestAt: null, oldestSeconds: null, setAside: 0 };
  assert.deepEqual([first.inbox, first.callback], [nothing, null]);
  assert.equal(first.collector.state, 'off');
  assert.equal(first.installation.disk, null);
  assert.equal(first.installation.preparedTransactions, isOnCluster() ? 0 : null);
  const body = Buffer.from('nonsense');
  await putDeliveries(sql, [
    { botId, platform: 'facebook', source: 'webhook', body, receivedAt: now - 2 * minuteMs },
    { botId, platform: 'facebook', source: 'webhook', body, receivedAt: now - minuteMs },
  ]);
  const { inbox } = await get('getHealth');
  const oldestAt = new Date(now - 2 * minuteMs).toISOString();
  assert.deepEqual(inbox, { waiting: 2, oldestAt, oldestSeconds: 120, setAside: 0 });
  await foldPending(sql, botId, { now, random: randomBytes, countMax: 10 });
  const last = await get('getHealth');
  assert.deepEqual(last.inbox, { ...nothing, setAside: 2 });
  assert.equal(last.channels[0].lastDeliveryAt, new Date(now - minuteMs).toISOString());
});

test('a channel reports that the secret key cannot decrypt its credentials', async () => {
  const { get, sql, botId } = await ready();
  await sql`update channels set secret_sealed = decode('01', 'hex') where bot_id = ${botId} and platform = 'line'`;
  const { channels } = await get('getHealth');
  assert.deepEqual(
    channels.map((channel: Record<string, unknown>) => [channel.platform, channel.credentialsReadable]),
    [
      ['facebook', true],
      ['line', false],
    ],
  );
});

test('the median of an even number of conversations is the lower of the two middle ones', async () => {
  const { get, sql, botId } = await ready();
  for (const [messages, seconds] of [
    [1, 0],
    [2, 59],
    [7, 60],
    [60, 20_000],
  ] as const) {
    const firstAt = new Date(noon(5));
    await sql`
      insert into conversations (bot_id, contact_id, first_at, last_at, platform, inbound, outbound)
      values (${botId}, ${`contact ${messages}`}, ${firstAt}, ${new Date(noon(5) + seconds * 1_000)}, 'line',
        1, ${messages - 1})`;
  }
  const range = { from: '2026-03-05', to: '2026-03-05' };
  const { spread } = await get('getConversationSpread', { ...range, platforms: 'line' });
  const [line, all] = spread;
  assert.deepEqual({ ...line, platform: 'all' }, all);
  const { messages, seconds } = line;
  assert.deepEqual([messages.mean, messages.median, seconds.mean, seconds.median], [18, 2, 5030, 59]);
  const filled = ({ steps }: { steps: { from: number; to: number; conversations: number }[] }) =>
    steps
      .filter((step) => step.conversations > 0)
      .map(({ from, to, conversations }) => [from, to, conversations]);
  assert.deepEqual(filled(messages), [
    [1, 1, 1],
    [2, 2, 1],
    [6, 10, 1],
    [51, null, 1],
  ]);
  assert.deepEqual(filled(seconds), [
    [0, 0, 1],
    [1, 59, 1],
    [60, 299, 1],
    [14_400, null, 1],
  ]);
  const nothing = await get('getConversationSpread', { from: '2026-03-06', to: '2026-03-06' });
  assert.deepEqual([nothing.spread[0].messages.mean, nothing.spread[0].messages.median], [null, null]);
});

async function failOnce({ sql, botId, now }: ManagementServer): Promise<void> {
  const change = { contactId: 'ada', at: now, type: 'contact.followed' as const, data: {} };
  await sql.begin((tx) => enqueueMessages(tx, botId, [change], { now }));
  const [claim] = await claimDue(sql, botId, { now, countMax: 1 });
  assert.ok(claim);
  const answer = { status: 500, problem: 'answered 500', excerpt: null, retryAfter: null, ms: 5 };
  const verdict = { kind: 'again', dueAt: now + hourMs, pausedUntil: null } as const;
  await recordAttempt(sql, claim, { answer, verdict, attemptedAt: now, now });
}

test('a callback can be set with a secret shown once, checked for failures, retried, and removed', async () => {
  const { get, server } = await ready();
  const { call, botId, now } = server;
  assert.deepEqual(await get('getCallback'), { botId, callback: null });
  const replayed = await call('replayGivenUp');
  assert.deepEqual([replayed.status, replayed.body.code], [400, 'INPUT_INVALID']);
  const body = { url: 'https://shop.example/shoal' };
  const set = await call('setCallback', { body });
  assert.match(String(set.body.secret), /^whsec_/);
  assert.equal((await call('setCallback', { body })).body.secret, null);
  assert.doesNotMatch(JSON.stringify(await get('getCallback')), /whsec_/);
  await failOnce(server);
  const { callback } = await get('getHealth');
  const since = new Date(now).toISOString();
  assert.deepEqual([callback.url, callback.waiting, callback.failingSince], [body.url, 1, since]);
  const { notices } = await get('listNotices', { state: 'pending' });
  const [{ noticeId, problem, dueAt }] = notices;
  assert.deepEqual([problem, dueAt], ['answered 500', new Date(now + hourMs).toISOString()]);
  const params = { noticeId: String(noticeId) };
  const one = await call('getNotice', { params });
  assert.equal(Object(one.body.attempts)[0].status, 500);
  const again = await call('replayNotice', { params });
  assert.deepEqual([again.status, again.body], [202, { replayed: 1 }]);
  assert.equal((await get('listNotices')).notices[0].dueAt, since);
  const rotated = await call('rotateCallbackSecret', { body: {} });
  assert.match(String(rotated.body.secret), /^whsec_/);
  assert.equal(rotated.body.previousSecretUntil, new Date(now + 7 * dayMs).toISOString());
  for (let time = 0; time < 2; time++) assert.equal((await call('removeCallback')).status, 204);
  assert.deepEqual((await get('getCallback')).callback, null);
  assert.equal((await get('listNotices', { state: 'given-up' })).notices.length, 1);
});
