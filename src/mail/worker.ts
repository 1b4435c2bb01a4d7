/**
 * Sends the waiting e-mails, a few at a time.
 */
import type { Logger } from 'pino';
import type { Keys } from '../auth/keys.ts';
import type { Sql } from '../database/client.ts';
import { logFailure } from '../database/outage.ts';
import { Poll } from '../database/poll.ts';
import { once } from '../once.ts';
import { type Clock, secondMs } from '../time.ts';
import { composeMail } from './message.ts';
import { type Claim, claimMails, endMail, openMail, recordDelivery, recordTransfer } from './queue.ts';
import type { MailSettings } from './settings.ts';
import { transferMail } from './smtp.ts';

export type MailWorkerOptions = {
  sql: Sql;
  settings: MailSettings;
  keys: Keys;
  clock: Clock;
  log: Pick<Logger, 'error' | 'warn'>;
};

const lookMs = 2 * secondMs;
const retryMsMax = 10 * secondMs;
const atOnceMax = 4;

export class MailWorker {
  readonly #options: MailWorkerOptions;
  readonly #stopping = new AbortController();
  #poll: Poll | undefined;

  constructor(options: MailWorkerOptions) {
    this.#options = options;
  }

  start(): void {
    const step = async () => ((await this.sendDue()) > 0 ? 0 : lookMs);
    const { log } = this.#options;
    this.#poll = new Poll(step, { name: 'the dispatch of e-mails', pauseMs: lookMs, retryMsMax, log });
  }

  /** Sends due mails. Returns the number of attempts. */
  async sendDue(): Promise<number> {
    const { sql, clock } = this.#options;
    const claims = await claimMails(sql, { now: clock(), limit: atOnceMax });
    const attempt = (claim: Claim) =>
      this.#attempt(claim).catch((error: unknown) =>
        // The claim expires, and the mail is sent again.
        logFailure(this.#options.log, error, 'an attempt to send an e-mail was not recorded'),
      );
    await Promise.all(claims.map(attempt));
    return claims.length;
  }

  /** A transfer that has begun may end within a few seconds; the others are repeated later. Safe to call twice. */
  readonly stop = once(async () => {
    this.#stopping.abort(new Error('the process stops'));
    await this.#poll?.stop();
  });

  async #attempt(claim: Claim): Promise<void> {
    const { sql, settings, keys, clock, log } = this.#options;
    const { mailId, kind, nonce, createdAt, expiresAt, isRepeated } = claim;
    const giveUp = (problem: string) => {
      log.error({ mailId, kind, problem }, 'an e-mail was given up');
      return endMail(sql, mailId, { outcome: 'given-up', problem, now: clock() });
    };
    if (expiresAt.getTime() <= clock()) return giveUp('It could not be sent in time.');
    const content = openMail(keys, claim);
    if (content === null) return giveUp('The secret key that encrypted it is gone.');
    if (isRepeated) {
      log.warn(
        { mailId, kind },
        'an e-mail is sent again with the same Message-ID, because the result of its last transfer is unknown',
      );
    }
    const message = await composeMail(content, { from: settings.from, id: nonce, at: createdAt });
    const delivery = await transferMail(
      settings,
      { to: content.to, message },
      {
        signal: this.#stopping.signal,
        async beginTransfer() {
          if (!(await recordTransfer(sql, claim, clock()))) throw new LostClaim();
        },
      },
    ).catch((error: unknown) => {
      if (error instanceof LostClaim || this.#stopping.signal.aborted) return null;
      throw error;
    });
    if (delivery === null) return;
    if (delivery.kind !== 'sent') {
      log.error({ mailId, kind, problem: delivery.problem }, 'an e-mail was not sent');
    }
    await recordDelivery(sql, claim, delivery, clock());
  }
}

/** Another process has the mail. */
class LostClaim extends Error {}
