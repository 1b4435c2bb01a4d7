/**
 * The database side of the profile calls: channels that are due, the lock and the schedule of one channel, the contacts to ask about,
 * and the writing of results.
 *
 * The row of a channel in `profile_channels` is locked for the transaction of a step. A killed process rolls back: its contacts stay
 * due, and the next step asks about them again.
 */
import { lockBot } from '../bots/bots.ts';
import { type ChannelId, hasAccess } from '../bots/channels.ts';
import { type PlatformProfile, writePlatformProfiles } from '../contacts/profiles.ts';
import type { Queryable, Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import type { PlatformName } from '../platforms/platform.ts';

/** A contact whose profile is due since `dueAt` (ms). */
export type DueContact = { contactId: string; platformContactId: string; isBlocked: boolean; dueAt: number };

/** Returns enabled channels of the platforms that have access, a due contact, and no pause at `now` (ms). */
export async function dueChannels(
  sql: Queryable,
  { platforms, now }: { platforms: readonly PlatformName[]; now: number },
): Promise<ChannelId[]> {
  return sql<ChannelId[]>`
    select channels.bot_id as "botId", channels.platform
    from channels
    where channels.platform = any(${[...platforms]}::text[]) and channels.enabled and ${hasAccess(sql)}
      and not exists (
        select from profile_channels paused
        where paused.bot_id = channels.bot_id and paused.platform = channels.platform
          and ${isPaused(sql, now)})
      and exists (
        select from contacts
        where contacts.bot_id = channels.bot_id and contacts.platform = channels.platform and ${isDue(sql, now)})
    order by channels.bot_id, channels.platform`;
}

/** Adds the schedule of a channel that has none. Idempotent. Outside of a step's transaction, so that no other process waits for it. */
export async function addSchedule(
  sql: Queryable,
  { botId, platform }: ChannelId,
  now: number,
): Promise<void> {
  await sql`
    insert into profile_channels (bot_id, platform, updated_at) values (${botId}, ${platform}, ${new Date(now)})
    on conflict (bot_id, platform) do nothing`;
}

/** Locks the channel's schedule for the transaction. Null: another process has it, or the channel pauses. */
export async function claimTurn(
  tx: Transaction,
  { botId, platform }: ChannelId,
  now: number,
): Promise<{ failures: number } | null> {
  const [locked] = await tx<{ failures: number }[]>`
    select failures from profile_channels
    where bot_id = ${botId} and platform = ${platform} for no key update skip locked`;
  if (!locked) return null;
  // A separate statement, so that it sees the schedule of the previous lock holder.
  const [row] = await tx<{ failures: number }[]>`
    select paused.failures
    from profile_channels paused
    join channels on channels.bot_id = paused.bot_id and channels.platform = paused.platform
    where paused.bot_id = ${botId} and paused.platform = ${platform} and channels.enabled
      and not ${isPaused(tx, now)}`;
  return row ?? null;
}

/** Stores the schedule after a step. `problem` null: the platform answered. */
export async function putSchedule(
  tx: Transaction,
  { botId, platform }: ChannelId,
  {
    nextAt,
    failures,
    problem,
    now,
  }: { nextAt: number; failures: number; problem: string | null; now: number },
): Promise<void> {
  await tx`
    update profile_channels set next_at = ${new Date(nextAt)}, failures = ${failures}, problem = ${problem},
      updated_at = ${new Date(now)}
    where bot_id = ${botId} and platform = ${platform}`;
}

/** Returns the contacts that are due, the longest waiting first. */
export async function dueContacts(
  sql: Queryable,
  { botId, platform }: ChannelId,
  { now, limit }: { now: number; limit: number },
): Promise<DueContact[]> {
  return sql<DueContact[]>`
    select contact_id as "contactId", platform_contact_id as "platformContactId", blocked as "isBlocked",
      round(1000 * extract(epoch from profile_due_at))::float8 as "dueAt"
    from contacts
    where bot_id = ${botId} and platform = ${platform} and ${isDue(sql, now)}
    order by profile_due_at limit ${limit}`;
}

/** The result for a contact; `nextDueAt` null: the contact is not asked about again until it unblocks the account. */
export type ProfileResult = DueContact & { nextDueAt: number | null; profile: PlatformProfile | null };

/**
 * Writes profiles and the next due times, under the bot's lock. Skips contacts that were deleted, blocked or unblocked during the
 * call. A due time that was written during the call stays: the person blocked and unblocked the account, so the answer may be out of
 * date. Idempotent.
 */
export async function putResults(
  tx: Transaction,
  { botId }: ChannelId,
  results: readonly ProfileResult[],
  { now }: { now: number },
): Promise<void> {
  if (results.length === 0) return;
  await lockBot(tx, botId);
  const kept = await tx<{ contactId: string }[]>`
    update contacts set profile_due_at =
      case when contacts.profile_due_at = new.due_at then new.next_due_at else contacts.profile_due_at end
    from ${rowTable(tx, 'new', results, {
      contact_id: ['text', ({ contactId }) => contactId],
      platform_contact_id: ['text', ({ platformContactId }) => platformContactId],
      is_blocked: ['boolean', ({ isBlocked }) => isBlocked],
      due_at: ['timestamptz', ({ dueAt }) => dueAt],
      next_due_at: ['timestamptz', ({ nextDueAt }) => nextDueAt],
    })}
    where contacts.bot_id = ${botId} and contacts.contact_id = new.contact_id
      and contacts.platform_contact_id = new.platform_contact_id and contacts.blocked = new.is_blocked
      and contacts.merged_into is null and contacts.forgotten_at is null
    returning contacts.contact_id as "contactId"`;
  const keptIds = new Set(kept.map(({ contactId }) => contactId));
  const profiles = results.flatMap(({ contactId, profile }) =>
    profile !== null && keptIds.has(contactId) ? [{ contactId, ...profile }] : [],
  );
  await writePlatformProfiles(tx, botId, profiles, { now });
}

/** The schedule of a channel, for people. */
export type ProfileState = {
  /** Contacts that are due. */
  waiting: number;
  /** Why the channel pauses; null: it does not. */
  problem: string | null;
};

/** Returns the state of a channel's profiles at `now`. */
export async function readProfileState(
  sql: Queryable,
  { botId, platform }: ChannelId,
  now: number,
): Promise<ProfileState> {
  const [row] = await sql<[ProfileState]>`
    select
      (select count(*)::float8 from contacts
        where bot_id = ${botId} and platform = ${platform} and ${isDue(sql, now)}) as waiting,
      (select problem from profile_channels where bot_id = ${botId} and platform = ${platform}) as problem`;
  return row;
}

function isDue(sql: Queryable, now: number) {
  return sql`contacts.profile_due_at <= ${new Date(now)} and contacts.merged_into is null and contacts.forgotten_at is null`;
}

/** For queries with `paused` and `channels`: new settings of the channel end a pause. */
function isPaused(sql: Queryable, now: number) {
  return sql`(coalesce(paused.next_at > ${new Date(now)}, false) and paused.updated_at >= channels.updated_at)`;
}
