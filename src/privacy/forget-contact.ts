/**
 * Deletes a contact: all data that name the person are deleted, and every figure stays the same.
 *
 *     index → fold pending deliveries → erase deliveries, page by page → under the bot's lock: the rest of the deliveries, then the contact
 *
 * The deletion runs in bounded steps, so that any process can continue it (jobs/jobs.ts). Events, conversations, tags and points move to
 * an anonymous contact, whose id no caller has seen, so that a recount gives the stored figures. The contact ids stay as rows without a
 * person, so that an id never becomes another person's. A message that arrives after the start adds a new contact. A redelivered event
 * is found by its key (events/store.ts) and erased when it is folded.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { lockBot } from '../bots/bots.ts';
import { findPerson, type Person } from '../contacts/contacts.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { anonymizeEvents } from '../events/anonymize.ts';
import {
  countUnindexed,
  indexedDeliveries,
  indexedUpTo,
  indexPeople,
  lockPosition,
  unindexPerson,
} from '../inbox/delivery-people.ts';
import { eraseFolded, eraseFromAll, settledUpTo } from '../inbox/erasure.ts';
import { countPending, lastPending } from '../inbox/pending.ts';
import { settledMs } from '../inbox/settled-page.ts';
import { readBatch } from '../ingest/batch.ts';
import { foldBatch } from '../ingest/process-batch.ts';
import { eraseChats, lockChats } from '../live-chat/erasure.ts';
import { eraseClient } from '../mantago/problems.ts';
import { anonymizeAccount } from '../points/merge-accounts.ts';
import { newId, type Random } from '../random.ts';
import { moveGrants } from '../rewards/grants.ts';
import { eraseFromFilters, eraseRecipients } from '../sends/erasure.ts';
import { moveTags } from '../tags/assignments.ts';
import { deleteMessagesOf } from '../webhooks-out/log.ts';

type Options = { now: number; random: Random };

/** The state of a deletion; `done` and `total` count deliveries. */
export type Forgetting = {
  /** Pending deliveries up to this id existed when the deletion began: they are folded first. */
  upToId: number;
  done: number;
  total: number;
};

const pagesAtOnce = 8;
const unindexedMax = 2_000;
const foldedDeliveries = 1_000;
const erasedAtOnce = 500;
const pauseMs = 50;

/** The start of a deletion. Changes nothing. Throws Refusal BOT_NOT_FOUND, CONTACT_NOT_FOUND. */
export async function planForgetting(
  sql: Queryable,
  { botId, contactId }: { botId: string; contactId: string },
  { now }: { now: number },
): Promise<Forgetting> {
  await findPerson(sql, botId, contactId);
  const upToId = await lastPending(sql, botId);
  const [unindexed, pending] = await Promise.all([
    countUnindexed(sql, botId, { now, limit: Number.MAX_SAFE_INTEGER }),
    countPending(sql, botId, upToId),
  ]);
  return { upToId, done: 0, total: unindexed + pending };
}

/**
 * Continues a deletion by one bounded step. Null: nothing of the person is left. Idempotent, and safe to interrupt: until the last step
 * the contact is unchanged, except that the person may be erased from folded deliveries.
 */
export async function forgetStep(
  sql: Sql,
  { botId, contactId }: { botId: string; contactId: string },
  { upToId, done, total }: Forgetting,
  options: Options,
): Promise<Forgetting | null> {
  const person = await findPerson(sql, botId, contactId);
  if (person === null) return null;
  const after = (more: number): Forgetting => ({
    upToId,
    done: done + more,
    total: Math.max(total, done + more),
  });
  const indexed = await indexPages(sql, botId, options);
  if (indexed.more) return after(indexed.count);
  if ((await countPending(sql, botId, upToId)) > 0) return after(await foldOnce(sql, botId, options));
  const indexedIds = await indexedDeliveries(sql, botId, person);
  const page = indexedIds.slice(0, erasedAtOnce);
  await sql.begin(async (tx) => {
    const pending = new Set(await eraseFolded(tx, botId, { ...person, deliveryIds: page }));
    const deliveryIds = page.filter((deliveryId) => !pending.has(deliveryId));
    await unindexPerson(tx, botId, { ...person, deliveryIds });
  });
  if (indexedIds.length > page.length) {
    return { upToId, done: done + page.length, total: done + indexedIds.length };
  }
  const settled = await settledUpTo(sql, botId, { receivedBefore: options.now - settledMs });
  const rest = await eraseFromAll(sql, botId, { ...person, afterId: await indexedUpTo(sql, botId) });
  return sql.begin(async (tx): Promise<Forgetting | null> => {
    const outcome = await deleteLocked(tx, { ...person, botId }, { upToId, settled, rest }, options);
    return outcome === 'deleted' ? null : { ...after(page.length), upToId: Math.max(upToId, outcome) };
  }) as Promise<Forgetting | null>;
}

/**
 * Indexes some pages of the bot's deliveries, and pauses while another process indexes. The few deliveries that arrive at the same time
 * are read later.
 */
async function indexPages(
  sql: Sql,
  botId: string,
  { now }: Options,
): Promise<{ count: number; more: boolean }> {
  let count = 0;
  for (let page = 0; page < pagesAtOnce; page += 1) {
    const indexed = await indexPeople(sql, botId, { now });
    count += indexed;
    if (indexed === 0) break;
  }
  const more = (await countUnindexed(sql, botId, { now, limit: unindexedMax + 1 })) > unindexedMax;
  if (more && count === 0) await pause(pauseMs);
  return { count, more };
}

/** Folds the next pending batch and returns its number of deliveries; pauses while another process folds the bot. */
async function foldOnce(sql: Sql, botId: string, { now, random }: Options): Promise<number> {
  const batch = await readBatch(sql, [botId], { countMax: foldedDeliveries });
  const { busyBots, deliveries } = await foldBatch(sql, batch, { now, random });
  if (busyBots.length > 0) await pause(pauseMs);
  return deliveries;
}

/**
 * The last step, under the bot's lock. Else the id of a delivery to fold first, or 0 to run the step again: the person has other ids
 * now, or too many deliveries with the person were folded since.
 */
async function deleteLocked(
  tx: Transaction,
  person: Person & { botId: string },
  { upToId, settled, rest }: { upToId: number; settled: number; rest: readonly number[] },
  { now, random }: Options,
): Promise<'deleted' | number> {
  const { botId, contactId, platform, ids } = person;
  await lockBot(tx, botId);
  const current = await findPerson(tx, botId, contactId);
  if (current === null) return 'deleted';
  if (current.contactId !== contactId || current.ids.join('\n') !== ids.join('\n')) return 0;
  if (platform === 'liveChat') await lockChats(tx, botId, ids);
  if ((await countPending(tx, botId, upToId)) > 0) return 0;
  const position = await lockPosition(tx, botId, 'wait');
  const deliveryIds = await indexedDeliveries(tx, botId, person);
  if (deliveryIds.length > erasedAtOnce) return 0;
  // Replayed at the same time: its events of the person count first.
  const replayed = await eraseFolded(tx, botId, { ...person, deliveryIds });
  if (replayed.length > 0) return Math.max(...replayed);
  await unindexPerson(tx, botId, { ...person, deliveryIds });
  await eraseFolded(tx, botId, { ...person, deliveryIds: rest });
  await eraseFromAll(tx, botId, { ...person, afterId: Math.max(position, settled) });
  const anonymousId = await addAnonymousContact(tx, person, { now, random });
  const move = { botId, fromContactId: contactId, toContactId: anonymousId };
  await anonymizeEvents(tx, { ...move, platform, ids });
  await tx`
    update conversations set contact_id = ${anonymousId} where bot_id = ${botId} and contact_id = ${contactId}`;
  await moveTags(tx, move);
  await anonymizeAccount(tx, move);
  await moveGrants(tx, move);
  if (platform === 'liveChat') await eraseChats(tx, botId, ids);
  if (platform === 'line')
    await replaceLineUser(tx, botId, { ids, anonymous: anonymousPlatformId(anonymousId) });
  const former = await tx<{ contactId: string }[]>`
    update contacts set platform_contact_id = ${anonymousPlatformId('')} || contact_id, merged_into = null, followed_at = null,
      earlier_friend = null, listed_at = null, blocked = false, ever_blocked = false, forgotten_at = ${new Date(now)}
    where bot_id = ${botId} and (contact_id = ${contactId} or merged_into = ${contactId})
    returning contact_id as "contactId"`;
  const formerIds = former.map((row) => row.contactId);
  await eraseFromFilters(tx, botId, formerIds);
  await tx`delete from contact_profiles where bot_id = ${botId} and contact_id = any (${formerIds}::text[])`;
  await tx`delete from contact_pictures where bot_id = ${botId} and contact_id = any (${formerIds}::text[])`;
  await eraseRecipients(tx, botId, formerIds);
  await eraseClient(tx, botId, { platform, ids, contactIds: formerIds });
  await deleteMessagesOf(tx, botId, formerIds);
  return 'deleted';
}

async function addAnonymousContact(
  tx: Transaction,
  { botId, contactId }: Person & { botId: string },
  { now, random }: Options,
): Promise<string> {
  const anonymousId = newId(random);
  await tx`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, followed_at, earlier_friend, blocked,
      ever_blocked, created_at, listed_at, forgotten_at)
    select bot_id, ${anonymousId}, platform, ${anonymousPlatformId(anonymousId)}, followed_at, earlier_friend, blocked,
      ever_blocked, created_at, listed_at, ${new Date(now)}
    from contacts where bot_id = ${botId} and contact_id = ${contactId}`;
  return anonymousId;
}

/** The platform id of an anonymous contact. */
function anonymousPlatformId(contactId: string): string {
  return `forgotten ${contactId}`;
}

/** Replaces LINE's id of the person in other tables by the anonymous one, so that the numbers of people stay the same. */
async function replaceLineUser(
  tx: Transaction,
  botId: string,
  { ids, anonymous }: { ids: readonly string[]; anonymous: string },
): Promise<void> {
  const columns = {
    line_interaction_people: 'person',
    line_links: 'person',
    line_clicks: 'person',
    line_reply_tokens: 'platform_contact_id',
  };
  for (const [table, column] of Object.entries(columns)) {
    await tx`
      update ${tx(table)} set ${tx({ [column]: anonymous })}
      where bot_id = ${botId} and ${tx(column)} = any (${ids as string[]}::text[])`;
  }
}
