/**
 * LINE's outbound messages of a day in UTC+9 (figures.md, section 3): what LINE's ready delivery snapshot of the day tells,
 * else the recipients of the sends that went through our gateway on it.
 *
 * Whichever comes first, totals and days follow in the transaction that brings it: a snapshot takes the place of the day's
 * sends, and a send on a day that LINE has told adds nothing.
 */
import type { Queryable } from '../database/client.ts';
import type { Period } from '../periods.ts';
import type { Tally } from '../rollups/counters.ts';
import { lineZone } from '../time.ts';
import { deliveredMessages, type Snapshot } from './answers.ts';
import type { SendKind } from './daily-figures.ts';

/** What becomes of the sends of a kind on a day. */
export type SendDayChange = {
  day: string;
  kind: SendKind;
  /** Of the sends whose number of recipients is known. */
  recipients: number;
  /** Sends whose number of recipients is not known. */
  unknownSends: number;
};

type TellsMessages = Pick<Snapshot, 'status' | 'value'>;

/** Tallies what changed in the sends of days; `line_send_days` has it already, or gets it in the same transaction. */
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
  const told = new Set(rows.map(({ day }) => day));
  for (const [day, outbound] of byDay) {
    if (!told.has(day)) tally.addOnDay('line', day, { outbound });
  }
}

/** Tallies delivery snapshots that take the place of others, or of none, one for each day at most. */
export async function tallyDeliveries(
  sql: Queryable,
  botId: string,
  tally: Tally,
  replaced: readonly { snapshot: Snapshot; before: TellsMessages | null }[],
): Promise<void> {
  const turned = replaced.filter(({ snapshot, before }) => isReady(snapshot) || isReady(before));
  if (turned.length === 0) return;
  const sent = await sendsOfDays(
    sql,
    botId,
    turned.map(({ snapshot }) => snapshot.day),
  );
  for (const { snapshot, before } of turned) {
    const sends = sent.get(snapshot.day) ?? 0;
    const messages = (told: TellsMessages | null) => (isReady(told) ? deliveredMessages(told) : sends);
    tally.addOnDay('line', snapshot.day, { outbound: messages(snapshot) - messages(before) });
  }
}

/** Of which periods LINE's sent messages are known; `period` counts from 1. */
export type ReportedSends = {
  periods: ReadonlySet<number>;
  /** LINE reports sent messages of this channel to us, so an unknown day becomes known later. */
  isReported: boolean;
};

/**
 * The periods with a day that LINE has reported, or on which only sends with a known number of recipients went through our
 * gateway.
 */
export async function readReportedSends(
  sql: Queryable,
  botId: string,
  periods: readonly Period[],
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
        where day between ${periods[0]?.first ?? ''} and ${periods.at(-1)?.last ?? ''}
      ) as periods,
      exists (select from reported) or exists (
        select from channels where bot_id = ${botId} and platform = 'line' and access_token_sealed is not null
      ) as "isReported"`;
  return { periods: new Set(row.periods), isReported: row.isReported };
}

/** The sends by day and kind, added up from the sends themselves. */
export async function sumSends(sql: Queryable, botId: string): Promise<SendDayChange[]> {
  return sql<SendDayChange[]>`
    select to_char((sent_at at time zone ${lineZone})::date, 'YYYY-MM-DD') as day, kind,
      coalesce(sum(recipients), 0)::float8 as recipients,
      count(*) filter (where recipients is null)::float8 as "unknownSends"
    from line_sends where bot_id = ${botId}
    group by 1, 2 having coalesce(sum(recipients), 0) <> 0 or count(*) filter (where recipients is null) <> 0
    order by 1, 2`;
}

/** The sends by day and kind as they are kept; a row of nothing but zeros is none. */
export async function readSendDays(sql: Queryable, botId: string): Promise<SendDayChange[]> {
  return sql<SendDayChange[]>`
    select to_char(day, 'YYYY-MM-DD') as day, kind, recipients, unknown_sends as "unknownSends"
    from line_send_days where bot_id = ${botId} and (recipients <> 0 or unknown_sends <> 0)
    order by line_send_days.day, kind`;
}

/** Writes the sends by day and kind anew. For a transaction that holds the bot's lock. */
export async function rewriteSendDays(
  sql: Queryable,
  botId: string,
  sends: readonly SendDayChange[],
): Promise<void> {
  await sql`delete from line_send_days where bot_id = ${botId}`;
  await sql`
    insert into line_send_days (bot_id, day, kind, recipients, unknown_sends)
    select ${botId}, sent.* from unnest(${sends.map(({ day }) => day)}::date[],
      ${sends.map(({ kind }) => kind)}::text[], ${sends.map(({ recipients }) => recipients)}::bigint[],
      ${sends.map(({ unknownSends }) => unknownSends)}::bigint[]) as sent`;
}

/** The recipients of sends, by day. */
export function sumsByDay(sends: readonly SendDayChange[]): Map<string, number> {
  const byDay = new Map<string, number>();
  for (const { day, recipients } of sends) byDay.set(day, (byDay.get(day) ?? 0) + recipients);
  return byDay;
}

async function sendsOfDays(
  sql: Queryable,
  botId: string,
  days: readonly string[],
): Promise<Map<string, number>> {
  const rows = await sql<{ day: string; recipients: number }[]>`
    select to_char(day, 'YYYY-MM-DD') as day, sum(recipients)::float8 as recipients from line_send_days
    where bot_id = ${botId} and day = any(${days as string[]}::date[])
    group by line_send_days.day`;
  return new Map(rows.map(({ day, recipients }) => [day, recipients]));
}

function isReady(told: TellsMessages | null): told is TellsMessages {
  return told?.status === 'ready';
}
