/** A card of the dashboard in a real browser: its table and its CSV. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import type { Locator, Page } from 'playwright-core';

/** The card with a title. */
export function cardOf(page: Page, title: string): Locator {
  return page.locator('.card', { has: page.getByRole('heading', { name: title, exact: true }) });
}

/** The values of the large figures, by title. */
export async function statsOf(page: Page): Promise<Record<string, string>> {
  const stats = await page
    .locator('.stat')
    .evaluateAll((parts) =>
      parts.map((part) => [
        part.querySelector('dt')?.textContent ?? '',
        part.querySelector('.stat-value')?.textContent ?? '',
      ]),
    );
  return Object.fromEntries(stats);
}

/** The card's downloaded CSV: head and rows. */
export async function csvOf(card: Locator): Promise<{ head: string[]; rows: string[][] }> {
  const download = card.page().waitForEvent('download');
  await card.getByRole('button', { name: /CSV/ }).click();
  const text = await readFile(await (await download).path(), 'utf8');
  const [head, ...rows] = parse(text, { bom: true, relaxColumnCount: false }) as string[][];
  assert.ok(head);
  return { head, rows };
}

/** The rows of the card's table, without its header. */
export async function rowsOf(card: Locator): Promise<string[][]> {
  return card
    .locator('tbody tr')
    .evaluateAll((rows) =>
      rows.map((row) => [...row.querySelectorAll('th, td')].map((cell) => cell.textContent?.trim() ?? '')),
    );
}

/** Switches the card from chart to table. */
export async function showTable(card: Locator): Promise<void> {
  await card.getByRole('button', { name: 'Table', exact: true }).click();
  await card.locator('table').waitFor();
}
