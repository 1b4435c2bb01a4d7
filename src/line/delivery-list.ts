/**
 * What was sent on LINE by day (UTC+9) and by LINE's kinds (figures.md, section 3): LINE's own figures of a day that it has
 * told, else what went through our gateway.
 */
import type { Queryable } from '../database/client.ts';
import { deliveredMessages, type LineAnswer, type SnapshotStatus } from './answers.ts';
import { type OwnSends, toLineNames } from './daily-figures.ts';

export type DeliveredDay = {
  day: string;
  /** Of LINE's answer for the day; null: none is held. */
  status: SnapshotStatus | null;
  /** Whose figures these are; null: neither tells anything. */
  source: 'line' | 'gateway' | null;
  /** All together; null: not known. */
  messages: number | null;
  /** By LINE's names, one for each recipient; null: there was such a send, and it is not known to how many. */
  kinds: Record<string, number | null>;
};

type Row = { day: string; status: SnapshotStatus | null; value: LineAnswer | null; own: OwnSends | null };

/** The days from `from` to `to`, both included, in order. */
export async function readDeliveredDays(
  sql: Queryable,
  botId: string,
  { from, to }: { from: string; to: string },
): Promise<DeliveredDay[]> {
  const rows = await sql<Row[]>`
    select to_char(asked.day, 'YYYY-MM-DD') as day, told.status, told.value, sent.own
    from (select generate_series(${from}::date, ${to}::date, interval '1 day')::date as day) asked
    left join snapshots told on told.bot_id = ${botId} and told.kind = 'delivery' and told.day = asked.day
    left join (
      select day, json_object_agg(kind, case when unknown_sends = 0 then recipients end) as own
      from line_send_days
      where bot_id = ${botId} and day between ${from} and ${to} and (recipients <> 0 or unknown_sends <> 0)
      group by day
    ) sent on sent.day = asked.day
    order by asked.day`;
  return rows.map(toDay);
}

function toDay({ day, status, value, own }: Row): DeliveredDay {
  if (status === 'ready' && value !== null) {
    const counts = Object.entries(value).filter(
      (field): field is [string, number] => typeof field[1] === 'number',
    );
    const messages = deliveredMessages({ status, value });
    return { day, status, source: 'line', messages, kinds: Object.fromEntries(counts) };
  }
  if (own === null) return { day, status, source: null, messages: null, kinds: {} };
  const kinds = toLineNames(own);
  const messages = Object.values(kinds).reduce(
    (sum, recipients) => (sum === null || recipients === null ? null : sum + recipients),
    0,
  );
  return { day, status, source: 'gateway', messages, kinds };
}
