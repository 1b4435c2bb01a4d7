/**
 * Sends deliveries over HTTP as the platforms do: many at a time, each again until it is answered 200, up to a bound.
 *
 * A forged delivery must be answered 401; anything else counts as lost, as does a true one that never got its 200.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { minuteMs, secondMs } from '../src/time.ts';
import type { Delivery } from './platforms.ts';

export type Outcome = {
  /** True deliveries answered 200. */
  accepted: number;
  /** Forged deliveries answered 401. */
  refused: number;
  /** Requests that were sent again. */
  resent: number;
  lost: number;
};

export type Sending = {
  /** Where the server listens: `http://127.0.0.1:8080`. */
  address: string;
  botId: string;
  connections?: number;
  /** Requests for one delivery at most. */
  attemptsMax?: number;
  /** Called after each delivery that is done with. */
  onDone?: (outcome: Readonly<Outcome>) => void;
  /** Stops before the next request; what was not sent yet is left out. */
  signal?: AbortSignal;
};

const pauseFirstMs = 50;
const pauseMaxMs = 5 * secondMs;
const answerMsMax = minuteMs;

/** Sends the deliveries, roughly in order. Gives what became of them; never throws for an answer or a broken connection. */
export async function deliver(deliveries: readonly Delivery[], sending: Sending): Promise<Outcome> {
  const outcome: Outcome = { accepted: 0, refused: 0, resent: 0, lost: 0 };
  const waiting = deliveries.values();
  const connections = Math.min(sending.connections ?? 20, deliveries.length);
  const connection = async () => {
    for (const delivery of waiting) {
      if (sending.signal?.aborted) return;
      await deliverOne(delivery, sending, outcome);
      sending.onDone?.(outcome);
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  return outcome;
}

async function deliverOne(delivery: Delivery, sending: Sending, outcome: Outcome): Promise<void> {
  const { attemptsMax = 10 } = sending;
  const wanted = delivery.forged ? 401 : 200;
  for (let attempt = 1; attempt <= attemptsMax && !sending.signal?.aborted; attempt += 1) {
    if (attempt > 1) {
      outcome.resent += 1;
      await pauseBefore(attempt, sending.signal);
    }
    if ((await post(delivery, sending)) === wanted) {
      outcome[delivery.forged ? 'refused' : 'accepted'] += 1;
      return;
    }
  }
  outcome.lost += 1;
}

async function pauseBefore(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  const ms = Math.min(pauseFirstMs * 2 ** (attempt - 2), pauseMaxMs);
  await pause(ms, null, { signal }).catch(() => null);
}

/** The status of the answer; null when none came. */
async function post(delivery: Delivery, { address, botId }: Sending): Promise<number | null> {
  try {
    const response = await fetch(`${address}/webhooks/${botId}/${delivery.platform}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        [delivery.header.name]: delivery.header.value,
      },
      body: Buffer.from(delivery.body),
      signal: AbortSignal.timeout(answerMsMax),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return null;
  }
}
