/** Delivered and read messages of a send; null: the platform does not report them. */
import type { Schema } from '../../api/client.ts';

type Send = Schema['Send'];

export function receiptsOf({ platform, delivered, read }: Send): {
  delivered: number | null;
  read: number | null;
} {
  const isReported = platform !== 'line' && platform !== 'liveChat';
  return isReported ? { delivered, read } : { delivered: null, read: null };
}
