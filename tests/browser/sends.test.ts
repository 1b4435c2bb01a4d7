/**
 * Message templates and messages to contacts in a real browser against a real server: written, previewed, confirmed, sent, watched,
 * and used as saved replies.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createContacts } from '../../src/contacts/contacts.ts';
import { phone } from '../harness/browser.ts';
import { assertSound, openDashboard, settled, tableCells } from '../harness/dashboard-page.ts';
import { type DashboardWorld, sharedWorld, worldNow } from '../harness/dashboard-world.ts';

const people = 130;
const visitors = Array.from(
  { length: people },
  (_, index) => `v_S${String.fromCharCode(65 + (index % 26))}${'a'.repeat(1 + index / 26)}`,
);

type Template = {
  templateId: string;
  name: string;
  text: string;
  quickReplies: string[];
  whatsAppTemplate: unknown;
  platforms: Record<string, unknown>;
};
type Send = { sendId: number; name: string; state: string; accepted: number; refused: number };

async function addVisitors({ sql, botId, address, token }: DashboardWorld): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const channel = `${address}/api/v1/bots/${botId}/channels/liveChat`;
  assert.equal((await fetch(channel, { method: 'PATCH', headers, body: '{}' })).status, 200);
  await createContacts(sql, botId, 'liveChat', visitors, { now: worldNow, random: randomBytes });
  // The last one has a contact, but no chat: it is refused.
  for (const visitor of visitors.slice(0, -1))
    await sql`
      insert into chat_visitors (bot_id, visitor_id, created_at, session_at)
      values (${botId}, ${visitor}, ${new Date(worldNow)}, ${new Date(worldNow)})`;
}

test('a template is written, sent after a preview and a confirmation, watched, and used as a saved reply', async (t) => {
  const world = await sharedWorld();
  const { sql, botId, address } = world;
  await addVisitors(world);
  const opened = await openDashboard(t, world, { path: '/bots/{botId}/templates' });
  const { page } = opened;
  const dialog = page.getByRole('dialog');
  await page.getByText('No templates yet').waitFor();
  await page.getByRole('button', { name: 'New template' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Spring');
  await dialog.getByLabel('Text', { exact: true }).fill('Hello ');
  await dialog.getByLabel('Insert a variable').first().selectOption('Name');
  await page.keyboard.type('!');
  await dialog.getByLabel('Button text for the visitor, then Enter').first().fill('Hours');
  await page.keyboard.press('Enter');
  await dialog.getByLabel('WhatsApp template').check();
  // The tests have no Meta, so the template is named.
  await dialog.getByLabel('Template name').fill('spring_sale');
  await dialog.getByLabel('Number of parameters').fill('1');
  await dialog.getByLabel('Parameter 1').fill('{{name|customer}}');
  await dialog.getByText('Texts for single platforms').click();
  await dialog.getByLabel('Text on Live chat').fill('Hello {{name|there}}');
  await assertSound(opened, address);
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved “Spring”.').waitFor();
  const list = async () =>
    (await world.read<{ templates: Template[] }>(`/bots/${botId}/message-templates`)).templates;
  const [template] = await list();
  assert.deepEqual(
    [template?.text, template?.quickReplies, template?.whatsAppTemplate, template?.platforms],
    [
      'Hello {{name}}!',
      ['Hours'],
      { name: 'spring_sale', language: 'zh_TW', parameters: ['{{name|customer}}'] },
      { liveChat: { text: 'Hello {{name|there}}' } },
    ],
  );
  await page.getByRole('button', { name: 'Edit “Spring”' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Summer');
  await page.keyboard.press('Enter');
  await page.getByText('Saved “Summer”.').waitFor();
  assert.deepEqual((await list())[0]?.platforms, template?.platforms);

  await page.goto(`${address}/bots/${botId}/sends`);
  await page.getByRole('button', { name: 'New message' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Offer');
  await dialog.getByLabel('Platform').selectOption('Live chat');
  await dialog.getByLabel('Message template').selectOption('Summer');
  await assertSound(opened, address);
  await dialog.getByRole('button', { name: 'Preview' }).click();
  const [{ count } = { count: 0 }] = await sql<{ count: number }[]>`
    select count(*) as count from contacts
    where bot_id = ${botId} and platform = 'liveChat' and merged_into is null and forgotten_at is null and not blocked`;
  await dialog.getByText(`${count} contacts will get it.`).waitFor();
  await dialog.getByText('Hello {{name|there}}').waitFor();
  // Without the confirmation nothing is sent.
  await dialog.getByRole('button', { name: 'Send', exact: true }).click();
  await dialog.getByText('Confirm the number of contacts first.').waitFor();
  const sends = async () => (await world.read<{ sends: Send[] }>(`/bots/${botId}/sends`)).sends;
  assert.deepEqual(await sends(), []);
  await dialog.getByLabel(`I want to send to ${count} contacts`).check();
  await dialog.getByRole('button', { name: 'Send', exact: true }).click();
  const row = page.locator('tr', { hasText: 'Offer' });
  await row.getByText('Done').waitFor({ timeout: 60_000 });
  const [send] = await sends();
  assert.deepEqual([send?.state, (send?.accepted ?? 0) + (send?.refused ?? 0)], ['done', count]);
  const [stored] = await sql<{ count: number }[]>`
    select count(distinct visitor_id) as count from chat_messages where bot_id = ${botId} and text = 'Hello there'`;
  assert.equal(stored?.count, people - 1);

  await row.getByRole('link', { name: 'Offer' }).click();
  await page.getByRole('heading', { level: 1, name: 'Offer' }).waitFor();
  await page.getByRole('button', { name: 'Refused 1' }).click();
  await page.waitForURL('**state=refused');
  const refused = page.locator('tbody tr').getByText('The platform knows no such recipient.');
  await refused.waitFor();
  type Recipients = { recipients: { name: string | null; contactId: string; code: string }[] };
  const path = `/bots/${botId}/sends/${send?.sendId}/recipients?state=refused`;
  const { recipients } = await world.read<Recipients>(path);
  assert.deepEqual(
    (await tableCells(page, 'Results')).slice(1).map((cells) => cells[0]),
    recipients.map(({ name, contactId }) => name ?? contactId),
  );
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download “Results” as CSV' }).click();
  const csv = (await readFile(await (await download).path(), 'utf8')).trim().split('\n');
  assert.deepEqual([csv.length, csv[1]?.split(',')[3]], [2, recipients[0]?.contactId]);
  await assertSound(opened, address);

  await page.goto(`${address}/bots/${botId}/live-chat?chat=${visitors[0]}`);
  await page.getByLabel('Saved replies').selectOption({ label: 'Summer' });
  await page.locator('.composer button[type=submit]:enabled').waitFor();
  assert.equal(await page.locator('.composer textarea').inputValue(), 'Hello there');

  await page.goto(`${address}/bots/${botId}/templates`);
  await page.getByRole('button', { name: 'Delete “Summer”?' }).click();
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('No templates yet').waitFor();
  assert.deepEqual(await list(), []);
});

test('a scheduled message to some contacts waits, can be paused, and is stopped after a question', async (t) => {
  const world = await sharedWorld();
  const { botId, address, sql } = world;
  const opened = await openDashboard(t, world, {
    path: '/bots/{botId}/sends',
    viewport: phone,
    colorScheme: 'dark',
  });
  const { page } = opened;
  const dialog = page.getByRole('dialog');
  const [contact] = await sql<{ id: string }[]>`
    select platform_contact_id as id from contacts
    where bot_id = ${botId} and platform = 'whatsapp' and merged_into is null and not blocked limit 1`;
  await page.getByRole('button', { name: 'New message' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Later');
  await dialog.getByLabel('Platform').selectOption('WhatsApp');
  await dialog.getByLabel('Text', { exact: true }).fill('Hi');
  await dialog.getByLabel('Button text for the visitor, then Enter').fill('Yes');
  await dialog.getByLabel('Recipients').selectOption('A list of ids');
  await dialog.getByLabel('Contacts', { exact: true }).fill(`${contact?.id}\nnobody`);
  await dialog.getByLabel('Send at').fill('2026-03-21T09:30');
  await dialog.getByLabel('Quiet from').fill('22:00');
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await dialog.getByText('Enter both times, or none.').waitFor();
  await dialog.getByLabel('Quiet until').fill('08:00');
  await dialog.getByLabel('Time zone').selectOption('Asia/Tokyo');
  await assertSound(opened, address);
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await dialog.getByText('1 contact will get it.').waitFor();
  await dialog.getByText('1 id belongs to no contact of the platform.').waitFor();
  // The first answer is lost: the message is created once, even after a look at the form or a change.
  const isCreation = (url: URL) => url.pathname.endsWith('/sends');
  await page.route(isCreation, async (route) => {
    if (route.request().method() !== 'POST') return route.fallback();
    await route.fetch();
    await route.abort();
  });
  const press = (name: string) => dialog.getByRole('button', { name, exact: true }).click();
  const again = async (name: string) => {
    await press('Change');
    await dialog.getByLabel('Name', { exact: true }).fill(name);
    await press('Preview');
    await press('Send');
  };
  await press('Send');
  await dialog.getByRole('alert').waitFor();
  await page.unroute(isCreation);
  await again('Much later');
  await dialog.getByText('An earlier attempt succeeded').waitFor();
  await again('Later');
  await page.getByText('The send “Later” is created.').waitFor();
  assert.equal(opened.errors.splice(0).length, 2, 'the lost answer and the refusal alone are errors');
  const { sends } = await world.read<{ sends: Send[] }>(`/bots/${botId}/sends`);
  assert.deepEqual(
    sends.filter(({ name }) => name !== 'Offer').map(({ name }) => name),
    ['Later'],
  );
  await page.getByRole('link', { name: 'Later' }).click();
  type Shown = { sends: (Send & { startsAt: string; zone: string; quietHours: object; message: object })[] };
  const shown = async () => (await world.read<Shown>(`/bots/${botId}/sends`)).sends[0];
  const { startsAt, zone, quietHours, message } = (await shown()) ?? {};
  assert.deepEqual(
    [startsAt, zone, quietHours],
    ['2026-03-21T00:30:00.000Z', 'Asia/Tokyo', { from: '22:00', until: '08:00' }],
  );
  assert.deepEqual(message, { text: 'Hi', quickReplies: ['Yes'], whatsAppTemplate: null, tag: null });
  await settled(page);
  await assertSound(opened, address);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  assert.equal((await shown())?.state, 'paused');
  await page.getByRole('button', { name: 'Stop this send?' }).click();
  await dialog.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.getByRole('button', { name: 'Resume' }).waitFor({ state: 'detached' });
  assert.equal((await shown())?.state, 'stopped');
});
