/**
 * The edges of counted series, to the millisecond. tests/properties/series.test.ts checks the general rule.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { readSeries } from './series.ts';

test('the first instant of a day counts on that day, the millisecond before it on the previous day', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name, time_zone) values ('bot', 'Shop', 'Asia/Taipei')`;
  await sql`insert into channels (bot_id, platform, secret_sealed) values ('bot', 'facebook', '')`;
  // Clocks in Beirut move from midnight to 1 o'clock, so the day begins at the change.
  const midnights = { 'Asia/Beirut': '2026-03-28T22:00:00Z', 'America/New_York': '2026-03-29T04:00:00Z' };
  for (const [zone, midnight] of Object.entries(midnights)) {
    for (const [at, values] of [
      [Date.parse(midnight) - 1, [1, 0]],
      [Date.parse(midnight), [0, 1]],
    ] as const) {
      const instant = new Date(at);
      await sql`
        insert into contacts (bot_id, contact_id, platform, platform_contact_id, followed_at, ever_blocked, created_at)
        values ('bot', 'one', 'facebook', '1', ${instant}, true, ${instant})`;
      await sql`
        insert into events (bot_id, platform, key, kind, contact_id, happened_at, received_at)
        values ('bot', 'facebook', 'in', 'message-in', 'one', ${instant}, ${instant}),
          ('bot', 'facebook', 'out', 'message-out', 'one', ${instant}, ${instant}),
          ('bot', 'facebook', 'z', 'block', 'one', ${instant}, ${instant})`;
      await sql`
        insert into conversations (bot_id, contact_id, first_at, last_at, platform, inbound, outbound)
        values ('bot', 'one', ${instant}, ${new Date(at + 1)}, 'facebook', 1, 1)`;
      const first = '2026-03-28';
      const second = '2026-03-29';
      const read = async (from: string, to: string) => {
        const request = { by: 'day', zone, from, to, platforms: ['facebook'] } as const;
        const { series: lines } = await readSeries(sql, 'bot', request, { now: at });
        return lines.filter(({ platform }) => platform === 'facebook');
      };
      for (const { figure, values: counts } of await read(first, second)) {
        const each = figure === 'messages' || figure === 'conversationMessages' ? 2 : 1;
        assert.deepEqual(
          counts,
          values.map((value) => value * each),
          `${zone} ${figure}`,
        );
      }
      // Requested alone, each of the two days ends where the other begins.
      for (const [day, value] of [
        [first, values[0]],
        [second, values[1]],
      ] as const) {
        for (const { figure, sum } of await read(day, day))
          assert.equal((sum ?? 0) > 0, value > 0, `${zone} ${day} ${figure}`);
      }
      for (const table of ['contacts', 'events', 'conversations']) await sql`delete from ${sql(table)}`;
    }
  }
});
