/**
 * Sends an e-mail at once, for a caller that waits for the result. Other mails go through the queue.
 */
import { Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import { checkMail, composeMail, type MailContent } from './message.ts';
import { type MailSettings, requireMail } from './settings.ts';
import { transferMail } from './smtp.ts';

/** Returns the server's answer. Throws Refusal MAIL_NOT_CONFIGURED, MAIL_REFUSED, INPUT_INVALID. */
export async function sendMail(
  settings: MailSettings | null,
  mail: MailContent,
  { now, random }: { now: number; random: Random },
): Promise<string> {
  const server = requireMail(settings);
  checkMail(mail);
  const message = await composeMail(mail, { from: server.from, id: newId(random), at: new Date(now) });
  const delivery = await transferMail(server, { to: mail.to, message });
  if (delivery.kind === 'sent') return delivery.answer;
  throw new Refusal(
    'MAIL_REFUSED',
    `${server.host}:${server.port} did not take the mail: ${delivery.problem}`,
  );
}
