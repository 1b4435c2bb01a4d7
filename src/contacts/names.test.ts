import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { foldPending } from '../../tests/harness/fold.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import { readNames } from './names.ts';

const start = Date.parse('2026-03-01T00:00:00Z');

type Message = { name?: unknown; number?: string; userId?: string; second?: number; account?: string };

function bodyOf({ name, number, userId, second = 0, account = 'phone' }: Message, id: string): Uint8Array {
  const value = {
    metadata: { phone_number_id: account },
    contacts: [{ profile: { name }, wa_id: number, user_id: userId }],
    messages: [
      { id, from: number, from_user_id: userId, type: 'text', timestamp: String(start / 1_000 + second) },
    ],
  };
  const root = { object: 'whatsapp_business_account', entry: [{ changes: [{ field: 'messages', value }] }] };
  return Buffer.from(JSON.stringify(root));
}

async function shop(t: TestContext) {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('shop', 'Shop')`;
  await sql`
    insert into channels (bot_id, platform, account_id, secret_sealed) values ('shop', 'whatsapp', 'phone', '')`;
  let count = 0;
  return {
    sql,
    put: (messages: Message[], receivedAt = start) =>
      putDeliveries(
        sql,
        messages.map((one) => ({
          botId: 'shop',
          platform: 'whatsapp',
          source: 'webhook',
          body: bodyOf(one, `wamid.${count++}`),
          receivedAt,
        })),
      ),
    fold: () => foldPending(sql, 'shop', { now: start, random: randomBytes }),
    names: async () => {
      const rows = await sql<{ id: string; name: string }[]>`
        select platform_contact_id as id, name
        from contact_profiles join contacts using (bot_id, contact_id) order by 1`;
      return rows.map(({ id, name }) => `${id} ${name}`);
    },
  };
}

test('of all names of a person the latest is stored, in any order of arrival', async (t) => {
  const { sql, put, fold, names } = await shop(t);
  const later = start + 60_000;
  await put([
    { number: '1', name: 'Ada', second: 5 },
    { number: '2', name: ' Ben\n ' },
    { number: '3', name: 'Zoe' },
    { number: '3', name: 'Cleo' },
    { number: '4', name: 7 },
    { number: '5', name: 'Not ours', account: 'other' },
    { userId: 'dora.user', name: 'Dora' },
  ]);
  await fold();
  await readNames(sql, { now: later });
  const messages = ['1 Ada', '2 Ben', '3 Zoe', 'dora.user Dora'];
  assert.deepEqual(await names(), messages);
  await put([
    { number: '1', name: 'Earlier', second: 1 },
    { number: '2', name: 'Benjamin', second: 1 },
    { number: '9', userId: 'dora.user', name: 'Dora B.', second: 9 },
  ]);
  await fold();
  await readNames(sql, { now: later });
  assert.deepEqual(await names(), ['1 Ada', '2 Benjamin', '3 Zoe', 'dora.user Dora B.']);
});

test('two merged contacts keep the later name, and the customer of either', async (t) => {
  const { sql, put, fold, names } = await shop(t);
  await put([
    { number: '1', name: 'Later', second: 9 },
    { userId: 'ada.user', name: 'Earlier' },
  ]);
  await fold();
  await readNames(sql, { now: start + 60_000 });
  await sql`update contact_profiles set customer_id = 'c1' where name = 'Earlier'`;
  await put([{ number: '1', userId: 'ada.user', name: 'Between', second: 5 }]);
  await fold();
  const [profile, ...more] = await sql`select name, customer_id from contact_profiles`;
  assert.deepEqual([{ ...profile }, more], [{ name: 'Later', customer_id: 'c1' }, []]);
  await readNames(sql, { now: start + 60_000 });
  assert.equal((await names()).length, 1);
  assert.match((await names())[0] ?? '', /Later$/);
});

test('the scan waits for pending and new deliveries, and misses none', async (t) => {
  const { sql, put, fold, names } = await shop(t);
  await put([{ number: '1', name: 'Ada' }]);
  await readNames(sql, { now: start + 60_000 });
  assert.deepEqual(await names(), [], 'pending');
  await fold();
  await readNames(sql, { now: start + 30_000 });
  assert.deepEqual(await names(), [], 'too new');
  const messages = Array.from({ length: 600 }, (_, index) => ({ number: `2${index}`, name: `Ben ${index}` }));
  await put(messages);
  await fold();
  assert.deepEqual(await readNames(sql, { now: start + 30_001 }), { more: true });
  assert.equal((await names()).length, 500);
  assert.deepEqual(await readNames(sql, { now: start + 30_001 }), { more: true });
  assert.equal((await names()).length, 601);
  assert.deepEqual(await readNames(sql, { now: start + 30_001 }), { more: false });
});
