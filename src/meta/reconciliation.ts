/**
 * The reconciliation of a Meta channel: our count, Meta's count, the gap between them and its possible reasons, by day.
 *
 *     facebook    days in Pacific time, as Meta's insights: new contacts of the day, contacts at its end, blocks of the day
 *     instagram   days in Pacific time: new contacts and new followers of the day
 *     whatsapp    days in UTC: messages sent, and messages delivered
 *
 * Our counts come from contacts and stored counters, Meta's from platform_days. The two are independent.
 */
import type { components } from '../../contracts/types/management.ts';
import { findBot } from '../bots/bots.ts';
import type { MetaPlatform } from '../bots/meta-tokens.ts';
import type { Queryable } from '../database/client.ts';
import { invalidInput } from '../errors.ts';
import { firstSetAsideDay } from '../inbox/deliveries.ts';
import { readDay } from '../periods.ts';
import { addDays, dayMs, dayOf } from '../time.ts';

/** Why two counts may differ, or cannot be compared. */
export const metaGapReasons = {
  'not-told': 'Meta has not reported this day, or it was not collected.',
  'before-connected':
    'Meta also knows conversations from before the channel was connected. Their people are new to Shoal.',
  'deliveries-set-aside': 'Deliveries up to this day are set aside and do not count yet.',
  'counted-otherwise':
    'Shoal also counts people who tapped, opted in or came through a link. Meta counts conversations with a message.',
  'blocks-not-reported':
    'Meta does not report who blocks the page. Shoal counts the blocks that the business records.',
  'other-days': "Our count is by the days of the bot's time zone, Meta's by days in Pacific time.",
  'followers-and-contacts':
    'Instagram counts people who follow the account; Shoal counts people who wrote or tapped.',
  'statuses-missing': 'Webhooks of some messages did not arrive, for example before the connection.',
  'delivered-later':
    'Shoal counts a delivery on the day of its status, Meta possibly on the day on which the message was sent.',
  'sent-with-the-app': 'Meta does not count messages that were sent with the WhatsApp Business app.',
} as const;
export type MetaGapReason = keyof typeof metaGapReasons;

export type PlatformComparison = components['schemas']['PlatformComparison'] & { reasons: MetaGapReason[] };
export type PlatformDay = { day: string; figures: Record<string, PlatformComparison> };
export type PlatformReconciliation = { zone: string; figures: readonly string[]; days: PlatformDay[] };

type Possible = { less: readonly MetaGapReason[]; more: readonly MetaGapReason[] };
type Rule = { zone: string; figures: Record<string, Possible> };

export const pacific = 'America/Los_Angeles';
const rules: Readonly<Record<MetaPlatform, Rule>> = {
  facebook: {
    zone: pacific,
    figures: {
      contacts: { less: ['before-connected'], more: ['counted-otherwise'] },
      newContacts: { less: ['statuses-missing'], more: ['before-connected', 'counted-otherwise'] },
      blocks: { less: ['blocks-not-reported', 'other-days'], more: ['other-days'] },
    },
  },
  instagram: {
    zone: pacific,
    figures: {
      contacts: { less: ['followers-and-contacts'], more: ['followers-and-contacts'] },
      newContacts: { less: ['followers-and-contacts'], more: ['followers-and-contacts'] },
    },
  },
  whatsapp: {
    zone: 'UTC',
    figures: {
      sends: { less: ['statuses-missing'], more: ['sent-with-the-app'] },
      delivered: {
        less: ['statuses-missing', 'delivered-later'],
        more: ['sent-with-the-app', 'delivered-later'],
      },
    },
  },
};

const daysMax = 3_700;
const defaultDays = 30;

/**
 * Returns the days from `from` to `to` (YYYY-MM-DD, both included; default: the 30 days up to yesterday). Throws Refusal
 * BOT_NOT_FOUND, INPUT_INVALID.
 */
export async function reconcilePlatform(
  sql: Queryable,
  botId: string,
  {
    platform,
    from,
    to,
    now,
  }: { platform: MetaPlatform; from?: string | undefined; to?: string | undefined; now: number },
): Promise<PlatformReconciliation> {
  const { timeZone } = await findBot(sql, botId);
  const { zone, figures } = rules[platform];
  const last = readDay('to', to ?? dayOf(now - dayMs, zone));
  const first = readDay('from', from ?? addDays(last, 1 - defaultDays));
  if (first > last || addDays(first, daysMax) <= last)
    throw invalidInput(`from must be 0 to ${daysMax - 1} days before to (${last}).`);
  const range = { platform, zone, timeZone, first, last };
  const [rows, setAsideFrom] = await Promise.all([
    platform === 'whatsapp' ? selectSends(sql, botId, range) : selectPeople(sql, botId, range),
    firstSetAsideDay(sql, botId, range),
  ]);
  const days = rows.map(({ day, ...counts }) => {
    const pending: MetaGapReason[] =
      setAsideFrom !== null && setAsideFrom <= day ? ['deliveries-set-aside'] : [];
    const compared = Object.entries(figures).map(([name, { less, more }]) => {
      const [own, theirs] = counts[name as keyof typeof counts] ?? [null, null];
      return [name, compare(own, theirs, { less: [...less, ...pending], more: [...more, ...pending] })];
    });
    return { day, figures: Object.fromEntries(compared) };
  });
  return { zone, figures: Object.keys(figures), days };
}

type Pair = [own: number | null, theirs: number | null];
type Row = { day: string } & Partial<
  Record<'contacts' | 'newContacts' | 'blocks' | 'sends' | 'delivered', Pair>
>;
type Range = { platform: MetaPlatform; zone: string; timeZone: string; first: string; last: string };

async function selectPeople(
  sql: Queryable,
  botId: string,
  { platform, zone, first, last }: Range,
): Promise<Row[]> {
  const isPage = platform === 'facebook';
  const kind = isPage ? 'page-insights' : 'instagram-followers';
  const total = isPage ? 'page_messages_total_messaging_connections' : 'followers_count';
  const added = isPage ? 'page_messages_new_conversations_unique' : 'follower_count';
  return sql<Row[]>`
    with joined as (
      select greatest((followed_at at time zone ${zone})::date, ${first}::date - 1) as day, count(*) as count
      from contacts
      where bot_id = ${botId} and platform = ${platform} and merged_into is null and followed_at is not null
      group by 1
    ),
    blocked as (
      select day, sum(blocks) as count from days
      join bots on bots.bot_id = days.bot_id and bots.time_zone = days.zone
      where days.bot_id = ${botId} and platform = ${platform} and day between ${first} and ${last}
      group by day
    )
    select to_char(requested.day, 'YYYY-MM-DD') as day,
      json_build_array(
        (coalesce((select sum(count) from joined where joined.day < ${first}::date), 0)
          + sum(coalesce(joined.count, 0)) over up_to)::float8,
        (reported.value->>${total})::float8) as contacts,
      json_build_array(coalesce(joined.count, 0)::float8, (reported.value->>${added})::float8) as "newContacts",
      json_build_array(coalesce(blocked.count, 0)::float8,
        (reported.value->>'page_messages_blocked_conversations_unique')::float8) as blocks
    from (select generate_series(${first}::date, ${last}::date, interval '1 day')::date as day) requested
    left join joined on joined.day = requested.day
    left join blocked on blocked.day = requested.day
    left join platform_days reported on reported.bot_id = ${botId} and reported.kind = ${kind}
      and reported.day = requested.day
    window up_to as (order by requested.day)
    order by requested.day`;
}

async function selectSends(
  sql: Queryable,
  botId: string,
  { platform, zone, timeZone, first, last }: Range,
): Promise<Row[]> {
  // Meta omits days without messages. A later answer proves that the day was asked for.
  const theirs = (
    name: string,
  ) => sql`coalesce((reported.value->>${name})::float8, case when requested.day <= asked.last_day
    and requested.day >= asked.first_day then 0 end)`;
  return sql<Row[]>`
    with sent as (
      select ((day + make_interval(hours => hour)) at time zone ${timeZone} at time zone ${zone})::date as day,
        sum(outbound) as count
      from hours
      where bot_id = ${botId} and platform = ${platform} and day between ${first}::date - 1 and ${last}::date + 1
      group by 1
    ),
    delivered as (
      select (happened_at at time zone ${zone})::date as day, count(*) as count
      from events
      where bot_id = ${botId} and platform = 'whatsapp' and kind = 'status' and detail = 'delivered'
        and happened_at >= ${first}::date::timestamp at time zone ${zone}
        and happened_at < (${last}::date + 1)::timestamp at time zone ${zone}
      group by 1
    )
    select to_char(requested.day, 'YYYY-MM-DD') as day,
      json_build_array(coalesce(sent.count, 0)::float8, ${theirs('sent')}) as sends,
      json_build_array(coalesce(delivered.count, 0)::float8, ${theirs('delivered')}) as delivered
    from (select generate_series(${first}::date, ${last}::date, interval '1 day')::date as day) requested
    left join sent on sent.day = requested.day
    left join delivered on delivered.day = requested.day
    left join platform_days reported on reported.bot_id = ${botId} and reported.kind = 'whatsapp-analytics'
      and reported.day = requested.day
    cross join (
      select min(day) as first_day, max(day) as last_day from platform_days
      where bot_id = ${botId} and kind = 'whatsapp-analytics'
    ) asked
    order by requested.day`;
}

/** `less` and `more`: possible reasons for our count to be below or above Meta's. */
function compare(
  own: number | null,
  theirs: number | null,
  { less, more }: { less: MetaGapReason[]; more: MetaGapReason[] },
): PlatformComparison {
  if (own === null || theirs === null) return { own, theirs, gap: null, reasons: ['not-told'] };
  const gap = own - theirs;
  return { own, theirs, gap, reasons: gap === 0 ? [] : gap < 0 ? less : more };
}
