/**
 * The LISTEN connection of a process. Notifications during an interruption are lost, so `onReconnect` lets the hub read what it
 * missed from the tables.
 *
 * A dead connection may give no error. The listener therefore notifies itself regularly. A missing notification counts as a lost
 * connection.
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
  /** Sends the listener's own notifications. */
  sql: Sql;
  processId: string;
  onSignals(signals: Signal[]): void;
  /** The connection was lost and is open again. Earlier signals may be lost. */
  onReconnect(): void;
  log: Pick<Logger, 'error' | 'warn'>;
  /** Between two checks of the connection. */
  checkMs?: number;
};

const checkMsDefault = 15_000;
const retryMsMax = 2_000;
const endSecondsMax = 1;

export class Listener {
  readonly #options: ListenerOptions;
  readonly #stop = new AbortController();
  #lost = Promise.withResolvers<void>();
  /** The last own notification arrived. */
  #isAlive = true;
  #done: Promise<void> = Promise.resolve();

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Listens once it resolves. Throws if the first connection fails; later ones are retried forever. */
  async start(): Promise<void> {
    const first = await this.#connect();
    this.#done = this.#keep(first);
  }

  /** Stops. Safe to call twice. */
  readonly stop = once(async () => {
    this.#stop.abort();
    this.#lost.resolve();
    await this.#done;
  });

  async #keep(first: Sql): Promise<void> {
    const { signal } = this.#stop;
    // Also ends a client that connected during the stop.
    for (let client: Sql | null = first; client !== null; ) {
      if (!signal.aborted) await this.#untilLost();
      await client.end({ timeout: endSecondsMax }).catch(() => undefined);
      if (signal.aborted) return;
      this.#options.log.warn('the connection for live chat was lost');
      client = await this.#reconnect();
      if (client !== null && !signal.aborted) this.#options.onReconnect();
    }
  }

  async #untilLost(): Promise<void> {
    const checks = setInterval(() => this.#check(), this.#options.checkMs ?? checkMsDefault).unref();
    await this.#lost.promise;
    clearInterval(checks);
  }

  /** Null: the listener stops. */
  async #reconnect(): Promise<Sql | null> {
    for (let attempt = 0; !this.#stop.signal.aborted; attempt += 1) {
      try {
        return await this.#connect();
      } catch (error) {
        if (attempt === 0) logFailure(this.#options.log, error, 'live chat cannot listen, retrying');
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
      await Promise.race([client.listen(signalChannel, (payload) => this.#onNotification(payload)), failed]);
    } catch (error) {
      await client.end({ timeout: endSecondsMax }).catch(() => undefined);
      throw error;
    }
    this.#lost = lost;
    this.#isAlive = true;
    return client;
  }

  #onNotification(payload: string): void {
    if (payload === this.#options.processId) this.#isAlive = true;
    else if (payload.startsWith('[')) this.#options.onSignals(readSignals(payload));
  }

  #check(): void {
    if (!this.#isAlive) {
      this.#lost.resolve();
      return;
    }
    this.#isAlive = false;
    const { sql, processId } = this.#options;
    // If PostgreSQL is unavailable, the connection reports its own loss.
    sql`select pg_notify(${signalChannel}, ${processId})`.catch(() => {
      this.#isAlive = true;
    });
  }
}
