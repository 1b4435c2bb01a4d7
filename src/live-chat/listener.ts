/**
 * The one LISTEN connection of a process. What is told while it is lost is never heard, so whoever listens is told when it is
 * there again, and reads from the tables what it has missed.
 *
 * A connection can be dead without a sign of it. So the listener tells itself something now and then; when that is not heard
 * the connection counts as lost.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Sql } from '../database/client.ts';
import { logFailure } from '../database/outage.ts';
import { once } from '../once.ts';
import { readSignals, type Signal, signalChannel } from './signals.ts';

export type ListenerOptions = {
  /** Opens a bare client; `lost` is called at the first sign that its connection is ending. */
  open(lost: () => void): Sql;
  /** For what the listener tells itself. */
  sql: Sql;
  processId: string;
  heard(signals: Signal[]): void;
  /** The connection is there again after it was lost; signals before this may have been missed. */
  regained(): void;
  log: Pick<Logger, 'error' | 'warn'>;
  /** How often it is tried out. */
  checkMs?: number;
};

const checkMsDefault = 15_000;
const retryMsMax = 2_000;
const endSecondsMax = 1;

export class Listener {
  readonly #options: ListenerOptions;
  readonly #stop = new AbortController();
  #lost = Promise.withResolvers<void>();
  /** The last thing told to itself was heard. */
  #isHeard = true;
  #done: Promise<void> = Promise.resolve();

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Listens from when this resolves. Throws when the first connection fails; later ones are tried for ever. */
  async start(): Promise<void> {
    const first = await this.#connect();
    this.#done = this.#keep(first);
  }

  /** Ends. Safe to call twice. */
  readonly stop = once(async () => {
    this.#stop.abort();
    this.#lost.resolve();
    await this.#done;
  });

  async #keep(first: Sql): Promise<void> {
    const { signal } = this.#stop;
    // A client that came just as it was to stop is ended, too.
    for (let client: Sql | null = first; client !== null; ) {
      if (!signal.aborted) await this.#untilLost();
      await client.end({ timeout: endSecondsMax }).catch(() => undefined);
      if (signal.aborted) return;
      this.#options.log.warn('the connection for live chat was lost');
      client = await this.#reconnect();
      if (client !== null && !signal.aborted) this.#options.regained();
    }
  }

  async #untilLost(): Promise<void> {
    const checks = setInterval(() => this.#check(), this.#options.checkMs ?? checkMsDefault).unref();
    await this.#lost.promise;
    clearInterval(checks);
  }

  /** Null: it is to stop. */
  async #reconnect(): Promise<Sql | null> {
    for (let attempt = 0; !this.#stop.signal.aborted; attempt += 1) {
      try {
        return await this.#connect();
      } catch (error) {
        if (attempt === 0) logFailure(this.#options.log, error, 'live chat cannot listen; trying again');
        await pause(Math.min(retryMsMax, 100 * 2 ** attempt));
      }
    }
    return null;
  }

  async #connect(): Promise<Sql> {
    const lost = Promise.withResolvers<void>();
    const client = this.#options.open(() => lost.resolve());
    try {
      const failed = lost.promise.then(() => Promise.reject(new Error('the connection was lost')));
      await Promise.race([client.listen(signalChannel, (payload) => this.#hear(payload)), failed]);
    } catch (error) {
      await client.end({ timeout: endSecondsMax }).catch(() => undefined);
      throw error;
    }
    this.#lost = lost;
    this.#isHeard = true;
    return client;
  }

  #hear(payload: string): void {
    if (payload === this.#options.processId) this.#isHeard = true;
    else if (payload.startsWith('[')) this.#options.heard(readSignals(payload));
  }

  #check(): void {
    if (!this.#isHeard) {
      this.#lost.resolve();
      return;
    }
    this.#isHeard = false;
    const { sql, processId } = this.#options;
    // When the database is away the connection is lost, too, and tells by itself.
    sql`select pg_notify(${signalChannel}, ${processId})`.catch(() => {
      this.#isHeard = true;
    });
  }
}
