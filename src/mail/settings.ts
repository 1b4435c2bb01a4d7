/**
 * The SMTP server and the sender of all e-mails, from SHOAL_SMTP_URL and SHOAL_MAIL_FROM.
 *
 *     smtps://user:password@mail.example        TLS from the start, port 465
 *     smtp://user:password@mail.example         STARTTLS, port 587; refused if the server does not offer it
 *     smtp://localhost:1025?tls=off             no encryption, for a relay on the same machine or network
 */
import addressparser from 'nodemailer/lib/addressparser';
import type { Config } from '../config.ts';
import { invalidInput, Refusal } from '../errors.ts';

export type MailSettings = {
  host: string;
  port: number;
  tls: 'start' | 'starttls' | 'off';
  /** Null: no sign-in. */
  login: { user: string; password: string } | null;
  from: { name: string; address: string };
  /** PEM certificates to trust instead of the system's. */
  ca?: string;
};

const ports = { start: 465, starttls: 587, off: 25 } as const;

/** The settings; null: SHOAL_SMTP_URL is not set. Throws Refusal INPUT_INVALID, which never holds the URL. */
export function readMailSettings({
  smtpUrl,
  mailFrom,
}: Pick<Config, 'smtpUrl' | 'mailFrom'>): MailSettings | null {
  if (smtpUrl === null) return null;
  if (mailFrom === null) throw invalidInput('SHOAL_SMTP_URL needs SHOAL_MAIL_FROM, the sender of e-mails.');
  return { ...readServer(smtpUrl), from: readSender(mailFrom) };
}

/** Throws Refusal MAIL_NOT_CONFIGURED. */
export function requireMail(settings: MailSettings | null): MailSettings {
  if (settings !== null) return settings;
  throw new Refusal(
    'MAIL_NOT_CONFIGURED',
    'E-mail is not configured. Set SHOAL_SMTP_URL and SHOAL_MAIL_FROM, and restart the server.',
  );
}

const addressForm = /^[^\s@<>()[\]\\,;:"]+@[^\s@<>()[\]\\,;:"]+$/;
const addressLengthMax = 254;

/** True for one plain address, such as `ming@shop.example`. */
export function isMailAddress(text: string): boolean {
  return text.length <= addressLengthMax && addressForm.test(text) && !/\p{Cc}/u.test(text);
}

/** Throws Refusal INPUT_INVALID. */
export function checkMailAddress(text: string): void {
  if (!isMailAddress(text))
    throw invalidInput(`${JSON.stringify(text)} is not an e-mail address such as ming@shop.example.`);
}

function readServer(text: string): Omit<MailSettings, 'from'> {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSmtp = url?.protocol === 'smtp:' || url?.protocol === 'smtps:';
  if (url === null || !isSmtp || url.hostname === '') throw invalidServer();
  const { tls: wantedTls = null, ...others } = Object.fromEntries(url.searchParams);
  const isPathEmpty = url.pathname === '' || url.pathname === '/';
  if (!isPathEmpty || Object.keys(others).length > 0 || (wantedTls !== null && wantedTls !== 'off'))
    throw invalidServer();
  const tls = url.protocol === 'smtps:' ? 'start' : wantedTls === 'off' ? 'off' : 'starttls';
  if (tls === 'start' && wantedTls === 'off') throw invalidServer();
  const user = decode(url.username);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? ports[tls] : Number(url.port),
    tls,
    login: user === '' ? null : { user, password: decode(url.password) },
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidServer();
  }
}

function invalidServer(): Refusal {
  return invalidInput(
    'SHOAL_SMTP_URL must be like smtps://user:password@mail.example or smtp://mail.example:587, with special characters of the user and the password URL-encoded. Only ?tls=off may follow smtp://.',
  );
}

function readSender(text: string): MailSettings['from'] {
  const [sender, ...others] = addressparser(text, { flatten: true });
  if (sender === undefined || others.length > 0 || !isMailAddress(sender.address))
    throw invalidInput(
      `SHOAL_MAIL_FROM must be an address such as "Shoal <shoal@example.com>", not ${JSON.stringify(text)}.`,
    );
  return { name: sender.name, address: sender.address };
}
