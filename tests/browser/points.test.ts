/**
 * Points, rewards and reconciliation in a real browser against a real server: every number, in charts' tables and in their CSV, is
 * the API's.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { phone } from '../harness/browser.ts';
import { assertSound, openDashboard, settled, tableCells } from '../harness/dashboard-page.ts';
import { sharedWorld } from '../harness/dashboard-world.ts';

type PointSeries = {
  before: number;
  periods: {
    name: string;
    earned: number;
    spent: number;
    corrected: number;
    expired: number;
    outstanding: number;
  }[];
  totals: { earned: number; spent: number; corrected: number; expired: number; outstanding: number };
};
type Comparison = { own: number | null; line: number | null; gap: number | null; reasons: string[] };
type Reconciliation = {
  days: {
    day: string;
    friendsBefore: number | null;
    followers: Comparison;
    blocks: Comparison;
    sends: Comparison;
  }[];
};
type MetaComparison = { own: number | null; theirs: number | null; gap: number | null; reasons: string[] };
type MetaReconciliation = { days: { day: string; figures: { contacts: MetaComparison } }[] };

test('points: totals, periods and expiring points are the API’s', async (t) => {
  const world = await sharedWorld();
  const path = '/bots/{botId}/points?days=90';
  const opened = await openDashboard(t, world, { path });
  const { page } = opened;
  const range = 'from=2025-12-21&to=2026-03-20';
  const points = `/bots/${world.botId}/points`;
  for (const by of ['day', 'week', 'month'] as const) {
    await page.getByLabel('Group by').selectOption(by);
    await settled(page);
    const { periods, totals, before } = await world.read<PointSeries>(`${points}/series?${range}&by=${by}`);
    assert.ok(totals.earned > 0 && totals.spent > 0);
    assert.deepEqual(
      await page.locator('.stat-value').allTextContents(),
      [totals.outstanding, totals.earned, totals.spent, totals.expired, totals.corrected].map(english),
    );
    await page.getByText(`${english(before)} before this range`).waitFor();
    const csv = await csvOf(page, 'Earned, spent, expired');
    assert.deepEqual(
      csv,
      periods.map(({ name, earned, spent, expired }) => [name, earned, spent, expired].join(',')),
    );
    const outstanding = await csvOf(page, 'Outstanding');
    assert.deepEqual(
      outstanding,
      periods.map(({ name, outstanding }) => `${name},${outstanding}`),
    );
  }
  await page.getByRole('button', { name: '365 days' }).last().click();
  await page.waitForURL('**ahead=365**');
  await settled(page);
  type Days = { expiring: { day: string; points: number; contacts: number }[] };
  const { expiring } = await world.read<Days>(`${points}/expiring?from=2026-03-20&to=2027-03-19`);
  assert.ok(expiring.length > 0);
  assert.deepEqual(
    await csvOf(page, 'Expiring'),
    expiring.map(({ day, points: many, contacts }) => [day, many, contacts].join(',')),
  );
  await page.getByRole('button', { name: 'Table' }).first().focus();
  await page.keyboard.press('Enter');
  await tableCells(page, 'Earned, spent, expired');
  await assertSound(opened, world.address);
});

test('rewards: a catalogue is imported after its bad line is named, a gift is granted and redeemed, and stock left is the API’s', async (t) => {
  const world = await sharedWorld();
  const { botId, address, sql } = world;
  const opened = await openDashboard(t, world, { path: '/bots/{botId}/rewards' });
  const { page } = opened;
  const dialog = page.getByRole('dialog');
  await page.getByText('No gifts yet').waitFor();
  await page.getByRole('button', { name: 'New gift' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('input:focus').waitFor();
  await page.keyboard.type('Coffee');
  await dialog.getByLabel('Stock').fill('3');
  await dialog.getByLabel('Usable until').fill('2026-12-31');
  await dialog.getByLabel('Default gift').check();
  await assertSound(opened, address);
  await dialog.getByRole('button', { name: 'Save' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('Saved “Coffee”.').waitFor();

  await page.getByRole('button', { name: 'Import: Catalogue' }).click();
  const choose = (content: string | Buffer) =>
    dialog
      .getByLabel('File')
      .setInputFiles({ name: 'gifts.csv', mimeType: 'text/csv', buffer: Buffer.from(content) });
  const head = 'name,kind,resource,stock\n';
  await choose(`${head}Mug,physical,shop,5\nPen,thing,shop,5\n`);
  await dialog.getByRole('button', { name: 'Check the file' }).click();
  await dialog.getByText('line 3: The kind must be one of').waitFor();
  await assertSound({ ...opened, errors: opened.errors.splice(0).slice(1) }, address);
  await choose(`${head}Mug,physical,shop,5\nPen,virtual,shop,\n`);
  await dialog.getByRole('button', { name: 'Check the file' }).click();
  await dialog.getByText('2 lines, all valid. 2 new entries').waitFor();
  type Gift = { name: string; stock: number | null; granted: number; available: number | null };
  const gifts = async () => (await world.read<{ gifts: Gift[] }>(`/bots/${botId}/gifts`)).gifts;
  assert.deepEqual((await gifts()).length, 1);
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByText('Imported: 2 new entries.').waitFor();

  const [contact] = await sql<{ contactId: string; id: string }[]>`
    select contact_id as "contactId", platform_contact_id as id from contacts
    where bot_id = ${botId} and platform = 'line' and merged_into is null limit 1`;
  await page.getByRole('button', { name: 'Grant a gift' }).click();
  await dialog.getByLabel('Gift').selectOption({ label: 'Coffee (3 left)' });
  await dialog.getByLabel('Contact').fill('unknown');
  await page.keyboard.press('Enter');
  await dialog.getByText('No contact has this id.').waitFor();
  await dialog.getByLabel('Contact').fill(contact?.id ?? '');
  await page.keyboard.press('Enter');
  await page.getByText('“Coffee” granted.').waitFor();
  await page.getByRole('button', { name: 'Redeem “Coffee”?' }).click();
  await dialog.getByRole('button', { name: 'Redeem', exact: true }).click();
  await page.getByText('“Coffee” redeemed.').waitFor();
  await settled(page);
  const numberOrAny = (count: number | null) => (count === null ? 'Unlimited' : english(count));
  assert.deepEqual(
    (await tableCells(page, 'Catalogue')).slice(1).map((cells) => cells.slice(3, 6)),
    (await gifts()).map(({ stock, granted, available }) => [
      ...[numberOrAny(stock), english(granted), numberOrAny(available)],
    ]),
  );
  assert.deepEqual((await gifts())[0]?.available, 2);
  await assertSound(opened, address);
  await page.goto(`${address}/bots/${botId}/contacts?contact=${contact?.contactId}`);
  await page.getByRole('button', { name: 'Grant a gift' }).click();
  await dialog.getByLabel('Gift').selectOption({ label: 'Pen' });
  await dialog.getByRole('button', { name: 'Grant', exact: true }).click();
  await page.getByText('“Pen” granted.').waitFor();
  await page.getByRole('button', { name: 'Redeem “Pen”?' }).waitFor();
  assert.deepEqual(
    (await tableCells(page, 'Rewards')).slice(1).map(([gift, kind]) => [gift, kind]),
    [
      ['Pen', 'Virtual'],
      ['Coffee', 'Ticket'],
    ],
  );

  // A file without keys is recognized by its bytes, so the browser must send them as they are: here with a byte order mark.
  const grants = `\ufeffplatform,contact,gift\nline,${contact?.id},Mug\n`;
  const headers = { authorization: `Bearer ${world.token}`, 'content-type': 'text/csv' };
  const imports = `${address}/api/v1/bots/${botId}/imports/gifts`;
  const imported = await fetch(imports, { method: 'POST', headers, body: grants });
  assert.equal(((await imported.json()) as { written: number }).written, 1);
  await page.goto(`${address}/bots/${botId}/rewards`);
  await page.getByRole('button', { name: 'Import: Granted gifts' }).click();
  await choose(grants);
  await dialog.getByRole('button', { name: 'Check the file' }).click();
  await dialog.getByText('1 line, all valid. 1 imported before').waitFor();
  await choose(Buffer.from('platform,contact,gift\nline,U1,\xa9\xfa\n', 'latin1'));
  await dialog.getByRole('button', { name: 'Check the file' }).click();
  await dialog.getByText('is not in UTF-8. Save it as "CSV UTF-8" and try again.').waitFor();
  assert.equal(opened.errors.splice(0).length, 1, 'a browser notes the refusal');

  const options = { viewport: phone, colorScheme: 'dark', locale: 'zh-TW' } as const;
  await assertSound(await openDashboard(t, world, { path: '/bots/{botId}/rewards', ...options }), address);
});

test('reconciliation: both counts, the gap and its reasons are the API’s, day by day', async (t) => {
  const world = await sharedWorld();
  const opened = await openDashboard(t, world, { path: '/bots/{botId}/reconciliation' });
  const { page } = opened;
  const { days } = await world.read<Reconciliation>(
    `/bots/${world.botId}/reconciliation?from=2026-02-21&to=2026-03-20`,
  );
  assert.equal(days.length, 28);
  for (const [title, figure] of [
    ['Followers', 'followers'],
    ['Blocks', 'blocks'],
    ['Messages sent', 'sends'],
  ] as const) {
    await page.getByRole('button', { name: title, exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: `${title} by day` }).waitFor();
    const rows = (await tableCells(page, `${title} by day`)).slice(1);
    assert.deepEqual(
      rows.map((cells) => cells.slice(1, 4)),
      days.toReversed().map((day) => {
        const { own, line, gap } = day[figure];
        return [english(own), english(line), gap === null ? '–' : signed(gap)];
      }),
    );
    for (const [index, day] of days.toReversed().entries()) {
      assert.equal(rows[index]?.[4] === '', day[figure].reasons.length === 0, day.day);
    }
    const last = days.findLast((day) => day[figure].gap !== null)?.[figure];
    assert.ok(last);
    assert.deepEqual(await page.locator('.stat-value').allTextContents(), [
      english(last.own),
      english(last.line),
      signed(last.gap ?? 0),
    ]);
    assert.deepEqual(
      await csvOf(page, `${title}, ours and LINE`),
      days.map((day) => [day.day, day[figure].own ?? '', day[figure].line ?? ''].join(',')),
    );
    assert.deepEqual(
      await csvOf(page, `${title} by day`),
      days.map(({ day, friendsBefore, ...counts }) => {
        const { own, line, gap, reasons } = counts[figure];
        const before = figure === 'followers' ? [friendsBefore] : [];
        return [day, own, line, gap, reasons.join('|'), ...before].map((cell) => cell ?? '').join(',');
      }),
    );
  }
  await assertSound(opened, world.address);
  await page.getByRole('button', { name: 'Messenger', exact: true }).click();
  await page.getByRole('heading', { name: 'Contacts by day' }).waitFor();
  const meta = await world.read<MetaReconciliation>(
    `/bots/${world.botId}/reconciliation/facebook?from=2026-02-21&to=2026-03-20`,
  );
  assert.deepEqual(
    await csvOf(page, 'Contacts by day'),
    meta.days.map(({ day, figures }) => {
      const { own, theirs, gap, reasons } = figures.contacts;
      return [day, own, theirs, gap, reasons.join('|')].map((cell) => cell ?? '').join(',');
    }),
  );
  await assertSound(opened, world.address);
});

test('pages of a bot without points and without LINE explain what to do', async (t) => {
  const world = await sharedWorld();
  const response = await fetch(`${world.address}/api/v1/bots`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'New' }),
  });
  assert.equal(response.status, 201);
  const { botId } = (await response.json()) as { botId: string };
  const emptyWorld = { ...world, botId };
  const opened = await openDashboard(t, emptyWorld, { path: '/bots/{botId}/points' });
  await opened.page.getByText('No points yet').waitFor();
  for (const [page, words] of [
    ['reconciliation', 'No figures from LINE in this range'],
    ['health', 'No channel is connected yet'],
    ['contacts', 'No contacts yet'],
  ] as const) {
    await opened.page.goto(`${world.address}/bots/${botId}/${page}`);
    await settled(opened.page);
    await opened.page.getByText(words).waitFor();
  }
  await assertSound(opened, world.address);
});

for (const [colorScheme, locale, viewport] of [
  ['dark', 'zh-TW', phone],
  ['dark', 'ja-JP', undefined],
] as const) {
  test(`axe finds nothing on points and reconciliation, ${colorScheme}, ${locale}`, async (t) => {
    const world = await sharedWorld();
    const options = { colorScheme, locale, ...(viewport ? { viewport } : {}) };
    for (const path of ['/bots/{botId}/points', '/bots/{botId}/reconciliation']) {
      await assertSound(await openDashboard(t, world, { path, ...options }), world.address);
    }
  });
}

/** The lines of a chart's CSV without its head. */
async function csvOf(page: Page, title: string): Promise<string[]> {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: `Download “${title}” as CSV` }).click();
  const text = await readFile(await (await download).path(), 'utf8');
  return text.trim().split('\r\n').slice(1);
}

function english(amount: number | null): string {
  return amount === null ? '–' : amount.toLocaleString('en-GB');
}

function signed(amount: number): string {
  return amount.toLocaleString('en-GB', { signDisplay: 'exceptZero' });
}
