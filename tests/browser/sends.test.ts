/** A message to contacts in a real browser against a real server: composed, previewed, confirmed, sent and watched. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createContacts } from '../../src/contacts/contacts.ts';
import { assertSound, openDashboard } from '../harness/dashboard-page.ts';
import { sharedWorld, worldNow } from '../harness/dashboard-world.ts';

const people = 130;

test('a message is composed, previewed, confirmed above 100 recipients, sent, and its template is a saved reply', async (t) => {
  const world = await sharedWorld();
  const { sql, botId, address, token } = world;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const channel = await fetch(`${address}/api/v1/bots/${botId}/channels/liveChat`, {
    method: 'PATCH',
    headers,
    body: '{}',
  });
  assert.equal(channel.status, 200);
  const visitors = Array.from(
    { length: people },
    (_, index) => `v_S${String.fromCharCode(65 + (index % 26))}${'a'.repeat(1 + index / 26)}`,
  );
  await createContacts(sql, botId, 'liveChat', visitors, { now: worldNow, random: randomBytes });
  for (const visitor of visitors)
    await sql`
      insert into chat_visitors (bot_id, visitor_id, created_at, session_at)
      values (${botId}, ${visitor}, ${new Date(worldNow)}, ${new Date(worldNow)})`;
  const opened = await openDashboard(t, world, { path: '/bots/{botId}/sends' });
  const { page } = opened;
  await page.getByRole('button', { name: 'New message' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill('Spring');
  await dialog.getByLabel('Platform').selectOption('liveChat');
  await dialog.getByLabel('Text').fill('Hello {{name|there}}');
  await dialog.getByLabel('Save as a template').check();
  await dialog.getByRole('button', { name: 'Preview' }).click();
  const [{ count } = { count: 0 }] = await sql<{ count: number }[]>`
    select count(*) as count from contacts
    where bot_id = ${botId} and platform = 'liveChat' and merged_into is null and forgotten_at is null and not blocked`;
  await dialog.getByText(`${count} contacts will get it.`).waitFor();
  // Without the confirmation nothing is sent.
  await dialog.getByRole('button', { name: 'Send', exact: true }).click();
  type Sends = { sends: { state: string; accepted: number; refused: number }[] };
  assert.deepEqual((await world.read<Sends>(`/bots/${botId}/sends`)).sends, []);
  await dialog.getByLabel(`I want to send to ${count} contacts`).check();
  await dialog.getByRole('button', { name: 'Send', exact: true }).click();
  const row = page.locator('tr', { hasText: 'Spring' });
  await row.getByText('Done').waitFor({ timeout: 60_000 });
  const [send] = (await world.read<Sends>(`/bots/${botId}/sends`)).sends;
  assert.deepEqual([send?.state, (send?.accepted ?? 0) + (send?.refused ?? 0)], ['done', count]);
  const [stored] = await sql<{ count: number }[]>`
    select count(distinct visitor_id) as count from chat_messages where bot_id = ${botId} and text = 'Hello there'`;
  assert.equal(stored?.count, people);
  await assertSound(opened, address);
  await page.goto(`${address}/bots/${botId}/live-chat?chat=${visitors[0]}`);
  await page.getByLabel('Saved replies').selectOption({ label: 'Spring' });
  assert.equal(
    await page
      .getByLabel('Message', { exact: true })
      .or(page.locator('.composer textarea'))
      .first()
      .inputValue(),
    'Hello {{name|there}}',
  );
});
