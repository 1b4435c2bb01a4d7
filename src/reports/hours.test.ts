import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyDatabase } from '../../tests/harness/database.ts';
import { migrate, readMigrations } from '../database/migrate.ts';
import { recount } from '../rebuild/recount.ts';
import { readLastDeliveries } from './totals.ts';

test('the migration that adds hours counts the hours of stored messages as a recount does', async (t) => {
  const { sql } = await emptyDatabase(t);
  const migrations = await readMigrations();
  const hoursIndex = migrations.findLastIndex(({ name }) => name.endsWith('-hours.sql'));
  await migrate(sql, migrations.slice(0, hoursIndex));
  const zones = ['Asia/Taipei', 'America/New_York', 'Australia/Lord_Howe'];
  for (const zone of zones) {
    await sql`insert into bots (bot_id, name, time_zone) values (${zone}, 'test', ${zone})`;
    await sql`
      insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
      values (${zone}, 'Ada', 'line', 'U1', now())`;
    // A LINE push is a message of a conversation; LINE reports its count by day, so it has no hour.
    await sql`
      insert into events (bot_id, platform, key, kind, contact_id, happened_at, received_at)
      select ${zone}, platform, n::text, case when n % 3 = 0 then 'message-out' else 'message-in' end,
        case when platform = 'line' and n % 3 = 0 then 'Ada' end, at, at
      from unnest(array['line', 'facebook', 'liveChat']) platform
      cross join generate_series(1, 200) n
      cross join lateral (select timestamptz '2026-03-01T00:07:00Z' + n * interval '43 hours 11 minutes' as at) time`;
    await sql`
      insert into deliveries (bot_id, platform, source, received_at, body)
      select ${zone}, platform, source, timestamptz '2026-03-01T00:00:00Z' + n * interval '1 hour', ''
      from (values ('facebook', 'webhook', 1), ('facebook', 'webhook', 3), ('line', 'line-answer', 2))
        as sent (platform, source, n)`;
  }
  await migrate(sql);
  for (const zone of zones) {
    const differences = await recount(sql, zone, { check: true, progress: () => undefined });
    const ofHours = differences.filter(({ where }) => where.startsWith('hour '));
    assert.deepEqual(ofHours, []);
    const rows = await sql`select sum(inbound + outbound)::integer as sum from hours where bot_id = ${zone}`;
    assert.equal(rows[0]?.sum, 3 * 200 - 66);
    assert.deepEqual(
      [...(await readLastDeliveries(sql, zone))],
      [['facebook', new Date('2026-03-01T03:00:00Z')]],
    );
  }
});
