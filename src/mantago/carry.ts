/**
 * Writes what a call of MantaGo's returned. Every function runs in the transaction of its step, takes the bot's lock, and is safe to
 * repeat.
 *
 * No figure of followers, blocks or messages changes: these come from events alone (docs/figures.md, section 4).
 */
import { lockBot } from '../bots/bots.ts';
import { createContacts } from '../contacts/contacts.ts';
import { addFormerIds } from '../contacts/former-ids.ts';
import { type ProfileChange, writeProfiles } from '../contacts/profiles.ts';
import type { Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { rowsOfBot, rowTable } from '../database/row-table.ts';
import { Refusal } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { amountMax, type PointChange } from '../points/change.ts';
import { writePoints } from '../points/ledger.ts';
import { newId, type Random } from '../random.ts';
import { type TagKind, tagKinds } from '../tags/tag.ts';
import { addTags, lifeCycleDaysMax, setLifeCycle } from '../tags/tags.ts';
import { type Problem, putProblems } from './problems.ts';
import { readTagName, type TheirClient } from './their-clients.ts';

type At = { now: number; random: Random };
/** Changes by name, for the report. */
export type Counts = Readonly<Record<string, number>>;

type Row = { platform: PlatformName; contact: string; rowId: string; contactId: string };

/**
 * Adds the clients as contacts, or finds the contacts that exist, with profile, customer, tags and former id. Queues their points:
 * those of `all`, or of the new contacts only.
 */
export async function carryClients(
  tx: Transaction,
  botId: string,
  clients: readonly TheirClient[],
  { points, now, random }: At & { points: 'all' | 'new' },
): Promise<Counts> {
  await lockBot(tx, botId);
  const problems: Problem[] = [];
  const deleted = await deletedIds(tx, botId, clients);
  const listed = clients.filter(({ encodedId }) => {
    const isDeleted = encodedId !== null && deleted.has(encodedId);
    if (isDeleted) problems.push({ reason: 'deleted', platform: '', subject: encodedId, detail: '' });
    return !isDeleted;
  });
  const before = await selectRows(tx, botId, listed);
  let added = 0;
  for (const [platform, ofPlatform] of Map.groupBy(listed, (client) => client.platform)) {
    const unknown = ofPlatform.filter((client) => !before.has(keyOf(client)));
    const ids = [...new Set(unknown.map(({ contact }) => contact))];
    if (ids.length > 0)
      added += await createContacts(tx, botId, platform, ids, { now, random, profilesAt: now });
  }
  const rows = added > 0 ? await selectRows(tx, botId, listed) : before;
  const found = listed.flatMap((client) => {
    const row = rows.get(keyOf(client));
    return row === undefined ? [] : [{ ...client, ...row, isNew: !before.has(keyOf(client)) }];
  });
  await setCreated(tx, botId, found);
  const former = await addFormerIds(
    tx,
    botId,
    found.flatMap(({ encodedId, contactId, platform }) =>
      encodedId === null ? [] : [{ formerId: encodedId, contactId, platform }],
    ),
    { now },
  );
  for (const { formerId, platform } of former.taken)
    problems.push({ reason: 'encoded-id-taken', platform, subject: formerId, detail: '' });
  const profiles = await writeProfiles(tx, botId, toChanges(found), { now });
  let assignments = 0;
  for (const kind of tagKinds) {
    const tags = found.flatMap(({ contactId, tags }) =>
      tags
        .filter((tag) => tag.kind === kind)
        .map(({ name, at }) => ({ contactId, tag: name, ...(at !== null && at < now && { beganAt: at }) })),
    );
    if (tags.length > 0) assignments += await addTags(tx, { botId, kind, tags }, { now, random });
  }
  await queuePoints(tx, botId, points === 'all' ? found : found.filter(({ isNew }) => isNew));
  await putProblems(tx, botId, problems);
  return {
    ...{ contactsAdded: added, profiles, assignments, formerIds: former.added },
    customers: found.filter(({ profile }) => profile.customer_id !== undefined).length,
  };
}

/** The encoded ids of clients whose contacts were deleted in Shoal. */
async function deletedIds(
  tx: Transaction,
  botId: string,
  clients: readonly TheirClient[],
): Promise<ReadonlySet<string>> {
  const encodedIds = clients.flatMap(({ encodedId }) => encodedId ?? []);
  const rows = await tx<{ id: string }[]>`
    select contact_id as id from contacts
    where bot_id = ${botId} and contact_id = any (${textList(encodedIds)}::text[]) and forgotten_at is not null`;
  return new Set(rows.map(({ id }) => id));
}

type Named = Pick<TheirClient, 'platform' | 'contact'>;

function keyOf({ platform, contact }: Named): string {
  return `${platform} ${contact}`;
}

/** The contacts of the clients: the row of the client's id, and the contact that it may be merged into. */
async function selectRows(
  tx: Transaction,
  botId: string,
  clients: readonly Named[],
): Promise<Map<string, Row>> {
  const rows = await tx<Row[]>`
    select requested.platform, requested.contact, contact.contact_id as "rowId",
      coalesce(contact.merged_into, contact.contact_id) as "contactId"
    from ${rowTable(tx, 'requested', clients, {
      platform: ['text', ({ platform }) => platform],
      contact: ['text', ({ contact }) => contact],
    })}
    cross join lateral (
      select contact_id, merged_into from contacts
      where bot_id = ${botId} and platform = requested.platform and platform_contact_id = requested.contact limit 1
    ) contact`;
  return new Map(rows.map((row) => [keyOf(row), row]));
}

/** A contact was first known when MantaGo or Shoal knew it first, whichever is earlier. */
async function setCreated(
  tx: Transaction,
  botId: string,
  clients: readonly (TheirClient & Row)[],
): Promise<void> {
  const dated = clients.filter(({ createdAt }) => createdAt !== null);
  await tx`
    update contacts set created_at = dated.created_at
    from (
      select contact_id, min(created_at) as created_at
      from ${rowTable(tx, 'sent', dated, {
        contact_id: ['text', ({ contactId }) => contactId],
        created_at: ['timestamptz', ({ createdAt }) => createdAt],
      })} group by contact_id
    ) dated
    where contacts.bot_id = ${botId} and contacts.contact_id = dated.contact_id
      and contacts.created_at > dated.created_at`;
}

function toChanges(clients: readonly (TheirClient & Row)[]): ProfileChange[] {
  const changes = new Map<string, ProfileChange>();
  for (const { contactId, profile } of clients)
    changes.set(contactId, { ...changes.get(contactId), contactId, ...profile });
  return [...changes.values()];
}

async function queuePoints(tx: Transaction, botId: string, clients: readonly TheirClient[]): Promise<void> {
  if (clients.length === 0) return;
  const columns = {
    platform: ['text', ({ platform }: TheirClient) => platform],
    client_id: ['text', ({ clientId }: TheirClient) => clientId],
    contact: ['text', ({ contact }: TheirClient) => contact],
  } as const;
  await tx`
    insert into mantago_queue (bot_id, kind, platform, client_id, contact)
    select bot_id, 'points', platform, client_id, contact
    from ${rowsOfBot(tx, 'new', botId, { list: clients, columns })}
    on conflict do nothing`;
}

/** A queued client, and MantaGo's points; undefined: MantaGo did not answer them. */
export type TheirPoints = Named & { clientId: string; points: unknown };

export const pointsReason = 'Brought over from MantaGo';
const keyPrefix = 'mantago:';

/**
 * Brings points over: one entry for each contact. A later walk adds one entry with the difference, if MantaGo's points have changed
 * since. Removes the clients from the queue.
 */
export async function carryPoints(
  tx: Transaction,
  botId: string,
  list: readonly TheirPoints[],
  { now }: Pick<At, 'now'>,
): Promise<Counts> {
  await lockBot(tx, botId);
  const problems: Problem[] = [];
  const about = ({ platform, contact }: Named, reason: Problem['reason'], detail = '') =>
    problems.push({ reason, platform, subject: contact, detail });
  const rows = await selectRows(tx, botId, list);
  const carried = await carriedPoints(tx, botId, [...rows.values()]);
  const changes = list.flatMap((client) => {
    const row = rows.get(keyOf(client));
    if (row === undefined) return [];
    const { points } = client;
    if (points === undefined) about(client, 'points-unanswered');
    else if (!isPoints(points)) about(client, 'points', String(points).slice(0, 60));
    else {
      const { sum, entries } = carried.get(row.rowId) ?? { sum: 0, entries: 0 };
      const key = `${keyPrefix}${row.rowId}:${entries + 1}`;
      return points === sum ? [] : [{ client, change: toChange(row, key, points - sum) }];
    }
    return [];
  });
  const outcomes = await writePoints(
    tx,
    botId,
    changes.map(({ change }) => change),
    { now },
  );
  let [entries, points] = [0, 0];
  for (const [index, { client, change }] of changes.entries()) {
    const outcome = outcomes[index];
    if (outcome instanceof Refusal) {
      about(client, outcome.code === 'POINTS_INSUFFICIENT' ? 'points-short' : 'points', outcome.message);
      continue;
    }
    entries += 1;
    points += change.amount;
  }
  await tx`
    delete from mantago_queue where bot_id = ${botId} and kind = 'points'
      and (platform, client_id) in (select platform, client_id from ${rowTable(tx, 'done', list, {
        platform: ['text', ({ platform }) => platform],
        client_id: ['text', ({ clientId }) => clientId],
      })})`;
  await putProblems(tx, botId, problems);
  return { pointEntries: entries, points, pointContacts: list.length };
}

function isPoints(points: unknown): points is number {
  return typeof points === 'number' && Number.isInteger(points) && points >= 0 && points <= amountMax;
}

function toChange({ contactId }: Row, key: string, amount: number): PointChange & { amount: number } {
  return { kind: 'adjust', contactId, key, amount, expiresAt: null, reason: pointsReason };
}

/** The points that earlier walks brought over, by the id of the client's row. */
async function carriedPoints(
  tx: Transaction,
  botId: string,
  rows: readonly Row[],
): Promise<Map<string, { sum: number; entries: number }>> {
  const contactIds = [...new Set(rows.map(({ contactId }) => contactId))];
  const entries = await tx<{ key: string; amount: string }[]>`
    select key, amount from point_entries
    where bot_id = ${botId} and contact_id = any (${textList(contactIds)}::text[]) and key like ${`${keyPrefix}%`}`;
  const carried = new Map<string, { sum: number; entries: number }>();
  for (const { key, amount } of entries) {
    const [, rowId = ''] = key.split(':');
    const before = carried.get(rowId) ?? { sum: 0, entries: 0 };
    carried.set(rowId, { sum: before.sum + Number(amount), entries: before.entries + 1 });
  }
  return carried;
}

/** Adds the tags of a list under their own ids, as former ids, or finds the tags that have their names. */
export async function carryTags(
  tx: Transaction,
  botId: string,
  { kind, tags }: { kind: TagKind; tags: readonly JsonObject[] },
  { now, random }: At,
): Promise<Counts> {
  await lockBot(tx, botId);
  const problems: Problem[] = [];
  let added = 0;
  for (const tag of tags) {
    const name = readTagName(tag.name);
    if (name === null) {
      const subject = String(tag.name).slice(0, 200).toWellFormed().replaceAll('\0', '');
      problems.push({ reason: 'tag-name', platform: '', subject, detail: kind });
      continue;
    }
    added += await carryTag(tx, botId, { kind, name, tag }, { now, random });
    if (kind === 'personal' && typeof tag.count === 'number' && tag.count > 0)
      problems.push({ reason: 'personal-tag', platform: '', subject: name, detail: String(tag.count) });
  }
  await putProblems(tx, botId, problems);
  return { tags: added };
}

async function carryTag(
  tx: Transaction,
  botId: string,
  { kind, name, tag }: { kind: TagKind; name: string; tag: JsonObject },
  { now, random }: At,
): Promise<number> {
  const formerId =
    typeof tag.id === 'string' && tag.id.length <= 200 && !tag.id.includes('\0') ? tag.id : null;
  const confidence =
    typeof tag.confidence === 'number' && tag.confidence >= 0 && tag.confidence <= 1 ? tag.confidence : 1;
  const at = new Date(now);
  const { count: added } = await tx`
    insert into tags (bot_id, tag_id, kind, name, confidence, created_at, updated_at)
    values (${botId}, ${newId(random)}, ${kind}, ${name}, ${kind === 'automatic' ? confidence : 1}, ${at}, ${at})
    on conflict (bot_id, kind, name) do nothing`;
  // A tag that was renamed at MantaGo gives its id to the one that has the name now.
  await tx`
    update tags set former_id = null
    where bot_id = ${botId} and kind = ${kind} and former_id = ${formerId} and name <> ${name}`;
  const [stored] = await tx<{ tagId: string; days: number; active: boolean }[]>`
    update tags set former_id = coalesce(${formerId}, former_id)
    where bot_id = ${botId} and kind = ${kind} and name = ${name}
    returning tag_id as "tagId", life_cycle_days as days, life_cycle_active as active`;
  const days = Number(tag.lifeCycle);
  const isLifeCycle = Number.isInteger(days) && days >= 1 && days <= lifeCycleDaysMax;
  if (kind === 'automatic' && stored && isLifeCycle) {
    const active = tag.isActive === true;
    if (days !== stored.days || active !== stored.active)
      await setLifeCycle(tx, { botId, tagId: stored.tagId, active, days }, { now });
  }
  return added;
}

/** Stores MantaGo's followers at the end of days. */
export async function carryDays(
  tx: Transaction,
  botId: string,
  days: readonly { platform: PlatformName; day: string; followers: number }[],
): Promise<void> {
  const columns = {
    platform: ['text', ({ platform }: { platform: PlatformName }) => platform],
    day: ['date', ({ day }: { day: string }) => day],
    followers: ['bigint', ({ followers }: { followers: number }) => followers],
  } as const;
  await tx`
    insert into mantago_days (bot_id, platform, day, followers)
    select * from ${rowsOfBot(tx, 'new', botId, { list: days, columns })}
    on conflict (bot_id, platform, day) do update set followers = excluded.followers`;
}

/** Stores an answer as it is, with its time. */
export async function carryAnswer(
  tx: Transaction,
  botId: string,
  { kind, answer, now }: { kind: 'clients' | 'messages'; answer: JsonObject; now: number },
): Promise<void> {
  await tx`
    insert into mantago_answers (bot_id, kind, asked_at, answer)
    values (${botId}, ${kind}, ${new Date(now)}, ${tx.json(answer as never)})
    on conflict do nothing`;
}
