/** A send as listLineSends answers it, and why something of it is not known. */
import { dayMs } from '../../../src/time.ts';
import type { Schema } from '../../api/client.ts';

export type Send = Schema['LineSends']['sends'][number];

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
