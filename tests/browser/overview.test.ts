/**
 * The overview in a real browser against a real server: every number is the API's, in three languages; its size; its updates; its
 * accessibility.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { type OpenedPage, phone } from '../harness/browser.ts';
import { assertSound, chooseRange, openDashboard, settled, tableCells } from '../harness/dashboard-page.ts';
import { type DashboardWorld, dashboardWorld, sharedWorld, worldNow } from '../harness/dashboard-world.ts';
import { deliver, lineBody } from '../harness/webhooks.ts';

type Overview = {
  before: { from: string; to: string };
  figures: {
    figure: string;
    platform: string;
    now: number;
    before: number | null;
    change: number | null;
    changeRate: number | null;
  }[];
  days: string[];
  series: { figure: string; platform: string; values: (number | null)[]; valuesBefore: (number | null)[] }[];
};

const readers = [
  {
    locale: 'en-GB',
    title: 'Overview',
    byPlatform: 'By platform',
    figures: ['Followers', 'Blocks', 'Messages', 'Conversations', 'Tag coverage', 'Points outstanding'],
    all: 'All platforms',
    table: 'Table',
    byDay: 'Messages over time',
    change: (isUp: boolean, share: string) => `${isUp ? '▲ Up' : '▼ Down'} ${share} vs previous 28 days`,
    font: 'Noto Sans TC',
  },
  {
    locale: 'ja-JP',
    title: '概要',
    byPlatform: 'プラットフォーム別',
    figures: ['友だち', 'ブロック', 'メッセージ', '会話', 'タグ付け率', '未使用ポイント'],
    all: '全プラットフォーム',
    table: '表',
    byDay: 'メッセージの推移',
    change: (isUp: boolean, share: string) => `${isUp ? '▲ 増加' : '▼ 減少'} ${share}（前の28日間との比較）`,
    font: 'Noto Sans JP',
  },
  {
    locale: 'zh-TW',
    title: '總覽',
    byPlatform: '依平台',
    figures: ['好友', '封鎖', '訊息', '對話', '貼標率', '未使用點數'],
    all: '所有平台',
    table: '表格',
    byDay: '訊息趨勢',
    change: (isUp: boolean, share: string) => `${isUp ? '▲ 增加' : '▼ 減少'} ${share}（較前 28 天）`,
    font: 'Noto Sans TC',
  },
];
const together = ['followers', 'blocks', 'messages', 'conversations', 'tagCoverRate', 'pointsOutstanding'];
const columns = ['followers', 'blocks', 'inbound', 'outbound', 'conversations', 'tagCoverRate'];
const platforms = ['line', 'facebook', 'instagram', 'whatsapp', 'all'];
const firstViewBytesMax = 200 * 1_024;

for (const reader of readers) {
  test(`every number of the overview is the API's (${reader.locale})`, async (t) => {
    const world = await sharedWorld();
    const opened = await openDashboard(t, world, { locale: reader.locale });
    const { page } = opened;
    const overview = await readOverview(world, '2026-02-21', '2026-03-20');
    const of = (figure: string, platform: string) => {
      const found = overview.figures.find((one) => one.figure === figure && one.platform === platform);
      assert.ok(found, `${figure} of ${platform}`);
      return found;
    };
    const written = (figure: string, value: number | null): string =>
      value === null
        ? '–'
        : value.toLocaleString(
            reader.locale,
            figure === 'tagCoverRate'
              ? { style: 'percent', maximumFractionDigits: 2 }
              : { maximumFractionDigits: 2 },
          );

    assert.equal(
      await page.locator('html').getAttribute('lang'),
      reader.locale.replace(/^zh.*/, 'zh-Hant').replace(/-[A-Z]+$/, ''),
    );
    assert.equal(await page.locator('h1').textContent(), reader.title);
    assert.equal(await fontOf(opened, 'h1'), `${reader.font} SemiBold`);
    const stats = await page.locator('.stat').evaluateAll((parts) =>
      parts.map((part) => ({
        title: part.querySelector('dt')?.textContent,
        value: part.querySelector('.stat-value')?.textContent,
        change: part.querySelector('.change')?.textContent ?? null,
        exact: part.querySelector('.change')?.getAttribute('title') ?? null,
      })),
    );
    assert.deepEqual(
      stats.map(({ title, value }) => [title, value]),
      together.map((figure, index) => [reader.figures[index], written(figure, of(figure, 'all').now)]),
    );
    for (const [index, figure] of together.entries()) {
      const { now, before, change, changeRate } = of(figure, 'all');
      if (change === null || changeRate === null) assert.equal(stats[index]?.change, null);
      else {
        const share = Math.abs(changeRate).toLocaleString(reader.locale, { style: 'percent' });
        assert.equal(stats[index]?.change, reader.change(change > 0, share), figure);
        const rate = changeRate.toLocaleString(reader.locale, {
          ...{ style: 'percent', maximumFractionDigits: 2, signDisplay: 'exceptZero' },
        });
        assert.equal(
          stats[index]?.exact,
          `${written(figure, before)} → ${written(figure, now)} (${rate})`,
          figure,
        );
      }
    }

    const rows = (await tableCells(page, reader.byPlatform)).slice(1);
    assert.equal(rows.length, platforms.length);
    for (const [index, platform] of platforms.entries()) {
      const [name, ...cells] = rows[index] ?? [];
      if (platform === 'all') assert.equal(name, reader.all);
      for (const [place, figure] of columns.entries()) {
        const { now } = of(figure, platform);
        assert.ok(cells[place]?.startsWith(written(figure, now)), `${platform} ${figure}: ${cells[place]}`);
      }
    }

    // The chart's table has the same numbers as its CSV, and both those of the API.
    const card = page.locator('.card', { has: page.getByRole('heading', { name: reader.byDay }) });
    await card.getByRole('button', { name: reader.table }).click();
    const shown = (await tableCells(page, reader.byDay)).slice(1);
    const download = page.waitForEvent('download');
    await card.getByRole('button', { name: 'CSV' }).click();
    const csv = (await readFile(await (await download).path(), 'utf8')).trim().split('\r\n').slice(1);
    const lines = platforms
      .filter((platform) => platform !== 'all')
      .map((platform) =>
        overview.series.find((one) => one.figure === 'messages' && one.platform === platform),
      );
    for (const [index, day] of overview.days.entries()) {
      const values = lines.map((line) => line?.values[index] ?? null);
      const before = lines.map((line) => line?.valuesBefore[index] ?? null);
      assert.equal(csv[index], [day, ...values, ...before].join(','));
      assert.deepEqual(
        shown[index]?.slice(1),
        [...values, ...before].map((value) => written('messages', value)),
      );
    }
    await assertSound(opened, world.address);
  });
}

test('the address holds the range, so it can be shared and the back button works', async (t) => {
  const world = await sharedWorld();
  const { page } = await openDashboard(t, world);
  const conversations = page.locator('.stat', { hasText: 'Conversations' }).locator('.stat-value');
  for (const [days, from] of [
    ['7 days', '2026-03-14'],
    ['90 days', '2025-12-21'],
    ['365 days', '2025-03-21'],
    ['Today', '2026-03-20'],
  ] as const) {
    await chooseRange(page, days);
    await settled(page);
    const { figures } = await readOverview(world, from, '2026-03-20');
    const now = figures.find(({ figure, platform }) => figure === 'conversations' && platform === 'all')?.now;
    await conversations.getByText(now?.toLocaleString('en-GB') ?? '', { exact: true }).waitFor();
  }
  await page.locator('.range-button').click();
  const colours = await page.evaluate<string[]>(
    'const { backgroundColor, color } = getComputedStyle(document.querySelector("dialog [type=submit]")); [backgroundColor, color]',
  );
  assert.deepEqual(colours, ['rgb(31, 95, 208)', 'rgb(255, 255, 255)'], 'the main button is filled');
  await page.getByLabel('From').fill('2026-03-09');
  await page.getByLabel('To').fill('2026-03-02');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.getByText('The first day must not be after the last.').waitFor();
  await page.getByLabel('From').fill('2026-03-01');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/overview?from=2026-03-01&to=2026-03-02');
  await settled(page);
  await page.getByText('Asia/Taipei (GMT+8)').waitFor();
  await page.goBack();
  await page.waitForURL('**/overview?days=1');
});

test('the range is chosen in the calendar by keyboard, stepped, compared with last year and grouped by week', async (t) => {
  const world = await sharedWorld();
  const { page } = await openDashboard(t, world, { path: '/bots/{botId}/overview?range=last-month' });
  const title = page.locator('.range-button');
  await title.getByText('Last month').waitFor();
  await page.getByText(/^Compared with 1\s*–\s*31 Jan 2026$/).waitFor();
  await page.getByRole('button', { name: 'Later period' }).click();
  await page.waitForURL('**/overview?range=this-month');
  // Today at 12:00 the compared period ends at the same hour.
  await page.getByText(/^Compared with 1\s*–\s*20 Feb 2026, until 12:00$/).waitFor();
  assert.ok(await page.getByRole('button', { name: 'Later period' }).isDisabled());
  await title.click();
  await page.getByRole('grid').getByRole('button', { name: 'Friday, 20 March 2026' }).focus();
  // From 20 March: a week up, to the Monday of that week, select; then three days on.
  for (const key of ['ArrowUp', 'Home', 'Enter', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'Enter']) {
    await page.keyboard.press(key);
  }
  assert.equal(await page.getByLabel('From').inputValue(), '2026-03-09');
  assert.equal(await page.getByLabel('To').inputValue(), '2026-03-12');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.waitForURL('**/overview?from=2026-03-09&to=2026-03-12');
  await page.getByLabel('Compare with').selectOption('vs last year');
  await page.getByLabel('Group by').selectOption('By week');
  await page.waitForURL('**/overview?from=2026-03-09&to=2026-03-12&compare=year&by=week');
  await page.getByText(/^Compared with 9\s*–\s*12 Mar 2025$/).waitFor();
  await page.getByRole('button', { name: 'Table', exact: true }).click();
  await page.getByRole('row', { name: /^9\s*–\s*12 Mar 2026/ }).waitFor();
  // A tile leads to its page, which keeps the view.
  await page.locator('.stat').getByRole('link', { name: 'Conversations' }).click();
  await page.waitForURL('**/conversations?from=2026-03-09&to=2026-03-12&by=week&compare=year');
  await page
    .getByText(/^Compared with 9\s*–\s*12 Mar 2025/)
    .first()
    .waitFor();
});

test('an address of a bot leads to the overview, or shows in the bot’s frame that it does not exist', async (t) => {
  const world = await sharedWorld();
  const opened = await openDashboard(t, world, { path: '/bots/{botId}' });
  const { page } = opened;
  await page.waitForURL(`**/bots/${world.botId}/overview`);
  for (const path of ['nowhere', 'overview/more', 'settings/channels/line']) {
    await page.goto(`${world.address}/bots/${world.botId}/${path}`);
    await page.getByRole('heading', { name: 'Page not found' }).waitFor();
    await page.getByRole('link', { name: 'Contacts' }).waitFor();
    assert.equal(await page.getByLabel('Bot').inputValue(), world.botId);
  }
  await page.getByRole('link', { name: 'Go to overview' }).click();
  await page.waitForURL(`**/bots/${world.botId}/overview`);
  await settled(page);
  await assertSound(opened, world.address);
});

test('an address with an invalid range shows the problem and the default range', async (t) => {
  const world = await sharedWorld();
  const opened = await openDashboard(t, world);
  const { page } = opened;
  const problem = page.locator('.range-problem');
  assert.equal(await problem.count(), 0);
  for (const [query, text] of [
    ['from=2026-02-30&to=2026-03-01', 'The address contains no valid date range. Shown: the last 28 days.'],
    ['from=2026-03-01', 'The address contains no valid date range. Shown: the last 28 days.'],
    [
      'from=2026-03-02&to=2026-03-01&days=7',
      'The first day must not be after the last. Shown: the last 7 days.',
    ],
    ['days=8', 'The address contains no valid date range. Shown: the last 28 days.'],
  ] as const) {
    for (const name of ['overview', 'sends']) {
      await page.goto(`${world.address}/bots/${world.botId}/${name}?${query}`);
      await settled(page);
      assert.equal((await problem.textContent())?.trim(), text, query);
    }
  }
  await assertSound(opened, world.address);
  await chooseRange(page, '7 days');
  await problem.waitFor({ state: 'detached' });
});

test('the overview follows changes, and revalidates with its entity tag', async (t) => {
  const world = await dashboardWorld(t);
  const { page } = await openDashboard(t, world, { path: '/bots/{botId}/overview?days=7' });
  const messages = page.locator('.stat', { hasText: 'Messages' }).locator('.stat-value');
  const before = await messages.textContent();
  const unchanged = await page.waitForResponse((response) => response.url().includes('/overview?'));
  assert.equal(unchanged.status(), 304);
  assert.equal(await messages.textContent(), before);
  const { figures } = await readOverview(world, '2026-03-14', '2026-03-20');
  const now = figures.find(({ figure, platform }) => figure === 'messages' && platform === 'all')?.now ?? 0;
  const body = lineBody([
    { type: 'message', id: 'NEWS', user: 'someone new', at: worldNow - 60_000 },
  ]).replace(/"destination":"[^"]*"/, `"destination":"${world.channels.line.accountId}"`);
  const response = await deliverLine(world, body);
  assert.equal(response.status, 200);
  await page
    .locator('.stat', { hasText: 'Messages' })
    .getByText((now + 1).toLocaleString('en-GB'), { exact: true })
    .waitFor();
});

test('a chart is saved as PNG, and the page as one CSV with its figures and charts', async (t) => {
  const world = await sharedWorld();
  const { page } = await openDashboard(t, world);
  const pictures = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download “Messages over time” as PNG' }).click();
  const picture = await pictures;
  assert.equal(picture.suggestedFilename(), 'messages-2026-02-21-2026-03-20.png');
  const png = await readFile(await picture.path());
  assert.deepEqual([...png.subarray(1, 4)], [...Buffer.from('PNG')]);
  // Wider than the card: the picture has a margin.
  assert.ok(
    png.readUInt32BE(16) > 600 && png.length > 5_000,
    `${png.readUInt32BE(16)} px, ${png.length} bytes`,
  );
  const tables = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export this page as CSV' }).click();
  const csv = await readFile(await (await tables).path(), 'utf8');
  const { figures, days } = await readOverview(world, '2026-02-21', '2026-03-20');
  const found = figures.find((one) => one.figure === 'messages' && one.platform === 'all');
  assert.ok(
    csv.includes(`\r\nMessages,${found?.now},${found?.before},${found?.change}\r\n`),
    csv.slice(0, 400),
  );
  assert.ok(csv.includes('\r\nMessages over time\r\n'));
  for (const day of days) assert.ok(csv.includes(`\r\n${day},`), day);
  const isPrinted = await page.evaluate<boolean>(
    'new Promise((resolve) => { window.print = () => resolve(true); document.querySelector("[aria-label^=Print]").click(); })',
  );
  assert.ok(isPrinted);
});

test('LINE broadcasts are annotations, and a note is added to them and deleted', async (t) => {
  const world = await sharedWorld();
  const { page, errors } = await openDashboard(t, world);
  const card = page.locator('.card', {
    has: page.getByRole('heading', { name: 'Annotations', exact: true }),
  });
  type Annotations = { annotations: { source: string; day: string; messages: number | null }[] };
  const range = 'from=2026-02-21&to=2026-03-20';
  const { annotations } = await world.read<Annotations>(`/bots/${world.botId}/annotations?${range}`);
  assert.ok(annotations.length > 0 && annotations.every(({ source }) => source === 'line-broadcast'));
  await card
    .getByRole('listitem')
    .nth(annotations.length - 1)
    .waitFor();
  await card.getByRole('button', { name: 'Add a note' }).click();
  await page.getByLabel('Day').fill('2026-03-02');
  await page.getByLabel('Text').fill('Spring sale begins');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await card.getByText('Spring sale begins').waitFor();
  await card.getByRole('button', { name: 'Delete: Spring sale begins' }).click();
  await card.getByText('Spring sale begins').waitFor({ state: 'detached' });
  assert.deepEqual(errors, []);
});

test('the search finds pages, contacts and tags by keyboard', async (t) => {
  const world = await sharedWorld();
  const opened = await openDashboard(t, world);
  const { page } = opened;
  type Contacts = { contacts: { contactId: string; name: string | null }[] };
  const { contacts } = await world.read<Contacts>(`/bots/${world.botId}/contacts?limit=200`);
  const contact = contacts.find(({ name }) => name !== null);
  const { tags } = await world.read<{ tags: { name: string }[] }>(`/bots/${world.botId}/tags`);
  const [tag] = tags;
  assert.ok(contact?.name && tag);
  const field = page.getByRole('combobox', { name: 'Pages, bots, contacts, tags, sends' });

  await page.locator('h1').press('/');
  await field.fill('conv');
  await page.getByRole('option', { name: 'Conversations', selected: true }).waitFor();
  await assertSound(opened, world.address);
  await field.press('Enter');
  await page.waitForURL(`**/bots/${world.botId}/conversations`);

  await page.locator('h1').press('Control+k');
  await field.fill(contact.name.toUpperCase());
  const names = page.getByRole('group', { name: 'Contacts' }).getByRole('option');
  await names.filter({ hasText: contact.name }).first().waitFor();
  await field.press('ArrowDown');
  await field.press('ArrowUp');
  await field.press('Enter');
  await page.waitForURL(/contacts\?contact=/);

  await page.locator('h1').press('/');
  await field.fill(tag.name);
  await page.getByRole('group', { name: 'Tags' }).getByRole('option', { name: tag.name }).first().click();
  await page.waitForURL(/contacts\?tag=/);
  await page.locator('h1').press('/');
  await field.fill('no such thing anywhere');
  await page.getByText('Nothing found').waitFor();
  await field.press('Escape');
  await field.waitFor({ state: 'detached' });
});

test('the first view of the overview is at most 200 KB compressed', async (t) => {
  const world = await sharedWorld();
  const opened = await openDashboard(t, world, { path: '/sign-in', isSignedIn: false });
  const { page, context } = opened;
  await context.request.post(`${world.address}/api/v1/session`, { data: { token: world.token } });
  await page.goto('about:blank');
  // The transferred bytes with headers, as the browser counts them.
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  const sizes = new Map<string, number>();
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) =>
    sizes.set(requestId, encodedDataLength),
  );
  await page.goto(`${world.address}/bots/${world.botId}/overview`);
  await settled(page);
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  t.diagnostic(`${sizes.size} requests, ${bytes} bytes`);
  assert.ok(sizes.size >= 6, 'page, script, style, chart, session, bots, overview');
  assert.ok(bytes <= firstViewBytesMax, `${bytes} bytes`);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing, ${colorScheme}, on a desk and on a phone`, async (t) => {
    const world = await sharedWorld();
    const desk = await openDashboard(t, world, { colorScheme });
    await assertSound(desk, world.address);
    await desk.page.getByRole('button', { name: 'Table', exact: true }).click();
    await assertSound(desk, world.address);
    await desk.page.locator('.range-button').click();
    await desk.page.getByRole('grid').waitFor();
    await assertSound(desk, world.address);
    const pocket = await openDashboard(t, world, { colorScheme, viewport: phone });
    await assertSound(pocket, world.address);
    await pocket.page.getByRole('button', { name: 'Menu' }).click();
    await pocket.page.getByRole('link', { name: 'Overview' }).waitFor();
    await assertSound(pocket, world.address);
  });
}

test('the chosen theme and language override the system after a reload', async (t) => {
  const world = await sharedWorld();
  const { page, errors } = await openDashboard(t, world, { colorScheme: 'light' });
  const ground = () => page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor');
  const light = await ground();
  await page.getByLabel('Theme').selectOption('dark');
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.getByLabel('Language').selectOption('zh-Hant');
  await page.getByRole('heading', { level: 1, name: '總覽' }).waitFor();
  await page.reload();
  await settled(page);
  assert.equal(await page.locator('h1').textContent(), '總覽');
  assert.equal(await ground(), dark);
  assert.deepEqual(errors, []);
});

test('the keyboard reaches the skip link, the navigation, the chart and the table', async (t) => {
  const world = await sharedWorld();
  const { page } = await openDashboard(t, world);
  const reached: string[] = [];
  for (let press = 0; press < 60; press += 1) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate<string>(
      '(document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "").trim()',
    );
    if (press > 0 && name === reached[0]) break;
    reached.push(name);
  }
  assert.equal(reached[0], 'Skip to content');
  for (const name of ['Overview', 'Sign out', 'Earlier period', '28 days', 'Table', 'LINE', 'By platform']) {
    assert.ok(reached.includes(name), `${name} in ${reached.join(', ')}`);
  }
  await page.getByRole('link', { name: 'Skip to content' }).focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate('document.activeElement?.id'), 'content');
});

/** The font family of most glyphs of an element. */
async function fontOf({ page, context }: OpenedPage, selector: string): Promise<string | undefined> {
  const session = await context.newCDPSession(page);
  await session.send('DOM.enable');
  await session.send('CSS.enable');
  const { root } = await session.send('DOM.getDocument');
  const { nodeId } = await session.send('DOM.querySelector', { nodeId: root.nodeId, selector });
  const { fonts } = await session.send('CSS.getPlatformFontsForNode', { nodeId });
  return fonts.toSorted((one, other) => other.glyphCount - one.glyphCount)[0]?.familyName;
}

function readOverview(world: DashboardWorld, from: string, to: string): Promise<Overview> {
  return world.read<Overview>(`/bots/${world.botId}/overview?from=${from}&to=${to}`);
}

function deliverLine({ address, botId, channels }: DashboardWorld, body: string): Promise<Response> {
  return deliver(address, { botId, platform: 'line', secret: channels.line.secret }, body);
}
