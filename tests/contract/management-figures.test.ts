/**
 * The management API on a whole server: every call reports the same figures of the received webhooks, by page and by day.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createAdminToken } from '../../src/auth/admin-tokens.ts';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { reconcile } from '../../src/line/reconciliation.ts';
import { readPlatformFigures, readTemplateReport } from '../../src/meta/reported-figures.ts';
import { recount } from '../../src/rebuild/recount.ts';
import { minuteMs } from '../../src/time.ts';
import { putSnapshot, recordSend } from '../harness/line-figures.ts';
import { oncePerFile } from '../harness/scope.ts';
import { testServer } from '../harness/server.ts';
import { bodyOf, type ReportedEvent } from '../properties/bodies.ts';

const at = Date.parse('2026-03-01T15:30:00Z');
const events: ReportedEvent[] = [
  { platform: 'line', kind: 'follow', id: 1, person: 1, at },
  { platform: 'line', kind: 'message', id: 2, person: 1, at: at + minuteMs },
  { platform: 'line', kind: 'message', id: 3, person: 1, at: at + 10 * minuteMs },
  { platform: 'line', kind: 'message', id: 4, person: 1, at: at + 60 * minuteMs },
  { platform: 'line', kind: 'unfollow', id: 5, person: 2, at: at + 45 * minuteMs },
  { platform: 'facebook', kind: 'message', id: 6, person: 1, at: at + 31 * minuteMs },
  { platform: 'facebook', kind: 'echo', id: 7, person: 1, at: at + 32 * minuteMs },
  { platform: 'whatsapp', kind: 'message', id: 8, person: 1, named: 'both', at },
];

const sharedServer = oncePerFile((scope) => testServer(scope, { adminRateLimit: 0 }));

/** A bot with these events, and callers of its APIs. */
async function ready() {
  const server = await sharedServer();
  const { sql, address } = server;
  const bot = await server.addBot('Asia/Taipei');
  const { botId } = bot;
  await server.addChannel(botId, { platform: 'line', secret: 'hush' });
  const meta = { accountId: '1', secret: 'hush', verifyToken: 'hush' };
  for (const platform of ['facebook', 'whatsapp'] as const)
    await server.addChannel(botId, { platform, ...meta });
  await sql`update channels set account_id = 'account' where bot_id = ${botId} and platform <> 'line'`;
  await put(events.map(bodyOf).map((body, index) => ({ body, platform: events[index]?.platform ?? 'line' })));
  const making = { now: Date.now(), random: randomBytes };
  const { token } = await createAdminToken(sql, { name: '', scope: 'admin', botIds: null }, making);
  async function put(deliveries: { body: string; platform: ReportedEvent['platform'] }[]): Promise<void> {
    const received = { botId, source: 'webhook' as const, receivedAt: at + 24 * 60 * minuteMs };
    await putDeliveries(
      sql,
      deliveries.map(({ body, platform }) => ({ ...received, platform, body: Buffer.from(body) })),
    );
    await server.folded();
  }
  const send = (path: string, init: RequestInit = {}) =>
    fetch(`${address}/api/v1/bots/${botId}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}` },
    });
  const get = async (path: string) => {
    const response = await send(path);
    assert.equal(response.status, 200, path);
    return JSON.parse(await response.text());
  };
  const mantago = async (path: string) => {
    const response = await fetch(`${address}/openapi/${path}?botId=${botId}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bot.apiToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ secret: bot.apiSecret }),
    });
    assert.equal(response.status, 200, path);
    return JSON.parse(await response.text());
  };
  return { ...server, botId, send, get, mantago, put };
}

test("totals and the sums of every series equal MantaGo's figures exactly, in any zone and by any period", async () => {
  const { get, mantago, sql, botId } = await ready();
  const snapshotBase = { botId, receivedAt: at };
  await putSnapshot(sql, {
    ...snapshotBase,
    kind: 'delivery',
    day: '2026-03-01',
    value: { status: 'ready', apiPush: 3 },
  });
  const demographic = { available: true, genders: [{ gender: 'male', percentage: 31.8 }], ages: [] };
  await putSnapshot(sql, { ...snapshotBase, kind: 'demographic', day: '2026-03-01', value: demographic });
  const { all, platforms, line } = await get('/figures');
  assert.deepEqual(line.demographic, demographic);
  const { clientAnalysis } = await mantago('clients/analysis');
  const { success, message, ...messageAnalysis } = await mantago('message/analysis');
  const names = { line: 'line', facebook: 'fb', instagram: 'ig', liveChat: 'liveChat', whatsapp: 'whatsapp' };
  for (const [platform, prefix] of Object.entries(names)) {
    const figures = platforms[platform];
    const mantagoFigures = [
      clientAnalysis[`${prefix}Followers`],
      clientAnalysis[`${prefix}Blocks`] ?? 0,
      clientAnalysis[`${prefix}MessageNumbers`],
      clientAnalysis[`${prefix}IsIntegration`],
      clientAnalysis[`${prefix}TagCoverRate`],
      messageAnalysis[`${prefix}AverageConversationValue`],
      messageAnalysis[`${prefix}AverageConversationTime`],
    ];
    assert.deepEqual(
      [
        figures.followers,
        figures.blocks,
        figures.messages,
        figures.integrated,
        figures.tagCoverRate,
        figures.averageConversationMessages,
        figures.averageConversationSeconds,
      ],
      mantagoFigures,
      platform,
    );
  }
  assert.deepEqual(
    [all.followers, all.blocks, all.messages],
    [clientAnalysis.botTotallFollowers, clientAnalysis.botTotallBlocks, clientAnalysis.botTotallMessages],
  );
  assert.deepEqual([all.followers, all.blocks, all.messages], [4, 1, 9]);
  assert.equal(line.sendsThisMonth.push, messageAnalysis.linePushAmounts);
  for (const zone of ['Asia/Taipei', 'Asia/Tokyo', 'America/New_York']) {
    for (const by of ['day', 'week', 'month']) {
      const { series, kept } = await get(
        `/figures/series?from=2026-02-01&to=2026-04-01&by=${by}&zone=${zone}`,
      );
      assert.equal(kept, zone === 'Asia/Taipei');
      for (const { platform, figure, values, sum } of series) {
        const total = (platform === 'all' ? all : platforms[platform])[figure];
        if (total !== undefined) assert.equal(sum, total, `${zone} ${by} ${platform} ${figure}`);
        if (values.includes(null)) continue;
        assert.equal(
          sum,
          values.reduce((one: number, other: number) => one + other, 0),
        );
      }
    }
  }
});

test('sent messages and their sums are unknown until LINE or the gateway reports some', async () => {
  const { get, sql, botId } = await ready();
  const today = '2026-03-02';
  const readSeries = async () => {
    const overview = await get(`/overview?from=${today}&to=${today}`);
    const { series } = await get(`/figures/series?from=2026-03-01&to=${today}&figures=outbound,messages`);
    type Line = {
      platform: string;
      figure: string;
      now: number;
      change: number;
      values: number[];
      sum: number;
    };
    const of = (lines: Line[]) => (platform: string, figure: string) =>
      lines.find((line) => line.platform === platform && line.figure === figure);
    const [cards, charts, lines] = [of(overview.figures), of(overview.series), of(series)];
    return Object.fromEntries(
      ['line', 'facebook', 'all'].flatMap((platform) =>
        ['outbound', 'messages'].map((figure) => {
          const { now, change } = cards(platform, figure) ?? {};
          const { values, sum } = lines(platform, figure) ?? {};
          return [`${platform} ${figure}`, [now, change, charts(platform, figure)?.values, values, sum]];
        }),
      ),
    );
  };
  const withoutReports = await readSeries();
  assert.deepEqual(withoutReports['line outbound'], [null, null, [null], [null, null], null]);
  assert.deepEqual(withoutReports['line messages'], [1, -1, [1], [2, 1], 3]);
  assert.deepEqual(withoutReports['all outbound'], [1, 1, [1], [0, 1], 1]);
  const report = (day: string, apiPush: number) =>
    putSnapshot(sql, { botId, kind: 'delivery', day, value: { status: 'ready', apiPush }, receivedAt: at });
  await report('2026-03-01', 3);
  const withYesterday = await readSeries();
  assert.deepEqual(withYesterday['line outbound'], [null, null, [null], [3, null], 3]);
  assert.deepEqual(withYesterday['line messages'], [null, null, [null], [5, null], 6]);
  assert.deepEqual(withYesterday['facebook outbound'], [1, 1, [1], [0, 1], 1]);
  assert.deepEqual(withYesterday['all outbound'], [null, null, [null], [3, null], 4]);
  assert.equal(withYesterday['all messages']?.[0], null);
  const send = {
    requestId: 'r',
    kind: 'push',
    unit: null,
    recipients: 2,
    sentAt: at + 30 * minuteMs,
  } as const;
  await sql.begin((tx) => recordSend(tx, botId, send));
  await recount(sql, botId, { check: false, progress: () => undefined });
  assert.deepEqual((await readSeries())['line outbound'], [2, -1, [2], [3, 2], 5]);
  await report(today, 0);
  assert.deepEqual((await readSeries())['line outbound'], [0, -3, [0], [3, 0], 3]);
});

test('a series has the requested figures, platforms, zone and days of that zone', async () => {
  const { get } = await ready();
  const range = 'from=2026-03-01&to=2026-03-02';
  const values = async (query: string) => {
    const { series, ...rest } = await get(`/figures/series?${range}&${query}`);
    const lines = series.map((one: { platform: string; figure: string; values: number[] }) => [
      one.platform,
      one.figure,
      one.values,
    ]);
    return { ...rest, lines };
  };
  // 15:30Z is 23:30 in Taipei and 00:30 of the next day in UTC+9.
  const taipei = await values('figures=followers,blocks&platforms=line');
  assert.deepEqual(taipei.lines, [
    ['line', 'followers', [1, 1]],
    ['line', 'blocks', [0, 1]],
    ['all', 'followers', [1, 1]],
    ['all', 'blocks', [0, 1]],
  ]);
  assert.deepEqual([taipei.zone, taipei.kept, taipei.by], ['Asia/Taipei', true, 'day']);
  const tokyo = await values('figures=conversations&platforms=line,facebook&zone=Asia/Tokyo');
  assert.deepEqual(tokyo.lines, [
    ['line', 'conversations', [0, 2]],
    ['facebook', 'conversations', [0, 1]],
    ['all', 'conversations', [0, 3]],
  ]);
  assert.equal(tokyo.kept, false);
  const line = await values('figures=messages&platforms=line&zone=Asia/Tokyo');
  assert.deepEqual([line.kept, line.lines[0]], [true, ['line', 'messages', [0, 3]]]);
  const utc = await values('figures=messages&platforms=line&zone=UTC&by=week');
  assert.deepEqual(utc.periods, [
    { name: '2026-W09', first: '2026-03-01', last: '2026-03-01' },
    { name: '2026-W10', first: '2026-03-02', last: '2026-03-02' },
  ]);
  assert.deepEqual(utc.lines[0], ['line', 'messages', [3, 0]]);
});

test('the type of a problem links to its explanation on the same server', async () => {
  const { send, address } = await ready();
  const refused = await send('/deliveries/999999');
  assert.equal(refused.headers.get('content-type'), 'application/problem+json; charset=utf-8');
  const { type, code } = JSON.parse(await refused.text());
  assert.equal(code, 'DELIVERY_NOT_FOUND');
  const { pathname, hash } = new URL(type, refused.url);
  const page = await (await fetch(`${address}${pathname}`)).text();
  assert.ok(page.includes(`<h2 id="${hash.slice(1)}">`));
});

test('a call that changes the zone or the gap recounts all figures', async () => {
  const { get, send, sql, botId } = await ready();
  const change = async (body: object) => {
    const response = await fetch((await send('')).url, {
      method: 'PATCH',
      headers: { ...(await authorization(sql)), 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200);
    return JSON.parse(await response.text());
  };
  const facebookHours = async () => {
    const { hours } = await get('/messages/hours?from=2026-03-01&to=2026-03-03&platforms=facebook');
    return hours
      .filter((one: Record<string, unknown>) => one.platform === 'facebook' && Number(one.inbound) > 0)
      .map(({ weekday, hour, inbound, outbound }: Record<string, number>) => [
        weekday,
        hour,
        inbound,
        outbound,
      ]);
  };
  // 16:01Z on a Sunday is 00:01 on Monday in Taipei, and 17:01 in Berlin.
  assert.deepEqual(await facebookHours(), [[1, 0, 1, 1]]);
  const before = await get('/figures/series?from=2026-03-01&to=2026-03-03&zone=Europe/Berlin');
  assert.equal(before.kept, false);
  assert.equal((await change({ timeZone: 'Europe/Berlin' })).timeZone, 'Europe/Berlin');
  const after = await get('/figures/series?from=2026-03-01&to=2026-03-03');
  assert.deepEqual(after, { ...before, kept: true });
  assert.deepEqual(await facebookHours(), [[7, 17, 1, 1]]);
  const conversations = async () => (await get('/figures')).platforms.line.conversations;
  assert.equal(await conversations(), 2);
  await change({ conversationGapSeconds: 7_200 });
  assert.equal(await conversations(), 1);
  const zones = await sql`select distinct zone from days where bot_id = ${botId} order by zone`;
  assert.deepEqual(
    zones.map(({ zone }) => zone),
    ['Asia/Tokyo', 'Europe/Berlin'],
  );
});

async function authorization(sql: Parameters<typeof createAdminToken>[0]) {
  const making = { now: Date.now(), random: randomBytes };
  const { token } = await createAdminToken(sql, { name: '', scope: 'write', botIds: null }, making);
  return { authorization: `Bearer ${token}` };
}

test('the reconciliation equals that of the command', async () => {
  const { get, sql, botId } = await ready();
  const value = { status: 'ready', followers: 20, blocks: 1, targetedReaches: 19 };
  await putSnapshot(sql, { botId, kind: 'followers', day: '2026-03-02', value, receivedAt: Date.now() });
  const range = { from: '2026-03-01', to: '2026-03-03' };
  const { days } = await get('/reconciliation?from=2026-03-01&to=2026-03-03');
  assert.deepEqual(days, JSON.parse(JSON.stringify(await reconcile(sql, botId, { ...range, now: 0 }))));
  assert.deepEqual(days[1].followers, {
    own: 2,
    line: 20,
    gap: -18,
    reasons: ['before-connected', 'deleted-accounts'],
  });
});

test("Meta's own figures are the same in the API, the command and the export, and unreported ones are unknown", async () => {
  const { get, send, sql, botId } = await ready();
  const template = (name: string, counts: object) => ({
    name,
    delivered: null,
    read: null,
    clicked: null,
    ...counts,
  });
  const days = [
    ['whatsapp-analytics', '2026-03-01', { sent: 12, delivered: 11 }],
    ['whatsapp-number', '2026-03-01', { quality: 'GREEN', messagingLimit: 'TIER_250' }],
    ['whatsapp-number', '2026-03-02', { quality: 'YELLOW', messagingLimit: null }],
    [
      'whatsapp-templates',
      '2026-03-01',
      { 11: template('pickup', { sent: 5, read: 2 }), 12: template('=sale', { sent: 9 }) },
    ],
    [
      'whatsapp-templates',
      '2026-03-02',
      { 11: template('pickup_v2', { sent: 7, delivered: 3, clicked: 0 }) },
    ],
  ] as const;
  const reportedAt = '2026-03-03T06:00:00.000Z';
  for (const [kind, day, value] of days) {
    await sql`
      insert into platform_days (bot_id, kind, day, value, received_at)
      values (${botId}, ${kind}, ${day}, ${JSON.stringify(value)}::text::jsonb, ${reportedAt})`;
  }
  await sql`
    insert into collections (bot_id, kind, answered_at) values (${botId}, 'whatsapp-templates', ${reportedAt})
    on conflict (bot_id, kind) do update set answered_at = excluded.answered_at`;
  const asJson = (value: unknown) => JSON.parse(JSON.stringify(value));
  const range = { from: '2026-03-01', to: '2026-03-03' };
  const query = new URLSearchParams(range);
  const figures = await get(`/platform-figures/whatsapp?${query}`);
  const read = await readPlatformFigures(sql, botId, { platform: 'whatsapp', ...range, now: 0 });
  assert.deepEqual(figures, { botId, platform: 'whatsapp', ...asJson(read) });
  assert.deepEqual(
    figures.latest.map(({ figure, value, day }: Record<string, unknown>) => [figure, value, day]),
    [
      ['sent', 12, '2026-03-01'],
      ['delivered', 11, '2026-03-01'],
      ['quality', 'YELLOW', '2026-03-02'],
      ['messagingLimit', 'TIER_250', '2026-03-01'],
    ],
  );
  assert.deepEqual(figures.days[1].figures, {
    sent: null,
    delivered: null,
    quality: 'YELLOW',
    messagingLimit: null,
  });
  assert.equal((await get('/platform-figures/facebook')).latest[0].value, null);
  const templates = await get(`/whatsapp/template-figures?${query}`);
  assert.deepEqual(templates, {
    botId,
    ...asJson(await readTemplateReport(sql, botId, { ...range, now: 0 })),
  });
  assert.equal(templates.reportedAt, reportedAt);
  assert.deepEqual(templates.templates, [
    { templateId: '11', name: 'pickup_v2', sent: 12, delivered: 3, read: 2, clicked: 0 },
    { templateId: '12', name: '=sale', sent: 9, delivered: null, read: null, clicked: null },
  ]);
  const linesOf = async (what: string, of: string) =>
    (await (await send(`/exports/${what}?${of}`)).text()).trim().split('\n');
  assert.deepEqual(await linesOf('template-figures', 'from=2026-03-01&to=2026-03-01'), [
    'day,template_id,name,sent,delivered,read,clicked,reported_at',
    `2026-03-01,11,pickup,5,,2,,${reportedAt}`,
    `2026-03-01,12,'=sale,9,,,,${reportedAt}`,
  ]);
  assert.deepEqual(await linesOf('platform-figures', 'from=2026-03-02'), [
    'platform,day,figure,value,reported_at',
    `whatsapp,2026-03-02,quality,YELLOW,${reportedAt}`,
  ]);
  assert.equal((await linesOf('platform-figures', query.toString())).length, 6);
  assert.equal((await send('/platform-figures/whatsapp?from=2026-03-04&to=2026-03-03')).status, 400);
});

test('conversations are listed newest first, page by page, also while new ones arrive', async () => {
  const { get, put } = await ready();
  const first = await get('/conversations?from=2026-03-01&to=2026-03-02&limit=2');
  const summariesOf = (page: { conversations: { platform: string; firstAt: string }[] }) =>
    page.conversations.map(({ platform, firstAt }) => `${platform} ${firstAt.slice(11, 16)}`);
  assert.deepEqual(summariesOf(first), ['line 16:30', 'facebook 16:01']);
  const late: ReportedEvent = {
    platform: 'facebook',
    kind: 'message',
    id: 90,
    person: 3,
    at: at + 120 * minuteMs,
  };
  await put([{ body: bodyOf(late), platform: 'facebook' }]);
  const next = (cursor: string) =>
    get(`/conversations?from=2026-03-01&to=2026-03-02&limit=2&cursor=${cursor}`);
  const second = await next(first.nextCursor);
  assert.deepEqual([summariesOf(second), second.nextCursor], [['line 15:31', 'whatsapp 15:30'], null]);
  const [, , { contactId }] = [...first.conversations, ...second.conversations];
  const ofContact = await get(`/conversations?from=2026-03-01&to=2026-03-01&contactId=${contactId}`);
  assert.deepEqual(
    ofContact.conversations.map(({ inbound, outbound }: Record<string, number>) => [inbound, outbound]),
    [[2, 0]],
  );
  assert.deepEqual(summariesOf(await get('/conversations?from=2026-03-01&to=2026-03-02&platform=whatsapp')), [
    'whatsapp 15:30',
  ]);
  assert.deepEqual(
    summariesOf(await get('/conversations?from=2026-03-02&to=2026-03-02&zone=Asia/Tokyo&limit=1')),
    ['facebook 17:30'],
  );
});

test('deliveries are listed newest first, page by page, with their original bodies, and can be replayed after they were set aside', async () => {
  const { get, send, put, sql, folded } = await ready();
  await put([
    { body: '{"events":', platform: 'line' },
    { body: '<b>', platform: 'facebook' },
  ]);
  const states = ({ deliveries }: { deliveries: { state: string }[] }) =>
    deliveries.map(({ state }) => state);
  const first = await get('/deliveries?limit=3');
  assert.deepEqual(states(first), ['set-aside', 'set-aside', 'folded']);
  const rest = await get(`/deliveries?limit=200&cursor=${first.nextCursor}`);
  assert.deepEqual([rest.deliveries.length, rest.nextCursor], [events.length - 1, null]);
  const aside = await get('/deliveries?state=set-aside&limit=1');
  assert.deepEqual(states(aside), ['set-aside']);
  const [{ deliveryId, bytes, reason }] = aside.deliveries;
  assert.deepEqual([bytes, reason], [3, (await get(`/deliveries/${deliveryId}`)).reason]);
  const body = await send(`/deliveries/${deliveryId}/body`);
  assert.deepEqual(
    [await body.text(), body.headers.get('content-type'), body.headers.get('x-content-type-options')],
    ['<b>', 'application/octet-stream', 'nosniff'],
  );
  assert.match(body.headers.get('content-disposition') ?? '', /^attachment/);
  await sql`update deliveries set body = '{"object":"page","entry":[]}' where delivery_id = ${deliveryId}`;
  const one = await send(`/deliveries/${deliveryId}/replay`, { method: 'POST' });
  assert.deepEqual([one.status, await one.json()], [202, { replayed: 1 }]);
  await folded();
  assert.equal((await get(`/deliveries/${deliveryId}`)).state, 'folded');
  const all = await send('/deliveries/replay', { method: 'POST' });
  assert.deepEqual([all.status, await all.json()], [202, { replayed: 1 }]);
  await folded();
  assert.equal((await get('/deliveries?state=set-aside')).deliveries.length, 1);
});
