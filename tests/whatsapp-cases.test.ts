/**
 * WhatsApp deliveries that other products count wrongly. Each case runs in every order, with repetitions, folded one delivery
 * at a time and all at once.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Sql } from '../src/database/client.ts';
import { putDeliveries } from '../src/inbox/inbox.ts';
import { recount } from '../src/rebuild/recount.ts';
import { readFigures } from '../src/reports/totals.ts';
import { testDatabase } from './harness/database.ts';
import { foldPending } from './harness/fold.ts';

const start = 1_795_500_000;
const now = (start + 86_400) * 1_000;
const accountId = '300';

const fixture = (name: string) =>
  readFileSync(new URL(`./fixtures/whatsapp-cases/${name}.json`, import.meta.url), 'utf8');

/** Figures of the bot's WhatsApp channel; `ms` is the length of all conversations together. */
type Expected = { followers: number; messages: number; conversations: number; ms: number };

test('a user id instead of the number is one person, also after the number becomes known', (t) =>
  checkCase(t, [fixture('user-id-as-number-message'), fixture('user-id-with-number')], {
    ...{ followers: 1, messages: 2, conversations: 1, ms: 60_000 },
  }));

test('a user id instead of the number of a status does not affect the other messages of the delivery', (t) =>
  checkCase(t, [fixture('user-id-as-number-status')], {
    ...{ followers: 1, messages: 2, conversations: 1, ms: 0 },
  }));

test('statuses with and without recipient belong to one message of that recipient', (t) =>
  checkCase(
    t,
    [1, 2, 3].map((part) => fixture(`status-without-recipient-${part}`)),
    {
      ...{ followers: 1, messages: 2, conversations: 1, ms: 60_000 },
    },
  ));

test('unsupported edits, reactions and pins do not count as messages', (t) =>
  checkCase(t, [fixture('unsupported-edit')], { followers: 1, messages: 1, conversations: 1, ms: 0 }));

test('an opened chat without a message counts nothing', (t) =>
  checkCase(t, [fixture('request-welcome')], { followers: 0, messages: 0, conversations: 0, ms: 0 }));

test('a message redelivered with an earlier time and without a sender keeps its sender', (t) =>
  checkCase(
    t,
    [
      inbound({ id: 'wamid.A', from: 'A', at: 100 }),
      inbound({ id: 'wamid.A', from: null, at: 0 }),
      inbound({ id: 'wamid.B', from: 'A', at: 60 }),
    ],
    { followers: 1, messages: 2, conversations: 1, ms: 60_000 },
  ));

test('a message id that is also in a status counts as one received message of its sender, from the earlier time on', (t) =>
  checkCase(
    t,
    [inbound({ id: 'wamid.A', from: 'A', at: 100 }), status({ id: 'wamid.A', to: 'B', at: 0 })],
    { followers: 1, messages: 1, conversations: 1, ms: 0 },
    async (sql, botId) => {
      const contacts = await sql`
        select platform_contact_id, followed_at from contacts
        where bot_id = ${botId} order by platform_contact_id`;
      assert.deepEqual(
        contacts.map((row) => [row.platform_contact_id, row.followed_at]),
        [
          [numberOf('A'), new Date(start * 1_000)],
          [numberOf('B'), null],
        ],
      );
    },
  ));

test('a message with two named people belongs to the smaller id, also after ids are merged', (t) =>
  checkCase(
    t,
    [
      status({ id: 'wamid.A', to: 'B', at: 30 }),
      status({ id: 'wamid.A', to: 'user.C', at: 10 }),
      inbound({ id: 'wamid.B', from: 'B', at: 0 }),
      // Identifies user.C as the person with number A, which is smaller than B's.
      inbound({ id: 'wamid.C', from: 'A', userId: 'user.C', at: 5_000 }),
    ],
    { followers: 2, messages: 3, conversations: 2, ms: 10_000 },
  ));

/** Each order of the deliveries, once without and once with repetitions. */
async function checkCase(
  t: Parameters<typeof testDatabase>[0],
  bodies: readonly string[],
  expected: Expected,
  check: (sql: Sql, botId: string) => Promise<void> = async () => undefined,
): Promise<void> {
  const { sql } = await testDatabase(t);
  const orders = permutations(bodies).flatMap((order) => [
    order,
    [...order, ...order],
    [...order, ...order.toReversed()],
  ]);
  for (const [place, order] of orders.entries()) {
    for (const countMax of [1, 100]) {
      const botId = `bot${place}-${countMax}`;
      await sql`insert into bots (bot_id, name, time_zone) values (${botId}, 'test', 'Asia/Taipei')`;
      await sql`
        insert into channels (bot_id, platform, account_id, secret_sealed)
        values (${botId}, 'whatsapp', ${accountId}, '')`;
      for (const body of order) {
        await putDeliveries(sql, [
          { botId, platform: 'whatsapp', source: 'webhook', body: Buffer.from(body), receivedAt: now },
        ]);
        if (countMax === 1) await fold(sql, botId, countMax);
      }
      await fold(sql, botId, countMax);
      const figures = (await readFigures(sql, botId, now))?.platforms.whatsapp;
      assert.deepEqual(
        figures && {
          followers: figures.followers,
          messages: figures.messages,
          conversations: figures.conversations,
          ms: figures.conversationMs,
        },
        expected,
      );
      await check(sql, botId);
      assert.deepEqual(await recount(sql, botId, { check: true, progress: () => undefined }), []);
    }
  }
}

async function fold(sql: Sql, botId: string, countMax: number): Promise<void> {
  const outcome = await foldPending(sql, botId, { now, random: randomBytes, countMax });
  assert.deepEqual(outcome.setAside, []);
}

function permutations<Value>(values: readonly Value[]): Value[][] {
  if (values.length < 2) return [[...values]];
  return values.flatMap((value, place) =>
    permutations(values.toSpliced(place, 1)).map((rest) => [value, ...rest]),
  );
}

const numberOf = (name: string) => `88690000000${name.charCodeAt(0) - 64}`;

/** `at` is in seconds from the start. */
function inbound({
  id,
  from,
  userId,
  at,
}: {
  id: string;
  from: string | null;
  userId?: string;
  at: number;
}): string {
  return bodyOf({
    messages: [
      {
        from: from === null ? '' : numberOf(from),
        ...(userId === undefined ? {} : { from_user_id: userId }),
        ...{ id, timestamp: String(start + at), type: 'text', text: { body: 'hi' } },
      },
    ],
  });
}

function status({ id, to, at }: { id: string; to: string; at: number }): string {
  const recipient = to.includes('.') ? { recipient_user_id: to } : { recipient_id: numberOf(to) };
  return bodyOf({ statuses: [{ id, status: 'sent', timestamp: String(start + at), ...recipient }] });
}

function bodyOf(value: object): string {
  const metadata = { phone_number_id: accountId };
  return JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '900',
        changes: [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata, ...value } }],
      },
    ],
  });
}
