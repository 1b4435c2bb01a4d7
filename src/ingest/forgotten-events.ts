/**
 * What a batch tells once more of people who were forgotten (forget.ts): it counts no second time, brings nobody back, and does
 * not stay in the deliveries that told it.
 */
import type { Transaction } from '../database/client.ts';
import type { IncomingEvent, KnownEvent } from '../events/store.ts';
import { unindexPerson } from '../inbox/delivery-people.ts';
import { deleteDeliveries, eraseFromDeliveries } from '../inbox/erasure.ts';
import type { ByPlatform } from '../platforms/by-platform.ts';
import type { ParsedBundle } from './batch.ts';

type Known = ByPlatform<KnownEvent>;

/** The events of a batch apart from those that are known and of somebody who was forgotten. */
export function splitForgotten(
  incoming: readonly IncomingEvent[],
  known: Known,
): { present: readonly IncomingEvent[]; gone: readonly IncomingEvent[] } {
  if (known.size === 0) return { present: incoming, gone: [] };
  const isGone = ({ platform, key }: IncomingEvent) => known.get(platform, key)?.forgotten === true;
  const gone = incoming.filter(isGone);
  return { gone, present: gone.length === 0 ? incoming : incoming.filter((event) => !isGone(event)) };
}

/** The bundles without reply tokens of people of whom nothing new is told. */
export function withoutForgotten(bundles: readonly ParsedBundle[], known: Known): readonly ParsedBundle[] {
  const { present, gone } = splitForgotten(
    bundles.flatMap((bundle) => bundle.incoming),
    known,
  );
  if (gone.length === 0) return bundles;
  const people = new Set(gone.map(({ contact }) => contact));
  for (const { contact } of present) people.delete(contact);
  return bundles.map((bundle) => ({
    ...bundle,
    tokens: bundle.tokens.filter(({ person }) => !people.has(person)),
  }));
}

/**
 * Takes out of deliveries what they tell once more: those in which nothing else stands go whole, of the others the items that
 * name the people.
 */
export async function eraseForgotten(
  tx: Transaction,
  botId: string,
  {
    present,
    gone,
    refused,
  }: {
    present: readonly IncomingEvent[];
    gone: readonly IncomingEvent[];
    refused: readonly { deliveryId: number }[];
  },
): Promise<void> {
  const others = new Set([...present, ...refused].map(({ deliveryId }) => deliveryId));
  const deliveryIds = [...new Set(gone.flatMap(({ deliveryId }) => deliveryId ?? []))];
  await deleteDeliveries(
    tx,
    botId,
    deliveryIds.filter((deliveryId) => !others.has(deliveryId)),
  );
  for (const [platform, events] of Map.groupBy(gone, (event) => event.platform)) {
    const ids = new Set(
      events.flatMap(({ contact, contactAlias }) => [contact ?? [], contactAlias ?? []].flat()),
    );
    const named = { platform, ids: [...ids], deliveryIds };
    await eraseFromDeliveries(tx, botId, named);
    await unindexPerson(tx, botId, named);
  }
}
