/**
 * LINE's outbound messages of a day in UTC+9 (figures.md, section 3): the messages of LINE's ready delivery snapshot, or otherwise
 * the recipients of the day's sends through our gateway.
 *
 * Totals and days change in the transaction that stores the snapshot or the send. A snapshot replaces the day's sends; a send on a
 * day that LINE has reported adds nothing.
 */
import { hasAccess } from '../bots/channels.ts';
import type { DayRange } from '../comparison.ts';
import type { Queryable } from '../database/client.ts';
import { type Column, rowTable } from '../database/row-table.ts';
import type { Tally } from '../rollups/counters.ts';
import { firstDay, lastDay, lineZone } from '../time.ts';
import { deliveredMessages, type Snapshot } from './answers.ts';
import type { SendKind } from './daily-figures.ts';

/** A change of the daily sums of one kind of send. */
export type SendDayChange = {
  day: string;
  kind: SendKind;
  /** Recipients of the sends with a known number of recipients. */
  recipients: number;
  /** Sends with an unknown number of recipients. */
  unknownSends: number;
};

const sendDayColumns: Record<string, Column<SendDayChange>> = {
  day: ['date', ({ day }) => day],
  kind: ['text', ({ kind }) => kind],
  recipients: ['bigint', ({ recipients }) => recipients],
  unknown_sends: ['bigint', ({ unknownSends }) => unknownSends],
};

type Report = Pick<Snapshot, 'status' | 'value'>;

/** Tallies changes of daily sums. The same transaction writes them to `line_send_days`. */
export async function tallySends(
  sql: Queryable,
  botId: string,
  tally: Tally,
  changes: readonly SendDayChange[],
): Promise<void> {
  const byDay = sumsByDay(changes);
  if (byDay.size === 0) return;
  const rows = await sql<{ day: string }[]>`
    select to_char(day, 'YYYY-MM-DD') as day from snapshots
    where bot_id = ${botId} and kind = 'delivery' and status = 'ready' and day = any(${[...byDay.keys()]}::date[])`;
  const reportedDays = new Set(rows.map(({ day }) => day));
  for (const [day, outbound] of byDay) {
    if (!reportedDays.has(day)) tally.addOnDay('line', day, { outbound });
  }
}

/** Tallies new delivery snapshots, at most one for each day, with the snapshots that they replace; null: none. */
export async function tallyDeliveries(
  sql: Queryable,
  botId: string,
  tally: Tally,
  replacements: readonly { snapshot: Snapshot; before: Report | null }[],
): Promise<void> {
  const changes = replacements.filter(({ snapshot, before }) => isReady(snapshot) || isReady(before));
  if (changes.length === 0) return;
  const days = changes.map(({ snapshot }) => snapshot.day);
  const sendsByDay = sumsByDay(await readSendDays(sql, botId, days));
  for (const { snapshot, before } of changes) {
    const sends = sendsByDay.get(snapshot.day) ?? 0;
    const messagesOf = (report: Report | null) => (isReady(report) ? deliveredMessages(report) : sends);
    tally.addOnDay('line', snapshot.day, { outbound: messagesOf(snapshot) - messagesOf(before) });
  }
}

/** The periods, counted from 1, with known numbers of LINE's sent messages. */
export type ReportedSends = {
  periods: ReadonlySet<number>;
  /** LINE reports this channel's sent messages to us, so an unknown day becomes known later. */
  isReported: boolean;
};

/**
 * Returns the periods with at least one known day: LINE has reported it, or all its sends through our gateway have a known number
 * of recipients.
 */
export async function readReportedSends(
  sql: Queryable,
  botId: string,
  periods: readonly DayRange[],
): Promise<ReportedSends> {
  const [row] = await sql<[{ periods: number[]; isReported: boolean }]>`
    with reported as (
      select day from snapshots where bot_id = ${botId} and kind = 'delivery' and status = 'ready'
    )
    select
      array(
        select distinct width_bucket(day, ${periods.map(({ first }) => first)}::date[])
        from (
          select day from reported
          union
          select day from line_send_days where bot_id = ${botId}
          group by day having sum(unknown_sends) = 0 and sum(recipients) > 0
        ) known
        where day between ${periods[0]?.first ?? lastDay} and ${periods.at(-1)?.last ?? firstDay}
      ) as periods,
      exists (select from reported) or exists (
        select from channels where bot_id = ${botId} and platform = 'line' and ${hasAccess(sql)}
      ) as "isReported"`;
  return { periods: new Set(row.periods), isReported: row.isReported };
}

/** Recounts the sends by day and kind from the single sends. */
export async function sumSends(sql: Queryable, botId: string): Promise<SendDayChange[]> {
  return sql<SendDayChange[]>`
    select to_char((sent_at at time zone ${lineZone})::date, 'YYYY-MM-DD') as day, kind,
      coalesce(sum(recipients), 0)::float8 as recipients,
      count(*) filter (where recipients is null)::float8 as "unknownSends"
    from line_sends where bot_id = ${botId}
    group by 1, 2 having coalesce(sum(recipients), 0) <> 0 or count(*) filter (where recipients is null) <> 0
    order by 1, 2`;
}

/** Returns the stored sums by day and kind, without rows of zeros; of all days unless some are given. */
export async function readSendDays(
  sql: Queryable,
  botId: string,
  days?: readonly string[],
): Promise<SendDayChange[]> {
  return sql<SendDayChange[]>`
    select to_char(day, 'YYYY-MM-DD') as day, kind, recipients, unknown_sends as "unknownSends"
    from line_send_days where bot_id = ${botId} and (recipients <> 0 or unknown_sends <> 0)
      ${days ? sql`and day = any(${[...days]}::date[])` : sql``}
    order by line_send_days.day, kind`;
}

/** Replaces the stored sums by day and kind. For a transaction that holds the bot's lock. */
export async function rewriteSendDays(
  sql: Queryable,
  botId: string,
  sends: readonly SendDayChange[],
): Promise<void> {
  await sql`delete from line_send_days where bot_id = ${botId}`;
  await sql`
    insert into line_send_days (bot_id, day, kind, recipients, unknown_sends)
    select ${botId}, sent.* from ${rowTable(sql, 'sent', sends, sendDayColumns)}`;
}

/** Returns the recipients of sends by day. */
export function sumsByDay(sends: readonly SendDayChange[]): Map<string, number> {
  const byDay = new Map<string, number>();
  for (const { day, recipients } of sends) byDay.set(day, (byDay.get(day) ?? 0) + recipients);
  return byDay;
}

function isReady(report: Report | null): report is Report {
  return report?.status === 'ready';
}
