/**
 * Audience, messages, conversations and sends in a real browser against a real server: every number is the API's, unknown figures
 * are shown as unknown, and the pages are accessible in three languages.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { desktop, phone } from '../harness/browser.ts';
import { cardOf, csvOf, rowsOf, showTable, statsOf } from '../harness/dashboard-card.ts';
import { assertSound, chooseRange, openDashboard, settled } from '../harness/dashboard-page.ts';
import { type DashboardWorld, dashboardWorld, sharedWorld } from '../harness/dashboard-world.ts';

type Line = {
  figure: string;
  platform: string;
  values: (number | null)[];
  valuesBefore: (number | null)[];
};
type Overview = {
  figures: { figure: string; platform: string; now: number | null }[];
  days: string[];
  series: Line[];
};
type Share = { key: string; percentage: number };
type Send = {
  requestId: string;
  kind: string;
  recipients: number | null;
  delivered: number | null;
  opened: number | null;
  clicked: number | null;
};

const days = { from: '2026-02-21', to: '2026-03-20' };
const range = `from=${days.from}&to=${days.to}`;
const platforms = ['line', 'facebook', 'instagram', 'whatsapp'];
const platformTitles = ['LINE', 'Messenger', 'Instagram', 'WhatsApp'];

test("every number of the audience page is the API's", async (t) => {
  const { world, read, open } = await worldOf(t);
  const opened = await open('audience');
  const { page } = opened;
  const overview = await read<Overview>(`overview?${range}`);
  assert.deepEqual(await statsOf(page), {
    Followers: shown(figureOf(overview, 'followers')),
    'New followers': shown(figureOf(overview, 'newFollowers')),
    Blocks: shown(figureOf(overview, 'blocks')),
    'New blocks': shown(figureOf(overview, 'newBlocks')),
  });

  const growth = cardOf(page, 'New followers and blocks');
  const added = await read<{ series: Line[] }>(
    `figures/series?figures=followers,blocks&comparison=previous-period&${range}`,
  );
  for (const [platform, title] of [
    ['all', 'All platforms'],
    ['line', 'LINE'],
  ] as const) {
    await growth.getByRole('combobox').selectOption(title);
    const { rows } = await csvOf(growth);
    const lines = ['followers', 'blocks'].map((figure) => lineOf(added.series, figure, platform));
    assert.deepEqual(rows, byDay(overview.days, lines), title);
  }
  for (const [figure, title] of [
    ['followers', 'Followers'],
    ['blocks', 'Blocks'],
  ] as const) {
    await page.getByRole('button', { name: title, exact: true }).click();
    const { head, rows } = await csvOf(cardOf(page, `${title} over time`));
    assert.deepEqual(head.slice(1), [...platformTitles, ...platformTitles.map((one) => `${one}, before`)]);
    const lines = platforms.map((platform) => lineOf(overview.series, figure, platform));
    assert.deepEqual(rows, byDay(overview.days, lines));
  }

  const demographics = await read<Record<string, Share[]>>('line/demographics');
  for (const [title, name, first] of [
    ['Gender', 'genders', ['Female', 'female']],
    ['OS', 'appTypes', ['iOS', 'ios']],
    ['Age', 'ages', ['15–19', 'from15to19']],
    ['Area', 'areas', ['台北市', '台北市']],
    ['Friend since', 'subscriptionPeriods', ['Less than 7 days', 'within7days']],
  ] as const) {
    const card = cardOf(page, title);
    const shares = demographics[name] ?? [];
    const { rows } = await csvOf(card);
    assert.deepEqual(rows.map(([, share]) => Number(share)).sort(), percentages(shares), title);
    await showTable(card);
    const cells = await rowsOf(card);
    assert.deepEqual(
      cells.map(([, share]) => share),
      rows.map(([, share]) => `${Number(share).toFixed(1)}%`),
    );
    const [words, key] = first;
    assert.equal(
      Number(rows.find(([label]) => label === words)?.[1]),
      shares.find((share) => share.key === key)?.percentage,
    );
  }
  const { rows: ages } = await csvOf(cardOf(page, 'Age'));
  assert.deepEqual(ages.map(([age]) => age).slice(-2), ['70 and over', 'Unknown']);

  const { tags } = await read<{ tags: { name: string; carriers: number }[] }>('tags?limit=200');
  const carried = [...tags].sort((one, other) => other.carriers - one.carriers);
  assert.deepEqual(
    (await rowsOf(cardOf(page, 'Tags'))).map(([name, , carriers]) => [name, carriers]),
    carried.map(({ name, carriers }) => [name, shown(carriers)]),
  );
  await assertSound(opened, world.address);
});

test("every number of the messages page is the API's", async (t) => {
  const { world, read, open } = await worldOf(t);
  const opened = await open('messages');
  const { page } = opened;
  const overview = await read<Overview>(`overview?${range}`);
  type Quota = {
    quota: number;
    used: number;
    expectedAtMonthEnd: number;
    days: { day: string; used: number | null }[];
  };
  const quota = await read<Quota>('line/quota');
  assert.deepEqual(await statsOf(page), {
    Messages: shown(figureOf(overview, 'messages')),
    'Messages received': shown(figureOf(overview, 'inbound')),
    'Messages sent': shown(figureOf(overview, 'outbound')),
    'LINE quota used this month': shown(quota.used),
    'Expected at month end': shown(quota.expectedAtMonthEnd),
  });
  const within = `Within the quota of ${shown(quota.quota)}`;
  await page.getByText(within, { exact: true }).waitFor();
  const month = await csvOf(cardOf(page, 'LINE quota this month'));
  assert.equal(month.rows.length, 31);
  assert.deepEqual(
    month.rows.slice(0, quota.days.length).map(([day, used]) => [day, used]),
    quota.days.map(({ day, used }) => [day, used === null ? '' : String(used)]),
  );
  assert.deepEqual(month.rows.at(-1), [
    '2026-03-31',
    '',
    String(quota.expectedAtMonthEnd),
    String(quota.quota),
  ]);

  const daily = cardOf(page, 'Messages over time');
  for (const [title, lines] of [
    ['Received', platforms.map((platform) => lineOf(overview.series, 'inbound', platform))],
    ['Sent', platforms.map((platform) => lineOf(overview.series, 'outbound', platform))],
    ['Both', ['inbound', 'outbound'].map((way) => lineOf(overview.series, way, 'all'))],
  ] as const) {
    await daily.getByRole('button', { name: title, exact: true }).click();
    assert.deepEqual((await csvOf(daily)).rows, byDay(overview.days, lines), title);
  }

  type Delivered = { days: { day: string; kinds: { kind: string; messages: number }[] }[] };
  const delivered = await read<Delivered>(`line/deliveries?${range}`);
  const { head, rows } = await csvOf(cardOf(page, 'Sent on LINE by kind'));
  for (const [title, kind] of [
    ['Broadcast', 'broadcast'],
    ['Broadcast (API)', 'apiBroadcast'],
    ['Chat', 'chat'],
  ] as const) {
    assert.deepEqual(
      rows.map((row) => [row[0], Number(row[head.indexOf(title)])]),
      delivered.days.map(({ day, kinds }) => [day, kinds.find((one) => one.kind === kind)?.messages ?? 0]),
      title,
    );
  }

  type Hours = { hours: { platform: string; weekday: number; hour: number; inbound: number }[] };
  const { hours } = await read<Hours>(`messages/hours?${range}`);
  const week = cardOf(page, 'Hours of the week');
  const inWeek = (platform: string) =>
    [1, 2, 3, 4, 5, 6, 7].map((weekday) =>
      hours
        .filter((one) => one.platform === platform && one.weekday === weekday)
        .sort((one, other) => one.hour - other.hour)
        .map(({ inbound }) => inbound),
    );
  for (const [platform, title] of [
    ['all', 'All platforms'],
    ['line', 'LINE'],
  ] as const) {
    await week.getByRole('combobox').selectOption(title);
    const cells = (await rowsOf(week)).map(([, ...values]) => values);
    const expected = inWeek(platform);
    assert.deepEqual(
      cells,
      expected.map((values) => values.map((value) => (value === 0 ? '·' : String(value)))),
    );
    const csv = (await csvOf(week)).rows.map(([, ...values]) => values.map(Number));
    assert.deepEqual(csv, expected);
  }
  // LINE does not report sends by hour: the page shows unknown, not 0.
  await week.getByRole('button', { name: 'Sent', exact: true }).click();
  await week.getByText('Not known by the hour').waitFor();
  assert.equal(await week.locator('table').count(), 0);
  await assertSound(opened, world.address);
});

test('sent messages that LINE has not reported are a dash in every card and a gap in the chart, without a change', async (t) => {
  const { read, open } = await worldOf(t);
  const today = '2026-03-20';
  const path = `overview?from=${today}&to=${today}`;
  const { page } = await open('messages');
  await page.route(`**/api/v1/bots/*/${path}&*`, async (route) => {
    const response = await route.fetch();
    if (!response.ok()) return route.fulfill({ response });
    return route.fulfill({ response, json: withoutSends(await response.json()) });
  });
  await page.goto(page.url().replace(/\?.*|$/, `?from=${today}&to=${today}`));
  await settled(page);
  const overview = withoutSends(await read<Overview>(path));
  const received = shown(figureOf(overview, 'inbound'));
  const stats = await statsOf(page);
  assert.deepEqual(
    [stats.Messages, stats['Messages received'], stats['Messages sent']],
    ['–', received, '–'],
  );
  assert.equal(await page.locator('.stat', { hasText: '–' }).locator('.change').count(), 0);
  const daily = cardOf(page, 'Messages over time');
  await daily.getByRole('button', { name: 'Sent', exact: true }).click();
  const sentSeries = platforms.map((platform) => lineOf(overview.series, 'outbound', platform));
  assert.deepEqual((await csvOf(daily)).rows, byDay([today], sentSeries));
  await page.goto(page.url().replace('/messages?', '/overview?'));
  await settled(page);
  assert.equal((await statsOf(page)).Messages, '–');
});

/** The answer before LINE has reported the days. */
function withoutSends(overview: Overview): Overview {
  const isUnknown = ({ figure, platform }: { figure: string; platform: string }) =>
    (figure === 'outbound' || figure === 'messages') && (platform === 'line' || platform === 'all');
  return {
    ...overview,
    figures: overview.figures.map((one) =>
      isUnknown(one) ? { ...one, now: null, change: null, changeRate: null } : one,
    ),
    series: overview.series.map((one) =>
      isUnknown(one) ? { ...one, values: one.values.map(() => null) } : one,
    ),
  };
}

test("every number of the conversations page is the API's, and a key loads more of the list", async (t) => {
  const { world, read, open } = await worldOf(t);
  const opened = await open('conversations');
  const { page } = opened;
  const overview = await read<Overview>(`overview?${range}`);
  const { 'Average length': length = '', ...stats } = await statsOf(page);
  assert.deepEqual(stats, {
    Conversations: shown(figureOf(overview, 'conversations')),
    'Messages per conversation': shown(figureOf(overview, 'averageConversationMessages')),
  });
  const seconds = figureOf(overview, 'averageConversationSeconds') ?? 0;
  assert.deepEqual(length.match(/\d+/g)?.map(Number), [Math.floor(seconds / 60), seconds % 60]);
  const lines = platforms.map((platform) => lineOf(overview.series, 'conversations', platform));
  assert.deepEqual((await csvOf(cardOf(page, 'Conversations over time'))).rows, byDay(overview.days, lines));

  type Values = { mean: number; median: number; steps: { conversations: number }[] };
  type Spread = { spread: { platform: string; conversations: number; messages: Values; seconds: Values }[] };
  const { spread } = await read<Spread>(`conversations/spread?${range}`);
  assert.deepEqual(
    (await csvOf(cardOf(page, 'By platform'))).rows.map(([, ...values]) => values.map(Number)),
    spread.map(({ conversations, messages, seconds: lasting }) => [
      ...[conversations, messages.mean, messages.median, lasting.mean, lasting.median],
    ]),
  );
  for (const [title, of] of [
    ['By number of messages', 'messages'],
    ['By length', 'seconds'],
  ] as const) {
    const { rows } = await csvOf(cardOf(page, title));
    const each = spread.filter(({ platform }) => platform !== 'all');
    for (const [index, row] of rows.entries()) {
      assert.deepEqual(
        row.slice(1).map(Number),
        each.map((one) => one[of].steps[index]?.conversations),
        `${title}: ${row[0]}`,
      );
    }
  }

  type Conversation = { contactId: string; inbound: number; outbound: number };
  type Page = { conversations: Conversation[]; nextCursor: string | null };
  const numbers = ({ contactId, inbound, outbound }: Conversation) => [
    contactId,
    shown(inbound),
    shown(outbound),
  ];
  const list = cardOf(page, 'List of conversations');
  const cells = async () => (await rowsOf(list)).map((row) => row.slice(2, 5));
  const first = await read<Page>(`conversations?${range}`);
  assert.deepEqual(await cells(), first.conversations.map(numbers));
  await list.getByRole('button', { name: 'Show more' }).focus();
  await page.keyboard.press('Enter');
  await list
    .locator('tbody tr')
    .nth(2 * first.conversations.length - 1)
    .waitFor();
  const second = await read<Page>(`conversations?${range}&cursor=${first.nextCursor}`);
  assert.deepEqual(await cells(), [...first.conversations, ...second.conversations].map(numbers));
  await list.getByRole('combobox').focus();
  await page.keyboard.type('Wh');
  await page.waitForURL('**/conversations?platform=whatsapp');
  await list.locator('tbody tr', { hasText: 'LINE' }).first().waitFor({ state: 'detached' });
  await settled(page);
  const chosen = await read<Page>(`conversations?${range}&platform=whatsapp`);
  assert.deepEqual(await cells(), chosen.conversations.map(numbers));
  assert.equal(
    await list.getByRole('link').first().getAttribute('href'),
    `/bots/${world.botId}/contacts?contact=${chosen.conversations[0]?.contactId}`,
  );
  await assertSound(opened, world.address);
});

test('each send shows the figures from LINE; a missing figure shows its reason, never 0', async (t) => {
  const { world, read, open } = await worldOf(t, dashboardWorld(t));
  const { sends: before } = await read<{ sends: Send[] }>(`line/sends?${range}&kinds=broadcast,narrowcast`);
  const [newest, hidden] = before;
  assert.ok(newest && hidden && before.length > 2);
  await world.sql`delete from line_message_events where request_id = ${newest.requestId}`;
  await world.sql`
    update line_message_events set value = jsonb_set(value, '{overview,uniqueClick}', 'null')
    where request_id = ${hidden.requestId}`;
  const { sends } = await read<{ sends: Send[] }>(`line/sends?${range}&kinds=broadcast,narrowcast`);

  const opened = await open('sends');
  const { page } = opened;
  const list = cardOf(page, 'Sends on LINE');
  const share = (people: number, { delivered }: Send) =>
    (people / (delivered ?? 0)).toLocaleString('en-GB', { style: 'percent', maximumFractionDigits: 2 });
  const people = (count: number | null, send: Send) =>
    count === null ? null : shown(count) + share(count, send);
  assert.deepEqual(
    (await rowsOf(list)).map((row) => row.slice(1, 6)),
    sends.map((send, index) => [
      'Broadcast',
      shown(send.recipients),
      send.delivered === null ? '–Not yet reported by LINE' : shown(send.delivered),
      people(send.opened, send) ?? '–Not yet reported by LINE',
      people(send.clicked, send) ?? (index === 0 ? '–Not yet reported by LINE' : '–Fewer than 20 people'),
    ]),
  );
  const { rows } = await csvOf(cardOf(page, 'Delivered, opened, clicked'));
  assert.deepEqual(
    rows.map((row) => row.slice(1)),
    sends
      .filter(({ delivered }) => delivered !== null)
      .reverse()
      .map(({ delivered, opened: read, clicked }) =>
        [delivered, read, clicked].map((count) => (count === null ? '' : String(count))),
      ),
  );

  await list.getByRole('button', { name: 'All kinds' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/sends?kinds=all');
  const push = list.locator('tbody tr', { hasText: 'Push' }).first();
  await push.waitFor();
  assert.deepEqual((await push.locator('td').allTextContents()).slice(1), [
    ...['Push', '1', '–Broadcasts only', '–Broadcasts only', '–Broadcasts only', '–No links'],
  ]);
  const multicast = list.locator('tbody tr', { hasText: 'Multicast' }).first();
  assert.match((await multicast.locator('td').nth(1).textContent()) ?? '', /^MulticastUnit spring_\d+$/);
  await assertSound(opened, world.address);
});

test('pages of an empty bot explain what will appear, and a failure shows an error', async (t) => {
  const { world } = await worldOf(t);
  const created = await fetch(`${world.address}/api/v1/bots`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'New' }),
  });
  const { botId } = (await created.json()) as { botId: string };
  const opened = await openDashboard(t, world, { path: `/bots/${botId}/audience` });
  const { page } = opened;
  for (const [link, words] of [
    ['Audience', 'No tags yet'],
    ['Messages', 'No channel is connected yet'],
    ['Conversations', 'No channel is connected yet'],
    ['Sends', 'No sends in this range'],
  ] as const) {
    await page.getByRole('link', { name: link, exact: true }).click();
    await page.getByRole('heading', { level: 1, name: link }).waitFor();
    await page.getByText(words).first().waitFor();
    await settled(page);
    await assertSound(opened, world.address);
  }

  await page.route('**/line/sends?*', (route) =>
    route.fulfill({ status: 503, json: { code: 'UNAVAILABLE', detail: 'The database is away.' } }),
  );
  await chooseRange(page, '7 days');
  await page.getByRole('alert').getByText('The server reported an error.').waitFor();
  await page.unroute('**/line/sends?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('No sends in this range').waitFor();
});

const titles = [
  ['audience', '受眾', 'オーディエンス'],
  ['messages', '訊息', 'メッセージ'],
  ['conversations', '對話', '会話'],
  ['sends', '發送', '配信'],
] as const;

test('the pages pass all checks in dark mode, on a phone, in Chinese and Japanese', async (t) => {
  const { world, open } = await worldOf(t);
  for (const [name, chinese, japanese] of titles) {
    const opened = await open(name, { locale: 'zh-TW', viewport: phone, colorScheme: 'dark' });
    const { page } = opened;
    assert.equal(await page.locator('h1').textContent(), chinese);
    await assertSound(opened, world.address);
    await page.setViewportSize(desktop);
    await page.getByLabel('語言').selectOption('ja');
    await page.getByRole('heading', { level: 1, name: japanese ?? '', exact: true }).waitFor();
    assert.doesNotMatch(await page.locator('main').innerText(), /undefined|NaN|\{\{/);
    assert.deepEqual(opened.errors, []);
    await opened.context.close();
  }
});

async function worldOf(t: TestContext, starting: Promise<DashboardWorld> = sharedWorld()) {
  const world = await starting;
  return {
    world,
    read: <Answer>(path: string) => world.read<Answer>(`/bots/${world.botId}/${path}`),
    open: (name: string, options = {}) =>
      openDashboard(t, world, { path: `/bots/{botId}/${name}`, ...options }),
  };
}

function figureOf({ figures }: Overview, name: string): number | null {
  const found = figures.find(({ figure, platform }) => figure === name && platform === 'all');
  assert.ok(found, name);
  return found.now;
}

function lineOf(lines: readonly Line[], figure: string, platform: string): Line {
  const found = lines.find((one) => one.figure === figure && one.platform === platform);
  assert.ok(found, `${figure} of ${platform}`);
  return found;
}

/** The rows of a CSV: the day, the value of each series, and the compared value of each. */
function byDay(all: readonly string[], lines: readonly Line[]): string[][] {
  return all.map((day, index) =>
    [day, ...lines.map(({ values }) => values[index]), ...lines.map((line) => line.valuesBefore[index])].map(
      (value) => String(value ?? ''),
    ),
  );
}

function shown(value: number | null): string {
  return value === null ? '–' : value.toLocaleString('en-GB');
}

function percentages(shares: readonly Share[]): number[] {
  return shares.map(({ percentage }) => percentage).sort();
}
