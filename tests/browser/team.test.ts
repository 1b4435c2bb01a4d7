/**
 * A team in a real browser: an invitation, its acceptance, the own account, and the audit log.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertSound, openDashboard, settled } from '../harness/dashboard-page.ts';
import { sharedWorld } from '../harness/dashboard-world.ts';

const password = 'a long enough password, 海風';

test('an invited person joins, changes the password and sees the session, and the log shows it', async (t) => {
  const world = await sharedWorld();
  const settings = `/bots/${world.botId}/settings`;
  const admin = await openDashboard(t, world, { path: `${settings}?section=users` });
  await admin.page.getByRole('button', { name: 'Invite' }).click();
  const dialog = admin.page.getByRole('dialog');
  await dialog.getByLabel('Scope').selectOption('write');
  await dialog.getByRole('button', { name: 'Create the link' }).click();
  const link = new URL(await admin.page.getByRole('textbox', { name: 'Invitation link' }).inputValue());
  assert.match(link.hash, /^#[\w-]{43}$/);
  await admin.page.getByRole('button', { name: 'Withdraw' }).waitFor();
  await assertSound(admin, world.address);

  const invited = await openDashboard(t, world, { path: link.pathname + link.hash, isSignedIn: false });
  const { page } = invited;
  await page.getByRole('heading', { name: 'Join Shoal' }).waitFor();
  assert.ok(!page.url().includes(link.hash), 'the token leaves the address');
  await assertSound(invited, world.address);
  await page.getByLabel('User name').fill('mika');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Create the user' }).click();
  await page.getByText('Signed in as mika').waitFor();

  await page.goto(`${world.address}${settings}?section=account`);
  await settled(page);
  await page.getByRole('cell', { name: 'This browser' }).waitFor();
  await page.getByLabel('New password').fill(`${password} again`);
  await page.getByLabel('Current password').last().fill(password);
  await page.getByRole('button', { name: 'Save' }).last().click();
  await page.getByText('Saved').waitFor();
  await assertSound(invited, world.address);

  await admin.page.goto(`${world.address}${settings}?section=audit-log`);
  await settled(admin.page);
  await admin.page.getByRole('cell', { name: 'changeOwnPassword' }).waitFor();
  await admin.page.getByRole('cell', { name: 'acceptInvitation' }).waitFor();
  await admin.page.emulateMedia({ colorScheme: 'dark' });
  await assertSound(admin, world.address);
});
