/** A card of the dashboard in a real browser: what its table shows, and what its CSV says. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import type { Locator, Page } from 'playwright-core';

/** The card of a title. */
export function cardOf(page: Page, title: string): Locator {
  return page.locator('.card', { has: page.getByRole('heading', { name: title, exact: true }) });
}

/** The values of the figures in large, by their titles. */
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

/** The rows below the head of the card's CSV, as the reader gets it; the names in its head, too. */
export async function csvOf(card: Locator): Promise<{ head: string[]; rows: string[][] }> {
  const download = card.page().waitForEvent('download');
  await card.getByRole('button', { name: /CSV/ }).click();
  const text = await readFile(await (await download).path(), 'utf8');
  const [head, ...rows] = parse(text, { bom: true, relaxColumnCount: false }) as string[][];
  assert.ok(head);
  return { head, rows };
}

/** The rows of the card's table, below its head. */
export async function rowsOf(card: Locator): Promise<string[][]> {
  return card
    .locator('tbody tr')
    .evaluateAll((rows) =>
      rows.map((row) => [...row.querySelectorAll('th, td')].map((cell) => cell.textContent?.trim() ?? '')),
    );
}

/** Turns the card's chart into its table. */
export async function showTable(card: Locator): Promise<void> {
  await card.getByRole('button', { name: 'Table', exact: true }).click();
  await card.locator('table').waitFor();
}
