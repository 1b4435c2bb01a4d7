/**
 * Pages of stored deliveries for background scans, which go by delivery id and store their position.
 *
 * An id is assigned before its commit, so a smaller id can appear after a larger one. A page therefore ends before the first
 * delivery that is not settled.
 */
import type { Fragment, Transaction } from '../database/client.ts';
import { secondMs } from '../time.ts';

/** No commit takes this long: connections time out much sooner. */
export const settledMs = 30 * secondMs;

type Bounds = {
  after: number;
  /** Null: no bound. */
  before?: number | null;
  now: number;
  countMax: number;
  /** Of the bodies of several deliveries; a larger one makes a page of its own. */
  bytesMax: number;
};

/** The next settled deliveries of a bot, in order, each with its `deliveryId` and `columns`. */
export async function readSettledPage<Row extends { deliveryId: number }>(
  tx: Transaction,
  botId: string,
  columns: Fragment,
  { after, before = null, now, countMax, bytesMax }: Bounds,
): Promise<Row[]> {
  const page = await tx<(Row & { receivedAt: Date })[]>`
    select delivery_id as "deliveryId", received_at as "receivedAt", ${columns}
    from (
      select *, sum(octet_length(body)) over (order by delivery_id) - octet_length(body) as bytes_before
      from (
        select * from deliveries
        where bot_id = ${botId} and delivery_id > ${after}
          and (${before}::bigint is null or delivery_id < ${before}::bigint)
        order by delivery_id limit ${countMax}
      ) oldest
    ) sized
    where bytes_before < ${bytesMax} order by delivery_id`;
  const unsettled = page.findIndex(({ receivedAt }) => receivedAt.getTime() >= now - settledMs);
  return unsettled === -1 ? page : page.slice(0, unsettled);
}
