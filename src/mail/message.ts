/**
 * The content of an e-mail, and its bytes (MIME).
 */
import MailComposer from 'nodemailer/lib/mail-composer';
import { invalidInput } from '../errors.ts';
import { checkMailAddress, type MailSettings } from './settings.ts';

export type MailContent = {
  /** One address. */
  to: string;
  subject: string;
  text: string;
  /** Without remote content: images are attachments, shown with `cid:`. */
  html?: string;
  /** Such as List-Unsubscribe. */
  headers?: Readonly<Record<string, string>>;
  attachments?: readonly Attachment[];
};

export type Attachment = {
  fileName: string;
  /** Its Content-Type. */
  type: string;
  content: Uint8Array;
  /** For an image within the HTML: `<img src="cid:…">`. */
  cid?: string;
};

/** Most servers accept 10 MB or more; base64 adds a third. */
const bytesMax = 7_000_000;

/** Throws Refusal INPUT_INVALID (address, size). */
export function checkMail({ to, text, html = '', attachments = [] }: MailContent): void {
  checkMailAddress(to);
  const bytes = attachments.reduce((sum, { content }) => sum + content.length, text.length + html.length);
  if (bytes > bytesMax) throw invalidInput(`An e-mail has at most ${bytesMax} bytes, not ${bytes}.`);
}

/** The message as it is transferred. `id` makes the Message-ID: a repeated attempt has the same. */
export async function composeMail(
  { to, subject, text, html, headers = {}, attachments = [] }: MailContent,
  { from, id, at }: Pick<MailSettings, 'from'> & { id: string; at: Date },
): Promise<Buffer> {
  const composer = new MailComposer({
    from,
    to: { name: '', address: to },
    subject,
    text,
    ...(html === undefined ? {} : { html }),
    messageId: `<${id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`,
    date: at,
    // Asks other programs not to answer.
    headers: { 'Auto-Submitted': 'auto-generated', ...headers },
    attachments: attachments.map(({ fileName, type, content, cid }) => ({
      filename: fileName,
      contentType: type,
      content: Buffer.from(content),
      ...(cid === undefined ? {} : { cid, contentDisposition: 'inline' as const }),
    })),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}
