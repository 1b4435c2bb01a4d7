/**
 * Reports alerts to their targets: e-mails through the queue of mails, webhooks signed as the others, and pushes of the bot on LINE.
 */
import type { Logger } from 'pino';
import type { Keys } from '../auth/keys.ts';
import { findBot } from '../bots/bots.ts';
import { findChannel } from '../bots/channels.ts';
import type { Sql } from '../database/client.ts';
import { logFailure } from '../database/outage.ts';
import { Poll } from '../database/poll.ts';
import { Refusal } from '../errors.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import { writeRecord } from '../line/send-records.ts';
import { enqueueMail } from '../mail/queue.ts';
import type { MailSettings } from '../mail/settings.ts';
import { once } from '../once.ts';
import type { Random } from '../random.ts';
import type { Sender } from '../sends/sender.ts';
import { type Clock, secondMs } from '../time.ts';
import type { Gate } from '../webhooks-out/addresses.ts';
import { Agents, postSigned } from '../webhooks-out/post.ts';
import {
  claimReports,
  type ReportClaim,
  type ReportResult,
  recordReport,
  releaseReport,
} from './report-queue.ts';
import { placeOf } from './targets.ts';
import { mailOf, payloadOf, textOf } from './texts.ts';

export type ReporterOptions = {
  sql: Sql;
  keys: Keys;
  clock: Clock;
  random: Random;
  log: Pick<Logger, 'error'>;
  gate: Gate;
  /** Null: e-mail is not configured. */
  mail: MailSettings | null;
  line: Pick<Sender, 'send'>;
  /** The public address of the server; null: unknown. */
  publicUrl: string | null;
  /** Called when a push on LINE is stored as a send. */
  onStored(botId: string): void;
};

const lookMs = 2 * secondMs;
const retryMsMax = 10 * secondMs;
const atOnceMax = 16;
const attemptMsMax = 15 * secondMs;

export class Reporter {
  readonly #options: ReporterOptions;
  readonly #agents: Agents;
  readonly #stopping = new AbortController();
  #poll: Poll | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#agents = new Agents(options.gate);
  }

  start(): void {
    const step = async () => ((await this.reportDue()) > 0 ? 0 : lookMs);
    const { log } = this.#options;
    this.#poll = new Poll(step, { name: 'the reporting of alerts', pauseMs: lookMs, retryMsMax, log });
  }

  /** Sends due reports. Returns the number of attempts. */
  async reportDue(): Promise<number> {
    const { sql, clock, log } = this.#options;
    const claims = await claimReports(sql, { now: clock(), limit: atOnceMax });
    await Promise.all(
      claims.map((claim) =>
        this.#report(claim).catch((error: unknown) =>
          // The claim expires, and the report is sent again with its key.
          logFailure(log, error, 'an attempt to report an alert was not recorded'),
        ),
      ),
    );
    return claims.length;
  }

  /** Ends running attempts, which are repeated later. Safe to call twice. */
  readonly stop = once(async () => {
    this.#stopping.abort(new Error('the process stops'));
    await this.#poll?.stop();
    this.#agents.close();
  });

  async #report(claim: ReportClaim): Promise<void> {
    const { sql, clock } = this.#options;
    const bot = await findBot(sql, claim.botId);
    const report = { ...claim, bot, publicUrl: this.#options.publicUrl };
    try {
      // The mail and the result share a transaction, and a push its result: each records its result itself.
      if (claim.kind === 'email') return await this.#mail(claim, report);
      if (claim.kind === 'line') return await this.#push(claim, report);
      const result = await this.#post(claim, report);
      return await recordReport(sql, claim, result, clock());
    } catch (error) {
      if (this.#stopping.signal.aborted) return releaseReport(sql, claim);
      if (!(error instanceof Refusal)) throw error;
      await recordReport(sql, claim, { problem: error.message, isFinal: false }, clock());
    }
  }

  async #mail(claim: ReportClaim, report: Parameters<typeof mailOf>[0]): Promise<void> {
    const { sql, mail: settings, keys, random, clock } = this.#options;
    const now = clock();
    await sql.begin(async (tx) => {
      const mail = {
        kind: 'alert' as const,
        key: `alert ${claim.key}`,
        to: claim.address,
        ...mailOf(report),
      };
      await enqueueMail(tx, mail, { settings, keys, now, random });
      await recordReport(tx, claim, { problem: null }, now);
    });
  }

  async #post(claim: ReportClaim, report: Parameters<typeof payloadOf>[0]): Promise<ReportResult> {
    const { sql, keys, gate, clock } = this.#options;
    const [row] = await sql<{ sealed: Uint8Array }[]>`
      select secret_sealed as sealed from alert_secrets where bot_id = ${claim.botId}`;
    // The target was removed in between.
    if (!row) return { problem: 'The target was removed.', isFinal: true };
    const message = {
      ...{ id: `msg_alert_${claim.key}`, url: claim.address, body: JSON.stringify(payloadOf(report)) },
      secrets: () => [keys.unseal(row.sealed, placeOf(claim.botId))],
    };
    const { signal } = this.#stopping;
    const options = { agents: this.#agents, gate, now: clock(), msMax: attemptMsMax, signal };
    const { problem, status } = await postSigned(message, options);
    return problem === null ? { problem } : { problem, isFinal: status === 410 };
  }

  async #push(claim: ReportClaim, report: Parameters<typeof textOf>[0]): Promise<void> {
    const { sql, keys, line, clock, onStored } = this.#options;
    const { botId, address, key } = claim;
    const channel = await findChannel(sql, keys, { botId, platform: 'line', now: clock() });
    if (!channel?.enabled) {
      const problem = 'The bot has no enabled LINE channel.';
      return recordReport(sql, claim, { problem, isFinal: false }, clock());
    }
    const recipient = { position: 0, contactId: '', id: address, lastInboundAt: null };
    const message = { text: textOf(report), quickReplies: [], whatsAppTemplate: null, tag: null };
    const outcome = await line.send(channel, { recipients: [recipient], message, key });
    const now = clock();
    if (outcome.kind !== 'accepted') {
      const problem =
        outcome.kind === 'refused' ? `LINE refuses the recipient (${outcome.code}).` : outcome.problem;
      return recordReport(sql, claim, { problem, isFinal: outcome.kind === 'refused' }, now);
    }
    const body = writeRecord({
      ...{ requestId: outcome.id ?? key, kind: 'push', recipients: 1, sentAt: now },
      ...{ unit: null, replyTokenHash: null, linkSet: null },
      // A push to a group belongs to no contact.
      person: address.startsWith('U') ? address : null,
    });
    await sql.begin(async (tx) => {
      await putDeliveries(tx, [{ botId, platform: 'line', source: 'line-send', body, receivedAt: now }]);
      await recordReport(tx, claim, { problem: null }, now);
    });
    onStored(botId);
  }
}
