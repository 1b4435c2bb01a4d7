/**
 * Signals that go out beside any transaction: typing, seen, who is there. Those that come while some are on their way go together.
 * They are news of the moment: what cannot be told now is told to the log and not again.
 */
import type { Logger } from 'pino';
import type { Sql } from '../database/client.ts';
import { logFailure } from '../database/outage.ts';
import { type Signal, sendSignals } from './signals.ts';

const waitingMax = 10_000;
const sentAtOnceMax = 500;

export class SignalQueue {
  readonly #sql: Sql;
  readonly #log: Pick<Logger, 'error'>;
  #waiting: Signal[] = [];
  #sending: Promise<void> | null = null;

  constructor(sql: Sql, log: Pick<Logger, 'error'>) {
    this.#sql = sql;
    this.#log = log;
  }

  send(...signals: readonly Signal[]): void {
    if (this.#waiting.length < waitingMax) this.#waiting.push(...signals);
    this.#sending ??= this.#run();
  }

  /** Waits until nothing is on its way. */
  async drain(): Promise<void> {
    while (this.#sending) await this.#sending;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const signals = this.#waiting.splice(0, sentAtOnceMax);
      await sendSignals(this.#sql, signals).catch((error: unknown) =>
        logFailure(this.#log, error, 'signals of live chat were lost'),
      );
    }
    this.#sending = null;
  }
}
