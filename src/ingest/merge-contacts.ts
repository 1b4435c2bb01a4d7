/**
 * Merges two stored contacts that prove to be one person. From then on figures count the person once, as if both ids had belonged to
 * it from the beginning. Rare (WhatsApp user ids), so contacts are merged one by one.
 */
import { moveProfile } from '../contacts/profiles.ts';
import type { Transaction } from '../database/client.ts';
import { moveAccount } from '../points/join-accounts.ts';
import {
  addSessionChanges,
  mergeSessions,
  noSessionChanges,
  sessionsOfContacts,
  writeSessions,
} from '../rollups/conversations.ts';
import type { Tally } from '../rollups/counters.ts';
import { moveTags } from '../tags/assignments.ts';
import type { Merge } from './people.ts';

/** Moves everything of `absorbed` to `survivor`. Belongs in the fold's transaction, before its events are folded. */
export async function mergeContacts(
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
  await moveAccount(tx, { botId, fromContactId, toContactId });
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
  await writeSessions(tx, botId, changes);
}
