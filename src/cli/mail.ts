/**
 * `shoal mail`: a test of the e-mail settings.
 */
import { sendMail } from '../mail/send.ts';
import { readMailSettings } from '../mail/settings.ts';
import type { ShoalCommand } from './command.ts';
import type { Context } from './context.ts';

/** Adds the commands. */
export function register(program: ShoalCommand, context: Context): void {
  program
    .command('mail')
    .description('Test the sending of e-mails.')
    .add('test', 'Send a short e-mail to an address, and print the answer of the SMTP server.')
    .argument('<address>', 'address of the recipient')
    .print(async (to: string) => {
      const settings = readMailSettings(context.config());
      const mail = {
        to,
        subject: 'Shoal: test e-mail · 測試郵件 · テストメール',
        text: [
          'Shoal can send e-mails from this server.',
          'Shoal 可以從這台伺服器寄出電子郵件。',
          'Shoal はこのサーバーからメールを送信できます。',
        ].join('\n'),
      };
      const answer = await sendMail(settings, mail, { now: context.clock(), random: context.random });
      return { json: { to, answer }, text: `The server took the e-mail for ${to}: ${answer}` };
    });
}
