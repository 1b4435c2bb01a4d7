/**
 * A window: some recipients of a send that are in calls at the same time. The claim is committed before the first call, and the results
 * after the last one, so that a kill in between leaves a trace:
 *
 *     position 1 … settled | … claimed | … recipients
 *       has a result, or     in a call:   planned
 *       waits for a call     state planned
 *
 * Of each block of `blockSize` positions, all recipients in state `planned` or `waiting` belong to one call, in any attempt.
 */
import type { Fragment, Queryable, Sql, Transaction } from '../database/client.ts';
import { msOf } from '../database/instants.ts';
import { numberList } from '../database/lists.ts';
import { rowTable } from '../database/row-table.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import { writeRecord } from '../line/send-records.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Variables } from './message.ts';
import type { Recipient } from './sender.ts';
import type { SendKey } from './sends.ts';

/** The right to send on a bot's channel, while it lasts. */
export type Lease = { botId: string; platform: PlatformName; leaseId: string };

export type WindowRecipient = Recipient & { variables: Variables };
/**
 * The claimed recipients; the window covers the positions after `after` up to `upTo`. `claimedAt` and `ageMs` by the database's clock,
 * because another process may repeat the calls.
 */
export type Window = {
  after: number;
  upTo: number;
  claimedAt: Date;
  ageMs: number;
  recipients: WindowRecipient[];
};

/** The result of a call for one recipient. `waiting`: certainly not sent, so another call sends it. */
export type ResultState =
  | { state: 'accepted'; messageId: string | null }
  | { state: 'refused'; code: string }
  | { state: 'unknown' | 'waiting' };
export type Result = { position: number } & ResultState;

/** A call that LINE accepted, as the gateway records them: for LINE's figures of outbound messages. */
export type LineRecord = { requestId: string; recipients: number; person: string | null; sentAt: number };

type ClaimOptions = { lease: Lease; size: number; blockSize: number; withLastInbound: boolean; now: number };

/**
 * Claims the next recipients: those that wait for another call, otherwise the next positions. Contacts that have blocked the account or
 * were deleted since the plan are left out and counted. Null: no recipient is left, the send does not run, or the lease was lost.
 */
export async function claimWindow(sql: Sql, send: SendKey, options: ClaimOptions): Promise<Window | null> {
  return sql.begin(async (tx) => {
    const { mayClaim, lockedAt } = await lockSend(tx, send, options.lease);
    if (!mayClaim) return null;
    const claim = { ...options, claimedAt: lockedAt };
    const bounds = (await claimWaiting(tx, send, claim)) ?? (await claimNext(tx, send, claim));
    if (bounds === null) return null;
    await leaveOutBlocked(tx, send, bounds, options.now);
    if (options.lease.platform === 'whatsapp') await refuseRepeated(tx, send, bounds, options.now);
    const recipients = await readRecipients(tx, send, bounds, options);
    const { after, upTo } = bounds;
    return { after, upTo, claimedAt: lockedAt, ageMs: 0, recipients };
  }) as Promise<Window | null>;
}

type Claim = ClaimOptions & Pick<Window, 'claimedAt'>;
/** `positions` null: all between the bounds. Otherwise other windows may hold some in between. */
type Bounds = Pick<Window, 'after' | 'upTo'> & { positions: number[] | null };

/** Locks the send's row, so that claims and results follow one another. `lockedAt`: by the database's clock. */
async function lockSend(
  tx: Transaction,
  { botId, sendId }: SendKey,
  { platform, leaseId }: Lease,
): Promise<{ isHeld: boolean; mayClaim: boolean; lockedAt: Date }> {
  const [row] = await tx<{ state: string; isHeld: boolean; lockedAt: Date }[]>`
    select state, now() as "lockedAt", exists (
      select from send_lanes where bot_id = ${botId} and platform = ${platform} and lease_id = ${leaseId}) as "isHeld"
    from sends where bot_id = ${botId} and send_id = ${sendId} for update`;
  const isHeld = row?.isHeld ?? false;
  return { isHeld, mayClaim: isHeld && row?.state === 'running', lockedAt: row?.lockedAt ?? new Date(0) };
}

async function claimNext(
  tx: Transaction,
  { botId, sendId }: SendKey,
  { size, now, claimedAt }: Claim,
): Promise<Bounds | null> {
  const [claimed] = await tx<Bounds[]>`
    update sends set claimed = least(sends.claimed + ${size}::bigint, sends.recipients), updated_at = ${new Date(now)},
      in_flight_since = case when sends.claimed = sends.settled then ${claimedAt}::timestamptz else sends.in_flight_since end
    from (select claimed from sends where bot_id = ${botId} and send_id = ${sendId}) before
    where bot_id = ${botId} and send_id = ${sendId} and sends.claimed < recipients
    returning before.claimed as after, sends.claimed as "upTo", null as positions`;
  return claimed ?? null;
}

/** Takes the recipients that wait in the blocks from the first waiting one on. */
async function claimWaiting(
  tx: Transaction,
  { botId, sendId }: SendKey,
  { size, blockSize, now, claimedAt }: Claim,
): Promise<Bounds | null> {
  const [first] = await tx<{ position: number }[]>`
    select recipient.position from send_recipients recipient
    where bot_id = ${botId} and send_id = ${sendId} and state = 'waiting'
    order by position limit 1`;
  if (!first) return null;
  const after = Math.floor((first.position - 1) / blockSize) * blockSize;
  const [claimed] = await tx<Bounds[]>`
    with taken as (
      update send_recipients set state = 'planned'
      where bot_id = ${botId} and send_id = ${sendId} and state = 'waiting' and position > ${after}
        and position <= ${after}::bigint + ${size}::bigint
      returning position
    )
    update sends set settled = least(settled, ${after}), updated_at = ${new Date(now)},
      in_flight_since = least(in_flight_since, ${claimedAt}::timestamptz)
    where bot_id = ${botId} and send_id = ${sendId}
    returning ${after}::bigint as after, ${after}::bigint + ${size}::bigint as "upTo",
      (select array_agg(position) from taken) as positions`;
  return claimed ?? null;
}

/**
 * The recipients whose calls may have been made by a process that was killed; `claimedAt` is a time before all of these calls. Null:
 * none. Only for the holder of the lease, before it claims.
 */
export async function readInFlight(
  sql: Sql,
  send: SendKey,
  { size, withLastInbound }: Pick<ClaimOptions, 'size' | 'withLastInbound'>,
): Promise<Window | null> {
  const { botId, sendId } = send;
  const [bounds] = await sql<(Bounds & Pick<Window, 'claimedAt' | 'ageMs'>)[]>`
    select settled as after, least(claimed, settled + ${size}::bigint) as "upTo", null as positions,
      coalesce(in_flight_since, now()) as "claimedAt",
      coalesce(extract(epoch from now() - in_flight_since)::float8 * 1000, 'infinity') as "ageMs"
    from sends
    where bot_id = ${botId} and send_id = ${sendId} and settled < claimed`;
  if (!bounds) return null;
  const { after, upTo, claimedAt, ageMs } = bounds;
  const recipients = await readRecipients(sql, send, bounds, { withLastInbound });
  return { after, upTo, claimedAt, ageMs, recipients };
}

/** A blocked contact gets its state before the call, so that every attempt has the same recipients. */
async function leaveOutBlocked(
  tx: Transaction,
  { botId, sendId }: SendKey,
  bounds: Bounds,
  now: number,
): Promise<void> {
  await tx`
    with left_out as (
      update send_recipients recipient set state = 'blocked', settled_at = ${new Date(now)}
      from contacts named left join contacts merged on merged.bot_id = ${botId} and merged.contact_id = named.merged_into
      where recipient.bot_id = ${botId} and recipient.send_id = ${sendId} and ${isWithin(tx, bounds)}
        and named.bot_id = ${botId} and named.contact_id = recipient.contact_id
        and (named.blocked or named.forgotten_at is not null or coalesce(merged.blocked, false))
      returning 1
    )
    update sends set blocked = blocked + (select count(*) from left_out)
    where bot_id = ${botId} and send_id = ${sendId} and exists (select from left_out)`;
}

/** Contacts that have merged since the plan are one person, who gets one message. */
async function refuseRepeated(
  tx: Transaction,
  { botId, sendId }: SendKey,
  bounds: Bounds,
  now: number,
): Promise<void> {
  await tx`
    with repeated as (
      update send_recipients recipient set state = 'refused', code = 'same-person', settled_at = ${new Date(now)}
      from contacts named
      where recipient.bot_id = ${botId} and recipient.send_id = ${sendId} and ${isWithin(tx, bounds)}
        and named.bot_id = ${botId} and named.contact_id = recipient.contact_id and exists (
          select from contacts same join send_recipients earlier
            on earlier.bot_id = ${botId} and earlier.contact_id = same.contact_id and earlier.send_id = ${sendId}
          where same.bot_id = ${botId} and earlier.position < recipient.position
            and (same.contact_id = named.merged_into or same.merged_into = coalesce(named.merged_into, named.contact_id)))
      returning 1
    )
    update sends set refused = refused + (select count(*) from repeated)
    where bot_id = ${botId} and send_id = ${sendId} and exists (select from repeated)`;
}

async function readRecipients(
  sql: Queryable,
  { botId, sendId }: SendKey,
  bounds: Bounds,
  { withLastInbound }: Pick<ClaimOptions, 'withLastInbound'>,
): Promise<WindowRecipient[]> {
  const lastInbound = withLastInbound
    ? sql`(select ${msOf(sql, 'happened_at')} from events
        where events.bot_id = ${botId} and events.contact_id = person.contact_id
          and kind = any ('{message-in,postback,referral}'::text[])
        order by happened_at desc limit 1)`
    : sql`null::float8`;
  const rows = await sql<(Recipient & { variables: Variables | null })[]>`
    select recipient.position, recipient.contact_id as "contactId", person.platform_contact_id as id,
      ${lastInbound} as "lastInboundAt", case when profile.contact_id is not null then json_build_object(
        'name', profile.name, 'customerId', customer_id, 'userName', user_name, 'userEmail', user_email,
        'userPhone', user_phone, 'userBirthday', user_birthday, 'userAddress', user_address) end as variables
    from send_recipients recipient
    join contacts named on named.bot_id = ${botId} and named.contact_id = recipient.contact_id
    join contacts person on person.bot_id = ${botId} and person.contact_id = coalesce(named.merged_into, named.contact_id)
    left join contact_profiles profile on profile.bot_id = ${botId} and profile.contact_id = person.contact_id
    where recipient.bot_id = ${botId} and recipient.send_id = ${sendId} and ${isWithin(sql, bounds)}
    order by recipient.position`;
  return rows.map(({ variables, ...row }) => ({ ...row, variables: variables ?? noVariables }));
}

/** For queries: true for the recipients of a window without a result. */
function isWithin(sql: Queryable, { after, upTo, positions }: Bounds): Fragment {
  return sql`recipient.state = 'planned' and recipient.position > ${after} and recipient.position <= ${upTo}
    ${positions === null ? sql`` : sql`and recipient.position = any (${numberList(positions)}::bigint[])`}`;
}

const noVariables: Variables = {
  ...{ name: null, customerId: null, userName: null, userEmail: null },
  ...{ userPhone: null, userBirthday: null, userAddress: null },
};

/**
 * Stores results, with LINE's records, in one transaction. `settled`: no call at or before this position runs. The result of a call
 * that was given up, or repeated by another process, replaces a worse one. Idempotent.
 */
export async function settle(
  sql: Sql,
  { botId, sendId }: SendKey,
  {
    lease,
    results,
    lineRecords,
    settled,
    inFlightSince,
    now,
  }: {
    lease: Lease;
    results: readonly Result[];
    lineRecords: readonly LineRecord[];
    settled: number;
    inFlightSince: Date | null;
    now: number;
  },
): Promise<void> {
  await sql.begin(async (tx) => {
    const { isHeld } = await lockSend(tx, { botId, sendId }, lease);
    await tx`
      with new as (
        select * from ${rowTable(tx, 'new', results, {
          position: ['bigint', ({ position }) => position],
          state: ['text', ({ state }) => state],
          message_id: ['text', (result) => (result.state === 'accepted' ? result.messageId : null)],
          code: ['text', (result) => (result.state === 'refused' ? result.code : null)],
        })}
      ), before as (
        select recipient.position, recipient.state from send_recipients recipient join new on new.position = recipient.position
        where recipient.bot_id = ${botId} and recipient.send_id = ${sendId}
          -- The successor of a process that has lost the lease may have made the call.
          and ((recipient.state = 'planned' and (${isHeld} or new.state <> 'waiting')) or (recipient.state = 'unknown' and new.state in ('accepted', 'refused'))
            or (recipient.state = 'refused' and new.state = 'accepted'))
      ), put as (
        update send_recipients recipient set state = new.state, message_id = new.message_id, code = new.code,
          settled_at = case when new.state = 'waiting' then null else ${new Date(now)}::timestamptz end
        from new join before on before.position = new.position
        where recipient.bot_id = ${botId} and recipient.send_id = ${sendId} and recipient.position = new.position
      ), sums as (
        select count(*) filter (where new.state = 'accepted') as accepted,
          count(*) filter (where new.state = 'refused') - count(*) filter (where before.state = 'refused') as refused,
          count(*) filter (where new.state = 'unknown') - count(*) filter (where before.state = 'unknown') as unknown
        from new join before on before.position = new.position
      )
      update sends set accepted = sends.accepted + sums.accepted, refused = sends.refused + sums.refused,
        unknown = sends.unknown + sums.unknown, updated_at = ${new Date(now)},
        -- A process that has lost the lease does not know the calls of its successor.
        settled = case when ${isHeld} then least(claimed, greatest(settled, ${settled}::bigint)) else settled end,
        in_flight_since = case when ${isHeld} then ${inFlightSince}::timestamptz
          else in_flight_since end
      from sums where bot_id = ${botId} and send_id = ${sendId}`;
    if (lineRecords.length === 0) return;
    await putDeliveries(
      tx,
      lineRecords.map(({ requestId, recipients, person, sentAt }) => ({
        ...{ botId, platform: 'line', source: 'line-send', receivedAt: now },
        body: writeRecord({
          ...{ requestId, recipients, sentAt, unit: null, replyTokenHash: null, linkSet: null },
          ...{ kind: recipients === 1 ? 'push' : 'multicast', person },
        }),
      })),
    );
  });
}
