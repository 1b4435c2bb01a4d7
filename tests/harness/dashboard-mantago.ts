/** An import from MantaGo and two weeks of comparisons, for pictures of the dashboard. */
import { dayMs, hourMs } from '../../src/time.ts';
import { type DashboardWorld, worldNow } from './dashboard-world.ts';

const days = 14;
const startedAt = worldNow - days * dayMs;

export async function addMantago({ sql, botId }: DashboardWorld): Promise<void> {
  const sealed = new Uint8Array();
  const at = (ms: number) => new Date(ms);
  await sql`
    insert into mantago_connections ${sql({
      ...{
        bot_id: botId,
        address: 'https://mantago.cc/api',
        their_bot_id: 'lNbWoobyg',
        calls_per_minute: 60,
      },
      ...{ token_sealed: sealed, secret_sealed: sealed, updated_at: at(startedAt) },
    })}`;
  const counts = {
    ...{
      clients: 8_412,
      contactsAdded: 7_930,
      profiles: 8_120,
      customers: 2_204,
      formerIds: 8_412,
      tags: 41,
    },
    ...{
      assignments: 19_377,
      pointContacts: 8_412,
      pointEntries: 3_168,
      points: 412_650,
      days: 730,
      answers: 2,
    },
  };
  await sql`
    insert into mantago_imports (bot_id, state, run, phase, expected, counts, calls, started_at, updated_at, ended_at)
    values (${botId}, 'done', 1, 'days', 8412, ${JSON.stringify(counts)}::text::jsonb, 214, ${at(startedAt)},
      ${at(startedAt + hourMs / 15)}, ${at(startedAt + hourMs / 15)})`;
  const problems = [
    ['personal-tag', '', '常客', '37'],
    ['personal-tag', '', '素食', '12'],
    ['points-unanswered', 'line', 'U4af4980629d5b4fd9a2c3e5b6f7a8901', ''],
    ['tag-name', '', '', 'manual'],
    ['profile', 'facebook', '7281920458812345', 'remark'],
  ];
  for (const [reason = '', platform = '', subject = '', detail = ''] of problems)
    await sql`insert into mantago_problems ${sql({ bot_id: botId, reason, platform, subject, detail })}`;
  await sql`
    insert into mantago_watches (bot_id, tolerance, sample, next_at, updated_at)
    values (${botId}, 1, 20, ${at(worldNow + 5 * hourMs)}, ${at(startedAt)})`;
  for (let day = 0; day < days; day += 1) {
    const figures = figuresOf(day);
    const beyond = figures.filter(({ isBeyond }) => isBeyond).length;
    await sql`
      insert into mantago_comparisons (bot_id, compared_at, tolerance, beyond, figures)
      values (${botId}, ${at(startedAt + (day + 1) * dayMs)}, 1, ${beyond}, ${JSON.stringify(figures)}::text::jsonb)`;
  }
}

type Row = [call: string, figure: string, ours: number, theirs: number, reason: string | null];

/** The gaps become smaller from day to day. */
function figuresOf(day: number) {
  const rows: Row[] = [
    ['clients/analysis', 'lineFollowers', 6_204 + 9 * day, 6_206 + 9 * day, 'line-snapshot'],
    ['clients/analysis', 'lineBlocks', 812 + day, 812 + day, null],
    ['clients/analysis', 'fbFollowers', 180 + 22 * day, 1_094 + 3 * day, 'not-yet-followers'],
    ['message/analysis', 'lineReplyAmounts', 310 * (day + 1), 41_200 + 310 * day, 'since-connection'],
    ['message/analysis', 'lineQuota', 25_000, 25_000, null],
    ['client/point', 'points', 2_960, 3_010, 'points-since'],
    ['client/point', 'clientsWithEqualPoints', 19, 20, 'points-since'],
  ];
  return rows.map(([call, figure, ours, theirs, reason]) => {
    const gap = ours - theirs;
    const percent = (Math.abs(gap) / Math.max(1, theirs)) * 100;
    return { call, figure, ours, theirs, gap, percent, isBeyond: percent > 1, reason };
  });
}
