/**
 * Folds contacts from their whole history: those that lost an event, and those whose block state may differ after a batch.
 */
import type { Queryable } from '../database/client.ts';
import { eventsOfContacts } from '../events/contact-events.ts';
import { ByPlatform } from '../platforms/by-platform.ts';
import type { Event } from '../platforms/event.ts';
import { type BlockEvent, blockEvents, endOfLastBlock, foldBlocks } from './blocks.ts';
import type { Tally } from './counters.ts';
import {
  type BotChanges,
  type FoldedContact,
  firstFollow,
  foldFollows,
  followerKinds,
  setFollow,
  setReturned,
  tallyFollow,
} from './followers.ts';

/** The events of one bot in a batch, and the contacts that need their history. */
type Refold = BotChanges & { contacts: ReadonlySet<FoldedContact> };

/** Folds the contacts again. Reads their histories, so the events of the batch must be written. */
export async function refoldFollowers(sql: Queryable, refolds: readonly Refold[]): Promise<void> {
  const contacts = refolds.flatMap((bot) => [...bot.contacts]);
  if (contacts.length === 0) return;
  const events = await eventsOfContacts(sql, contacts, followerKinds);
  const histories = Map.groupBy(events, historyOf);
  for (const refold of refolds) refoldContacts(refold, histories);
}

/** The key of a contact's history. */
function historyOf({ botId, contactId }: { botId: string; contactId: string | null }): string {
  return `${botId} ${contactId}`;
}

function refoldContacts(
  { tally, newEvents, changes, contacts }: Refold,
  histories: ReadonlyMap<string, readonly Event[]>,
): void {
  const addedKeys = new ByPlatform<true>();
  for (const { platform, key } of [...newEvents, ...changes.map(({ after }) => after)])
    addedKeys.set(platform, key, true);
  const replacedEvents = changes.map(({ before }) => before);
  for (const person of contacts) {
    const history = histories.get(historyOf(person)) ?? [];
    const first = firstFollow(person);
    if (first !== null) tallyFollow(tally, person.platform, first, -1);
    setFollow(person, foldFollows(tally, person.platform, null, history));
    const earlier = history.filter(({ platform, key }) => !addedKeys.get(platform, key));
    const replaced = replacedEvents.filter((event) => event.person === person);
    setBlocks(tally, person, blockEvents([...earlier, ...replaced]), blockEvents(history));
  }
}

function setBlocks(
  tally: Tally,
  person: FoldedContact,
  before: readonly BlockEvent[],
  after: readonly BlockEvent[],
): void {
  const blocked = foldBlocks(tally, person.platform, before, after);
  const everBlocked = after.some(({ isBlock }) => isBlock);
  const end = endOfLastBlock(after);
  if (end !== null && !before.some(({ key }) => key === end.key)) setReturned(person);
  if (blocked === person.blocked && everBlocked === person.everBlocked) return;
  const blockedAt = after.reduce<number | null>((latest, { at }) => Math.max(latest ?? at, at), null);
  Object.assign(person, { blocked, everBlocked, blockedAt, isChanged: true });
}
