/**
 * Reads the facts of all bots for the rules: two statements over the queues, and two for every few hundred bots.
 */
import type { Sql } from '../database/client.ts';
import { botsPerStatement } from '../database/cluster.ts';
import { textList } from '../database/lists.ts';
import { botOf } from '../database/row-table.ts';
import { metaKinds } from '../meta/kinds.ts';
import { type PlatformName, webhookPlatformNames } from '../platforms/platform.ts';
import { dayMs, hourMs } from '../time.ts';
import type { Facts } from './readings.ts';

const botsAtOnce = 500;
/** A collection with one of these states makes no calls until its channel is changed. */
const stoppedStates = ['token-refused', 'sealed'];

type Stored = Omit<Facts, 'stopped' | 'wrongSignatures' | 'oldestAt' | 'givenUp'> & {
  stoppedKinds: string[];
};

/** The time of the last check (ms), and the last bundle of the queue at that time. */
export type LastCheck = { lastAt: number; lastBundleId: number };

/** Yields the facts of all bots, some hundred at a time. */
export async function* readFacts(sql: Sql, last: LastCheck, now: number): AsyncGenerator<Facts[]> {
  const [oldest, webhooks] = await Promise.all([readOldest(sql, last), readGivenUp(sql, now)]);
  const countMax = Math.min(botsAtOnce, await botsPerStatement(sql));
  for (let after = ''; ; ) {
    const bots = await sql<{ botId: string }[]>`
      select bot_id as "botId" from bots where bot_id > ${after} order by bot_id limit ${botsAtOnce}`;
    const lastBot = bots.at(-1);
    if (!lastBot) return;
    after = lastBot.botId;
    const signatures = await readWrongSignatures(sql, bots, now);
    for (let first = 0; first < bots.length; first += countMax) {
      const rows = await readStored(sql, bots.slice(first, first + countMax), now);
      yield rows.map(({ stoppedKinds, ...stored }) => ({
        ...stored,
        stopped: [...new Set(stoppedKinds.map(platformOf))],
        wrongSignatures: signatures.get(stored.botId) ?? [],
        oldestAt: oldest.get(stored.botId) ?? null,
        givenUp: webhooks.get(stored.botId) ?? null,
      }));
    }
  }
}

/** In the current hour and the one before it. Reads few rows of each bot, however many hours are stored. */
async function readWrongSignatures(sql: Sql, bots: readonly { botId: string }[], now: number) {
  const since = new Date(Math.floor(now / hourMs) * hourMs - hourMs);
  const rows = await sql<{ botId: string; platform: PlatformName; count: number }[]>`
    select bots.bot_id as "botId", platform, sum(count)::float8 as count
    from unnest(${textList(bots.map(({ botId }) => botId))}::text[]) as bots (bot_id)
    cross join lateral (
      select platform, count from refused_deliveries
      where refused_deliveries.bot_id = bots.bot_id and platform = any (${textList(webhookPlatformNames)}::text[])
        and hour >= ${since} and reason = 'wrong-signature'
    ) recent
    group by bots.bot_id, platform`;
  return Map.groupBy(rows, ({ botId }) => botId);
}

/**
 * When the first delivery in the queue of each bot was received. Old deliveries in a bundle that is newer than the last check are a
 * replay, which has not waited long; they count at the next check if they still wait.
 */
async function readOldest(sql: Sql, { lastAt, lastBundleId }: LastCheck): Promise<Map<string, number>> {
  const rows = await sql<{ botId: string; at: Date }[]>`
    select first.bot_id as "botId", received_at as at
    from (
      select distinct on (bot_id) bot_id, bundle_id, delivery_ids[1] as delivery_id
      from pending_bundles order by bot_id, bundle_id
    ) first
    join deliveries on deliveries.bot_id = first.bot_id and deliveries.delivery_id = first.delivery_id
    where bundle_id <= ${lastBundleId} or received_at > ${new Date(lastAt)}`;
  return new Map(rows.map(({ botId, at }) => [botId, at.getTime()]));
}

/** The webhooks that each bot with an address gave up within 24 hours. An address that answered 410 counts as one. */
async function readGivenUp(sql: Sql, now: number): Promise<Map<string, number>> {
  const rows = await sql<{ botId: string; count: number }[]>`
    select callbacks.bot_id as "botId",
      greatest(case when disabled_at is null then 0 else 1 end, (
        select count(*) from notices
        where notices.bot_id = callbacks.bot_id and outcome = 'given-up' and ended_at > ${new Date(now - dayMs)}
      ))::float8 as count
    from callbacks`;
  return new Map(rows.map(({ botId, count }) => [botId, count]));
}

async function readStored(sql: Sql, bots: readonly { botId: string }[], now: number): Promise<Stored[]> {
  const bot = botOf(sql, 'bots', bots);
  const only = bots.length === 1 ? bots[0] : undefined;
  const ids = textList(bots.map(({ botId }) => botId));
  const platforms = textList([...webhookPlatformNames, 'liveChat']);
  const rows = await sql<{ facts: Stored }[]>`
    select json_build_object('botId', bots.bot_id, 'timeZone', time_zone,
      'channels', coalesce((select json_agg(json_build_object('platform', platform, 'enabled', enabled,
        'hasAccess', access_token_sealed is not null or channel_id is not null,
        'changedAt', extract(epoch from updated_at) * 1000))
        from channels where channels.bot_id = ${bot}), '[]'),
      'totals', coalesce((select json_agg(json_build_object('platform', platform, 'followers', followers, 'blocks', blocks,
        'lastDeliveryAt', extract(epoch from last_delivery_at) * 1000))
        from totals where totals.bot_id = ${bot}), '[]'),
      'today', coalesce((select json_agg(json_build_object('platform', platform, 'followers', followers, 'blocks', blocks))
        from days where days.bot_id = ${bot} and platform = any (${platforms}::text[]) and zone = bots.time_zone
          and day = (${new Date(now)}::timestamptz at time zone bots.time_zone)::date), '[]'),
      'lineFollowers', (select json_build_object('followers', (value->>'followers')::float8, 'blocks', (value->>'blocks')::float8)
        from snapshots where snapshots.bot_id = ${bot} and kind = 'followers' and status = 'ready' order by day desc limit 1),
      'quota', (select json_build_object('day', to_char(day, 'YYYY-MM-DD'), 'at', extract(epoch from received_at) * 1000,
          'size', (value->>'value')::float8, 'used', (value->>'totalUsage')::float8)
        from snapshots where snapshots.bot_id = ${bot} and kind = 'quota' order by day desc limit 1),
      'tokens', coalesce((select json_agg(json_build_object('platform', platform,
        'expiresAt', extract(epoch from expires_at) * 1000))
        from access_tokens where access_tokens.bot_id = ${bot} and expires_at is not null), '[]'),
      'stoppedKinds', coalesce((select json_agg(kind) from collections
        where collections.bot_id = ${bot} and state = any (${textList(stoppedStates)}::text[])), '[]')) as facts
    from bots where ${only ? sql`bots.bot_id = ${only.botId}` : sql`bots.bot_id = any (${ids}::text[])`}`;
  return rows.map(({ facts }) => facts);
}

function platformOf(kind: string): PlatformName {
  return metaKinds.find((one) => one.kind === kind)?.platform ?? 'line';
}
