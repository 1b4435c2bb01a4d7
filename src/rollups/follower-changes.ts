/**
 * What a day changes in followers and blocks (figures.md, section 4).
 *
 * Until LINE has reported its followers, all of a contact's events count. LINE's number of a day already holds its friends and
 * blocks of that day. So on every later day a friend from before adds no follower, and one who lifts a block that we did not know
 * of leaves the block state.
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

/** For queries: the first day of which LINE has reported the followers; null: none. */
export function firstReported(sql: Queryable, botId: string) {
  return sql`(
    select min(reported.day) from snapshots reported
    where reported.bot_id = ${botId} and reported.kind = 'followers' and reported.status = 'ready')`;
}
