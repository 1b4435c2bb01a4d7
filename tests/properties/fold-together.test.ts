/**
 * The fold of many bots against the fold of each alone, with sends, replies, LINE's answers, unreadable deliveries, second ids and
 * deleted contacts: both store the same.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Sql } from '../../src/database/client.ts';
import { type NewDelivery, putDeliveries } from '../../src/inbox/inbox.ts';
import { hashReplyToken } from '../../src/line/reply-tokens.ts';
import { recount } from '../../src/rebuild/recount.ts';
import { testDatabase } from '../harness/database.ts';
import { foldPending } from '../harness/fold.ts';
import { forgetContact } from '../harness/forget.ts';
import { holds } from '../harness/property.ts';
import { bodyOf, lineUser } from './bodies.ts';
import { addBot, anchors, reportedEvents } from './events.ts';

const now = Date.parse('2026-12-01T00:00:00Z');
const zone = 'Asia/Taipei';
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const at = fc
  .integer({ min: 0, max: 5 })
  .map((hours) => Date.parse('2026-03-01T00:00:00Z') + hours * 3_600_000);
const small = fc.integer({ min: 0, max: 3 });

type Part = Pick<NewDelivery, 'platform' | 'source' | 'body'>;

function line(source: NewDelivery['source'], value: object): Part {
  return { platform: 'line', source, body: Buffer.from(JSON.stringify(value)) };
}

/** A message whose reply token a reply may answer. */
const answerable = fc.record({ id: small, person: small, at }).map(({ id, person, at: timestamp }) => {
  const source = { type: 'user', userId: lineUser(person) };
  const message = { type: 'text', id: `${id}`, text: 'hello' };
  const [webhookEventId, replyToken] = [`answerable-${id}`, `token-${id}`];
  const event = { type: 'message', webhookEventId, timestamp, mode: 'active', replyToken, source, message };
  return line('webhook', { events: [{ ...event, deliveryContext: { isRedelivery: false } }] });
});
const send = fc
  .record({ id: small, kind: fc.constantFrom('push', 'reply', 'broadcast'), person: small, sentAt: at })
  .map(({ id, kind, person, sentAt }) => ({
    ...{ requestId: `${kind}-${id}`, kind, sentAt, unit: null, linkSet: null },
    recipients: kind === 'broadcast' ? null : 1,
    person: kind === 'push' ? lineUser(person) : null,
    replyTokenHash: kind === 'reply' ? hashReplyToken(`token-${id}`) : null,
  }))
  .map((record) => line('line-send', record));
const answer = fc.record({ day: small, apiPush: small }).map(({ day, apiPush }) =>
  line('line-answer', {
    ...{ kind: 'delivery', day: `2026-03-0${day + 1}` },
    value: { status: 'ready', apiPush },
  }),
);
const event = reportedEvents(anchors).map((reported): Part => {
  return { platform: reported.platform, source: 'webhook', body: Buffer.from(bodyOf(reported)) };
});
const unreadable = fc
  .constantFrom({ events: [{}] }, { events: 1 }, [])
  .map((value) => line('webhook', value));
const part = fc.oneof(event, answerable, send, answer, unreadable);

const plan = fc.record({
  bots: fc.array(fc.array(part, { minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 4 }),
  order: fc.infiniteStream(chance),
  chunkSize: fc.integer({ min: 1, max: 10 }),
});

test('bots that are folded together store the same as bots that are folded alone', async (t) => {
  const { sql } = await testDatabase(t);
  let count = 0;
  await holds(
    t,
    fc.asyncProperty(plan, async ({ bots, order, chunkSize }) => {
      const values = order[Symbol.iterator]();
      const next = (): number => values.next().value ?? 0;
      const pairs = bots.map((parts) => ({ parts, together: `bot${count++}`, alone: `bot${count++}` }));
      for (const { together, alone } of pairs) {
        for (const botId of [together, alone]) {
          await addBot(sql, botId, zone);
          await sql`
            update channels set access_token_sealed = secret_sealed where bot_id = ${botId} and platform = 'line'`;
        }
      }
      const rounds = 1 + Math.floor(next() * 3);
      for (let round = 0; round < rounds; round++) {
        for (const { parts, together, alone } of pairs) {
          const some = parts.filter(() => next() < 0.7);
          for (const botId of [together, alone]) await put(sql, botId, some);
        }
        const options = { now, random: randomBytes, chunkSize };
        const togetherIds = pairs.map(({ together }) => together);
        await foldPending(sql, togetherIds, options);
        for (const { alone } of pairs) await foldPending(sql, alone, options);
        const person = next() < 0.5 ? lineUser(Math.floor(next() * 4)) : null;
        for (const botId of pairs.flatMap(({ together, alone }) => [together, alone]))
          if (person !== null) await forget(sql, botId, person);
      }
      for (const { together, alone } of pairs) {
        assert.deepEqual(await stored(sql, together), await stored(sql, alone));
        assert.deepEqual(await recount(sql, together, { check: true, progress: () => undefined }), []);
      }
    }),
    { runs: 20 },
  );
});

async function put(sql: Sql, botId: string, parts: readonly Part[]): Promise<void> {
  if (parts.length > 0)
    await putDeliveries(
      sql,
      parts.map((one) => ({ ...one, botId, receivedAt: now })),
    );
}

/** Deletes the person's data, if the bot knows the person. */
async function forget(sql: Sql, botId: string, person: string): Promise<void> {
  const [row] = await sql<{ contactId: string }[]>`
    select contact_id as "contactId" from contacts where bot_id = ${botId} and platform_contact_id = ${person}`;
  if (row) await forgetContact(sql, { botId, contactId: row.contactId }, { now, random: randomBytes });
}

/** The rows of a bot, without the ids of contacts, which are random, and of deliveries. */
async function stored(sql: Sql, botId: string): Promise<unknown> {
  const tables = await Promise.all([
    sql`select platform, key, kind, detail, case when forgotten_at is null then platform_contact_id end as person, happened_at from events
      left join contacts using (bot_id, contact_id, platform) where bot_id = ${botId} order by platform, key`,
    sql`select platform, case when forgotten_at is null then platform_contact_id end as id, followed_at, blocked, merged_into is null as is_person
      from contacts where bot_id = ${botId} order by platform, id, followed_at, blocked, is_person`,
    sql`select platform, first_at, last_at, inbound, outbound from conversations where bot_id = ${botId}
      order by platform, first_at, last_at, inbound, outbound`,
    sql`select * from totals where bot_id = ${botId} order by platform`,
    sql`select * from days where bot_id = ${botId} order by platform, zone, day`,
    sql`select * from hours where bot_id = ${botId} order by platform, day, hour`,
    sql`select request_id, kind, recipients, sent_at from line_sends where bot_id = ${botId} order by request_id`,
    sql`select day, kind, recipients, unknown_sends from line_send_days where bot_id = ${botId} order by day, kind`,
    sql`select token_hash, split_part(platform_contact_id, ' ', 1) as person from line_reply_tokens where bot_id = ${botId} order by token_hash`,
    sql`select kind, day, value from snapshots where bot_id = ${botId} order by kind, day`,
    sql`select convert_from(body, 'UTF8') as body, set_aside_reason from deliveries where bot_id = ${botId} order by delivery_id`,
    sql`select bundle_id from pending_bundles where bot_id = ${botId}`,
  ]);
  return tables.map((rows) => rows.map(({ bot_id: _, ...row }) => row));
}
