/**
 * Signals outside of transactions: typing, seen, online. Signals that arrive while others are being sent are sent together. They
 * describe the moment, so a signal that cannot be sent is logged or dropped and not repeated.
 */
import type { Logger } from 'pino';
import { Batcher } from '../batcher.ts';
import type { Sql } from '../database/client.ts';
import { logFailure } from '../database/outage.ts';
import { type Signal, sendSignals } from './signals.ts';

const waitingMax = 10_000;
const sentAtOnceMax = 500;

export class SignalQueue {
  readonly #batches: Batcher<Signal, void>;

  constructor(sql: Sql, log: Pick<Logger, 'error'>) {
    const send = async (signals: Signal[]) => {
      await sendSignals(sql, signals).catch((error: unknown) =>
        logFailure(log, error, 'signals of live chat were lost'),
      );
      return signals.map(() => undefined);
    };
    this.#batches = new Batcher(send, {
      runsMax: 1,
      batchCountMax: sentAtOnceMax,
      waitingCountMax: waitingMax,
    });
  }

  send(...signals: readonly Signal[]): void {
    // Rejects only when the queue is full.
    for (const signal of signals) this.#batches.put(signal).catch(() => undefined);
  }

  /** Waits until nothing is being sent. */
  drain(): Promise<void> {
    return this.#batches.drain();
  }
}
