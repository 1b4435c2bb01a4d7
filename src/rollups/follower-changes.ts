/**
 * The change of followers and blocks by a stored day (figures.md, section 4), for all reads.
 *
 * Until LINE has reported its followers, all events of a contact count. LINE's number of a day includes its friends and blocks of that
 * day. So on later days an earlier friend adds no follower, and an earlier friend that lifts an unknown block leaves the block state.
 */
import type { Queryable } from '../database/client.ts';

/** For queries over `days` of a bot. */
export function followersChange(sql: Queryable, botId: string) {
  return sql`(days.followers - case when days.day > ${firstReported(sql, botId)} then days.earlier_friends else 0 end)`;
}

/** For queries over `days` of a bot. */
export function blocksChange(sql: Queryable, botId: string) {
  return sql`(days.blocks - case when days.day > ${firstReported(sql, botId)} then days.earlier_blockers else 0 end)`;
}

/** For queries: the first day whose followers LINE has reported; null: none. */
export function firstReported(sql: Queryable, botId: string) {
  return sql`(
    select min(reported.day) from snapshots reported
    where reported.bot_id = ${botId} and reported.kind = 'followers' and reported.status = 'ready')`;
}
