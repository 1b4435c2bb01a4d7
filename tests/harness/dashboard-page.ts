/**
 * The dashboard in a real browser, signed in, at the world's time; and the checks of every page.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { findAccessibilityProblems, type OpenedPage, openPage, type PageOptions } from './browser.ts';
import { type DashboardWorld, worldNow } from './dashboard-world.ts';

const built = new URL('../../dist/dashboard/index.html', import.meta.url);

export type DashboardOptions = PageOptions & {
  /** The path, such as `/bots/{botId}/overview?days=7`. Default: the overview. */
  path?: string;
  /** Default true. */
  isSignedIn?: boolean;
};

/** Opens a page of the dashboard and waits until it has loaded; closes it when the test ends. */
export async function openDashboard(
  t: TestContext,
  { address, botId = '', token = '' }: Pick<DashboardWorld, 'address'> & Partial<DashboardWorld>,
  { path = '/bots/{botId}/overview', isSignedIn = true, ...options }: DashboardOptions = {},
): Promise<OpenedPage> {
  assert.ok(existsSync(built), 'the dashboard is not built: npm run build');
  const opened = await openPage(t, options);
  await opened.page.clock.setFixedTime(worldNow);
  if (isSignedIn) await signInByToken(opened, address, token);
  await opened.page.goto(address + path.replace('{botId}', botId));
  await settled(opened.page);
  return opened;
}

/** Signs the browser in with an admin token. */
export async function signInByToken({ context }: OpenedPage, address: string, token: string): Promise<void> {
  const response = await context.request.post(`${address}/api/v1/session`, { data: { token } });
  assert.equal(response.status(), 200);
}

/** Waits until the page has loaded and every chart is drawn. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await page.locator('.loading, [aria-busy="true"]').first().waitFor({ state: 'detached' });
}

/** Checks every page: no errors, no other hosts, no axe violations, nothing wider than the page. */
export async function assertSound({ page, errors, origins }: OpenedPage, address: string): Promise<void> {
  assert.deepEqual(await findAccessibilityProblems(page), []);
  assert.deepEqual(errors, []);
  assert.deepEqual([...origins], [address]);
  const [wide, shown] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, innerWidth]',
  );
  assert.ok(wide <= shown, `the page is ${wide} px wide on ${shown} px`);
}

/** The texts of a table's cells, row by row, with the head. */
export async function tableCells(page: Page, caption: string): Promise<string[][]> {
  return page
    .locator('table', { has: page.locator('caption', { hasText: new RegExp(`^${caption}$`) }) })
    .locator('tr')
    .evaluateAll((rows) =>
      rows.map((row) => [...row.querySelectorAll('th, td')].map((cell) => cell.textContent?.trim() ?? '')),
    );
}

/** Selects a usual range in the range picker, such as `7 days` or `Last week`. */
export async function chooseRange(page: Page, title: string): Promise<void> {
  await page.locator('.range-button').click();
  await page.getByRole('dialog').getByRole('button', { name: title, exact: true }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}
