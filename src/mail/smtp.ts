/**
 * The transfer of one message to the SMTP server.
 *
 * SMTP has no idempotency: if the connection ends between the last byte and the server's answer, the server may or may not have the
 * message. `beginTransfer` therefore runs after the server has accepted sender and recipient, and before the first byte.
 */
import { Readable } from 'node:stream';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { redact } from '../redact.ts';
import { minuteMs, secondMs } from '../time.ts';
import type { MailSettings } from './settings.ts';

/** `unknown`: the server may have accepted the message. `refused`: it did not; `isFinal`: and never will. */
export type Delivery =
  | { kind: 'sent'; answer: string }
  | { kind: 'refused'; isFinal: boolean; problem: string }
  | { kind: 'unknown'; problem: string };

type Options = {
  /** Runs before the first byte of the message. If it throws, nothing is transferred, and `transferMail` throws the error. */
  beginTransfer?: () => Promise<void>;
  /** When aborted, a transfer that has not begun ends at once, and any other within seconds. */
  signal?: AbortSignal;
};

/** The longest attempt. */
export const attemptMsMax = 2 * minuteMs;
const connectMsMax = 15 * secondMs;
/** Servers may scan a message before they answer. */
const silenceMsMax = minuteMs;
const graceMs = 3 * secondMs;
const problemLengthMax = 300;

/** Sends the message to one recipient. Never throws because of the server or the network. */
export async function transferMail(
  settings: MailSettings,
  { to, message }: { to: string; message: Buffer },
  { beginTransfer = async () => undefined, signal = new AbortController().signal }: Options = {},
): Promise<Delivery> {
  const connection = open(settings);
  let isBegun = false;
  let ownError: unknown;
  const begin = async () => {
    try {
      await beginTransfer();
      signal.throwIfAborted();
      isBegun = true;
    } catch (error) {
      ownError = error ?? new Error('the transfer could not begin');
      throw error;
    }
  };
  const stop = new AbortController();
  const end = (problem: string) => stop.abort(new Error(problem));
  const late = setTimeout(end, attemptMsMax, 'The SMTP server took too long.');
  let grace: NodeJS.Timeout | undefined;
  const stopSoon = () => {
    grace = setTimeout(end, isBegun ? graceMs : 0, 'The process stopped.');
  };
  if (signal.aborted) stopSoon();
  else signal.addEventListener('abort', stopSoon, { once: true });
  try {
    const answer = await Promise.race([
      converse(connection, settings, { to, message, begin }),
      new Promise<never>((_, reject) =>
        stop.signal.addEventListener('abort', () => reject(stop.signal.reason)),
      ),
    ]);
    return { kind: 'sent', answer: clean(answer, settings, to) };
  } catch (error) {
    if (ownError !== undefined) throw ownError;
    return toDelivery(error, { isBegun, settings, to });
  } finally {
    clearTimeout(late);
    clearTimeout(grace);
    signal.removeEventListener('abort', stopSoon);
    connection.close();
  }
}

function open({ host, port, tls, ca }: MailSettings): SMTPConnection {
  return new SMTPConnection({
    ...{ host, port, secure: tls === 'start', requireTLS: tls === 'starttls', ignoreTLS: tls === 'off' },
    ...(ca === undefined ? {} : { tls: { ca } }),
    ...{ connectionTimeout: connectMsMax, greetingTimeout: connectMsMax, dnsTimeout: connectMsMax },
    ...{ socketTimeout: silenceMsMax, socketCloseTimeout: 0, logger: false },
  });
}

/** Returns the server's answer to the message. */
function converse(
  connection: SMTPConnection,
  { login, from }: MailSettings,
  { to, message, begin }: { to: string; message: Buffer; begin: () => Promise<void> },
): Promise<string> {
  return new Promise((resolve, reject) => {
    connection.on('error', reject);
    connection.once('end', () => reject(new Error('The SMTP server closed the connection.')));
    const send = () => {
      const content = Readable.from(afterBegin(begin, message));
      const envelope = { from: from.address, to, size: message.length };
      connection.send(envelope, content, (error, info) => (error ? reject(error) : resolve(info.response)));
    };
    connection.connect((error) => {
      if (error) return reject(error);
      if (login === null) return send();
      const credentials = { user: login.user, pass: login.password };
      connection.login({ credentials }, (problem) => (problem ? reject(problem) : send()));
    });
  });
}

/** The connection reads it only after the server has answered DATA. */
async function* afterBegin(begin: () => Promise<void>, message: Buffer): AsyncGenerator<Buffer> {
  await begin();
  yield message;
}

/** Codes of nodemailer for answers to MAIL, RCPT, DATA and the message. */
const answered = ['EENVELOPE', 'EMESSAGE'];
const finalCode = 500;

function toDelivery(
  error: unknown,
  { isBegun, settings, to }: { isBegun: boolean; settings: MailSettings; to: string },
): Delivery {
  const {
    message = String(error),
    code = '',
    responseCode = null,
  } = error as Partial<{ message: string; code: string; responseCode: number }>;
  const problem = clean(message, settings, to);
  const isAnswered = answered.includes(code);
  if (isBegun && (!isAnswered || responseCode === null)) return { kind: 'unknown', problem };
  return {
    kind: 'refused',
    // Without a code, the message itself is impossible, such as one above the server's limit.
    isFinal: isAnswered && (responseCode === null || responseCode >= finalCode),
    problem,
  };
}

/** Without the recipient and the password, for logs. */
function clean(text: string, { login }: MailSettings, to: string): string {
  const withoutAddress = text.replaceAll(to, '…');
  const password = login?.password ?? '';
  return (password === '' ? withoutAddress : redact(withoutAddress, password)).slice(0, problemLengthMax);
}
