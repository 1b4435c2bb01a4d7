/**
 * Watches whether the database answers, so that no call waits for a database that is connected and silent.
 *
 * A connection of its own runs `select 1` every second. Without an answer in time the waiting calls fail, and further calls fail
 * at once, so that none pile up. After a longer silence the connections are dropped: a database that has gone for good would
 * keep them. Calls of a slow but answering database go on.
 */
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import type { Sql } from './client.ts';
import { databaseSilent } from './outage.ts';

const pauseMs = 1_000;
const silentMsUsual = 3_000;
/** Silent beats in a row after which the connections are dropped. */
const dropAfter = 3;

export type HeartbeatOptions = {
  /** Opens a client with one connection. */
  open(): Sql;
  dropConnections(): void;
  silentMs?: number;
};

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #waiting = new Set<(error: Error) => void>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #client: Sql | null = null;
  #silentBeats = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** The outcome of the call. Rejects when the database falls silent before it ends; the call itself goes on. */
  answered<T>(call: () => T | PromiseLike<T>): Promise<T> {
    if (this.#silentBeats > 0) return Promise.reject(databaseSilent());
    // All calls of the APIs come here, and a race of promises costs more than twice as much.
    return new Promise((resolve, reject) => {
      const outcome = Promise.resolve(call());
      this.#waiting.add(reject);
      outcome.then(
        (value) => {
          this.#waiting.delete(reject);
          resolve(value);
        },
        (error: unknown) => {
          this.#waiting.delete(reject);
          reject(error);
        },
      );
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#beat();
      await pause(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #beat(): Promise<void> {
    this.#client ??= this.#options.open();
    const outcome = Promise.withResolvers<'answered' | 'failed' | 'silent'>();
    this.#client`select 1`.then(
      () => outcome.resolve('answered'),
      () => outcome.resolve('failed'),
    );
    const late = setTimeout(async () => {
      // An answer that arrived while this process was busy is read first.
      await turn();
      await turn();
      outcome.resolve('silent');
    }, this.#options.silentMs ?? silentMsUsual);
    const abort = () => outcome.resolve('failed');
    this.#stop.signal.addEventListener('abort', abort, { once: true });
    const result = await outcome.promise;
    clearTimeout(late);
    this.#stop.signal.removeEventListener('abort', abort);
    if (result !== 'answered') await this.#close();
    if (result !== 'silent') {
      // Calls of a database that cannot be reached fail by themselves.
      this.#silentBeats = 0;
      return;
    }
    this.#silentBeats += 1;
    for (const reject of this.#waiting) reject(databaseSilent());
    if (this.#silentBeats === dropAfter) this.#options.dropConnections();
  }

  async #close(): Promise<void> {
    await this.#client?.end({ timeout: 0 });
    this.#client = null;
  }
}
