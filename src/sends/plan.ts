/**
 * Plans a send's recipients: goes through its audience in the database, batch by batch, and gives each contact a position. A killed
 * batch rolls back, and the next one continues after the last stored contact.
 */
import { type ContactFilter, isListed, orderOf } from '../contacts/filter.ts';
import type { Queryable, Sql } from '../database/client.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { eraseNames } from './erasure.ts';
import type { SendKey } from './sends.ts';

export const planBatch = 5_000;

/**
 * Stores the next recipients, without contacts that have blocked the account. Returns true when the audience is planned. Idempotent
 * under the lock of the send's row.
 */
export async function planStep(
  sql: Sql,
  { botId, sendId }: SendKey,
  { now, batch = planBatch }: { now: number; batch?: number },
): Promise<boolean> {
  return sql.begin(async (tx) => {
    const [send] = await tx<
      {
        platform: PlatformName;
        audience: Partial<ContactFilter> | null;
        isPlanned: boolean;
        key: string | null;
        contactId: string | null;
      }[]
    >`
      select platform, audience, planned as "isPlanned", planned_contact_id as "contactId",
        (extract(epoch from planned_created_at) * 1000000)::bigint::text as key
      from sends where bot_id = ${botId} and send_id = ${sendId} for update`;
    if (!send || send.isPlanned || send.audience === null) return true;
    const { platform, audience, key, contactId } = send;
    const after = key === null || contactId === null ? null : { key, contactId };
    const { isAfter } = orderOf(tx, 'newest', { botId, now, after });
    const [planned] = await tx<{ seen: number }[]>`
      with page as materialized (
        select contact_id, created_at, blocked from contacts
        where ${isListed(tx, { ...audience, botId, platform, now })} and ${isAfter}
        order by created_at desc, contact_id desc limit ${batch}
      ), inserted as (
        insert into send_recipients (bot_id, send_id, position, contact_id)
        select ${botId}, ${sendId}, sends.recipients + row_number() over (order by page.created_at desc, page.contact_id desc),
          page.contact_id
        from page join sends on sends.bot_id = ${botId} and sends.send_id = ${sendId}
        where not page.blocked
      ), counted as (
        select count(*) as seen, count(*) filter (where not blocked) as recipients from page
      ), last as (
        select created_at, contact_id from page order by created_at, contact_id limit 1
      )
      update sends set recipients = sends.recipients + counted.recipients,
        plan_blocked = plan_blocked + counted.seen - counted.recipients, planned = counted.seen < ${batch},
        planned_created_at = coalesce((select created_at from last), planned_created_at),
        planned_contact_id = coalesce((select contact_id from last), planned_contact_id), updated_at = ${new Date(now)}
      from counted where bot_id = ${botId} and send_id = ${sendId}
      returning counted.seen`;
    const isPlanned = (planned?.seen ?? 0) < batch;
    if (isPlanned) await eraseNames(tx, { botId, sendId });
    return isPlanned;
  }) as Promise<boolean>;
}

/** The number of contacts that a send would reach now, and of those that it would leave out. */
export async function previewAudience(
  sql: Queryable,
  {
    botId,
    platform,
    filter,
    now,
  }: { botId: string; platform: PlatformName; filter: Partial<ContactFilter>; now: number },
): Promise<{ recipients: number; blocked: number }> {
  const [row] = await sql<{ recipients: number; blocked: number }[]>`
    select count(*) filter (where not blocked) as recipients, count(*) filter (where blocked) as blocked
    from contacts where ${isListed(sql, { ...filter, botId, platform, now })}`;
  return row ?? { recipients: 0, blocked: 0 };
}
