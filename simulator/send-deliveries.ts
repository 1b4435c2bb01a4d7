/**
 * Sends deliveries over HTTP as the platforms do: several at a time, each repeated until the answer is 200, up to a limit.
 *
 * The answer to a forged delivery must be 401. Any other result is a loss, like a genuine delivery without a 200.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { minuteMs, secondMs } from '../src/time.ts';
import type { Delivery } from './events/delivery.ts';

export type Outcome = {
  /** Genuine deliveries with answer 200. */
  accepted: number;
  /** Forged deliveries with answer 401. */
  refused: number;
  /** Repeated requests. */
  resent: number;
  lost: number;
};

type Sending = {
  /** The server's address: `http://127.0.0.1:8080`. */
  address: string;
  botId: string;
  connections?: number;
  /** Most requests for one delivery. */
  attemptsMax?: number;
  /** Called after each completed delivery. */
  onDone?: (outcome: Readonly<Outcome>) => void;
  /** Stops before the next request. */
  signal?: AbortSignal;
};

const firstPauseMs = 50;
const pauseMaxMs = 5 * secondMs;
const answerMsMax = minuteMs;

/** Sends the deliveries, roughly in order. Never throws for an answer or a broken connection. */
export async function sendDeliveries(deliveries: readonly Delivery[], sending: Sending): Promise<Outcome> {
  const outcome: Outcome = { accepted: 0, refused: 0, resent: 0, lost: 0 };
  const queue = deliveries.values();
  const connections = Math.min(sending.connections ?? 20, deliveries.length);
  const connection = async () => {
    for (const delivery of queue) {
      if (sending.signal?.aborted) return;
      await sendOne(delivery, sending, outcome);
      sending.onDone?.(outcome);
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  return outcome;
}

async function sendOne(delivery: Delivery, sending: Sending, outcome: Outcome): Promise<void> {
  const { attemptsMax = 10 } = sending;
  const expectedStatus = delivery.isForged ? 401 : 200;
  for (let attempt = 1; attempt <= attemptsMax && !sending.signal?.aborted; attempt += 1) {
    if (attempt > 1) {
      outcome.resent += 1;
      await pauseBefore(attempt, sending.signal);
    }
    if ((await post(delivery, sending)) === expectedStatus) {
      outcome[delivery.isForged ? 'refused' : 'accepted'] += 1;
      return;
    }
  }
  outcome.lost += 1;
}

async function pauseBefore(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  const ms = Math.min(firstPauseMs * 2 ** (attempt - 2), pauseMaxMs);
  await pause(ms, null, { signal }).catch(() => null);
}

/** The status of the answer; null: no answer. */
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
