/**
 * Two stored contacts that prove to be one person become one: figures count the person once from then on, as if both ids
 * had been known from the beginning. Rare (WhatsApp user ids), so it goes contact by contact.
 */

import type { Joining } from '../contacts/batch-contacts.ts';
import { moveProfile } from '../contacts/profiles.ts';
import type { Transaction } from '../database/client.ts';
import { moveAccount } from '../points/join-accounts.ts';
import { addChanges, noRunChanges, runsOfContacts, writeRuns } from '../rollups/conversation-rows.ts';
import { mergeRuns } from '../rollups/conversations.ts';
import type { Tally } from '../rollups/counters.ts';
import { moveTags } from '../tags/assignments.ts';

/** Hands everything of `absorbed` to `survivor`. Belongs in the fold's transaction, before its events are folded. */
export async function joinContacts(
  tx: Transaction,
  bot: { botId: string; conversationGapSeconds: number },
  tally: Tally,
  { survivor, absorbed }: Joining,
): Promise<void> {
  const { botId } = bot;
  const fromContactId = absorbed.contactId;
  const toContactId = survivor.contactId;
  joinFollows(tally, { survivor, absorbed });
  await joinRuns(tx, bot, tally, { survivor, absorbed });
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

function joinFollows(tally: Tally, { survivor, absorbed }: Joining): void {
  if (absorbed.followedAt === null) return;
  if (survivor.followedAt === null) {
    Object.assign(survivor, { followedAt: absorbed.followedAt, changed: true });
    return;
  }
  tally.add(survivor.platform, Math.max(survivor.followedAt, absorbed.followedAt), { followers: 1 }, -1);
  const followedAt = Math.min(survivor.followedAt, absorbed.followedAt);
  if (followedAt !== survivor.followedAt) Object.assign(survivor, { followedAt, changed: true });
}

async function joinRuns(
  tx: Transaction,
  { botId, conversationGapSeconds }: { botId: string; conversationGapSeconds: number },
  tally: Tally,
  { survivor, absorbed }: Joining,
): Promise<void> {
  const { platform } = survivor;
  const runs = await runsOfContacts(tx, botId, [survivor.contactId, absorbed.contactId]);
  const kept = runs.get(survivor.contactId) ?? [];
  const handed = runs.get(absorbed.contactId) ?? [];
  const changes = noRunChanges();
  addChanges(changes, tally, { contactId: absorbed.contactId, platform, before: handed, after: [] });
  const after = mergeRuns([...kept, ...handed], conversationGapSeconds * 1_000);
  addChanges(changes, tally, { contactId: survivor.contactId, platform, before: kept, after });
  await writeRuns(tx, botId, changes);
}
