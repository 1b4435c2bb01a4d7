/**
 * Reads of points: available now, available at another moment, and expiring.
 */
import type { Queryable } from '../database/client.ts';
import { msOf } from '../database/instants.ts';
import { nodeOf } from '../database/nodes.ts';
import type { Part } from './entry.ts';

/**
 * The points that each contact can spend at `now` (ms); 0 for a contact without an account. Expects surviving contacts
 * (contacts/contacts.ts resolves merged ones). One query by primary key.
 */
export async function availablePoints(
  database: Queryable,
  { botId, contactIds, now }: { botId: string; contactIds: readonly string[]; now: number },
): Promise<Map<string, number>> {
  const sql = nodeOf(database, botId);
  const rows = await sql<{ contact_id: string; available: number }[]>`
    select contact_id, ${availableInAccount(sql, botId, now)} as available
    from point_accounts account
    where bot_id = ${botId} and contact_id = any(${[...contactIds]})`;
  const available = new Map(contactIds.map((contactId) => [contactId, 0]));
  for (const row of rows) available.set(row.contact_id, row.available);
  return available;
}

/** For queries: the points that can be spent at `now` (ms) from the bot's row `account` of point_accounts; null for no row. */
export function availableInAccount(sql: Queryable, botId: string, now: number) {
  const at = new Date(now);
  return sql`(case when account.next_expiry_at <= ${at} then (
      select account.lasting + coalesce(sum(lot.remaining), 0) from point_lots lot
      where lot.bot_id = ${botId} and lot.contact_id = account.contact_id and lot.expires_at > ${at}
    ) else account.balance end)::float8`;
}

/**
 * The points that a contact could spend at a moment (ms). A past moment is computed from the history, a future one from today's
 * lots. 0 before the first entry.
 *
 *     entries up to then, without expiries − points expired by then, whenever they are written off
 */
export async function pointsAt(
  sql: Queryable,
  { botId, contactId, at }: { botId: string; contactId: string; at: number },
): Promise<number> {
  const moment = new Date(at);
  const [row] = await sql<{ points: number }[]>`
    select (
      coalesce((
        select sum(amount) from point_entries
        where bot_id = ${botId} and contact_id = ${contactId}
          and case kind when 'expire' then expires_at else created_at end <= ${moment}
      ), 0) - coalesce((
        select sum(remaining) from point_lots
        where bot_id = ${botId} and contact_id = ${contactId} and expires_at <= ${moment}
      ), 0)
    )::float8 as points`;
  return row?.points ?? 0;
}

type Range = { botId: string; now: number; from: number; to: number };

/** A contact's points that expire from `from` until before `to` (ms), by instant, soonest first. Without expired ones. */
export async function expiringLots(
  sql: Queryable,
  { botId, contactId, now, from, to }: Range & { contactId: string },
): Promise<(Part & { expiresAt: number })[]> {
  const rows = await sql<(Part & { expiresAt: number })[]>`
    select remaining::float8 as amount, ${msOf(sql, 'expires_at')} as "expiresAt" from point_lots
    where bot_id = ${botId} and contact_id = ${contactId} and expires_at > ${new Date(now)}
      and expires_at >= ${new Date(from)} and expires_at < ${new Date(to)}
    order by point_lots.expires_at`;
  return [...rows];
}

/** Points that expire on a day, and the number of contacts that lose some. */
export type ExpiringDay = { day: string; points: number; contacts: number };

/** The bot's points that expire from `from` until before `to` (ms), by day in the zone; without empty days. */
export async function expiringByDay(
  sql: Queryable,
  { botId, zone, now, from, to }: Range & { zone: string },
): Promise<ExpiringDay[]> {
  const rows = await sql<ExpiringDay[]>`
    select (expires_at at time zone ${zone})::date::text as day, sum(remaining)::float8 as points,
      count(distinct contact_id)::float8 as contacts
    from point_lots
    where bot_id = ${botId} and expires_at > ${new Date(now)}
      and expires_at >= ${new Date(from)} and expires_at < ${new Date(to)}
    group by 1
    order by 1`;
  return [...rows];
}
