/**
 * The queue of e-mails. A mail is stored in the transaction of its cause, and a worker of any process sends it.
 *
 * A process can die at any time. If it dies before the transfer, the mail is sent later, once. If it dies during the transfer, or the
 * connection ends, SMTP leaves the result unknown. The mail is then sent again with the same Message-ID, by which mailboxes drop
 * repetitions, and the repetition is recorded and logged. So no mail is lost, and none is repeated silently.
 */
import type { Keys } from '../auth/keys.ts';
import { sealingKey } from '../auth/secret-key.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import { dayMs, hourMs, minuteMs } from '../time.ts';
import { checkMail, type MailContent } from './message.ts';
import { type MailSettings, requireMail } from './settings.ts';
import { attemptMsMax, type Delivery } from './smtp.ts';

export type MailKind = 'report' | 'alert' | 'invitation' | 'transcript';

export type NewMail = MailContent & {
  kind: MailKind;
  /** Of several mails with one key, the first is stored and sent, as long as its row exists (30 days). */
  key?: string;
  /** After this many ms it is not sent any more. Default: two days. */
  validMs?: number;
};

const validMsDefault = 2 * dayMs;
const keptMs = 30 * dayMs;
/** Longer than any attempt. */
const leaseMs = attemptMsMax + 2 * minuteMs;
/** Pauses after the first, second, … attempt; the last one repeats. */
const pausesMs = [minuteMs, 5 * minuteMs, 15 * minuteMs, hourMs, 3 * hourMs];

/**
 * Stores the mail. Returns its number, or null if a mail with its key exists. Throws Refusal MAIL_NOT_CONFIGURED, INPUT_INVALID.
 */
export async function enqueueMail(
  tx: Transaction,
  { kind, key = null, validMs = validMsDefault, ...content }: Omit<NewMail, 'key'> & { key?: string | null },
  { settings, keys, now, random }: { settings: MailSettings | null; keys: Keys; now: number; random: Random },
): Promise<number | null> {
  requireMail(settings);
  checkMail(content);
  const nonce = newId(random);
  const sealed = (await sealingKey(tx, keys)).seal(JSON.stringify(toStored(content)), placeOf(nonce));
  const [row] = await tx<{ mailId: number }[]>`
    insert into mails (nonce, kind, key, content_sealed, created_at, due_at, expires_at)
    values (${nonce}, ${kind}, ${key}, ${sealed}, ${new Date(now)}, ${new Date(now)}, ${new Date(now + validMs)})
    on conflict (key) do nothing
    returning mail_id as "mailId"`;
  return row?.mailId ?? null;
}

/** A mail that this process may send now. */
export type Claim = {
  mailId: number;
  /** Makes the Message-ID. */
  nonce: string;
  kind: MailKind;
  content_sealed: Uint8Array;
  createdAt: Date;
  expiresAt: Date;
  /** With this one. It also identifies the claim. */
  attempts: number;
  /** The result of the attempt before is unknown. */
  isRepeated: boolean;
};

/** Claims the mails that have been due longest, at most `limit`. A claim ends with its attempt, or expires. */
export async function claimMails(
  sql: Queryable,
  { now, limit }: { now: number; limit: number },
): Promise<Claim[]> {
  const at = new Date(now);
  return sql<Claim[]>`
    with due as (
      select mail_id from mails
      where outcome is null and due_at <= ${at} and (claimed_until is null or claimed_until <= ${at})
      order by due_at, mail_id limit ${limit}
      for update skip locked
    )
    update mails set claimed_until = ${new Date(now + leaseMs)}, attempts = attempts + 1,
      may_be_repeated = may_be_repeated or transfer_begun_at is not null
    from due where mails.mail_id = due.mail_id
    returning mails.mail_id as "mailId", nonce, kind, content_sealed, created_at as "createdAt",
      expires_at as "expiresAt", attempts, transfer_begun_at is not null as "isRepeated"`;
}

/** The content of a claimed mail; null: the secret key that sealed it is gone. */
export function openMail(keys: Keys, { nonce, content_sealed }: Claim): MailContent | null {
  try {
    return fromStored(JSON.parse(keys.unseal(content_sealed, placeOf(nonce))));
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** Records that the transfer begins. False: another process has the mail, because this claim expired. */
export async function recordTransfer(sql: Sql, { mailId, attempts }: Claim, now: number): Promise<boolean> {
  const { count } = await sql`
    update mails set transfer_begun_at = ${new Date(now)}, claimed_until = ${new Date(now + leaseMs)}
    where mail_id = ${mailId} and attempts = ${attempts} and outcome is null`;
  return count > 0;
}

/** Records the result of an attempt, and ends the claim. */
export async function recordDelivery(
  sql: Sql,
  { mailId, attempts, expiresAt }: Claim,
  delivery: Delivery,
  now: number,
): Promise<void> {
  if (delivery.kind === 'sent') return endMail(sql, mailId, { outcome: 'sent', problem: null, now });
  const { problem } = delivery;
  const pauseMs = pausesMs[Math.min(attempts, pausesMs.length) - 1] ?? minuteMs;
  const isFinal = delivery.kind === 'refused' && delivery.isFinal;
  if (isFinal || now + pauseMs >= expiresAt.getTime())
    return endMail(sql, mailId, { outcome: 'given-up', problem, now });
  await sql`
    update mails set due_at = ${new Date(now + pauseMs)}, claimed_until = null, problem = ${problem},
      transfer_begun_at = case when ${delivery.kind === 'unknown'}::boolean then transfer_begun_at end
    where mail_id = ${mailId} and attempts = ${attempts} and outcome is null`;
}

/** Ends a mail, and deletes its content and address. */
export async function endMail(
  sql: Sql,
  mailId: number,
  { outcome, problem, now }: { outcome: 'sent' | 'given-up'; problem: string | null; now: number },
): Promise<void> {
  await sql`
    update mails set outcome = ${outcome}, ended_at = ${new Date(now)}, problem = ${problem}, content_sealed = null,
      claimed_until = null, transfer_begun_at = null
    where mail_id = ${mailId} and outcome is null`;
}

/** Gives up the waiting mails whose key begins so, except those whose transfer has begun. Safe to repeat. */
export async function cancelMails(
  tx: Transaction,
  { keyPrefix, now }: { keyPrefix: string; now: number },
): Promise<void> {
  await tx`
    update mails set outcome = 'given-up', ended_at = ${new Date(now)}, problem = 'It was cancelled.',
      content_sealed = null, claimed_until = null
    where outcome is null and transfer_begun_at is null and starts_with(key, ${keyPrefix})`;
}

/** Deletes the rows of mails that ended or expired 30 days ago. Safe to repeat. */
export async function purgeMails(sql: Queryable, { now }: { now: number }): Promise<void> {
  await sql`delete from mails where coalesce(ended_at, expires_at) <= ${new Date(now - keptMs)}`;
}

function placeOf(nonce: string) {
  return { botId: '', platform: 'mail', column: nonce };
}

type Stored = Omit<MailContent, 'attachments'> & {
  attachments: (Omit<NonNullable<MailContent['attachments']>[number], 'content'> & { content: string })[];
};

function toStored({ attachments = [], ...content }: MailContent): Stored {
  const toText = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return {
    ...content,
    attachments: attachments.map((attachment) => ({ ...attachment, content: toText(attachment.content) })),
  };
}

function fromStored({ attachments, ...content }: Stored): MailContent {
  const toBytes = (text: string) => Buffer.from(text, 'base64');
  return {
    ...content,
    attachments: attachments.map((attachment) => ({ ...attachment, content: toBytes(attachment.content) })),
  };
}
