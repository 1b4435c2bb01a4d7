/**
 * The page of tags, imports and checks in a real browser against a real server, in both themes.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createAdminToken } from '../../src/auth/admin-tokens.ts';
import { openPage, phone, screenshot } from '../harness/browser.ts';
import { assertSound, settled, signInByToken, tableCells } from '../harness/dashboard-page.ts';
import { testServer } from '../harness/server.ts';
import { until } from '../harness/until.ts';

test('tags are created, renamed and deleted, files are imported after a preview, and figures and points are checked', async (t) => {
  const server = await testServer(t);
  const { sql, address } = server;
  await sql`insert into bots (bot_id, name) values ('shop', '海風小鋪')`;
  await sql`insert into channels (bot_id, platform, secret_sealed) values ('shop', 'line', '')`;
  const creation = { now: Date.now(), random: randomBytes };
  const { token } = await createAdminToken(sql, { name: 'test', scope: 'write', botIds: null }, creation);
  const opened = await openPage(t, { colorScheme: 'dark' });
  const { page } = opened;
  await signInByToken(opened, address, token);
  await page.goto(`${address}/bots/shop/data`);
  await settled(page);
  const dialog = page.getByRole('dialog');

  await page.getByRole('button', { name: 'New tag' }).click();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('VIP');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Edit tag VIP' }).click();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Gold');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Delete tag Gold' }).waitFor();
  assert.deepEqual((await tableCells(page, 'Tags'))[1]?.slice(0, 2), ['Gold', 'Manual']);

  const importing = async (text: string) => {
    await dialog.getByLabel('File').setInputFiles({
      name: 'contacts.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(text),
    });
    await dialog.getByText('Matched columns: platform, platform_contact_id, tags.').waitFor();
    await dialog.getByRole('button', { name: 'Check the file' }).click();
  };
  const id = (digit: number) => `U${String(digit).repeat(32)}`;
  await page.getByRole('button', { name: 'Import: Contacts' }).click();
  await importing(`platform,platform_contact_id,tags,shoe\nline,${id(1)},VIP,9\nfax,2,,`);
  await dialog.getByText('Not used for this import: shoe.').waitFor();
  await dialog.getByRole('alert').waitFor();
  await importing(`platform,platform_contact_id,tags\nline,${id(1)},VIP\nfax,2,`);
  await dialog.getByText('line 3').waitFor();
  await screenshot(page, 'data-import');
  // The browser reports each refused file.
  assert.equal(opened.errors.splice(0).length, 2);
  await assertSound(opened, address);
  await importing(`platform,platform_contact_id,tags\nline,${id(1)},VIP\nline,${id(2)},`);
  await dialog.getByText('2 lines, all valid. 2 new entries').waitFor();
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Edit tag VIP' }).waitFor();
  assert.equal((await sql`select from contacts where bot_id = 'shop'`).length, 2);

  await page.getByRole('button', { name: 'Check the figures' }).click();
  await page.getByText('All figures match the events.').waitFor();
  await sql`update totals set tagged_contacts = 7 where bot_id = 'shop' and platform = 'line'`;
  await page.getByRole('button', { name: 'Check the figures' }).click();
  await page.getByText('Some figures do not match the events.').waitFor();
  await page.getByRole('button', { name: 'Correct the figures' }).click();
  await dialog.getByRole('button', { name: 'Correct the figures' }).click();
  await page.getByText('These figures are corrected.').waitFor();
  await page.getByRole('button', { name: 'Check the figures' }).click();
  await page.getByText('All figures match the events.').waitFor();

  await page.getByRole('button', { name: 'Check the points' }).click();
  await page.getByText('Every balance is correct.').waitFor();
  await sql`
    insert into point_accounts (bot_id, contact_id, balance, lasting)
    select bot_id, contact_id, 5, 5 from contacts where bot_id = 'shop' limit 1`;
  await page.getByRole('button', { name: 'Check the points' }).click();
  await page.getByText('The points of these contacts are wrong.').waitFor();

  await screenshot(page, 'data');
  await page.setViewportSize(phone);
  await assertSound(opened, address);
  await screenshot(page, 'data-phone');

  await page.getByRole('button', { name: 'Delete tag Gold' }).click();
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await until(async () => (await page.getByRole('button', { name: 'Delete tag Gold' }).count()) === 0);
  await page.emulateMedia({ colorScheme: 'light' });
  await assertSound(opened, address);
});
