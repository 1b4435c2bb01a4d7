/**
 * Forgetting a person: nothing that names them stays, and every figure stays as it is.
 *
 *     index → fold what was pending → erase deliveries, page by page → under the bot's lock: the rest, then everything else
 *
 * It goes by bounded steps, so that any process can go on with it (jobs/jobs.ts). What the person did goes over to a stand-in, a
 * contact of whom nothing is known and whose id was never given out: events, conversations, tags and points, so that a recount
 * finds what is kept. The ids that were given out stay as rows that lead nowhere, so that no id ever becomes another person's.
 * A message that comes in after the beginning makes a new contact. A repetition of the past is known by its key
 * (events/store.ts) and erased when it is folded.
 */
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
  settledMs,
  unindexPerson,
} from '../inbox/delivery-people.ts';
import { eraseFolded, eraseFromAll, settledUpTo } from '../inbox/erasure.ts';
import { countPending, lastPending } from '../inbox/pending.ts';
import { readBatch } from '../ingest/batch.ts';
import { foldBatch } from '../ingest/process-batch.ts';
import { eraseChats, lockChats } from '../live-chat/erasure.ts';
import { forgetAccount } from '../points/forget-account.ts';
import { newId, type Random } from '../random.ts';
import { moveTags } from '../tags/assignments.ts';
import { forgetNotices } from '../webhooks-out/log.ts';

type Options = { now: number; random: Random };

/** What is left to do of forgetting a contact, counted in deliveries. */
export type Forgetting = {
  /** Deliveries up to this one were there when it began: those that were pending are counted first. */
  upToId: number;
  done: number;
  total: number;
};

const pagesAtOnce = 8;
const unindexedMax = 2_000;
const foldedDeliveries = 1_000;
const erasedAtOnce = 500;
const pauseMs = 50;

/** Begins to forget the contact. Throws Refusal BOT_NOT_FOUND, CONTACT_NOT_FOUND. Changes nothing. */
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
 * Goes on forgetting the person behind a contact id, by a bounded step. Null: nothing of the person is left. Safe to repeat and
 * to kill: until the last step the contact is as it was, except that counted deliveries may be without the person.
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
  const found = await indexedDeliveries(sql, botId, person);
  const page = found.slice(0, erasedAtOnce);
  await sql.begin(async (tx) => {
    const pending = new Set(await eraseFolded(tx, botId, { ...person, deliveryIds: page }));
    const deliveryIds = page.filter((deliveryId) => !pending.has(deliveryId));
    await unindexPerson(tx, botId, { ...person, deliveryIds });
  });
  if (found.length > page.length) {
    return { upToId, done: done + page.length, total: done + found.length };
  }
  const settled = await settledUpTo(sql, botId, { receivedBefore: options.now - settledMs });
  const rest = await eraseFromAll(sql, botId, { ...person, afterId: await indexedUpTo(sql, botId) });
  return sql.begin(async (tx): Promise<Forgetting | null> => {
    const outcome = await forgetLocked(tx, { ...person, botId }, { upToId, settled, rest }, options);
    return outcome === 'forgotten' ? null : { ...after(page.length), upToId: Math.max(upToId, outcome) };
  }) as Promise<Forgetting | null>;
}

/**
 * Indexes what can be indexed of the bot's deliveries, up to some pages; waits where another process does. What little comes in
 * at the same time is read later.
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
  if (more && count === 0) await pause();
  return { count, more };
}

/** Folds the next batch of what is pending; waits where another process does. Returns how many deliveries it folded. */
async function foldOnce(sql: Sql, botId: string, { now, random }: Options): Promise<number> {
  const batch = await readBatch(sql, botId, { countMax: foldedDeliveries });
  const outcome = batch && (await foldBatch(sql, batch, { now, random }));
  if (outcome?.busy) await pause();
  return outcome?.deliveries ?? 0;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMs));
}

/**
 * The last step, under the bot's lock. Else a delivery that has to be folded first, or 0: the person has another id by now, or is
 * named by many deliveries that were folded since.
 */
async function forgetLocked(
  tx: Transaction,
  person: Person & { botId: string },
  { upToId, settled, rest }: { upToId: number; settled: number; rest: readonly number[] },
  { now, random }: Options,
): Promise<'forgotten' | number> {
  const { botId, contactId, platform, ids } = person;
  await lockBot(tx, botId);
  const current = await findPerson(tx, botId, contactId);
  if (current === null) return 'forgotten';
  if (current.contactId !== contactId || current.ids.join('\n') !== ids.join('\n')) return 0;
  if (platform === 'liveChat') await lockChats(tx, botId, ids);
  if ((await countPending(tx, botId, upToId)) > 0) return 0;
  const position = await lockPosition(tx, botId, 'wait');
  const deliveryIds = await indexedDeliveries(tx, botId, person);
  if (deliveryIds.length > erasedAtOnce) return 0;
  // Put back meanwhile: what it tells of the person counts first.
  const replayed = await eraseFolded(tx, botId, { ...person, deliveryIds });
  if (replayed.length > 0) return Math.max(...replayed);
  await unindexPerson(tx, botId, { ...person, deliveryIds });
  await eraseFolded(tx, botId, { ...person, deliveryIds: rest });
  await eraseFromAll(tx, botId, { ...person, afterId: Math.max(position, settled) });
  const standInId = await addStandIn(tx, person, { now, random });
  const move = { botId, fromContactId: contactId, toContactId: standInId };
  await anonymizeEvents(tx, { ...move, platform, ids });
  await tx`
    update conversations set contact_id = ${standInId} where bot_id = ${botId} and contact_id = ${contactId}`;
  await moveTags(tx, move);
  await forgetAccount(tx, move);
  if (platform === 'liveChat') await eraseChats(tx, botId, ids);
  if (platform === 'line') await forgetLineUser(tx, botId, { ids, standIn: unnamed(standInId) });
  const former = await tx<{ contactId: string }[]>`
    update contacts set platform_contact_id = ${unnamed('')} || contact_id, merged_into = null, followed_at = null,
      earlier_friend = null, blocked = false, ever_blocked = false, forgotten_at = ${new Date(now)}
    where bot_id = ${botId} and (contact_id = ${contactId} or merged_into = ${contactId})
    returning contact_id as "contactId"`;
  const formerIds = former.map((row) => row.contactId);
  await tx`delete from contact_profiles where bot_id = ${botId} and contact_id = any (${formerIds}::text[])`;
  await forgetNotices(tx, botId, formerIds);
  return 'forgotten';
}

async function addStandIn(
  tx: Transaction,
  { botId, contactId }: Person & { botId: string },
  { now, random }: Options,
): Promise<string> {
  const standInId = newId(random);
  await tx`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, followed_at, earlier_friend, blocked,
      ever_blocked, created_at, forgotten_at)
    select bot_id, ${standInId}, platform, ${unnamed(standInId)}, followed_at, earlier_friend, blocked,
      ever_blocked, created_at, ${new Date(now)}
    from contacts where bot_id = ${botId} and contact_id = ${contactId}`;
  return standInId;
}

/** What stands in the place of an id on the platform. */
function unnamed(contactId: string): string {
  return `forgotten ${contactId}`;
}

/** Puts the stand-in wherever LINE's id of a person stands beside the contact, so that people are counted as before. */
async function forgetLineUser(
  tx: Transaction,
  botId: string,
  { ids, standIn }: { ids: readonly string[]; standIn: string },
): Promise<void> {
  const places = {
    line_interaction_people: 'person',
    line_links: 'person',
    line_clicks: 'person',
    line_reply_tokens: 'platform_contact_id',
  };
  for (const [table, column] of Object.entries(places)) {
    await tx`
      update ${tx(table)} set ${tx({ [column]: standIn })}
      where bot_id = ${botId} and ${tx(column)} = any (${ids as string[]}::text[])`;
  }
}
