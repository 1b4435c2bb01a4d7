/**
 * The reconciliation of a LINE channel: our count, LINE's count, the gap between them and its possible reasons. By day in UTC+9:
 * followers and blocks at the end of the day, sends of the day.
 *
 * Our counts come from day rows and gateway sends, LINE's from ready snapshots. Unlike the served figures, our counts here use no
 * snapshot, so that the two counts are independent.
 */
import type { components } from '../../contracts/types/management.ts';
import { findBot } from '../bots/bots.ts';
import type { Queryable } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { firstSetAsideDay } from '../inbox/deliveries.ts';
import { readDay } from '../periods.ts';
import { blocksChange, firstReported, followersChange } from '../rollups/follower-changes.ts';
import { addDays, dayMs, dayOf, lineZone } from '../time.ts';
import { deliveredMessages, type LineAnswer } from './answers.ts';

/** Why two counts may differ, or cannot be compared. */
export const gapReasons = {
  'not-told': 'LINE has not reported this day, or it was not collected.',
  'before-connected': 'LINE also counts people from before the channel was connected.',
  'deleted-accounts': 'LINE still counts deleted accounts as followers and does not report deletions.',
  'deliveries-set-aside': 'Deliveries up to this day are set aside and do not count yet.',
  'sends-outside-gateway': 'LINE also counts messages that were not sent through our gateway.',
  'recipients-unknown': 'The number of recipients of a send through our gateway is not known yet.',
  'recipients-not-reached':
    'LINE does not count recipients that a send did not reach, such as people who block.',
  unexplained: 'No known reason explains the gap.',
} as const;
export type GapReason = keyof typeof gapReasons;

export type Comparison = components['schemas']['Comparison'] & { reasons: GapReason[] };
export type ReconciledDay = {
  day: string;
  /** Friends from before the connection that LINE listed and our own followers of the day do not contain; null: LINE's list was not read. */
  friendsBefore: number | null;
} & Record<'followers' | 'blocks' | 'sends', Comparison>;

const daysMax = 3_700;
const defaultDays = 30;

/**
 * Returns the days from `from` to `to` (YYYY-MM-DD, both included; default: the 30 days up to yesterday). Throws Refusal
 * BOT_NOT_FOUND, INPUT_INVALID.
 */
export async function reconcile(
  sql: Queryable,
  botId: string,
  { from, to, now }: { from?: string | undefined; to?: string | undefined; now: number },
): Promise<ReconciledDay[]> {
  await findBot(sql, botId);
  const last = readDay('to', to ?? dayOf(now - dayMs, lineZone));
  const first = readDay('from', from ?? addDays(last, 1 - defaultDays));
  if (first > last || addDays(first, daysMax) <= last) {
    throw new Refusal('INPUT_INVALID', `from must be 0 to ${daysMax - 1} days before to (${last}).`);
  }
  const [rows, setAsideFrom] = await Promise.all([
    selectDays(sql, botId, first, last),
    firstSetAsideDay(sql, botId, { platform: 'line', zone: lineZone }),
  ]);
  return rows.map((row) => toDay(row, setAsideFrom !== null && setAsideFrom <= row.day));
}

type Row = {
  day: string;
  friendsBefore: number | null;
  followers: number;
  blocks: number;
  recipients: number | null;
  lineFollowers: number | null;
  lineBlocks: number | null;
  lineSends: LineAnswer | null;
};

async function selectDays(sql: Queryable, botId: string, first: string, last: string): Promise<Row[]> {
  return sql<Row[]>`
    with changes as (
      select greatest(day, ${first}) as day, sum(${followersChange(sql, botId)}) as followers,
        sum(${blocksChange(sql, botId)}) as blocks
      from days
      where bot_id = ${botId} and platform = 'line' and zone = ${lineZone} and day <= ${last}
      group by 1
    ),
    counted as (
      -- Our own followers contain a listed friend from its first follow on; on days that LINE has reported, only a first-time add.
      select greatest(day, ${first}) as day, count(*) as friends
      from (
        select (followed_at at time zone ${lineZone})::date as day, earlier_friend from contacts
        where bot_id = ${botId} and listed_at is not null and followed_at is not null
      ) friend
      where earlier_friend is null or coalesce(day <= ${firstReported(sql, botId)}, true)
      group by 1
    ),
    sends as (
      select day, case when sum(unknown_sends) = 0 then sum(recipients) end::float8 as recipients
      from line_send_days where bot_id = ${botId} and day between ${first} and ${last}
      group by day
    )
    select to_char(requested.day, 'YYYY-MM-DD') as day,
      case when exists (select from line_friend_lists where bot_id = ${botId} and listed > 0)
        then (friends.all - sum(coalesce(counted.friends, 0)) over up_to)::float8 end as "friendsBefore",
      (sum(coalesce(changes.followers, 0)) over up_to)::float8 as followers,
      (sum(coalesce(changes.blocks, 0)) over up_to)::float8 as blocks,
      case when sends.day is null then 0 else sends.recipients end as recipients,
      (reported.value->>'followers')::float8 as "lineFollowers", (reported.value->>'blocks')::float8 as "lineBlocks",
      delivered.value as "lineSends"
    from (select generate_series(${first}::date, ${last}::date, interval '1 day')::date as day) requested
    cross join (
      select count(*) as all from contacts where bot_id = ${botId} and listed_at is not null
    ) friends
    left join counted using (day)
    left join changes using (day)
    left join sends using (day)
    left join snapshots reported on reported.bot_id = ${botId} and reported.kind = 'followers'
      and reported.day = requested.day and reported.status = 'ready'
    left join snapshots delivered on delivered.bot_id = ${botId} and delivered.kind = 'delivery'
      and delivered.day = requested.day and delivered.status = 'ready'
    window up_to as (order by requested.day)
    order by requested.day`;
}

function toDay({ day, friendsBefore, lineSends, ...count }: Row, isSetAside: boolean): ReconciledDay {
  const pending: GapReason[] = isSetAside ? ['deliveries-set-aside'] : [];
  return {
    day,
    friendsBefore,
    followers: compare(count.followers, count.lineFollowers, {
      less: ['before-connected', ...pending, 'deleted-accounts'],
      more: [],
    }),
    blocks: compare(count.blocks, count.lineBlocks, {
      less: ['before-connected', ...pending],
      more: [...pending, 'deleted-accounts'],
    }),
    sends: compare(count.recipients, lineSends && deliveredMessages({ status: 'ready', value: lineSends }), {
      less: ['sends-outside-gateway'],
      more: ['recipients-not-reached'],
    }),
  };
}

/** `less` and `more`: possible reasons for our count to be below or above LINE's. */
function compare(
  own: number | null,
  line: number | null,
  { less, more }: { less: GapReason[]; more: GapReason[] },
): Comparison {
  const unknown: GapReason[] = [
    ...(own === null ? (['recipients-unknown'] as const) : []),
    ...(line === null ? (['not-told'] as const) : []),
  ];
  if (own === null || line === null) return { own, line, gap: null, reasons: unknown };
  const gap = own - line;
  const reasons = gap === 0 ? [] : gap < 0 ? less : more;
  return { own, line, gap, reasons: gap !== 0 && reasons.length === 0 ? ['unexplained'] : reasons };
}
