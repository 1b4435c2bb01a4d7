/** The deliveries of one contact: from the index, and from the newest deliveries that it does not have. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createContacts, findContacts, requirePerson } from '../src/contacts/contacts.ts';
import type { Sql } from '../src/database/client.ts';
import type { DeliveryState } from '../src/inbox/deliveries.ts';
import { candidatesMax, listDeliveriesOf, unindexedMax } from '../src/inbox/deliveries-of-person.ts';
import { indexedUpTo, indexPeople } from '../src/inbox/delivery-people.ts';
import { hourMs } from '../src/time.ts';
import { databaseEnvironment, shoal, shoalJson } from './harness/cli.ts';
import { testDatabase } from './harness/database.ts';
import { seededBytes } from './harness/random.ts';
import { lineUser } from './properties/bodies.ts';

const now = Date.parse('2026-12-01T00:00:00Z');
const random = seededBytes(7);
const botId = 'shop';

async function shop(t: TestContext) {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values (${botId}, 'Shop')`;
  await createContacts(sql, botId, 'line', [lineUser(1), lineUser(2)], { now, random });
  const contacts = await findContacts(sql, botId, 'line', [lineUser(1), lineUser(2)]);
  const [one = '', two = ''] = [lineUser(1), lineUser(2)].map((id) => contacts.get(id) ?? '');
  return { sql, one, two };
}

/** Adds deliveries; every `nth` names the first user, the others name users from 1,000 on. */
async function add(
  sql: Sql,
  count: number,
  { nth, receivedAt = now - hourMs }: { nth: number; receivedAt?: number },
) {
  await sql`
    insert into deliveries (bot_id, platform, source, received_at, body)
    select ${botId}, 'line', 'webhook', ${new Date(receivedAt)}, convert_to(json_build_object('destination', 'U0', 'events',
      json_build_array(json_build_object('type', 'follow', 'source', json_build_object('type', 'user', 'userId',
        'U' || lpad((case when number % ${nth}::integer = 0 then 1 else 1000 + number end)::text, 32, 'a')))))::text, 'UTF8')
    from generate_series(1, ${count}::integer) number`;
}

async function indexAll(sql: Sql): Promise<void> {
  while ((await indexPeople(sql, botId, { now })) > 0);
}

/** All pages of the contact's deliveries. */
async function pages(sql: Sql, contactId: string, limit: number, state: DeliveryState | null = null) {
  const person = await requirePerson(sql, botId, contactId);
  const listedDeliveries: number[][] = [];
  for (let beforeId: number | null = null; ; ) {
    const page = await listDeliveriesOf(sql, botId, person, { state, limit, beforeId });
    listedDeliveries.push(page.deliveries.map(({ deliveryId }) => deliveryId));
    if (page.nextBeforeId === null) return listedDeliveries;
    assert.ok(beforeId === null || page.nextBeforeId < beforeId);
    beforeId = page.nextBeforeId;
  }
}

/** The deliveries that contain one of the ids, newest first. */
async function truth(sql: Sql, ...ids: string[]): Promise<number[]> {
  const rows = await sql<{ deliveryId: number }[]>`
    select delivery_id as "deliveryId" from deliveries
    where exists (select from unnest(${ids}::text[]) as id where position(convert_to(id, 'UTF8') in body) > 0)
    order by delivery_id desc`;
  return rows.map(({ deliveryId }) => deliveryId);
}

test('a contact’s deliveries are listed newest first, page by page, whether the index has them or not', async (t) => {
  const { sql, one } = await shop(t);
  await add(sql, 1_200, { nth: 4 });
  await indexAll(sql);
  await add(sql, 300, { nth: 3, receivedAt: now });
  assert.equal(await indexedUpTo(sql, botId), 1_200);
  const all = await truth(sql, lineUser(1));
  assert.equal(all.length, 400);
  for (const limit of [1, 7, 100, 200, 399, 400, 500]) {
    const listedDeliveries = await pages(sql, one, limit);
    assert.deepEqual(listedDeliveries.flat(), all);
    assert.equal(listedDeliveries.length, Math.ceil(all.length / limit));
  }
});

test('the list contains deliveries of each id of the contact, and every issued contact id finds them', async (t) => {
  const { sql, one, two } = await shop(t);
  await add(sql, 40, { nth: 4 });
  await sql`
    update deliveries set body = convert_to(replace(convert_from(body, 'UTF8'), ${lineUser(1)}, ${lineUser(2)}), 'UTF8')
    where delivery_id % 8 = 0`;
  await indexAll(sql);
  await sql`update contacts set merged_into = ${one} where bot_id = ${botId} and contact_id = ${two}`;
  const all = await truth(sql, lineUser(1), lineUser(2));
  assert.equal(all.length, 10);
  assert.deepEqual([(await pages(sql, one, 50)).flat(), (await pages(sql, two, 50)).flat()], [all, all]);
});

test('the list of a contact can be filtered by state', async (t) => {
  const { sql, one } = await shop(t);
  await add(sql, 40, { nth: 4 });
  await indexAll(sql);
  await sql`update deliveries set set_aside_reason = 'a reason' where delivery_id <= 8`;
  await sql`insert into pending_bundles (bot_id, delivery_ids, bytes) values (${botId}, '{12,13}', 1)`;
  assert.deepEqual((await pages(sql, one, 50, 'set-aside')).flat(), [8, 4]);
  assert.deepEqual((await pages(sql, one, 50, 'pending')).flat(), [12]);
  assert.deepEqual((await pages(sql, one, 2, 'folded')).flat(), [40, 36, 32, 28, 24, 20, 16]);
});

test('a contact’s list omits the deliveries of another person with the same hash', async (t) => {
  const { sql, one } = await shop(t);
  await add(sql, 20, { nth: 5 });
  await indexAll(sql);
  // Give every person of the page the hash of the contact.
  await sql`
    update delivery_people set people = array(
      select people[array_position(delivery_ids, 5::bigint)] from unnest(people))`;
  assert.deepEqual((await pages(sql, one, 50)).flat(), [20, 15, 10, 5]);
});

test('a delivery that only quotes an id of the contact is not listed', async (t) => {
  const { sql, one } = await shop(t);
  await sql`
    insert into deliveries (bot_id, platform, source, received_at, body)
    values (${botId}, 'line', 'webhook', ${new Date(now)}, convert_to(${JSON.stringify({
      destination: 'U0',
      events: [{ type: 'message', source: { userId: lineUser(9) }, message: { text: lineUser(1) } }],
    })}, 'UTF8'))`;
  assert.deepEqual(await pages(sql, one, 50), [[]]);
});

test('one read of a contact’s list is bounded, and further pages still find every delivery', async (t) => {
  const { sql, one } = await shop(t);
  await add(sql, candidatesMax + 200, { nth: 1 });
  await indexAll(sql);
  await add(sql, unindexedMax + 200, { nth: 1_100 });
  const person = await requirePerson(sql, botId, one);
  const first = await listDeliveriesOf(sql, botId, person, { state: null, limit: 50, beforeId: null });
  assert.deepEqual([first.deliveries.length, first.nextBeforeId], [2, candidatesMax + 200 + 200 + 1]);
  const pending = { state: 'pending' as const, limit: 50, beforeId: candidatesMax + 201 };
  const second = await listDeliveriesOf(sql, botId, person, pending);
  assert.deepEqual(second, { deliveries: [], nextBeforeId: 201 });
  assert.deepEqual((await pages(sql, one, 200)).flat(), await truth(sql, lineUser(1)));
});

test('an unknown or erased contact, or one of another bot, has no list', async (t) => {
  const { sql, one } = await shop(t);
  await assert.rejects(requirePerson(sql, botId, 'unknown'), { code: 'CONTACT_NOT_FOUND' });
  await assert.rejects(requirePerson(sql, 'another', one), { code: 'CONTACT_NOT_FOUND' });
  await sql`update contacts set forgotten_at = now() where bot_id = ${botId} and contact_id = ${one}`;
  await assert.rejects(requirePerson(sql, botId, one), { code: 'CONTACT_NOT_FOUND' });
});

test('the command lists the deliveries of a contact in any state by default', async (t) => {
  const environment = await databaseEnvironment(t);
  const { sql } = environment;
  const bot = String((await shoalJson(environment, 'bot', 'create', '--name', 'Shop')).botId);
  await createContacts(sql, bot, 'line', [lineUser(1)], { now, random });
  const contact = (await findContacts(sql, bot, 'line', [lineUser(1)])).get(lineUser(1)) ?? '';
  for (const [person, reason] of [
    [1, null],
    [2, null],
    [1, 'a reason'],
    [1, null],
  ] as const) {
    const body = JSON.stringify({ destination: 'U0', events: [{ source: { userId: lineUser(person) } }] });
    await sql`
      insert into deliveries (bot_id, platform, source, received_at, body, set_aside_reason)
      values (${bot}, 'line', 'webhook', ${new Date(now)}, convert_to(${body}, 'UTF8'), ${reason})`;
  }
  const list = async (...args: string[]) => {
    const { deliveries } = await shoalJson(environment, 'deliveries', 'list', bot, ...args);
    return (deliveries as { deliveryId: number }[]).map(({ deliveryId }) => deliveryId);
  };
  assert.deepEqual(await list('--contact', contact), [4, 3, 1]);
  assert.deepEqual(await list('--contact', contact, '--limit', '1', '--before', '4'), [3]);
  assert.deepEqual(await list('--contact', contact, '--state', 'folded'), [4, 1]);
  assert.deepEqual(await list(), [3]);
  const { code, stderr } = await shoal(environment, 'deliveries', 'list', bot, '--contact', 'unknown');
  assert.deepEqual([code, stderr], [1, 'shoal: The bot knows no contact unknown.\n']);
});
