/** A send as listLineSends answers it, and why something of it is not known. */
import { dayMs } from '../../../src/time.ts';

export type Send = {
  requestId: string;
  kind: 'push' | 'multicast' | 'broadcast' | 'narrowcast' | 'reply';
  unit: string | null;
  sentAt: string;
  recipients: number | null;
  delivered: number | null;
  opened: number | null;
  clicked: number | null;
  /** When LINE told delivered, opened and clicked; null: it has not. */
  toldAt: string | null;
  ownClicks: number | null;
  ownClickers: number | null;
};
export type Sends = { sends: readonly Send[]; nextCursor: string | null };

/** Why LINE's figure is not known. */
export type Reason = 'notOneByOne' | 'notToldYet' | 'tooFew';

/** LINE counts on for so long after a send. */
const countedMs = 14 * dayMs;

/** Why opened or clicked of a send is null. */
export function reasonOf({ kind, toldAt }: Send): Reason {
  if (kind !== 'broadcast' && kind !== 'narrowcast') return 'notOneByOne';
  return toldAt === null ? 'notToldYet' : 'tooFew';
}

/** Until when LINE counts what people do with a send (ISO 8601). */
export function countedUntil({ sentAt }: Send): string {
  return new Date(Date.parse(sentAt) + countedMs).toISOString();
}
