/** Deliveries of simulated events in the worst order. */
import type { Shipping } from '../../simulator/deliveries.ts';

/** Any order, every second event sent twice. */
export const wildShipping: Shipping = {
  batchMax: 30,
  repeatShare: 0.5,
  delayMax: Number.MAX_SAFE_INTEGER,
  forgedShare: 0.02,
};
