/**
 * The contacts in a real browser against a real server: search, details, changes by keyboard, deletion. Every number is the API's,
 * and a repeated submit has one effect.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { phone } from '../harness/browser.ts';
import { assertSound, openDashboard, settled, tableCells } from '../harness/dashboard-page.ts';
import { type DashboardWorld, dashboardWorld, sharedWorld, worldNow } from '../harness/dashboard-world.ts';

type Contact = {
  contactId: string;
  platform: string;
  platformContactId: string;
  customerId: string | null;
  name: string | null;
  blocked: boolean;
  tags: { tagId: string; name: string }[];
  points: number;
};
type Contacts = { contacts: Contact[]; nextCursor: string | null };

const list = '/bots/{botId}/contacts';
const pageSize = 50;

test('the list and every search show the contacts of the API, page by page', async (t) => {
  const world = await sharedWorld();
  const opened = await openDashboard(t, world, { path: list });
  const { page } = opened;
  const first = await read(world, '');
  assert.deepEqual(await shown(page), first.contacts.map(written));
  await page.getByRole('button', { name: 'Show more' }).click();
  await page.locator('tbody tr').nth(pageSize).waitFor();
  const second = await read(world, `?cursor=${first.nextCursor}`);
  assert.deepEqual(await shown(page), [...first.contacts, ...second.contacts].map(written));

  const { contacts } = await read(world, '?limit=200');
  const contact = contacts.find((one) => one.name !== null && one.customerId !== null && one.tags.length > 1);
  assert.ok(contact?.name && contact.customerId);
  // Chinese names have no space.
  const given = contact.name.split(' ').at(-1) ?? '';
  const search = page.getByRole('searchbox', { name: 'Search' });
  const kinds = page.getByLabel('Search in');
  for (const [kind, name, text] of [
    ['Name', 'name', given],
    ['Id', 'id', contact.platformContactId],
    ['Id', 'id', contact.contactId],
    ['Customer id', 'customerId', contact.customerId],
  ] as const) {
    await kinds.selectOption(kind);
    await search.fill(text);
    await found(page, world, { [name]: text });
  }
  await page.getByRole('button', { name: 'Clear' }).click();
  await found(page, world, {});
  const tag = contact.tags[1]?.name ?? '';
  await page.getByLabel('Tag', { exact: true }).fill(tag);
  await found(page, world, { tag });
  await page.getByLabel('Platform').selectOption('Messenger');
  await found(page, world, { tag, platform: 'facebook' });
  await page.getByLabel('State', { exact: true }).selectOption('Not blocked');
  await found(page, world, { tag, platform: 'facebook', blocked: 'false' });
  await page.getByText('More filters').click();
  await page.getByLabel('Points from').fill('1');
  const combined = { tag, platform: 'facebook', blocked: 'false', pointsMin: '1' };
  await found(page, world, combined);
  await page.getByLabel('Follower', { exact: true }).selectOption('Yes');
  await page.getByLabel('Order', { exact: true }).selectOption('Most points first');
  await found(page, world, { ...combined, follower: 'true', order: 'points' });
  const selection = { ...combined, follower: 'true' };
  const listed = (await read(world, `?${new URLSearchParams({ ...selection, limit: '200' })}`)).contacts;
  await page.getByText(`Total: ${listed.length}`, { exact: true }).waitFor();
  const selected = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Export this list' }).click();
  const rows = (await readFile(await (await selected).path(), 'utf8')).split('\n');
  const ids = rows.flatMap((row) => /^[A-Za-z]{14}(?=,)/.exec(row)?.[0] ?? []);
  assert.deepEqual(ids.sort(), listed.map(({ contactId }) => contactId).sort());
  await page.reload();
  await page.getByText(`Total: ${listed.length}`, { exact: true }).waitFor();
  await page.getByLabel('Tag', { exact: true }).fill('no such tag');
  await page.getByText('No matching contacts').waitFor();
  await assertSound(opened, world.address);

  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Contacts' }).last().click();
  const csv = await readFile(await (await download).path(), 'utf8');
  const headers = { authorization: `Bearer ${world.token}` };
  const exported = `${world.address}/api/v1/bots/${world.botId}/exports/contacts?format=csv&bom=true`;
  assert.equal(csv, await (await fetch(exported, { headers })).text().then((text) => `\uFEFF${text}`));
});

test('a contact’s page shows the numbers of the API', async (t) => {
  const world = await sharedWorld();
  const { page } = await openDashboard(t, world, { path: list });
  const contact = await someContact(world);
  await page.getByLabel('Search in').selectOption('Id');
  await page.getByRole('searchbox', { name: 'Search' }).fill(contact.contactId);
  await found(page, world, { id: contact.contactId });
  await page.getByRole('link', { name: contact.name ?? '' }).click();
  await page.waitForURL(`**/contacts?id=${contact.contactId}&contact=${contact.contactId}`);
  await page.getByRole('heading', { level: 1, name: contact.name ?? '' }).waitFor();
  await settled(page);
  const path = `/bots/${world.botId}/contacts/${contact.contactId}`;
  const { entries } = await world.read<{ entries: { amount: number; balanceAfter: number }[] }>(
    `${path}/points/entries`,
  );
  const { conversations } = await world.read<{ conversations: { inbound: number; outbound: number }[] }>(
    `${path}/conversations`,
  );
  const { events } = await world.read<{ events: { detail: string | null }[] }>(`${path}/events`);
  assert.ok(entries.length > 1 && conversations.length > 0 && events.length > 2);
  assert.equal(await stat(page, 'Points'), english(contact.points));
  assert.deepEqual(
    (await tableCells(page, 'Points')).slice(1).map((cells) => cells.slice(2, 4)),
    entries.map(({ amount, balanceAfter }) => [
      amount.toLocaleString('en-GB', { signDisplay: 'exceptZero' }),
      english(balanceAfter),
    ]),
  );
  assert.deepEqual(
    (await tableCells(page, 'Conversations')).slice(1).map((cells) => cells.slice(2)),
    conversations.map(({ inbound, outbound }) => [english(inbound), english(outbound)]),
  );
  assert.deepEqual(
    (await tableCells(page, 'Events')).slice(1).map(([, , detail]) => detail),
    events.map(({ detail }) => detail ?? ''),
  );
  await page.getByRole('link', { name: 'All contacts' }).click();
  await page.waitForURL(`**/contacts?id=${contact.contactId}`);
});

test('points, tags, profile and unblock are changed by keyboard, exactly once', async (t) => {
  const world = await dashboardWorld(t);
  const { contactId, points, tags } = await someContact(world);
  const path = `${list}?contact=${contactId}`;
  const opened = await openDashboard(t, world, { path });
  const { page } = opened;
  const now = () => world.read<Contact & { remark: string }>(`/bots/${world.botId}/contacts/${contactId}`);
  const press = async (name: string): Promise<void> => {
    await page.getByRole('button', { name, exact: true }).last().focus();
    await page.keyboard.press('Enter');
  };

  await press('Add points');
  await page.locator('input:focus').waitFor();
  await assertSound(opened, world.address);
  await page.keyboard.type('0');
  await page.keyboard.press('Enter');
  await page.getByText('A whole number from 1').waitFor();
  await page.keyboard.press('Backspace');
  await page.keyboard.type('120');
  // The first answer is lost: pressing the button again does not add twice.
  await page.route('**/points/earn', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('alert').waitFor();
  await page.unroute('**/points/earn');
  await page.keyboard.press('Enter');
  await page.getByText('120 points added.').waitFor();
  assert.equal((await now()).points, points + 120);
  await page.locator('.stat-value', { hasText: english(points + 120) }).waitFor();
  assert.equal(opened.errors.splice(0).length, 1, 'the lost answer alone is an error');

  await press('Spend points');
  await page.locator('input:focus').waitFor();
  await page.keyboard.type(String(points + 121));
  await page.keyboard.press('Enter');
  await page.getByText('Insufficient points.').waitFor();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type('20');
  await page.keyboard.press('Enter');
  await page.getByText('20 points spent.', { exact: true }).waitFor();
  assert.equal((await now()).points, points + 100);
  assert.equal(opened.errors.splice(0).length, 1, 'a browser notes the refusal');

  const tagName = tags[0]?.name ?? '';
  await press(`Remove “${tagName}”`);
  await page.getByText(`“${tagName}” removed.`).waitFor();
  assert.equal((await now()).tags.length, tags.length - 1);
  await press('Add a tag');
  await page.getByLabel('Name of the tag').fill(tagName);
  await page.getByRole('button', { name: `Add “${tagName}”` }).waitFor();
  await assertSound(opened, world.address);
  await press(`Add “${tagName}”`);
  await page.getByText(`“${tagName}” added.`).waitFor();
  assert.equal((await now()).tags.length, tags.length);

  await press('Edit');
  await page.getByLabel('Note').fill('Likes tea.\nAsks for receipts.');
  await page.getByLabel('Customer id').fill('C-9');
  await assertSound(opened, world.address);
  await press('Save');
  await page.getByText('Saved.').waitFor();
  const { remark, customerId, name } = await now();
  assert.deepEqual([remark, customerId], ['Likes tea.\nAsks for receipts.', 'C-9']);

  // The clock is fixed here, and two states of the same instant have no order.
  const response = await fetch(`${world.address}/api/v1/bots/${world.botId}/contacts/${contactId}/block`, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${world.token}`, 'content-type': 'application/json' },
      'idempotency-key': 'a-moment-ago',
    },
    body: JSON.stringify({ happenedAt: new Date(worldNow - 1_000).toISOString() }),
  });
  assert.equal(response.status, 200);
  await page.getByRole('button', { name: 'Unblock' }).waitFor();
  await press('Unblock');
  await page.getByRole('heading', { name: `Unblock ${name}?` }).waitFor();
  await press('Unblock');
  await page.getByText('Unblocked.', { exact: true }).waitFor();
  assert.equal((await now()).blocked, false);
});

test('a contact is blocked; deleting its data requires its name', async (t) => {
  const world = await dashboardWorld(t);
  const { contactId, name } = await someContact(world);
  const opened = await openDashboard(t, world, { path: `${list}?platform=facebook&contact=${contactId}` });
  const { page } = opened;
  await page.getByRole('button', { name: 'Block', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: `Block ${name}?` }).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Block' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('Blocked.', { exact: true }).waitFor();
  assert.equal((await read(world, `?id=${contactId}`)).contacts[0]?.blocked, true);
  await page.getByRole('button', { name: 'Delete personal data…' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('input:focus').waitFor();
  await page.keyboard.type('another name');
  await page.keyboard.press('Enter');
  await page.getByText('The text does not match.').waitFor();
  await assertSound(opened, world.address);
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type(name ?? '');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/contacts?platform=facebook');
  await page.getByText(`Deleted the personal data of ${name}.`).waitFor();
  assert.deepEqual((await read(world, `?id=${contactId}`)).contacts, []);
});

test('a reader sees no controls for changes', async (t) => {
  const world = await sharedWorld();
  const response = await fetch(`${world.address}/api/v1/admin-tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'reader', scope: 'read' }),
  });
  assert.equal(response.status, 201);
  const { token } = (await response.json()) as { token: string };
  const { contactId } = await someContact(world);
  const reader = { ...world, token };
  const { page } = await openDashboard(t, reader, { path: `${list}?contact=${contactId}` });
  for (const name of ['Edit', 'Add a tag', 'Add points', 'Spend points', 'Block', 'Delete personal data…']) {
    assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
  }
  await page.getByRole('link', { name: 'All contacts' }).click();
  await settled(page);
  assert.equal(await page.getByRole('heading', { name: 'Export' }).count(), 0);
});

for (const [colorScheme, locale, viewport] of [
  ['dark', 'zh-TW', phone],
  ['dark', 'ja-JP', undefined],
] as const) {
  test(`axe finds nothing on the contacts, ${colorScheme}, ${locale}`, async (t) => {
    const world = await sharedWorld();
    const options = { colorScheme, locale, ...(viewport ? { viewport } : {}) };
    const opened = await openDashboard(t, world, { path: list, ...options });
    await assertSound(opened, world.address);
    const head = opened.page.locator('thead');
    const isCard = !(await head.isVisible());
    assert.equal(isCard, viewport === phone, 'cards on phones alone');
    const { contactId } = await someContact(world);
    const path = `${list}?contact=${contactId}`;
    await assertSound(await openDashboard(t, world, { path, ...options }), world.address);
  });
}

function read(world: DashboardWorld, query: string): Promise<Contacts> {
  return world.read<Contacts>(`/bots/${world.botId}/contacts${query}`);
}

/** A contact on Messenger with a name, tags, points and conversations. */
async function someContact(world: DashboardWorld): Promise<Contact> {
  const { contacts } = await read(world, '?platform=facebook&limit=200');
  for (const one of contacts) {
    if (one.name === null || one.tags.length === 0 || one.points < 100) continue;
    const path = `/bots/${world.botId}/contacts/${one.contactId}`;
    const { entries } = await world.read<{ entries: unknown[] }>(`${path}/points/entries`);
    const { conversations } = await world.read<{ conversations: unknown[] }>(`${path}/conversations`);
    if (entries.length > 1 && conversations.length > 0) return one;
  }
  throw new Error('no contact has all of them');
}

/** Waits until the list shows the contacts of the API. */
async function found(page: Page, world: DashboardWorld, query: Record<string, string>): Promise<void> {
  const text = new URLSearchParams(query).toString();
  const isReached = ({ searchParams }: URL) =>
    Object.keys(query).length === searchParams.size &&
    Object.entries(query).every(([key, value]) => searchParams.get(key) === value);
  await page.waitForURL(isReached).catch(async (cause: unknown) => {
    const shownNow = await page.locator('main').innerText();
    throw new Error(`no page for ${text}, but ${page.url()} with:\n${shownNow.slice(0, 500)}`, { cause });
  });
  const { contacts } = await read(world, text === '' ? '' : `?${text}`);
  const [first] = contacts;
  assert.ok(first, text);
  // The previous rows disappear when the next request starts.
  const name = first.name ?? 'Unknown name';
  await page.locator('tbody tr').first().getByText(name, { exact: true }).waitFor();
  await page
    .locator('tbody tr')
    .nth(contacts.length - 1)
    .waitFor();
  await page.locator('tbody tr').nth(contacts.length).waitFor({ state: 'detached' });
  await settled(page);
  assert.deepEqual(await shown(page), contacts.map(written), text);
}

async function shown(page: Page): Promise<string[][]> {
  const rows = (await tableCells(page, 'Contacts')).slice(1);
  return rows.map(([contact = '', , , tags = '', points = '']) => [contact, tags, points]);
}

function written({ name, customerId, platformContactId, tags, points }: Contact): string[] {
  const first = name === null ? '' : [...name][0];
  const names = tags.slice(0, 3).map((tag) => tag.name);
  const more = tags.length > 3 ? `+${tags.length - 3}` : '';
  return [
    `${first}${name ?? 'Unknown name'}${customerId ?? platformContactId}`,
    tags.length === 0 ? '–' : names.join('') + more,
    english(points),
  ];
}

async function stat(page: Page, title: string): Promise<string | null> {
  return page
    .locator('.stat', { has: page.locator('dt', { hasText: new RegExp(`^${title}$`) }) })
    .locator('.stat-value')
    .textContent();
}

function english(amount: number): string {
  return amount.toLocaleString('en-GB');
}
