/**
 * A window: some recipients of a send that are in calls at the same time. The claim is committed before the first call, and the results
 * after the last one (settle.ts), so that a kill in between leaves a trace:
 *
 *     position 1 … settled | … claimed | … recipients
 *       has a result, or     in a call:   planned
 *       waits for a call     state planned
 *
 * Of each block of `blockSize` positions, all recipients in state `planned` or `waiting` belong to one call, in any attempt.
 */
import type { Fragment, Queryable, Sql } from '../database/client.ts';
import { msOf } from '../database/instants.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Recipient } from './sender.ts';
import type { SendKey } from './sends.ts';
import type { Variables } from './variables.ts';

/** The right to send on a bot's channel, while it lasts. */
export type Lease = { botId: string; platform: PlatformName; leaseId: string };

/** `variables` null: none is known, or none was read. */
export type WindowRecipient = Recipient & { variables: Variables | null };
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

/** What the calls need of each recipient. */
export type Needs = { lastInbound: boolean; variables: boolean };

type ClaimOptions = { lease: Lease; size: number; blockSize: number; needs: Needs; now: number };

/**
 * Claims the next recipients: those that wait for another call, otherwise the next positions. Contacts that have blocked the account or
 * were deleted since the plan are left out and counted before the call, so that every attempt has the same recipients. Null: no
 * recipient is left, the send does not run, or the lease was lost.
 *
 * One statement, because each one delays the calls. It locks the lane, so that no other process takes the lane before the claim is
 * stored.
 */
export async function claimWindow(
  sql: Sql,
  { botId, sendId }: SendKey,
  { lease: { platform, leaseId }, size, blockSize, needs, now }: ClaimOptions,
): Promise<Window | null> {
  const isWithin = sql`recipient.position > (select after from bounds) and recipient.position <= (select upto from bounds)`;
  const isOneOf = (leftOut: string) =>
    sql`recipient.position = any (array(select position from page where left_out = ${leftOut}))`;
  const [bounds, ...recipients] = (await sql`
    with lane as materialized (
      select from send_lanes where bot_id = ${botId} and platform = ${platform} and lease_id = ${leaseId} for share
    ), send as materialized (
      select claimed, recipients, waiting_after, now() as claimed_at from sends
      where bot_id = ${botId} and send_id = ${sendId} and state = 'running' and exists (select from lane)
      for update
    ), waiting as materialized (
      select (first.position - 1) / ${blockSize}::bigint * ${blockSize}::bigint as after
      from send cross join lateral (
        select position from send_recipients
        where bot_id = ${botId} and send_id = ${sendId} and state = 'waiting' and position > send.waiting_after
          and position <= send.claimed
        order by position limit 1
      ) first
    ), bounds as materialized (
      select after, least(after + ${size}::bigint, claimed) as upto, 'waiting' as state, claimed_at from waiting cross join send
      union all
      select claimed, least(claimed + ${size}::bigint, recipients), 'planned', claimed_at from send
      where not exists (select from waiting) and (claimed < recipients or waiting_after is not null)
    ), page as materialized (
      select ${recipientColumns(sql, botId, needs)}, ${leftOutState(sql, { botId, sendId, platform })} as left_out
      from send_recipients recipient ${contactOf(sql, botId)}
      where recipient.bot_id = ${botId} and recipient.send_id = ${sendId} and ${isWithin}
        and recipient.state = (select state from bounds)
    ), changed as (
      update send_recipients recipient set code = case when ${isOneOf('refused')} then 'same-person' end,
        state = case when ${isOneOf('refused')} then 'refused' when ${isOneOf('blocked')} then 'blocked' else 'planned' end,
        settled_at = case when ${isOneOf('refused')} or ${isOneOf('blocked')} then ${new Date(now)}::timestamptz end
      where recipient.bot_id = ${botId} and recipient.send_id = ${sendId} and ${isWithin}
        and recipient.state = (select state from bounds)
        and ((select state = 'waiting' from bounds) or ${isOneOf('refused')} or ${isOneOf('blocked')})
      returning recipient.state
    ), claimed as (
      update sends set claimed = greatest(claimed, upto), settled = least(settled, after),
        waiting_after = case when bounds.state = 'waiting' then upto end,
        blocked = blocked + (select count(*) from changed where state = 'blocked'),
        refused = refused + (select count(*) from changed where state = 'refused'), updated_at = ${new Date(now)},
        in_flight_since = case when claimed = settled then claimed_at else least(in_flight_since, claimed_at) end
      from bounds where bot_id = ${botId} and send_id = ${sendId}
      returning after, upto, claimed_at
    )
    select after, upto as "upTo", claimed_at as "claimedAt", null as position, null as "contactId", null as id,
      null as "lastInboundAt", null as variables
    from claimed
    union all
    select null, null, null, position, "contactId", id, "lastInboundAt", variables from page where left_out is null
    order by position nulls first`) as unknown as [Bounds?, ...WindowRecipient[]];
  return bounds ? { ...bounds, ageMs: 0, recipients } : null;
}

type Bounds = { after: number; upTo: number; claimedAt: Date };

/**
 * The recipients whose calls may have been made by a process that was killed; `claimedAt` is a time before all of these calls. Null:
 * none. Only for the holder of the lease, before it claims.
 */
export async function readInFlight(
  sql: Sql,
  { botId, sendId }: SendKey,
  { size, needs }: Pick<ClaimOptions, 'size' | 'needs'>,
): Promise<Window | null> {
  const [bounds] = await sql<(Bounds & { ageMs: number })[]>`
    select settled as after, least(claimed, settled + ${size}::bigint) as "upTo",
      coalesce(in_flight_since, now()) as "claimedAt",
      coalesce(extract(epoch from now() - in_flight_since)::float8 * 1000, 'infinity') as "ageMs"
    from sends
    where bot_id = ${botId} and send_id = ${sendId} and settled < claimed`;
  if (!bounds) return null;
  const recipients = await sql<WindowRecipient[]>`
    select ${recipientColumns(sql, botId, needs)} from send_recipients recipient ${contactOf(sql, botId)}
    where recipient.bot_id = ${botId} and recipient.send_id = ${sendId} and recipient.position > ${bounds.after}
      and recipient.position <= ${bounds.upTo} and recipient.state = 'planned'
    order by recipient.position`;
  return { ...bounds, recipients };
}

/** For queries: a recipient's contact as planned, and as it is after merges. `limit`: see docs/decisions/0007. */
function contactOf(sql: Queryable, botId: string): Fragment {
  const contact = (id: Fragment) => sql`
    select contact_id, platform_contact_id, merged_into, blocked, forgotten_at from contacts
    where bot_id = ${botId} and contact_id = ${id} limit 1`;
  return sql`
    cross join lateral (${contact(sql`recipient.contact_id`)}) named
    cross join lateral (${contact(sql`coalesce(named.merged_into, named.contact_id)`)}) person`;
}

/** The columns of `WindowRecipient`. */
function recipientColumns(sql: Queryable, botId: string, needs: Needs): Fragment {
  const lastInbound = sql`(
    select ${msOf(sql, 'happened_at')} from events
    where events.bot_id = ${botId} and events.contact_id = person.contact_id
      and kind = any ('{message-in,postback,referral}'::text[])
    order by happened_at desc limit 1)`;
  const variables = sql`(
    select json_build_object('name', profile.name, 'customerId', customer_id, 'userName', user_name, 'userEmail', user_email,
      'userPhone', user_phone, 'userBirthday', user_birthday, 'userAddress', user_address)
    from contact_profiles profile where profile.bot_id = ${botId} and profile.contact_id = person.contact_id)`;
  return sql`recipient.position, recipient.contact_id as "contactId", person.platform_contact_id as id,
    ${needs.lastInbound ? lastInbound : sql`null::float8`} as "lastInboundAt",
    ${needs.variables ? variables : sql`null::json`} as variables`;
}

/** The state of a recipient that gets no call; null: it gets one. Contacts of WhatsApp that have merged since the plan get one message. */
function leftOutState(
  sql: Queryable,
  { botId, sendId, platform }: SendKey & Pick<Lease, 'platform'>,
): Fragment {
  const isRepeated = sql`exists (
    select from contacts same join send_recipients earlier
      on earlier.bot_id = ${botId} and earlier.contact_id = same.contact_id and earlier.send_id = ${sendId}
    where same.bot_id = ${botId} and earlier.position < recipient.position
      and (same.contact_id = named.merged_into or same.merged_into = coalesce(named.merged_into, named.contact_id)))`;
  return sql`case when named.blocked or named.forgotten_at is not null or person.blocked then 'blocked'
    ${platform === 'whatsapp' ? sql`when ${isRepeated} then 'refused'` : sql``} end`;
}
