/** Drops redelivered events of deleted contacts: they count nothing, add no contact, and are removed from their deliveries. */
import type { Transaction } from '../database/client.ts';
import type { IncomingEvent, StoredEvent } from '../events/store.ts';
import { unindexPerson } from '../inbox/delivery-people.ts';
import { deleteDeliveries, eraseFromDeliveries } from '../inbox/erasure.ts';
import type { ByPlatform } from '../platforms/by-platform.ts';

/** Separates redelivered events of deleted contacts. */
export function splitDeleted(
  incoming: readonly IncomingEvent[],
  storedEvents: ByPlatform<StoredEvent>,
): { present: readonly IncomingEvent[]; ofDeleted: readonly IncomingEvent[] } {
  const isOfDeleted = ({ platform, key }: IncomingEvent) =>
    storedEvents.get(platform, key)?.isOfDeleted === true;
  const ofDeleted = storedEvents.size === 0 ? [] : incoming.filter(isOfDeleted);
  const present = ofDeleted.length === 0 ? incoming : incoming.filter((event) => !isOfDeleted(event));
  return { present, ofDeleted };
}

/** Deletes deliveries that hold nothing else, and removes the items that name the people from the others. */
export async function eraseDeleted(
  tx: Transaction,
  botId: string,
  {
    present,
    ofDeleted,
    refused,
  }: {
    present: readonly IncomingEvent[];
    ofDeleted: readonly IncomingEvent[];
    refused: readonly { deliveryId: number }[];
  },
): Promise<void> {
  const others = new Set([...present, ...refused].map(({ deliveryId }) => deliveryId));
  const deliveryIds = [...new Set(ofDeleted.flatMap(({ deliveryId }) => deliveryId ?? []))];
  await deleteDeliveries(
    tx,
    botId,
    deliveryIds.filter((deliveryId) => !others.has(deliveryId)),
  );
  for (const [platform, events] of Map.groupBy(ofDeleted, (event) => event.platform)) {
    const ids = new Set(
      events.flatMap(({ contact, contactAlias }) => [contact ?? [], contactAlias ?? []].flat()),
    );
    const named = { platform, ids: [...ids], deliveryIds };
    await eraseFromDeliveries(tx, botId, named);
    await unindexPerson(tx, botId, named);
  }
}
