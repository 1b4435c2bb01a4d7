import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyDatabase } from '../../tests/harness/database.ts';
import { migrate, readMigrations } from '../database/migrate.ts';
import { recount } from '../rebuild/recount.ts';

test('the migration finds the same earlier friends as a recount', async (t) => {
  const { sql } = await emptyDatabase(t);
  const migrations = await readMigrations();
  const place = migrations.findLastIndex(({ name }) => name.endsWith('-earlier-friends.sql'));
  await migrate(sql, migrations.slice(0, place));
  const zones = ['Asia/Taipei', 'Asia/Tokyo', 'America/New_York'];
  for (const zone of zones) {
    await sql`insert into bots (bot_id, name, time_zone) values (${zone}, 'test', ${zone})`;
    await sql`
      insert into events (bot_id, platform, key, kind, contact_id, happened_at, received_at)
      select ${zone}, 'line', contact_id || kind, kind, contact_id, happened_at, now()
      from (values ('Ada', 'follow', timestamptz '2026-03-01T15:30:00Z'),
        ('Bo', 'unfollow', timestamptz '2026-03-01T15:30:00Z'), ('Bo', 'follow', timestamptz '2026-03-01T15:31:00Z'),
        ('Cy', 'follow', timestamptz '2026-03-05T15:30:00Z'), ('Cy', 'unfollow', timestamptz '2026-03-05T15:30:00Z'))
        as event (contact_id, kind, happened_at)`;
    await sql`
      insert into contacts (bot_id, contact_id, platform, platform_contact_id, followed_at, blocked, ever_blocked, created_at)
      select bot_id, contact_id, 'line', contact_id, min(happened_at), contact_id = 'Cy', contact_id <> 'Ada', now()
      from events where bot_id = ${zone} group by bot_id, contact_id`;
    await sql`insert into totals (bot_id, platform, followers, blocks) values (${zone}, 'line', 3, 1)`;
    await sql`
      insert into days (bot_id, platform, zone, day, followers, blocks)
      select bot_id, 'line', zone, (followed_at at time zone zone)::date, count(*), count(*) filter (where blocked)
      from contacts, unnest(${[...new Set([zone, 'Asia/Tokyo'])]}::text[]) zone
      where bot_id = ${zone} group by bot_id, zone, (followed_at at time zone zone)::date`;
  }
  await migrate(sql);
  for (const zone of zones) {
    assert.deepEqual(await recount(sql, zone, { check: true, progress: () => undefined }), []);
    const [total] = await sql`select earlier_friends from totals where bot_id = ${zone}`;
    assert.equal(total?.earlier_friends, 1);
  }
});
