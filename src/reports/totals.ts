/**
 * The figures of one bot for the analysis calls, read in one query (figures.md, sections 4 to 6).
 *
 * The query reads stored counters (totals, days) and LINE's snapshots, never events. A read therefore costs the same at ten
 * thousand and at a hundred million events.
 */

import type { components } from '../../contracts/types/management.ts';
import type { Bot, LineProgram } from '../bots/bots.ts';
import { boundedCache } from '../bounded-cache.ts';
import type { Queryable } from '../database/client.ts';
import { nodeOf } from '../database/nodes.ts';
import type { LineAnswer } from '../line/answers.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { taggedAt } from '../tags/coverage.ts';
import { dayOf, lineZone } from '../time.ts';

/** The stored counters of a platform. */
export type PlatformFigures = Omit<
  components['schemas']['PlatformFigures'],
  'tagCoverRate' | 'averageConversationMessages' | 'averageConversationSeconds'
>;

export type BotFigures = {
  /** The bot's valid API pair, so that a call needs no second query to check it. */
  credential: { pairId: string; secretHash: Uint8Array } | null;
  /** Set by the owner; null: derived from the quota. */
  lineProgram: LineProgram | null;
  /** LINE's followers and blocks include its latest snapshot. */
  platforms: Record<PlatformName, PlatformFigures>;
  /** LINE's latest demographic response, unchanged; null: never fetched. */
  demographic: LineAnswer | null;
  quota: { type?: string; value?: number; totalUsage?: number } | null;
  /** The current month in UTC+9: for each day LINE's own figures, or else the sends through our gateway. */
  lineSends: { reply: number; push: number; broadcast: number };
};

type Counts = Omit<PlatformFigures, 'integrated'>;

type Row = Pick<BotFigures, 'lineProgram' | 'demographic' | 'quota' | 'lineSends'> & {
  pairId: string | null;
  /** Hexadecimal. */
  secretHash: string | null;
  totals: Partial<Record<PlatformName, Counts>> | null;
  /** By platform: whether the channel is enabled. */
  channels: Partial<Record<PlatformName, boolean>> | null;
  /** By LINE's latest snapshot and our events since; null: LINE has not reported any. */
  lineFollowers: Pick<Counts, 'followers' | 'blocks'> | null;
};

const readBotsMax = 1_000;

/** The last read of each bot. Frequent calls mostly read the same text again; its figures, and answers made of them, are then reused. */
const lastReads = boundedCache<string, { text: string; figures: BotFigures }>(readBotsMax);

/**
 * Returns everything that clients/analysis and message/analysis show of a bot; null if the bot does not exist. `now` (ms)
 * determines the current month and the expired tags. One query. While nothing has changed, it returns the same object.
 */
export async function readFigures(
  database: Queryable,
  botId: string,
  now: number,
): Promise<BotFigures | null> {
  const sql = nodeOf(database, botId);
  const monthStart = `${dayOf(now, lineZone).slice(0, 7)}-01`;
  const [row] = await sql<{ text: string }[]>`
    select json_build_object(
      'lineProgram', bots.line_program,
      'pairId', pair.pair_id,
      'secretHash', encode(pair.secret_hash, 'hex'),
      'totals', (select json_object_agg(platform, json_build_object(
          'followers', followers, 'blocks', blocks, 'messages', inbound + outbound,
          'conversations', conversations, 'conversationMessages', conversation_messages,
          'conversationMs', conversation_ms, 'taggedContacts', ${taggedAt(sql, botId, now)}))
        from totals where totals.bot_id = ${botId}),
      'channels', (select json_object_agg(platform, enabled) from channels where channels.bot_id = ${botId}),
      'lineFollowers', case when ready.followers is not null then json_build_object(
        'followers', ready.followers + coalesce(since.followers, 0),
        'blocks', greatest(0, ready.blocks + coalesce(since.blocks, 0))) end,
      'demographic', (select value from snapshots
        where snapshots.bot_id = ${botId} and kind = 'demographic' order by day desc limit 1),
      'quota', (select value from snapshots
        where snapshots.bot_id = ${botId} and kind = 'quota' order by day desc limit 1),
      'lineSends', json_build_object('reply', sends.reply, 'push', sends.push, 'broadcast', sends.broadcast))::text as text
    from bots
    left join api_pairs pair on pair.bot_id = bots.bot_id and pair.replaced_at is null
    left join lateral (
      select day, (value->>'followers')::float8 as followers, (value->>'blocks')::float8 as blocks
      from snapshots
      where snapshots.bot_id = ${botId} and kind = 'followers' and status = 'ready'
      order by day desc limit 1
    ) ready on true
    left join lateral (
      -- As in follower-changes.ts: all these days are after one that LINE has reported.
      select sum(followers - earlier_friends)::float8 as followers, sum(blocks - earlier_blockers)::float8 as blocks
      from days
      where days.bot_id = ${botId} and platform = 'line' and zone = ${lineZone} and day > ready.day
    ) since on true
    cross join lateral (
      select coalesce(sum(reply), 0) as reply, coalesce(sum(push), 0) as push, coalesce(sum(broadcast), 0) as broadcast
      from (
        select (value->>'apiReply')::float8 as reply, (value->>'apiPush')::float8 as push,
          (value->>'apiBroadcast')::float8 as broadcast
        from snapshots
        where snapshots.bot_id = ${botId} and kind = 'delivery' and status = 'ready' and day >= ${monthStart}
        union all
        -- For days that LINE has not reported: the sends through our gateway.
        select case kind when 'reply' then recipients end, case kind when 'push' then recipients end,
          case kind when 'broadcast' then recipients end
        from line_send_days
        where line_send_days.bot_id = ${botId} and day >= ${monthStart} and not exists (
          select from snapshots
          where snapshots.bot_id = ${botId} and kind = 'delivery' and snapshots.day = line_send_days.day
            and status = 'ready')
      ) of_days
    ) sends
    where bots.bot_id = ${botId}`;
  if (!row) return null;
  const last = lastReads.get(botId);
  if (last?.text === row.text) return last.figures;
  const figures = toFigures(JSON.parse(row.text));
  lastReads.set(botId, { text: row.text, figures });
  return figures;
}

/** Returns the first day with figures, in the bot's zone; null without any. */
export async function readFirstDay(sql: Queryable, { botId, timeZone }: Bot): Promise<string | null> {
  const [row] = await sql<{ day: string | null }[]>`
    select to_char(min(first.day), 'YYYY-MM-DD') as day
    from totals cross join lateral (
      select day from days
      where days.bot_id = ${botId} and days.platform = totals.platform and zone = ${timeZone}
      order by day limit 1
    ) first
    where totals.bot_id = ${botId}`;
  return row?.day ?? null;
}

/** Returns the receive time of each platform's latest counted webhook; platforms without one are omitted. */
export async function readLastDeliveries(sql: Queryable, botId: string): Promise<Map<PlatformName, Date>> {
  const rows = await sql<{ platform: PlatformName; at: Date }[]>`
    select platform, last_delivery_at as at from totals where bot_id = ${botId} and last_delivery_at is not null`;
  return new Map(rows.map(({ platform, at }) => [platform, at]));
}

function toFigures({ pairId, secretHash, totals, channels, lineFollowers, ...figures }: Row): BotFigures {
  const figuresOf = (name: PlatformName): PlatformFigures => {
    const integrated = channels?.[name];
    if (integrated === undefined) return { integrated: false, ...noCounts };
    return { integrated, ...noCounts, ...totals?.[name], ...(name === 'line' ? lineFollowers : null) };
  };
  const platforms = platformNames.map((name) => [name, figuresOf(name)]);
  return {
    ...figures,
    credential:
      pairId !== null && secretHash !== null ? { pairId, secretHash: Buffer.from(secretHash, 'hex') } : null,
    platforms: Object.fromEntries(platforms) as Record<PlatformName, PlatformFigures>,
  };
}

const noCounts: Counts = {
  followers: 0,
  blocks: 0,
  messages: 0,
  conversations: 0,
  conversationMessages: 0,
  conversationMs: 0,
  taggedContacts: 0,
};
