/**
 * The health page in a real browser against a real server: its numbers are the API's, deliveries are replayed, and outgoing webhooks
 * are set up, sent, inspected and sent again.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { phone } from '../harness/browser.ts';
import { assertSound, openDashboard, settled, tableCells } from '../harness/dashboard-page.ts';
import { dashboardWorld, sharedWorld, worldNow } from '../harness/dashboard-world.ts';
import { receiver, status } from '../harness/receiver.ts';

type Health = {
  channels: { platform: string; enabled: boolean; lastDeliveryAt: string | null }[];
  inbox: { waiting: number; setAside: number };
  collector: { kinds: { kind: string; daysLeft: number | null }[] };
};
const path = '/bots/{botId}/health';

test('channels, deliveries and the collector show the numbers of the API; one key press replays', async (t) => {
  const world = await dashboardWorld(t);
  const opened = await openDashboard(t, world, { path });
  const { page } = opened;
  const { channels, inbox, collector } = await world.read<Health>(`/bots/${world.botId}/health`);
  assert.deepEqual(await page.locator('.stat-value').allTextContents(), [
    String(inbox.waiting),
    String(inbox.setAside),
    '–',
  ]);
  const names: Record<string, string> = {
    line: 'LINE',
    facebook: 'Messenger',
    instagram: 'Instagram',
    whatsapp: 'WhatsApp',
    liveChat: 'Live chat',
  };
  assert.deepEqual(
    (await tableCells(page, 'Channels')).slice(1).map((cells) => cells.slice(0, 2)),
    channels.map(({ platform, enabled }) => [names[platform], enabled ? 'On' : 'Off']),
  );
  assert.deepEqual(
    (await tableCells(page, 'Figures from LINE')).slice(1).map((cells) => cells[3]),
    collector.kinds.map(({ daysLeft }) => (daysLeft === null ? '–' : String(daysLeft))),
  );
  type Deliveries = { deliveries: { deliveryId: number; reason: string; bytes: number }[] };
  const setAside = `/bots/${world.botId}/deliveries?state=set-aside`;
  const { deliveries } = await world.read<Deliveries>(setAside);
  assert.equal(deliveries.length, inbox.setAside);
  assert.deepEqual(
    (await tableCells(page, 'Deliveries')).slice(1).map((cells) => [cells[0], cells[4], cells[5]]),
    deliveries.map(({ deliveryId, reason, bytes }) => [
      deliveryId.toLocaleString('en-GB'),
      reason,
      String(bytes),
    ]),
  );
  await assertSound(opened, world.address);
  await page.getByRole('button', { name: 'Replay all set aside' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('1 delivery is processed again.').waitFor();
  await world.sql`
    update collections set paused_until = now() + interval '1 hour' where bot_id = ${world.botId}`;
  await page.getByRole('button', { name: 'Fetch now: LINE' }).click();
  await page.getByText('The figures are fetched in the background.').waitFor();
  const paused = await world.sql`
    select from collections where bot_id = ${world.botId} and paused_until is not null`;
  assert.equal(paused.length, 0);
  await page.getByRole('button', { name: 'All', exact: true }).first().click();
  await page.getByRole('button', { name: 'Show more' }).waitFor();
  await settled(page);
  const all = await world.read<Deliveries>(`/bots/${world.botId}/deliveries`);
  assert.equal((await tableCells(page, 'Deliveries')).length, all.deliveries.length + 1);
});

test('deliveries of one contact are shown from its page, by its id, in any state', async (t) => {
  const world = await sharedWorld();
  const { contacts } = await world.read<{ contacts: { contactId: string }[] }>(
    `/bots/${world.botId}/contacts?platform=line`,
  );
  const contactId = contacts[0]?.contactId ?? '';
  const opened = await openDashboard(t, world, { path: `/bots/{botId}/contacts?contact=${contactId}` });
  const { page } = opened;
  await page.getByRole('link', { name: 'Deliveries', exact: true }).click();
  const field = page.getByRole('searchbox', { name: 'Contact id' });
  assert.equal(await field.inputValue(), contactId);
  type Deliveries = { deliveries: { deliveryId: number }[] };
  const { deliveries } = await world.read<Deliveries>(
    `/bots/${world.botId}/deliveries?contactId=${contactId}`,
  );
  assert.ok(deliveries.length > 0);
  const shownIds = async () => (await tableCells(page, 'Deliveries')).slice(1).map(([id]) => id);
  const expected = deliveries.map(({ deliveryId }) => deliveryId.toLocaleString('en-GB'));
  await page
    .getByRole('cell', { name: expected[0] ?? '', exact: true })
    .first()
    .waitFor();
  assert.deepEqual(await shownIds(), expected);
  await assertSound(opened, world.address);
  await field.fill('Unknown');
  await page.getByText('The bot knows no contact Unknown').waitFor();
  await field.fill('');
  const setAside = await world.read<Deliveries>(`/bots/${world.botId}/deliveries?state=set-aside`);
  const [first] = setAside.deliveries.map(({ deliveryId }) => deliveryId.toLocaleString('en-GB'));
  await page
    .getByRole('cell', { name: first ?? '', exact: true })
    .first()
    .waitFor();
  assert.equal((await shownIds()).length, setAside.deliveries.length);
});

test('the page shows the bytes that live chat stored today, with their limits', async (t) => {
  const world = await dashboardWorld(t);
  const connected = await fetch(`${world.address}/api/v1/bots/${world.botId}/channels/liveChat`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${world.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ newWidgetKey: true }),
  });
  assert.equal(connected.status, 200);
  await world.sql`
    insert into chat_usage
    select bot_id, (${new Date(worldNow)}::timestamptz at time zone time_zone)::date, 'bot', '', 2500000
    from bots where bot_id = ${world.botId}`;
  const opened = await openDashboard(t, world, { path });
  const { page } = opened;
  assert.deepEqual(await tableCells(page, 'Live chat storage today'), [
    ['Counted', 'Today', 'Limit a day'],
    ['Whole live chat', '2.5 MB', '1,073.74 MB'],
    ['Highest for one address', '0 MB', '62.91 MB'],
    ['Highest for one visitor', '0 MB', '20.97 MB'],
  ]);
  await assertSound(opened, world.address);
});

test('a channel shows its refused deliveries with their reasons, and a failing collection is not shown as collecting', async (t) => {
  const world = await dashboardWorld(t);
  const { sql, botId } = world;
  const hour = new Date(Math.floor(worldNow / 3_600_000) * 3_600_000);
  await sql`
    insert into refused_deliveries values
      (${botId}, 'line', ${hour}, 12, ${new Date(worldNow - 60_000)}, 'wrong-signature'),
      (${botId}, 'line', ${hour}, 2, ${new Date(worldNow - 120_000)}, 'not-stored')`;
  await sql`
    update collections set state = 'unreachable', problem = 'LINE answered 503'
    where bot_id = ${botId} and kind = 'followers'`;
  await sql`delete from collection_questions where bot_id = ${botId} and kind = 'delivery'`;
  await sql`
    insert into collection_questions (bot_id, kind, subject, ask_at, failures, problem)
    values (${botId}, 'delivery', '2026-03-18', now(), 3, 'LINE answered 503')`;
  const opened = await openDashboard(t, world, { path });
  const { page } = opened;
  type Row = { platform: string; wrongSignatures: { lastDay: number; lastAt: string | null } };
  const { channels } = await world.read<{ channels: Row[] }>(`/bots/${botId}/health`);
  assert.deepEqual(channels.find(({ platform }) => platform === 'line')?.wrongSignatures, {
    lastDay: 12,
    lastAt: new Date(worldNow - 60_000).toISOString(),
  });
  const cells = (await tableCells(page, 'Channels')).find(([name]) => name === 'LINE');
  assert.match(
    cells?.[3] ?? '',
    /^Wrong signature: 12 in 24 hours.*20 Mar 2026, 11:59.*Compare the secret.*Not stored \(503\): 2 in 24 hours/,
  );
  const card = page.locator('.card', { has: page.getByRole('heading', { name: 'Figures from LINE' }) });
  assert.equal(await card.locator('.card-actions .tag').textContent(), 'Failing');
  const delivery = (await tableCells(page, 'Figures from LINE')).find(([name]) => name === 'Deliveries');
  assert.equal(delivery?.[2], '–', 'no day has an answer');
  await assertSound(opened, world.address);
});

test('what Meta reports about a number and its templates is shown with its time, and unreported figures as unknown', async (t) => {
  const world = await dashboardWorld(t);
  const { sql, botId, address } = world;
  const reportedAt = new Date(worldNow - 3_600_000);
  const counts = { name: 'pickup', sent: 1200, delivered: 1180, read: 0, clicked: null };
  const days = {
    'whatsapp-number': { quality: 'GREEN', messagingLimit: 'TIER_2K' },
    'whatsapp-analytics': { sent: 1200 },
    'whatsapp-templates': { 11: counts },
  };
  for (const [kind, value] of Object.entries(days)) {
    await sql`
      insert into platform_days (bot_id, kind, day, value, received_at)
      values (${botId}, ${kind}, '2026-03-19', ${JSON.stringify(value)}::text::jsonb, ${reportedAt})`;
    await sql`
      insert into collections (bot_id, kind, answered_at) values (${botId}, ${kind}, ${reportedAt})
      on conflict (bot_id, kind) do update set answered_at = excluded.answered_at`;
  }
  const opened = await openDashboard(t, world, { path, viewport: phone, colorScheme: 'dark' });
  const { page } = opened;
  const title = 'WhatsApp as Meta reports it';
  await page.getByRole('heading', { name: title }).waitFor();
  const day = ['19 Mar 2026', '20 Mar 2026, 11:00'];
  assert.deepEqual((await tableCells(page, title)).slice(1), [
    ['Messages sent', '1,200', ...day],
    ['Messages delivered', '–', '–', '–'],
    ['Quality of the number', 'High', ...day],
    ['Messaging limit (people in 24 hours)', '2,000', ...day],
  ]);
  await assertSound(opened, address);
  await page.goto(`${address}/bots/${botId}/templates`);
  const templates = 'WhatsApp templates as Meta counts them';
  await page.getByRole('heading', { name: templates }).waitFor();
  await page.getByText('(UTC), reported 20 Mar 2026, 11:00').waitFor();
  await page.getByRole('cell', { name: 'pickup' }).waitFor();
  assert.deepEqual((await tableCells(page, templates)).slice(1), [['pickup', '1,200', '1,180', '0', '–']]);
  await assertSound(opened, address);
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: `Download “${templates}” as CSV` }).click();
  const csv = (await readFile(await (await download).path(), 'utf8')).trim().split('\n');
  assert.deepEqual(csv.slice(1), [`2026-03-19,11,pickup,1200,1180,0,,${reportedAt.toISOString()}`]);
});

test('an address that is set in the settings fails, shows its attempts and receives webhooks again; its secret is shown once', async (t) => {
  const world = await dashboardWorld(t);
  const server = await receiver(t);
  server.answer = status(500, {}, 'out of order');
  const opened = await openDashboard(t, world, { path });
  const { page } = opened;
  const press = async (name: string): Promise<void> => {
    await page.getByRole('button', { name, exact: true }).last().focus();
    await page.keyboard.press('Enter');
  };
  const follow = async (name: string): Promise<void> => {
    await page.getByRole('link', { name, exact: true }).focus();
    await page.keyboard.press('Enter');
  };
  await follow('Change in Settings');
  await page.getByLabel('Address').focus();
  await page.keyboard.type('shop.example');
  await page.keyboard.press('Enter');
  await page.getByText('Enter an address that starts with').waitFor();
  await assertSound(opened, world.address);
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type(server.url);
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: 'Signing secret', exact: true }).waitFor();
  await follow('Health');
  await page.getByText(server.url).waitFor();
  assert.equal(await page.getByRole('textbox', { name: 'Signing secret', exact: true }).count(), 0);

  const { contacts } = await world.read<{ contacts: { contactId: string }[] }>(
    `/bots/${world.botId}/contacts?limit=1`,
  );
  const contactId = contacts[0]?.contactId;
  const earned = await fetch(
    `${world.address}/api/v1/bots/${world.botId}/contacts/${contactId}/points/earn`,
    {
      method: 'POST',
      headers: {
        authorization: `Bearer ${world.token}`,
        'content-type': 'application/json',
        'idempotency-key': 'a-purchase',
      },
      body: JSON.stringify({ amount: 5 }),
    },
  );
  assert.equal(earned.status, 200);
  const waitingStat = page.locator('.stat', { hasText: 'Webhooks waiting' }).locator('.stat-value');
  await page.getByText('Failing since').waitFor();
  assert.equal(await waitingStat.textContent(), '1');
  await press('Waiting');
  await page.getByRole('button', { name: /^Attempts of webhook/ }).click();
  await page.getByRole('dialog').getByText('out of order').waitFor();
  await assertSound(opened, world.address);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: /^Send webhook/ }).focus();
  // Not before: an automatic retry would deliver the webhook.
  server.answer = status(204);
  await page.keyboard.press('Enter');
  await page.getByText('1 webhook is sent again.').waitFor();
  await page.getByText('Working', { exact: true }).waitFor();
  await waitingStat.getByText('0', { exact: true }).waitFor();
  assert.ok(server.received.length >= 2);
  assert.equal(new Set(server.received.map(({ id }) => id)).size, 1);
  await press('Sent');
  await page.locator('td', { hasText: 'points.changed' }).waitFor();
  await follow('Change in Settings');
  await press('Stop sending');
  await page.getByRole('dialog').waitFor();
  await press('Stop sending');
  await page.getByText('Webhooks are no longer sent').waitFor();
  await follow('Health');
  await page.getByRole('paragraph').filter({ hasText: 'No address is set' }).waitFor();
  assert.deepEqual(opened.errors, []);
});

for (const [colorScheme, locale, viewport] of [
  ['dark', 'zh-TW', phone],
  ['dark', 'ja-JP', undefined],
] as const) {
  test(`axe finds nothing on the health page, ${colorScheme}, ${locale}`, async (t) => {
    const world = await sharedWorld();
    const options = { colorScheme, locale, ...(viewport ? { viewport } : {}) };
    await assertSound(await openDashboard(t, world, { path, ...options }), world.address);
  });
}
