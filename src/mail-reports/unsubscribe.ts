/**
 * Signed links that end the sending of a report to one recipient. A link stays valid as long as the server has the secret key that
 * signed it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Keys, SecretKey } from '../auth/keys.ts';
import type { Sql } from '../database/client.ts';
import { cancelMails } from '../mail/queue.ts';
import type { Language } from './texts.ts';

type Recipient = { reportId: string; recipientId: string };

const tokenForm = /^([A-Za-z]{14})-([A-Za-z]{14})-([\w-]{32})$/;
const signatureBytes = 24;

export function unsubscribeToken(key: SecretKey, { reportId, recipientId }: Recipient): string {
  return `${reportId}-${recipientId}-${sign(key, { reportId, recipientId }).toString('base64url')}`;
}

/** Null: the link is not one of ours. */
function readToken(keys: Keys, token: string): Recipient | null {
  const [, reportId, recipientId, signature] = tokenForm.exec(token) ?? [];
  if (reportId === undefined || recipientId === undefined || signature === undefined) return null;
  const recipient = { reportId, recipientId };
  const bytes = Buffer.from(signature, 'base64url');
  return keys.all.some((key) => timingSafeEqual(sign(key, recipient), bytes)) ? recipient : null;
}

function sign({ mailLinkKey }: SecretKey, { reportId, recipientId }: Recipient): Buffer {
  return createHmac('sha256', mailLinkKey)
    .update(`unsubscribe ${reportId} ${recipientId}`)
    .digest()
    .subarray(0, signatureBytes);
}

export type Subscription = { name: string; language: Language; address: string };

/** The report and the address of a link; null: the link is invalid, or the report or the recipient was removed. */
export async function findSubscription(sql: Sql, keys: Keys, token: string): Promise<Subscription | null> {
  const recipient = readToken(keys, token);
  if (recipient === null) return null;
  const [row] = await sql<Subscription[]>`
    select name, language, address from mail_reports
    join mail_report_recipients using (report_id)
    where report_id = ${recipient.reportId} and recipient_id = ${recipient.recipientId}`;
  return row ?? null;
}

/** Ends the sending to the recipient, also of waiting mails. Safe to repeat. Returns as `findSubscription`. */
export async function unsubscribe(
  sql: Sql,
  keys: Keys,
  token: string,
  { now }: { now: number },
): Promise<Subscription | null> {
  const recipient = readToken(keys, token);
  if (recipient === null) return null;
  const { reportId, recipientId } = recipient;
  await sql.begin(async (tx) => {
    await tx`
      update mail_report_recipients set unsubscribed_at = ${new Date(now)}
      where report_id = ${reportId} and recipient_id = ${recipientId} and unsubscribed_at is null`;
    await cancelMails(tx, { keyPrefix: `report ${reportId} ${recipientId} `, now });
  });
  return findSubscription(sql, keys, token);
}
