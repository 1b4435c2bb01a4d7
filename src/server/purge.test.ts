import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import type { Sql } from '../database/client.ts';
import { dayMs, hourMs } from '../time.ts';
import { purge } from './purge.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const settings = {
  retentionDays: 30,
  callbackLogDays: 30,
  chatImageDays: 90,
  auditDays: 400,
  clock: () => now,
};
const botCount = 1_100;

/** Many bots, and one in their middle with an old and a new row of each kind. */
async function manyBots(t: TestContext): Promise<Sql> {
  const { sql } = await testDatabase(t);
  await sql`
    insert into bots (bot_id, name, time_zone)
    select 'bot' || lpad(number::text, 5, '0'), 'x', 'UTC' from generate_series(1, ${botCount}::integer) number`;
  for (const [name, age] of [
    ['old', 100 * dayMs],
    ['new', hourMs],
  ] as const) {
    const at = new Date(now - age);
    const bot = 'bot00700';
    await sql`
      insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
      values (${bot}, ${name}, 'line', ${name}, ${at})`;
    await sql`
      insert into tags (bot_id, tag_id, kind, name, created_at, updated_at)
      values (${bot}, ${name}, 'manual', ${name}, ${at}, ${at})`;
    await sql`
      insert into contact_tags (bot_id, contact_id, tag_id, created_at, ends_at)
      values (${bot}, ${name}, ${name}, ${at}, ${new Date(now - age + 2 * hourMs)})`;
    await sql`
      insert into deliveries (bot_id, platform, source, body, received_at)
      values (${bot}, 'line', 'webhook', '', ${at})`;
    await sql`
      insert into notices (bot_id, nonce, type, contact_id, data, happened_at, created_at, outcome)
      values (${bot}, '', 'points.changed', ${name}, '{}', ${at}, ${at}, 'told')`;
    await sql`
      insert into chat_visitors (bot_id, visitor_id, created_at, session_at) values (${bot}, ${name}, ${at}, ${at})`;
    await sql`
      insert into chat_images (bot_id, visitor_id, message_id, content, sent_at)
      values (${bot}, ${name}, ${name}, '', ${at})`;
    await sql`
      insert into jobs (bot_id, kind, state, upto_id, created_at, updated_at, ended_at)
      values (${bot}, 'replay', 'done', 0, ${at}, ${at}, ${at})`;
    await sql`
      insert into line_reply_tokens (bot_id, token_hash, platform_contact_id, kept_at)
      values (${bot}, ${name}::text::bytea, ${name}, ${at})`;
    await sql`
      insert into line_clicks (bot_id, click_id, code, person, clicked_at) values (${bot}, ${name}, '', '', ${at})`;
    await sql`
      insert into refused_deliveries (bot_id, platform, hour, count, last_at) values (${bot}, 'line', ${at}, 1, ${at})`;
    await sql`
      insert into alerts (bot_id, rule, subject, value, threshold, began_at, ended_at)
      values (${bot}, 'backlog', '', 61, 60, ${at}, ${at})`;
    await sql`
      insert into chat_usage (bot_id, day, kind, key, bytes) values (${bot}, ${at}, 'bot', '', 1)`;
    await sql`
      insert into point_entries (bot_id, contact_id, kind, amount, balance_after, key, created_at)
      values (${bot}, ${name}, 'earn', 1, 1, ${name}, ${at})`;
  }
  return sql;
}

const purged = [
  ...['contact_tags', 'deliveries', 'notices', 'chat_visitors', 'chat_images', 'jobs', 'line_reply_tokens'],
  ...['line_clicks', 'refused_deliveries', 'chat_usage', 'alerts'],
];

test('of many bots, the old rows of each kind are deleted, and past days of points stored, in a few statements', async (t) => {
  const sql = await manyBots(t);
  let statements = 0;
  const counting = new Proxy(sql, {
    apply(target, self, parameters) {
      statements += 1;
      return Reflect.apply(target, self, parameters);
    },
  });
  await purge(counting, settings, () => false);
  for (const table of purged) {
    const [row] = await sql`select count(*)::integer as count from ${sql(table)}`;
    assert.equal(row?.count, 1, table);
  }
  const [days] = await sql`select count(*)::integer as count from point_days`;
  assert.equal(days?.count, 1);
  statements = 0;
  await purge(counting, settings, () => false);
  // Also names of columns and parts of statements.
  assert.ok(statements < 300, `${statements} statements`);
});
