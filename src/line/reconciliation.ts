/**
 * The reconciliation of a LINE channel: our own count, LINE's, the gap between them, and its reasons as far as they can be told.
 * By day in UTC+9; followers and blocks as of the day's end, sends of the day.
 *
 * In: day rows and gateway sends (ours), ready snapshots (LINE's). Ours is without any snapshot here, unlike the figures that
 * are served: two counts of the same thing can only be compared when neither leans on the other.
 */
import { findBot } from '../bots/bots.ts';
import type { Queryable } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { blocksChange, followersChange } from '../rollups/follower-changes.ts';
import { addDays, dayMs, dayOf, firstDay, isDay, lastDay, lineZone } from '../time.ts';
import { deliveredMessages, type LineAnswer } from './answers.ts';

/** Why two counts may differ, or cannot be compared. */
export const gapReasons = {
  'not-told': 'LINE has not told this day, or it was not collected.',
  'before-connected': 'LINE knows people from before the channel was connected.',
  'deleted-accounts': 'LINE goes on counting deleted accounts as followers, and does not tell of them.',
  'deliveries-set-aside': 'Deliveries up to this day are set aside and do not count yet.',
  'sends-outside-gateway': 'LINE counts what was sent past our gateway, too.',
  'recipients-unknown': 'The number of recipients of a send through our gateway is not known yet.',
  'recipients-not-reached': 'LINE does not count recipients whom a send did not reach, as those who block.',
  unexplained: 'Nothing that is known explains the gap.',
} as const;
export type GapReason = keyof typeof gapReasons;

/** `gap` = own − line; null: not known. */
export type Comparison = {
  own: number | null;
  line: number | null;
  gap: number | null;
  reasons: GapReason[];
};
export type ReconciledDay = { day: string; followers: Comparison; blocks: Comparison; sends: Comparison };

const daysMax = 3_700;
const daysShown = 30;

/**
 * The days from `from` to `to` (YYYY-MM-DD, both included; left out: the 30 days up to yesterday). Throws Refusal
 * BOT_NOT_FOUND, INPUT_INVALID.
 */
export async function reconcile(
  sql: Queryable,
  botId: string,
  { from, to, now }: { from?: string | undefined; to?: string | undefined; now: number },
): Promise<ReconciledDay[]> {
  await findBot(sql, botId);
  const last = readDay('to', to ?? dayOf(now - dayMs, lineZone));
  const first = readDay('from', from ?? addDays(last, 1 - daysShown));
  if (first > last || addDays(first, daysMax) <= last) {
    throw new Refusal('INPUT_INVALID', `From must lie 0 to ${daysMax - 1} days before to, ${last}.`);
  }
  return (await selectDays(sql, botId, first, last)).map(toDay);
}

type Row = {
  day: string;
  followers: number;
  blocks: number;
  setAside: number;
  recipients: number | null;
  lineFollowers: LineAnswer | null;
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
    set_aside as (
      select greatest((received_at at time zone ${lineZone})::date, ${first}) as day, count(*) as count from deliveries
      where bot_id = ${botId} and platform = 'line' and set_aside_reason is not null
      group by 1
    ),
    sends as (
      select day, case when sum(unknown_sends) = 0 then sum(recipients) end::float8 as recipients
      from line_send_days where bot_id = ${botId} and day between ${first} and ${last}
      group by day
    )
    select to_char(asked.day, 'YYYY-MM-DD') as day,
      (sum(coalesce(changes.followers, 0)) over up_to)::float8 as followers,
      (sum(coalesce(changes.blocks, 0)) over up_to)::float8 as blocks,
      (sum(coalesce(set_aside.count, 0)) over up_to)::float8 as "setAside",
      case when sends.day is null then 0 else sends.recipients end as recipients,
      told.value as "lineFollowers", delivered.value as "lineSends"
    from (select generate_series(${first}::date, ${last}::date, interval '1 day')::date as day) asked
    left join changes using (day)
    left join set_aside using (day)
    left join sends using (day)
    left join snapshots told on told.bot_id = ${botId} and told.kind = 'followers' and told.day = asked.day
      and told.status = 'ready'
    left join snapshots delivered on delivered.bot_id = ${botId} and delivered.kind = 'delivery'
      and delivered.day = asked.day and delivered.status = 'ready'
    window up_to as (order by asked.day)
    order by asked.day`;
}

function toDay({
  day,
  followers,
  blocks,
  setAside,
  recipients,
  lineFollowers,
  lineSends,
}: Row): ReconciledDay {
  const people: GapReason[] = [
    'before-connected',
    ...(setAside > 0 ? (['deliveries-set-aside'] as const) : []),
  ];
  const late: GapReason[] = setAside > 0 ? ['deliveries-set-aside'] : [];
  return {
    day,
    followers: compare(followers, countOf(lineFollowers, 'followers'), {
      less: [...people, 'deleted-accounts'],
      more: [],
    }),
    blocks: compare(blocks, countOf(lineFollowers, 'blocks'), {
      less: people,
      more: [...late, 'deleted-accounts'],
    }),
    sends: compare(recipients, lineSends && deliveredMessages({ status: 'ready', value: lineSends }), {
      less: ['sends-outside-gateway'],
      more: ['recipients-not-reached'],
    }),
  };
}

/** `less` and `more`: the reasons for which our own count may be below or above LINE's. */
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
  const found = gap === 0 ? [] : gap < 0 ? less : more;
  return { own, line, gap, reasons: gap !== 0 && found.length === 0 ? ['unexplained'] : found };
}

function countOf(answer: LineAnswer | null, name: 'followers' | 'blocks'): number | null {
  const count = answer?.[name];
  return typeof count === 'number' ? count : null;
}

function readDay(name: string, text: string): string {
  if (isDay(text)) return text;
  throw new Refusal(
    'INPUT_INVALID',
    `${name} must be a calendar day from ${firstDay} to ${lastDay}, not ${JSON.stringify(text)}.`,
  );
}
