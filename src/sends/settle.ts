/**
 * Results: stores the outcome of calls, with LINE's records.
 */
import type { Fragment, Queryable, Sql } from '../database/client.ts';
import { numberList, textList } from '../database/lists.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import { writeRecord } from '../line/send-records.ts';
import { writeRefusedSends } from '../platforms/messenger.ts';
import { receiptPlatforms } from './receipts.ts';
import type { SendKey } from './sends.ts';
import type { Lease } from './window.ts';

/** The result of a call for one recipient. `waiting`: certainly not sent, so another call sends it. */
export type ResultState =
  | { state: 'accepted'; messageId: string | null }
  | { state: 'refused'; code: string }
  | { state: 'unknown' | 'waiting' };
export type Result = { position: number } & ResultState;

/** A call that LINE accepted, as the gateway records them: for LINE's figures of outbound messages. */
export type LineRecord = { requestId: string; recipients: number; person: string | null; sentAt: number };

/** People whom Messenger refuses as blocking the page. */
export type Blocks = { pageId: string; people: readonly string[] };

export type Settlement = {
  lease: Lease;
  results: readonly Result[];
  lineRecords: readonly LineRecord[];
  /** Null: none. */
  blocks: Blocks | null;
  /** No call at or before this position runs. */
  settled: number;
  /** A time before all calls that run; null: none runs. */
  inFlightSince: Date | null;
  now: number;
};

/**
 * Stores results, with LINE's records and blocks, in one transaction. The result of a call that was given up, or repeated by another process,
 * replaces a worse one. Idempotent, but for LINE's records, which count once.
 */
export async function settle(
  sql: Sql,
  { botId, sendId }: SendKey,
  { lease, results, lineRecords, blocks, settled, inFlightSince, now }: Settlement,
): Promise<void> {
  const { platform, leaseId } = lease;
  const receiptsDueAt = receiptPlatforms.has(platform) ? new Date(now) : null;
  await sql.begin(async (tx) => {
    const lane = tx`
      select from send_lanes where bot_id = ${botId} and platform = ${platform} and lease_id = ${leaseId}`;
    // The next statement sees everything that was stored before this one got its locks. Without statistics, it would compare
    // each result with each recipient.
    const locked = tx`
      with lane as materialized (${lane} for share)
      select exists (select from lane), set_config('enable_nestloop', 'off', true)
      from sends where bot_id = ${botId} and send_id = ${sendId} for update`;
    const { lists, after, upTo } = toLists(tx, results);
    const index = tx`(recipient.position - ${after}::bigint)::integer`;
    const state = tx`(${[...resultStates]}::text[])[new.states[${index}]]`;
    const isChanged = tx`
      recipient.bot_id = ${botId} and recipient.send_id = ${sendId}
      and recipient.position > ${after} and recipient.position <= ${upTo} and ${state} is not null and (
        -- The successor of a process that has lost the lease may have made the call.
        (recipient.state = 'planned' and (is_held or ${state} <> 'waiting'))
        or (recipient.state = 'unknown' and ${state} in ('accepted', 'refused'))
        or (recipient.state = 'refused' and ${state} = 'accepted'))`;
    const stored = tx`
      with new as materialized (select ${lists}, exists (${lane}) as is_held),
      changes as materialized (
        select recipient.position, recipient.state as old_state, ${state} as state,
          message_ids[${index}] as message_id, codes[${index}] as code
        from new cross join send_recipients recipient where ${isChanged}
      ), put as (
        -- Citus crashes on subscripts in an update.
        update send_recipients recipient set state = changes.state, message_id = changes.message_id, code = changes.code,
          settled_at = case when changes.state = 'waiting' then null else ${new Date(now)}::timestamptz end
        from changes
        where recipient.bot_id = ${botId} and recipient.send_id = ${sendId} and recipient.position = changes.position
          and recipient.position > ${after} and recipient.position <= ${upTo}
      ), sums as (
        select count(*) filter (where state = 'accepted') as accepted,
          count(*) filter (where state = 'refused') - count(*) filter (where old_state = 'refused') as refused,
          count(*) filter (where state = 'unknown') - count(*) filter (where old_state = 'unknown') as unknown,
          min(position) filter (where state = 'waiting') - 1 as waiting_after
        from changes
      )
      update sends set accepted = sends.accepted + sums.accepted, refused = sends.refused + sums.refused,
        unknown = sends.unknown + sums.unknown, updated_at = ${new Date(now)},
        waiting_after = least(sends.waiting_after, sums.waiting_after),
        receipts_due_at = coalesce(receipts_due_at, case when sums.accepted > 0 then ${receiptsDueAt}::timestamptz end),
        -- A process that has lost the lease does not know the calls of its successor.
        settled = case when is_held then least(claimed, greatest(settled, ${settled}::bigint)) else settled end,
        in_flight_since = case when is_held then ${inFlightSince}::timestamptz else in_flight_since end
      from sums cross join new where bot_id = ${botId} and send_id = ${sendId}`;
    const records = lineRecords.map(({ requestId, recipients, person, sentAt }) => ({
      ...{ botId, platform: 'line' as const, source: 'line-send' as const, receivedAt: now },
      body: writeRecord({
        ...{ requestId, recipients, sentAt, unit: null, replyTokenHash: null, linkSet: null },
        ...{ kind: recipients === 1 ? 'push' : 'multicast', person },
      }),
    }));
    const refusals = blocks === null ? [] : [refusalOf(botId, blocks, now)];
    const deliveries = [...records, ...refusals];
    await Promise.all([locked, stored, deliveries.length > 0 ? putDeliveries(tx, deliveries) : undefined]);
  });
}

function refusalOf(botId: string, { pageId, people }: Blocks, now: number) {
  const body = writeRefusedSends(pageId, people, now);
  return { botId, platform: 'facebook', source: 'refused-send', body, receivedAt: now } as const;
}

const resultStates = ['accepted', 'refused', 'unknown', 'waiting'] as const;

/**
 * The results as lists by position, from the one after `after` to `upTo`. PostgreSQL then reads one range of recipients, which has one
 * good plan; a join with the results has bad ones, and PostgreSQL takes them for sends without statistics.
 */
function toLists(
  sql: Queryable,
  results: readonly Result[],
): { lists: Fragment; after: number; upTo: number } {
  const after =
    results.reduce((least, { position }) => Math.min(least, position), Number.MAX_SAFE_INTEGER) - 1;
  const states: number[] = [];
  const messageIds: (string | null)[] = [];
  const codes: (string | null)[] = [];
  for (const result of results) {
    const index = result.position - after - 1;
    states[index] = 1 + resultStates.indexOf(result.state);
    if (result.state === 'accepted') messageIds[index] = result.messageId;
    if (result.state === 'refused') codes[index] = result.code;
  }
  const lists = sql`
    ${numberList(Array.from(states, (state) => state ?? 0))}::smallint[] as states,
    ${textList(Array.from(messageIds, (id) => id ?? null))}::text[] as message_ids,
    ${textList(Array.from(codes, (code) => code ?? null))}::text[] as codes`;
  return { lists, after, upTo: after + states.length };
}
