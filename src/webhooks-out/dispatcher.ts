/**
 * The dispatcher: sends due webhook messages, then looks again.
 *
 * Slots bound the attempts of this process, in all and for each bot. A bot has one slot until its receiver answers with a quick
 * success. Receivers in poor health share half of all slots. Slow or dead receivers therefore take no capacity from healthy ones.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Keys } from '../auth/keys.ts';
import type { Sql } from '../database/client.ts';
import { Poll } from '../database/poll.ts';
import { once } from '../once.ts';
import type { Random } from '../random.ts';
import type { Clock } from '../time.ts';
import type { Gate } from './addresses.ts';
import { disableCallback } from './endpoints.ts';
import { Agents, post } from './post.ts';
import { botsWithDue, type Claim, claimDue, recordAttempt, releaseClaim } from './queue.ts';
import { type Health, judge, type Verdict } from './retries.ts';

export type DispatcherOptions = {
  gate: Gate;
  keys: Keys;
  clock: Clock;
  random: Random;
  log: Pick<Logger, 'error'>;
  /** Called after each attempt. */
  attempted(outcome: Verdict['kind']): void;
  /** Of a whole attempt; the specification advises 15 to 30 s. */
  attemptMsMax?: number;
};

const attemptMsDefault = 15_000;
const slotsMax = 64;
const poorSlotsMax = slotsMax / 2;
const botSlotsMax = 4;
const lookMs = 250;
/** Slots that become free within this time share one look. */
const gatherMs = 10;
const retryMsMax = 5_000;
const botsLookedAtMax = 1_000;
/** Running attempts may finish within this time after the stop. Then they are aborted and released. */
const graceMs = 3_000;

export class Dispatcher {
  readonly #sql: Sql;
  readonly #options: DispatcherOptions;
  readonly #agents: Agents;
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();
  /** Running attempts by bot, and those of all bots in poor health. */
  readonly #slots = new Map<string, number>();
  #poorSlots = 0;
  #isStopped = false;
  #poll: Poll | undefined;

  constructor(sql: Sql, options: DispatcherOptions) {
    this.#sql = sql;
    this.#options = options;
    this.#agents = new Agents(options.gate);
  }

  /** Starts. Errors of the database are logged and retried with growing pauses. */
  start(): void {
    const step = async () => {
      await pause(gatherMs);
      await this.#beginDue();
    };
    const { log } = this.#options;
    this.#poll = new Poll(step, { name: 'webhook dispatch', pauseMs: lookMs, retryMsMax, log });
  }

  /** Sends the due messages and waits for the answers. Returns the number of attempts. */
  async dispatchDue(): Promise<number> {
    const count = await this.#beginDue();
    await Promise.all(this.#running);
    return count;
  }

  /** Stops. Running attempts may finish within a few seconds; the others are released and repeated later. Safe to call twice. */
  readonly stop = once(async () => {
    this.#isStopped = true;
    const late = setTimeout(() => this.#abort.abort(), graceMs);
    await this.#poll?.stop();
    await Promise.all(this.#running);
    clearTimeout(late);
    this.#agents.close();
  });

  async #beginDue(): Promise<number> {
    const now = this.#options.clock();
    let count = 0;
    for (const { botId, health } of await botsWithDue(this.#sql, { now, limit: botsLookedAtMax })) {
      const countMax = this.#freeSlots(botId, health);
      if (countMax <= 0 || this.#isStopped) continue;
      for (const claim of await claimDue(this.#sql, botId, { now, countMax })) {
        this.#begin(claim);
        count += 1;
      }
    }
    return count;
  }

  /** Attempts that may begin for the bot now. */
  #freeSlots(botId: string, health: Health): number {
    const botSlots = this.#slots.get(botId) ?? 0;
    const free = slotsMax - this.#running.size;
    if (health === 'good') return Math.min(botSlotsMax - botSlots, free);
    return Math.min(1 - botSlots, free, health === 'poor' ? poorSlotsMax - this.#poorSlots : free);
  }

  #begin(claim: Claim): void {
    const { botId } = claim;
    const poorSlots = claim.health === 'poor' ? 1 : 0;
    this.#slots.set(botId, (this.#slots.get(botId) ?? 0) + 1);
    this.#poorSlots += poorSlots;
    const attempt = this.#attempt(claim)
      .catch((error: unknown) => {
        // The lease expires, and the message is sent again.
        this.#options.log.error(
          { err: error, botId, noticeId: claim.noticeId },
          'a webhook attempt was not recorded',
        );
      })
      .finally(() => {
        this.#running.delete(attempt);
        const botSlots = (this.#slots.get(botId) ?? 1) - 1;
        if (botSlots > 0) this.#slots.set(botId, botSlots);
        else this.#slots.delete(botId);
        this.#poorSlots -= poorSlots;
        this.#poll?.wake();
      });
    this.#running.add(attempt);
  }

  async #attempt(claim: Claim): Promise<void> {
    const { gate, keys, clock, random, attempted, attemptMsMax = attemptMsDefault } = this.#options;
    const attemptedAt = clock();
    const answer = await post(claim, {
      agents: this.#agents,
      gate,
      keys,
      now: attemptedAt,
      msMax: attemptMsMax,
      signal: this.#abort.signal,
    }).catch((error: unknown) => {
      if (this.#abort.signal.aborted) return null;
      throw error;
    });
    if (answer === null) return releaseClaim(this.#sql, claim);
    const now = clock();
    const verdict = judge(
      answer,
      { attempts: claim.attempts + 1, since: claim.since.getTime(), now },
      random,
    );
    await recordAttempt(this.#sql, claim, { answer, verdict, attemptedAt, now });
    if (verdict.kind === 'given-up' && verdict.isGone) {
      await disableCallback(this.#sql, { botId: claim.botId, url: claim.url, now });
    }
    attempted(verdict.kind);
  }
}
