/**
 * The page Alerts in a real browser against a real server: a target is added, tested and removed, a rule is changed, and a running
 * alert appears in the log and on the health page.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { phone } from '../harness/browser.ts';
import { assertSound, openDashboard, tableCells } from '../harness/dashboard-page.ts';
import { dashboardWorld, worldNow } from '../harness/dashboard-world.ts';
import { receiver } from '../harness/receiver.ts';

const path = '/bots/{botId}/alerts';

test('a webhook is added, tested and removed, a rule is changed, and a running alert is shown', async (t) => {
  const world = await dashboardWorld(t);
  const { sql, botId } = world;
  const server = await receiver(t);
  await sql`
    insert into alerts (bot_id, rule, subject, value, threshold, began_at)
    values (${botId}, 'quota-used', 'line', 81.2, 80, ${new Date(worldNow - 3_600_000)})`;
  const opened = await openDashboard(t, world, { path });
  const { page } = opened;
  assert.deepEqual((await tableCells(page, 'Log')).slice(1), [
    ['Quota almost used', 'LINE', '81.2 %', '20 Mar 2026, 11:00', 'Running', 'No target'],
  ]);
  await page.getByText('No target yet').waitFor();
  await assertSound(opened, world.address);

  await page.getByRole('button', { name: 'Add target' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Kind').selectOption('webhook');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await dialog.getByText('Enter an address.').waitFor();
  await dialog.getByRole('textbox', { name: 'Address' }).fill(server.url);
  await assertSound(opened, world.address);
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  const secretField = page.getByRole('textbox', { name: 'Signing secret' });
  await secretField.waitFor();
  const secret = await secretField.inputValue();
  await dialog.getByRole('button', { name: 'Done' }).click();

  await page.getByRole('button', { name: `Send a test to ${server.url}` }).click();
  const log = page.getByRole('table', { name: 'Log' });
  await log.getByText('Test: sent').waitFor();
  const [received] = server.received;
  assert.ok(received);
  assert.equal(received.type, 'alert.test');
  // The server's clock is the world's; the library compares with its own.
  t.mock.timers.enable({ apis: ['Date'], now: worldNow });
  new Webhook(secret).verify(received.body, received.headers);
  t.mock.timers.reset();

  await page.getByRole('button', { name: 'Change “No delivery”' }).click();
  await dialog.getByLabel('Threshold').fill('0');
  await dialog.getByLabel('Sun').uncheck();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Enter a number from 1 to 168.').waitFor();
  await assertSound(opened, world.address);
  await dialog.getByLabel('Threshold').fill('6');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('6 hours').waitFor();
  const { rules } = await world.read<{ rules: { rule: string; threshold: number; hours: object }[] }>(
    `/bots/${botId}/alert-rules`,
  );
  const { threshold, hours } = rules.find(({ rule }) => rule === 'no-delivery') ?? {};
  assert.deepEqual([threshold, hours], [6, { from: 9, until: 21, weekdays: [1, 2, 3, 4, 5, 6] }]);

  await page.getByRole('button', { name: `Remove ${server.url}` }).click();
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByText('No target yet').waitFor();

  await page.getByRole('link', { name: 'Health', exact: true }).click();
  await page.getByRole('table', { name: 'Running alerts' }).getByText('Quota almost used').waitFor();
  await page.getByRole('link', { name: 'Rules and targets' }).click();
  await page.getByRole('heading', { name: 'Alerts', level: 1 }).waitFor();
  assert.deepEqual(opened.errors, []);

  const dark = { colorScheme: 'dark', locale: 'zh-TW', viewport: phone } as const;
  await assertSound(await openDashboard(t, world, { path, ...dark }), world.address);
});
