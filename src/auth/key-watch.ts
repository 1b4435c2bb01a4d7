/**
 * Watches the secret key of a running server: follows a rotation, and reports credentials that no key of this process opens.
 */

import type { pino } from 'pino';
import { boundedCache } from '../bounded-cache.ts';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { type Clock, minuteMs } from '../time.ts';
import type { Keys } from './keys.ts';
import { allBoxes, unsealOrNull } from './sealed-boxes.ts';
import { matchKeys } from './secret-key.ts';

type Sources = { sql: Sql; keys: Keys; clock: Clock; log: Pick<pino.Logger, 'error'> };

/** Each delivery of a channel fails the same way, so one line a minute is enough. */
const repeatPauseMs = minuteMs;
const channelsMax = 1_000;

export class KeyWatch {
  readonly #sources: Sources;
  readonly #recent = boundedCache<string, true>(channelsMax, { ttl: repeatPauseMs });
  #reported = new Set<string>();
  #problem: string | null = null;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** Credentials that could not be opened at the last check. */
  get unreadable(): number {
    return this.#reported.size;
  }

  /** Logs that a channel cannot be used, at most once a minute for each. */
  report(channel: { botId: string; platform: string }, problem: string): void {
    const name = `${channel.platform} ${channel.botId}`;
    if (this.#recent.has(name)) return;
    this.#recent.set(name, true);
    this.#sources.log.error(channel, problem);
  }

  /** Uses the new key of a rotation. Returns the problem of the key, and logs it once; null: none. */
  async followKey(): Promise<string | null> {
    const { sql, keys, clock, log } = this.#sources;
    try {
      await matchKeys(sql, keys, clock());
      this.#problem = null;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (this.#problem === null) log.error(error.message);
      this.#problem = error.message;
    }
    return this.#problem;
  }

  /** Tries every credential, and reports each unreadable one once. */
  async tryCredentials(): Promise<void> {
    const { sql, keys, clock, log } = this.#sources;
    const unreadable = new Set<string>();
    for await (const boxes of allBoxes(sql, clock())) {
      for (const box of boxes) {
        if (unsealOrNull(keys, box) !== null) continue;
        const { botId, platform, column } = box.place;
        const name = `${botId} ${platform} ${column}`;
        unreadable.add(name);
        if (this.#reported.has(name)) continue;
        log.error(
          { botId, platform, credential: column },
          'a credential cannot be opened with the secret key; set it again',
        );
      }
    }
    this.#reported = unreadable;
  }
}
