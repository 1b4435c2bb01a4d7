/**
 * Merges contacts whose ids prove to belong to one person (WhatsApp's telephone number and user id). From then on figures count the
 * person once, as if both ids had belonged to it from the beginning. Stored contacts are merged rarely, so one by one.
 */
import { moveProfile } from '../contacts/profiles.ts';
import type { Transaction } from '../database/client.ts';
import type { IncomingEvent } from '../events/store.ts';
import { mergeAccounts } from '../points/merge-accounts.ts';
import { moveGrants } from '../rewards/grants.ts';
import {
  addSessionChanges,
  mergeSessions,
  noSessionChanges,
  writeSessions,
} from '../rollups/conversations.ts';
import type { Tally } from '../rollups/counters.ts';
import { sessionsOfContacts } from '../rollups/stored-sessions.ts';
import { moveTags } from '../tags/assignments.ts';
import type { Contact, People } from './people.ts';

/** Two stored contacts that are one person: `survivor` takes over everything of `absorbed`. */
type Merge = { survivor: Contact; absorbed: Contact };

/**
 * Merges the contacts that events name by two ids. Belongs in the fold's transaction, before its events are folded. Returns true when
 * an id now names another contact than before.
 */
export async function mergePeople(
  tx: Transaction,
  bot: { botId: string; gapMs: number },
  tally: Tally,
  people: People,
  events: readonly IncomingEvent[],
): Promise<boolean> {
  const merges: Merge[] = [];
  let hasMerged = false;
  for (const { platform, contact: id, contactAlias: alias } of events) {
    if (id === null || alias === null) continue;
    const [first, second] = [people.find(platform, id), people.find(platform, alias)];
    if (first && first === second) continue;
    hasMerged = true;
    if (!second) people.addId(people.contact(platform, id), alias);
    else if (!first) people.addId(second, id);
    else merges.push(...absorb(people, first, second));
  }
  for (const merge of merges) await mergeStored(tx, bot, tally, merge);
  return hasMerged;
}

function absorb(people: People, first: Contact, second: Contact): Merge[] {
  // A contact without a row has nothing to move: its ids become ids of the stored contact.
  const [survivor, absorbed] = !first.isStored && second.isStored ? [second, first] : [first, second];
  people.replace(absorbed, survivor);
  survivor.before.isFollower ||= absorbed.before.isFollower;
  survivor.before.isBlocked ||= absorbed.before.isBlocked;
  return absorbed.isStored ? [{ survivor, absorbed }] : [];
}

async function mergeStored(
  tx: Transaction,
  bot: { botId: string; gapMs: number },
  tally: Tally,
  merge: Merge,
): Promise<void> {
  const { botId } = bot;
  const fromContactId = merge.absorbed.contactId;
  const toContactId = merge.survivor.contactId;
  mergeFollows(tally, merge);
  await moveSessions(tx, bot, tally, merge);
  await tx`
    update events set contact_id = ${toContactId}, named_as = coalesce(named_as, contact_id)
    where bot_id = ${botId} and contact_id = ${fromContactId}`;
  await tx`
    update contacts set merged_into = ${toContactId}, followed_at = null
    where bot_id = ${botId} and (contact_id = ${fromContactId} or merged_into = ${fromContactId})`;
  await moveTags(tx, { botId, fromContactId, toContactId });
  await moveProfile(tx, { botId, fromContactId, toContactId });
  await mergeAccounts(tx, { botId, fromContactId, toContactId });
  await moveGrants(tx, { botId, fromContactId, toContactId });
}

function mergeFollows(tally: Tally, { survivor, absorbed }: Merge): void {
  if (absorbed.followedAt === null) return;
  if (survivor.followedAt === null) {
    Object.assign(survivor, { followedAt: absorbed.followedAt, isChanged: true });
    return;
  }
  tally.add(survivor.platform, Math.max(survivor.followedAt, absorbed.followedAt), { followers: 1 }, -1);
  const followedAt = Math.min(survivor.followedAt, absorbed.followedAt);
  if (followedAt !== survivor.followedAt) Object.assign(survivor, { followedAt, isChanged: true });
}

async function moveSessions(
  tx: Transaction,
  { botId, gapMs }: { botId: string; gapMs: number },
  tally: Tally,
  { survivor, absorbed }: Merge,
): Promise<void> {
  const sessions = await sessionsOfContacts(tx, botId, [survivor.contactId, absorbed.contactId]);
  const existing = sessions.get(survivor.contactId) ?? [];
  const moved = sessions.get(absorbed.contactId) ?? [];
  const changes = noSessionChanges();
  addSessionChanges(changes, tally, absorbed, moved, []);
  addSessionChanges(changes, tally, survivor, existing, mergeSessions([...existing, ...moved], gapMs));
  await writeSessions(tx, changes);
}
