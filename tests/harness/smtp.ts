/**
 * A real SMTP server on loopback that keeps what it accepts.
 */
import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { MailSettings } from '../../src/mail/settings.ts';
import type { Scope } from './scope.ts';
import { certificate } from './smtp-certificate.ts';

export type ReceivedMail = Email & { to: { address: string }[]; bytes: string };

export type TestSmtp = {
  /** With STARTTLS and a sign-in. */
  settings: MailSettings;
  /** For a process of its own: no encryption, no sign-in. */
  url: string;
  /** In the order of arrival. */
  mails: ReceivedMail[];
  /**
   * Replaces what happens with the next messages; default: `accept`. `drop` accepts one and ends the connection without an answer,
   * `stall` neither accepts nor answers.
   */
  behave(...behaviours: Behaviour[]): void;
  /** Resolves when a message has been stalled. */
  stalled: Promise<void>;
  /** The open connections. */
  connections(): number;
};
type Behaviour = 'accept' | 'drop' | 'stall' | 'refuse-for-now' | 'refuse';

export const smtpLogin = { user: 'shoal', password: 'p@ss/word' };

/** Starts a server. A sign-in is optional. */
export async function startSmtp(
  t: Scope,
  options: Pick<SMTPServerOptions, 'disabledCommands'> = {},
): Promise<TestSmtp> {
  const mails: ReceivedMail[] = [];
  const behaviours: Behaviour[] = [];
  const stall = Promise.withResolvers<void>();
  const server = new SMTPServer({
    ...certificate,
    authOptional: true,
    closeTimeout: 100,
    ...options,
    onAuth({ username, password }, _session, done) {
      if (username === smtpLogin.user && password === smtpLogin.password) done(null, { user: username });
      else done(new Error('wrong user or password'));
    },
    onRcptTo(_address, _session, done) {
      const [next] = behaviours;
      if (next !== 'refuse' && next !== 'refuse-for-now') return done();
      behaviours.shift();
      const refusal = { responseCode: next === 'refuse' ? 550 : 451 };
      done(Object.assign(new Error('no such mailbox'), refusal));
    },
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
      stream.on('end', async () => {
        if (behaviours[0] === 'stall') {
          behaviours.shift();
          return stall.resolve();
        }
        const bytes = Buffer.concat(chunks);
        const mail = await PostalMime.parse(bytes);
        mails.push({ ...mail, bytes: bytes.toString() } as ReceivedMail);
        if (behaviours.shift() !== 'drop') return done();
        for (const connection of server.connections) connection.close();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const { port } = server.server.address() as AddressInfo;
  return {
    settings: {
      ...{ host: '127.0.0.1', port, tls: 'starttls', login: smtpLogin, ca: certificate.cert },
      from: { name: 'Shoal', address: 'shoal@shop.example' },
    },
    url: `smtp://127.0.0.1:${port}?tls=off`,
    mails,
    stalled: stall.promise,
    behave: (...next) => void behaviours.splice(0, behaviours.length, ...next),
    connections: () => server.connections.size,
  };
}
