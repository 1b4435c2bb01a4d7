/**
 * Messages sent on LINE by day (UTC+9) and by LINE's kinds (figures.md, section 3): LINE's own figures of a day if it has reported
 * them, otherwise the sends through our gateway.
 */
import type { components } from '../../contracts/types/management.ts';
import type { Queryable } from '../database/client.ts';
import { deliveredMessages, type LineAnswer, type SnapshotStatus } from './answers.ts';
import { type OwnSends, toLineNames } from './daily-figures.ts';

/** The kinds have LINE's names. The figures are one message for each recipient. */
type DeliveredDay = components['schemas']['LineDeliveries']['days'][number];

type Row = {
  day: string;
  status: SnapshotStatus | null;
  value: LineAnswer | null;
  ownSends: OwnSends | null;
};

/** The days from `from` to `to`, both included, in order. */
export async function readDeliveredDays(
  sql: Queryable,
  botId: string,
  { from, to }: { from: string; to: string },
): Promise<DeliveredDay[]> {
  const rows = await sql<Row[]>`
    select to_char(requested.day, 'YYYY-MM-DD') as day, snapshot.status, snapshot.value, sent.own as "ownSends"
    from (select generate_series(${from}::date, ${to}::date, interval '1 day')::date as day) requested
    left join snapshots snapshot
      on snapshot.bot_id = ${botId} and snapshot.kind = 'delivery' and snapshot.day = requested.day
    left join (
      select day, json_object_agg(kind, case when unknown_sends = 0 then recipients end) as own
      from line_send_days
      where bot_id = ${botId} and day between ${from} and ${to} and (recipients <> 0 or unknown_sends <> 0)
      group by day
    ) sent on sent.day = requested.day
    order by requested.day`;
  return rows.map(toDay);
}

function toDay({ day, status, value, ownSends }: Row): DeliveredDay {
  if (status === 'ready' && value !== null) {
    const kinds = Object.entries(value).flatMap(([kind, messages]) =>
      typeof messages === 'number' ? { kind, messages } : [],
    );
    return { day, status, source: 'line', messages: deliveredMessages({ status, value }), kinds };
  }
  if (ownSends === null) return { day, status, source: null, messages: null, kinds: [] };
  const kinds = Object.entries(toLineNames(ownSends)).map(([kind, messages]) => ({ kind, messages }));
  const messages = kinds.reduce<number | null>(
    (sum, { messages }) => (sum === null || messages === null ? null : sum + messages),
    0,
  );
  return { day, status, source: 'gateway', messages, kinds };
}
