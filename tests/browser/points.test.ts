/**
 * Points and reconciliation in a real browser against a real server: every number, in charts' tables and in their CSV, is the
 * API's.
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
  days: { day: string; followers: Comparison; blocks: Comparison; sends: Comparison }[];
};

test('points: totals, periods and expiring points are the API’s', async (t) => {
  const world = await sharedWorld();
  const path = '/bots/{botId}/points?days=90';
  const opened = await openDashboard(t, world, { path });
  const { page } = opened;
  const range = 'from=2025-12-21&to=2026-03-20';
  const points = `/bots/${world.botId}/points`;
  for (const by of ['day', 'week', 'month'] as const) {
    const choice = { day: 'Day', week: 'Week', month: 'Month' }[by];
    await page.getByRole('button', { name: choice, exact: true }).click();
    await settled(page);
    const { periods, totals, before } = await world.read<PointSeries>(`${points}/series?${range}&by=${by}`);
    assert.ok(totals.earned > 0 && totals.spent > 0);
    assert.deepEqual(
      await page.locator('.stat-value').allTextContents(),
      [totals.outstanding, totals.earned, totals.spent, totals.expired, totals.corrected].map(english),
    );
    assert.ok(await page.getByText(`${english(before)} before this range`).isVisible());
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
  }
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
  assert.ok(await opened.page.getByText('No points yet').isVisible());
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
