/** A send of listLineSends, and the reasons for unknown figures. */
import { dayMs } from '../../../src/time.ts';
import type { Schema } from '../../api/client.ts';

export type Send = Schema['LineSends']['sends'][number];

/** Why LINE's figure is not known. */
export type Reason = 'broadcastsOnly' | 'notReportedYet' | 'tooFew';

/** How long LINE counts after a send. */
const countingMs = 14 * dayMs;

/** Why a send's opens or clicks are null. */
export function reasonOf({ kind, toldAt }: Send): Reason {
  if (kind !== 'broadcast' && kind !== 'narrowcast') return 'broadcastsOnly';
  return toldAt === null ? 'notReportedYet' : 'tooFew';
}

/** Until when LINE counts opens and clicks (ISO 8601). */
export function countedUntil({ sentAt }: Send): string {
  return new Date(Date.parse(sentAt) + countingMs).toISOString();
}
