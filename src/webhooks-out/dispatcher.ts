/**
 * The sender: tells pending notices until none is due, then looks again.
 *
 * Slots bound what is under way in this process: so many in all, so many for one bot. A bot has one slot until its receiver has
 * answered with a quick success; those whose last answer was none (their standing is poor) have half of all slots together. So
 * receivers that are slow or dead take nothing from those that work.
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
import { judge, type Standing, type Verdict } from './retries.ts';

export type SenderOptions = {
  gate: Gate;
  keys: Keys;
  clock: Clock;
  random: Random;
  log: Pick<Logger, 'error'>;
  /** Told of each attempt. */
  attempted(outcome: Verdict['kind']): void;
  /** A whole attempt may take so long; the specification advises 15 to 30 s. */
  attemptMsMax?: number;
};

const attemptMsDefault = 15_000;
const slotsMax = 64;
const poorSlotsMax = slotsMax / 2;
const botSlotsMax = 4;
const lookMs = 250;
/** Slots that come free within this time share one look. */
const gatherMs = 10;
const retryMsMax = 5_000;
const botsLookedAtMax = 1_000;
/** Attempts under way at the end get this long; then they are given back. */
const graceMs = 3_000;

export class Sender {
  readonly #sql: Sql;
  readonly #options: SenderOptions;
  readonly #agents: Agents;
  readonly #ending = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  /** Attempts under way by bot, and those among all that began with a poor standing. */
  readonly #slots = new Map<string, number>();
  #poorSlots = 0;
  #stopped = false;
  #poll: Poll | undefined;

  constructor(sql: Sql, options: SenderOptions) {
    this.#sql = sql;
    this.#options = options;
    this.#agents = new Agents(options.gate);
  }

  /** Starts. Errors of the database are logged and tried again, with growing pauses. */
  start(): void {
    const step = async () => {
      await pause(gatherMs);
      await this.#beginDue();
    };
    const { log } = this.#options;
    this.#poll = new Poll(step, { name: 'webhook dispatch', pauseMs: lookMs, retryMsMax, log });
  }

  /** Tells what is due now and waits for the answers; gives the number of attempts begun. */
  async sendDue(): Promise<number> {
    const begun = await this.#beginDue();
    await Promise.all(this.#underWay);
    return begun;
  }

  /** Ends: attempts under way may finish within moments, the others are given back and come again. Safe to call twice. */
  readonly stop = once(async () => {
    this.#stopped = true;
    const late = setTimeout(() => this.#ending.abort(), graceMs);
    await this.#poll?.stop();
    await Promise.all(this.#underWay);
    clearTimeout(late);
    this.#agents.close();
  });

  async #beginDue(): Promise<number> {
    const now = this.#options.clock();
    let begun = 0;
    for (const { botId, standing } of await botsWithDue(this.#sql, { now, limit: botsLookedAtMax })) {
      const countMax = this.#room(botId, standing);
      if (countMax <= 0 || this.#stopped) continue;
      for (const claim of await claimDue(this.#sql, botId, { now, countMax })) {
        this.#begin(claim);
        begun += 1;
      }
    }
    return begun;
  }

  /** Attempts that may begin for the bot now. */
  #room(botId: string, standing: Standing): number {
    const own = this.#slots.get(botId) ?? 0;
    const left = slotsMax - this.#underWay.size;
    if (standing === 'good') return Math.min(botSlotsMax - own, left);
    return Math.min(1 - own, left, standing === 'poor' ? poorSlotsMax - this.#poorSlots : left);
  }

  #begin(claim: Claim): void {
    const { botId } = claim;
    const poorSlots = claim.standing === 'poor' ? 1 : 0;
    this.#slots.set(botId, (this.#slots.get(botId) ?? 0) + 1);
    this.#poorSlots += poorSlots;
    const attempt = this.#attempt(claim)
      .catch((error: unknown) => {
        // The lease runs out, and the notice is told again.
        this.#options.log.error(
          { err: error, botId, noticeId: claim.noticeId },
          'an attempt was not recorded',
        );
      })
      .finally(() => {
        this.#underWay.delete(attempt);
        const left = (this.#slots.get(botId) ?? 1) - 1;
        if (left > 0) this.#slots.set(botId, left);
        else this.#slots.delete(botId);
        this.#poorSlots -= poorSlots;
        this.#poll?.wake();
      });
    this.#underWay.add(attempt);
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
      signal: this.#ending.signal,
    }).catch((error: unknown) => {
      if (this.#ending.signal.aborted) return null;
      throw error;
    });
    if (answer === null) return releaseClaim(this.#sql, claim);
    const now = clock();
    const verdict = judge(answer, { attempts: claim.attempts + 1, since: claim.since, now }, random);
    await recordAttempt(this.#sql, claim, { answer, verdict, attemptedAt, now });
    if (verdict.kind === 'given-up' && verdict.isGone) {
      await disableCallback(this.#sql, { botId: claim.botId, url: claim.url, now });
    }
    attempted(verdict.kind);
  }
}
