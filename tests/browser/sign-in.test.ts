/**
 * Signing in to the dashboard in a real browser: by password, by admin token, by a link, with wrong credentials, and after a session
 * ends while a page is open.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { createSetupLink } from '../../src/auth/setup-links.ts';
import { type OpenedPage, phone } from '../harness/browser.ts';
import { assertSound, openDashboard, settled } from '../harness/dashboard-page.ts';
import {
  type DashboardWorld,
  dashboardWorld,
  emptyWorld,
  sharedWorld,
  worldNow,
} from '../harness/dashboard-world.ts';
import { lineSignature } from '../harness/fixtures.ts';
import { oncePerFile } from '../harness/scope.ts';

const password = 'a long enough password, 海風';
/** For tests without a failed attempt, because failed attempts delay the next one. */
const sharedWorldWithUser = oncePerFile(async () => addUser(await sharedWorld()));

test('a user signs in by keyboard and arrives at the requested address', async (t) => {
  const world = await sharedWorldWithUser();
  const path = `/bots/${world.botId}/overview?days=7`;
  const opened = await openDashboard(t, world, { path, isSignedIn: false });
  const { page } = opened;
  await page.waitForURL(`**/sign-in?to=${encodeURIComponent(path)}`);
  await page.keyboard.type('mika');
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await page.waitForURL(world.address + path);
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await page.getByText('Signed in as mika').waitFor();
  const cookies = await opened.context.cookies();
  assert.deepEqual(
    cookies.map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite })),
    [{ httpOnly: true, sameSite: 'Strict' }],
  );
  assert.equal(await page.evaluate('document.cookie'), '');
  // Before signing in, the page looked for a session.
  assertOnlyRefused(opened);
});

test('a wrong password, an unknown user and an empty field show errors and start no session', async (t) => {
  const world = await addUser(await dashboardWorld(t));
  const opened = await openDashboard(t, world, { path: '/sign-in', isSignedIn: false });
  const { page } = opened;
  await assertSound(opened, world.address);
  const button = page.getByRole('button', { name: 'Sign in', exact: true });
  await button.click();
  assert.equal(await page.getByText('Please fill this in.').count(), 2);
  assert.equal(await page.getByLabel('User name').getAttribute('aria-invalid'), 'true');
  const alerts = [];
  for (const [name, given] of [
    ['mika', 'not the password at all'],
    ['unknown', password],
  ] as const) {
    await page.getByLabel('User name').fill(name);
    await page.getByLabel('Password').fill(given);
    const answered = page.waitForResponse('**/api/v1/session');
    await button.click();
    assert.equal((await answered).status(), 401);
    alerts.push(await page.getByRole('alert').textContent());
  }
  assert.deepEqual(alerts, ['Incorrect user name or password.', 'Incorrect user name or password.']);
  assert.deepEqual(await opened.context.cookies(), []);
  assertOnlyRefused(opened);
  opened.errors.length = 0;
  await assertSound(opened, world.address);
});

test('an admin token signs in, typed or in a link, and never stays in an address', async (t) => {
  const world = await sharedWorld();
  const typed = (await openDashboard(t, world, { path: '/sign-in', isSignedIn: false })).page;
  await typed.getByRole('button', { name: 'Sign in with an admin token' }).click();
  await typed.getByLabel('Admin token').fill(world.token);
  await typed.keyboard.press('Enter');
  await typed.waitForURL(`**/bots/${world.botId}/overview`);
  const asked: string[] = [];
  const linked = await openDashboard(t, world, { path: '/sign-in', isSignedIn: false });
  linked.page.on('request', (request) => asked.push(request.url()));
  await linked.page.goto('about:blank');
  await linked.page.goto(`${world.address}/sign-in#token=${world.token}`);
  await linked.page.getByRole('heading', { name: 'Sign in as dashboard?' }).waitFor();
  assert.deepEqual(await linked.context.cookies(), []);
  // The page looked for a session.
  assertOnlyRefused(linked);
  linked.errors.length = 0;
  await assertSound(linked, world.address);
  await linked.page.getByRole('button', { name: 'Sign in as dashboard' }).click();
  await linked.page.waitForURL(`**/bots/${world.botId}/overview`);
  await linked.page.getByText('Signed in as dashboard').waitFor();
  await settled(linked.page);
  assert.ok(asked.length > 3);
  assert.ok(asked.every((url) => !url.includes(world.token)));
  assert.ok(!(await linked.page.evaluate<string>('location.href')).includes('token'));
  await assertSound(linked, world.address);
});

test('a link from another page replaces a session only after a click', async (t) => {
  const world = await sharedWorldWithUser();
  const other = await makeToken(world, { name: 'a stranger' });
  const opened = await openDashboard(t, world, { path: '/sign-in', isSignedIn: false });
  const { page, context } = opened;
  await signIn(page);
  await page.getByText('Signed in as mika').waitFor();
  const sessionOf = async () => (await context.cookies()).map(({ value }) => value);
  const before = await sessionOf();
  const link = `${world.address}/sign-in#token=${other.token}`;
  await page.route('http://elsewhere.example/', (route) =>
    route.fulfill({ contentType: 'text/html', body: `<script>location = ${JSON.stringify(link)}</script>` }),
  );
  const follow = () => page.goto('http://elsewhere.example/', { waitUntil: 'commit' });

  await follow();
  await page.getByText('You are signed in as mika. Continuing signs that account out.').waitFor();
  await page.getByRole('heading', { name: 'Sign in as a stranger?' }).waitFor();
  assert.ok(!(await page.evaluate<string>('location.href')).includes('token'));
  assert.deepEqual(await sessionOf(), before);
  await page.getByRole('button', { name: 'Stay signed in as mika' }).click();
  await page.getByText('Signed in as mika').waitFor();
  assert.deepEqual(await sessionOf(), before);

  await follow();
  await page.getByRole('button', { name: 'Sign in as a stranger' }).click();
  await page.getByText('Signed in as a stranger').waitFor();
  const after = await sessionOf();
  assert.notDeepEqual(after, before);
  // The account of the link is signed in already, so the page asks nothing.
  await follow();
  await page.getByText('Signed in as a stranger').waitFor();
  assert.deepEqual(await sessionOf(), after);
});

test('a setup link leads from the first user to a bot, a channel, its first delivery and the overview', async (t) => {
  const world = await emptyWorld(t);
  const { url } = await createSetupLink(world.sql, {
    ...{ address: world.address, now: worldNow, random: randomBytes },
  });
  const opened = await openDashboard(t, world, { path: new URL(url).pathname, isSignedIn: false });
  const { page, errors } = opened;
  await page.getByRole('alert').getByText('This page needs a setup link.').waitFor();
  await page.goto(url);
  await page.getByLabel('User name').fill('ming');
  await page.getByLabel('Password').fill('short');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  assert.match(errors.splice(0).join(), /400/);
  assert.ok(!(await page.evaluate<string>('location.href')).includes('#'));
  await assertSound(opened, world.address);
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
  await page.getByText('Signed in as ming').waitFor();
  await assertSound(opened, world.address);

  await page.getByRole('button', { name: 'New bot' }).click();
  await page.getByLabel('Name').fill('Tea shop');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Connect channels' }).click();
  await page.getByRole('link', { name: 'Set up LINE' }).click();
  await page.getByLabel('Channel secret').fill('channel-secret-of-a-test');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Waiting for the first delivery').waitFor();
  const webhook = await page.getByRole('textbox', { name: 'Webhook URL' }).inputValue();
  assert.match(webhook, /^https:\/\/public\.example\/webhooks\/[A-Za-z]+\/line$/);
  const body = JSON.stringify({ destination: 'U1', events: [] });
  const headers = lineSignature(body, 'channel-secret-of-a-test');
  const delivered = await fetch(world.address + new URL(webhook).pathname, { method: 'POST', headers, body });
  assert.equal(delivered.status, 200);
  await page.getByText('It works: a delivery arrived').waitFor();
  await assertSound(opened, world.address);
  await page.getByRole('link', { name: 'Go to overview' }).click();
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();

  await page.goto('about:blank');
  await page.goto(url);
  await page.getByLabel('User name').fill('kai');
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
  await page.getByText('This setup link has expired or was used.').waitFor();
});

test('a link with an invalid token shows an error and keeps the session', async (t) => {
  const world = await addUser(await dashboardWorld(t));
  const { page, context } = await openDashboard(t, world, { path: '/sign-in', isSignedIn: false });
  await signIn(page);
  await page.getByText('Signed in as mika').waitFor();
  const before = await context.cookies();
  for (const token of [`shoal_admin_${'A'.repeat(43)}`, 'nonsense', '%00%0A', '權杖']) {
    await page.goto('about:blank');
    await page.goto(`${world.address}/sign-in#token=${token}`);
    await page.getByRole('alert').waitFor();
    assert.deepEqual(await context.cookies(), before);
  }
  // The page is open already: only the part after # changes.
  const { token } = await makeToken(world, { name: 'weekly report' });
  await page.evaluate(`location.hash = 'token=${token}'`);
  await page.getByRole('heading', { name: 'Sign in as weekly report?' }).waitFor();
  assert.ok(!(await page.evaluate<string>('location.href')).includes('token'));
});

test('a token without a name is shown by its id', async (t) => {
  const world = await sharedWorld();
  const { token, tokenId } = await makeToken(world, {});
  const { page } = await openDashboard(t, { ...world, token });
  await page.getByText(`Signed in as admin token ${tokenId}`).waitFor();
});

test('after a session ends, signing in returns to the same page', async (t) => {
  const world = await sharedWorldWithUser();
  const path = `/bots/${world.botId}/overview?days=90`;
  const opened = await openDashboard(t, world, { path });
  const { page } = opened;
  await world.sql`delete from sessions`;
  await page.getByText('Your session has ended.').waitFor();
  assert.equal(await page.getByRole('heading', { name: 'Overview' }).count(), 0);
  await signIn(page);
  await page.waitForURL(world.address + path);
  await settled(page);
  await page.locator('.range-button', { hasText: '90 days' }).waitFor();
  assertOnlyRefused(opened);
});

test('after a sign-out, the back button shows no data', async (t) => {
  const world = await sharedWorldWithUser();
  const { page, context } = await openDashboard(t, world, { viewport: phone });
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/sign-in**');
  assert.deepEqual(await context.cookies(), []);
  await page.goto(`${world.address}/bots/${world.botId}/overview`);
  await page.waitForURL('**/sign-in**');
});

test('a sign-in page does not lead to another host', async (t) => {
  const world = await sharedWorldWithUser();
  for (const to of ['https://evil.example/', '//evil.example/', '/\\evil.example', 'javascript:alert(1)']) {
    const path = `/sign-in?to=${encodeURIComponent(to)}`;
    const { page, origins } = await openDashboard(t, world, { path, isSignedIn: false });
    await signIn(page);
    await page.waitForURL(`${world.address}/bots/${world.botId}/overview`);
    assert.deepEqual([...origins], [world.address], to);
  }
});

/** Adds the user `mika`. */
async function addUser(world: DashboardWorld): Promise<DashboardWorld> {
  const response = await fetch(`${world.address}/api/v1/users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'mika', scope: 'write', password }),
  });
  assert.equal(response.status, 201, await response.text());
  return world;
}

async function makeToken(
  world: DashboardWorld,
  asked: { name?: string },
): Promise<{ token: string; tokenId: string }> {
  const response = await fetch(`${world.address}/api/v1/admin-tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ scope: 'read', ...asked }),
  });
  assert.equal(response.status, 201);
  return (await response.json()) as { token: string; tokenId: string };
}

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('User name').fill('mika');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Browsers log every 401 on the console. */
function assertOnlyRefused({ errors }: OpenedPage): void {
  for (const error of errors) assert.match(error, /status of 401 .*\/api\/v1\//);
}
