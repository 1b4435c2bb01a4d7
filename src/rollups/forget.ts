/**
 * Forgetting a person: nothing that names them stays, and every figure stays as it is.
 *
 *     deliveries erased, page by page → under the bot's lock: what came meanwhile, then everything else → commit
 *
 * What the person did goes over to a stand-in, a contact of whom nothing is known and whose id was never given out: events,
 * conversations, tags and points, so that a recount finds what is kept. The ids that were given out stay as rows that lead
 * nowhere, so that no id ever becomes another person's. Who writes again is somebody new; what is told again of the past is
 * known by its key (events/store.ts) and erased when it is folded.
 *
 * Killed before the commit, the person is still there and the call can be repeated; after it nothing is left to do.
 */
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Sql, Transaction } from '../database/database.ts';
import { Refusal } from '../errors.ts';
import { anonymizeEvents } from '../events/store.ts';
import { eraseFromAll, eraseFromDeliveries, isPending, settledUpTo } from '../inbox/erasure.ts';
import { eraseChats, lockChats } from '../live-chat/erasure.ts';
import { forgetNotices } from '../outgoing/notices.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { forgetAccount } from '../points/forget-account.ts';
import { newId, type Random } from '../random.ts';
import { secondMs } from '../time.ts';
import { readBatch } from './batch.ts';
import { foldBatch } from './fold.ts';
import { moveTags } from './tag-assignments.ts';

type Options = { now: number; random: Random };
type Person = { botId: string; contactId: string; platform: PlatformName; ids: string[] };

/** No commit takes as long: connections are given up much sooner. */
const settledMs = 30 * secondMs;
const attemptsMax = 5;
const foldsMax = 100;
const foldedDeliveries = 1_000;
const pauseMs = 50;

/**
 * Forgets the person behind a contact id. Safe to repeat: who is forgotten stays so. Throws Refusal BOT_NOT_FOUND,
 * CONTACT_NOT_FOUND, DELIVERIES_PENDING (then the contact is as it was).
 */
export async function forgetContact(
  sql: Sql,
  { botId, contactId }: { botId: string; contactId: string },
  options: Options,
): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const person = await findPerson(sql, botId, contactId);
    if (person === null) return;
    await foldPending(sql, person, options);
    const settled = await settledUpTo(sql, botId, { receivedBefore: options.now - settledMs });
    const pending = await eraseFromAll(sql, botId, { ...person, afterId: 0 });
    if (await sql.begin((tx) => forgetLocked(tx, person, { settled, pending }, options))) return;
  }
  throw stillPending(botId);
}

/** Null: the person was forgotten before. */
async function findPerson(sql: Queryable, botId: string, contactId: string): Promise<Person | null> {
  const rows = await sql<{ contactId: string; platform: PlatformName; id: string; forgotten: boolean }[]>`
    select person.contact_id as "contactId", person.platform, person.platform_contact_id as id,
      person.forgotten_at is not null as forgotten
    from (
      select coalesce(merged_into, contact_id) as contact_id from contacts
      where bot_id = ${botId} and contact_id = ${contactId} limit 1
    ) asked
    join contacts person on person.bot_id = ${botId}
      and (person.contact_id = asked.contact_id or person.merged_into = asked.contact_id)
    order by person.merged_into nulls first, person.contact_id`;
  const [first] = rows;
  if (!first) throw new Refusal('CONTACT_NOT_FOUND', `Bot ${botId} knows no contact ${contactId}.`);
  if (first.forgotten) return null;
  return { botId, contactId: first.contactId, platform: first.platform, ids: rows.map(({ id }) => id) };
}

/** False: the person has got another id meanwhile, or something that names the person is still to be folded. */
async function forgetLocked(
  tx: Transaction,
  person: Person,
  { settled, pending }: { settled: number; pending: readonly number[] },
  { now, random }: Options,
): Promise<boolean> {
  const { botId, contactId, platform, ids } = person;
  await lockBot(tx, botId);
  const current = await findPerson(tx, botId, contactId);
  if (current === null) return true;
  if (current.contactId !== contactId || current.ids.join('\n') !== ids.join('\n')) return false;
  if (platform === 'liveChat') await lockChats(tx, botId, ids);
  if (await isPending(tx, botId, person)) return false;
  await eraseFromDeliveries(tx, botId, { platform, ids, deliveryIds: pending });
  await eraseFromAll(tx, botId, { ...person, afterId: settled });
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
  return true;
}

async function addStandIn(
  tx: Transaction,
  { botId, contactId }: Person,
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

/** Folds until nothing is pending that names the person: what came before the forgetting still counts. */
async function foldPending(sql: Sql, person: Person, { now, random }: Options): Promise<void> {
  const { botId } = person;
  for (let folds = 0; await isPending(sql, botId, person); folds += 1) {
    if (folds === foldsMax) throw stillPending(botId);
    const batch = await readBatch(sql, botId, { countMax: foldedDeliveries });
    const outcome = batch && (await foldBatch(sql, batch, { now, random }));
    // Another fold is at it.
    if (outcome?.busy) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

function stillPending(botId: string): Refusal {
  return new Refusal(
    'DELIVERIES_PENDING',
    `Deliveries of bot ${botId} that name the contact wait to be counted.`,
  );
}
