/**
 * Reports by e-mail in a real browser against a real server and a real SMTP server: created, previewed, sent, read, unsubscribed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findAccessibilityProblems, phone } from '../harness/browser.ts';
import { assertSound, openDashboard, settled, tableCells } from '../harness/dashboard-page.ts';
import { dashboardWorld } from '../harness/dashboard-world.ts';
import { startSmtp } from '../harness/smtp.ts';
import { until } from '../harness/until.ts';

const publicUrl = 'https://public.example';

test('a report is created, previewed, sent, unsubscribed in the mail, paused and deleted', async (t) => {
  const smtp = await startSmtp(t);
  const world = await dashboardWorld(t, {
    smtpUrl: smtp.url,
    mailFrom: 'Shoal <shoal@shop.example>',
    publicUrl,
  });
  const { address, botId } = world;
  const opened = await openDashboard(t, world, { path: '/bots/{botId}/mail-reports' });
  const { page } = opened;
  const dialog = page.getByRole('dialog');
  await page.getByText('No reports yet').waitFor();
  await page.getByRole('button', { name: 'New report' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Sales');
  await dialog.getByLabel('How often').selectOption({ label: 'Daily' });
  await dialog.getByLabel('Language').selectOption({ label: '日本語' });
  await dialog.getByLabel('Recipients').fill('ming@shop.example\nnot an address');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByText('“not an address” is not an e-mail address.').waitFor();
  await dialog.getByLabel('Recipients').fill('ming@shop.example');
  await assertSound(opened, address);
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved “Sales”.').waitFor();

  const preview = opened.context.waitForEvent('page');
  await page.getByRole('link', { name: 'Preview “Sales” in a new tab' }).click();
  const previewed = await preview;
  await previewed.getByRole('heading', { level: 1 }).waitFor();
  assert.match((await previewed.locator('h1').textContent()) ?? '', /^Sales 日次レポート/);
  assert.equal(await previewed.locator('html').getAttribute('lang'), 'ja');
  type Overview = { figures: { figure: string; platform: string; now: number | null }[] };
  const { figures } = await world.read<Overview>(`/bots/${botId}/overview?from=2026-03-19&to=2026-03-19`);
  const messages = figures.find(({ figure, platform }) => figure === 'messages' && platform === 'all');
  const row = previewed.getByRole('row', { name: /^メッセージ / }).first();
  assert.equal(
    await row.getByRole('cell').nth(1).textContent(),
    messages?.now == null ? '–' : messages.now.toLocaleString('ja'),
  );
  await until(
    async () =>
      await previewed
        .locator('img')
        .evaluateAll((images) =>
          images.every((image) => (image as unknown as { naturalWidth: number }).naturalWidth === 1_120),
        ),
  );
  await previewed.close();

  await page.getByRole('button', { name: 'Send now: “Sales”?' }).click();
  await dialog.getByRole('button', { name: 'Send now', exact: true }).click();
  await page.getByText('The e-mails are on their way.').waitFor();
  await until(() => smtp.mails.length > 0);
  await page.getByText('sent', { exact: true }).waitFor();
  const [, path = ''] =
    /<https:\/\/public\.example(\/mail\/unsubscribe\/[^>]*)>/.exec(
      smtp.mails[0]?.bytes.replace(/\r?\n[ \t]+/g, ' ') ?? '',
    ) ?? [];
  const reader = await opened.context.newPage();
  await reader.goto(address + path);
  await reader.getByText('m…@shop.example への「Sales」の配信を停止しますか？').waitFor();
  assert.deepEqual(await findAccessibilityProblems(reader), []);
  await reader.getByRole('button', { name: '配信を停止' }).click();
  await reader.getByText('「Sales」は今後 m…@shop.example に配信されません。').waitFor();
  await reader.goto(`${address}/mail/unsubscribe/unknown`);
  await reader.getByText('The link is no longer valid').waitFor();
  await reader.close();
  const oneClick = await fetch(address + path, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'List-Unsubscribe=One-Click',
  });
  assert.equal(oneClick.status, 200);
  await page.getByText('unsubscribed', { exact: true }).waitFor();

  await page.getByRole('button', { name: 'Pause “Sales”' }).click();
  await page.getByRole('button', { name: 'Resume “Sales”' }).waitFor();
  await page.getByRole('cell', { name: 'Paused' }).waitFor();
  await page.setViewportSize(phone);
  await settled(page);
  await assertSound(opened, address);
  await page.emulateMedia({ colorScheme: 'dark' });
  await assertSound(opened, address);
  assert.equal((await tableCells(page, 'Reports by e-mail'))[1]?.[0], 'Sales');
  await page.getByRole('button', { name: 'Delete “Sales”?' }).click();
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('No reports yet').waitFor();
});
