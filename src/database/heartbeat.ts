/**
 * Checks whether the database answers, so that no call waits for a database that is connected but silent.
 *
 * A separate connection runs `select 1` every second. If it gets no answer in time, all waiting calls fail, and new calls fail at
 * once. After a longer silence the connections are dropped, because a lost database would keep them open. Calls to a slow database
 * that answers continue.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Sql } from './client.ts';
import { databaseSilent } from './outage.ts';
import { Poll } from './poll.ts';
import { WaitingCalls } from './waiting-calls.ts';

const pauseMs = 1_000;
const silentMsUsual = 3_000;
/** Beats without an answer in a row, after which the connections are dropped. */
const dropAfter = 3;

export type HeartbeatOptions = {
  /** Opens a client with one connection. */
  open(): Sql;
  dropConnections(): void;
  log: Pick<Logger, 'error'>;
  silentMs?: number;
};

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #waiting = new WaitingCalls();
  readonly #stop = new AbortController();
  readonly #poll: Poll;
  #client: Sql | null = null;
  #silentBeats = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#poll = new Poll(() => this.#beat(), {
      name: 'the check of the database',
      pauseMs,
      log: options.log,
    });
  }

  /** Throws while the database is silent. */
  check(): void {
    if (this.#silentBeats > 0) throw databaseSilent();
  }

  /**
   * Settles like the call, or fails when the database becomes silent before. The call itself continues. `onFailure` decides about the
   * error of either: it throws, or returns a result.
   */
  answered<T>(call: Promise<T>, onFailure: (error: unknown) => T = rethrow): Promise<T> {
    // All calls of the APIs that wait come here, and a race of promises costs more than twice as much.
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.add((error) => {
        this.#waiting.remove(waiting);
        try {
          resolve(onFailure(error));
        } catch (failure) {
          reject(failure);
        }
      });
      call.then((value) => {
        this.#waiting.remove(waiting);
        resolve(value);
      }, waiting.fail);
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#poll.stop();
    await this.#close();
  }

  async #beat(): Promise<void> {
    this.#client ??= this.#options.open();
    const outcome = Promise.withResolvers<'answered' | 'failed' | 'silent'>();
    this.#client`select 1`.then(
      () => outcome.resolve('answered'),
      () => outcome.resolve('failed'),
    );
    const late = setTimeout(async () => {
      // Reads an answer that arrived while this process was busy.
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
      // Calls to an unreachable database fail without help.
      this.#silentBeats = 0;
      return;
    }
    this.#silentBeats += 1;
    this.#waiting.failAll(databaseSilent());
    if (this.#silentBeats === dropAfter) this.#options.dropConnections();
  }

  async #close(): Promise<void> {
    await this.#client?.end({ timeout: 0 });
    this.#client = null;
  }
}

function rethrow(error: unknown): never {
  throw error;
}
