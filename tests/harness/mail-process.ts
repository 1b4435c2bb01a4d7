/**
 * A process that plans the due reports and sends the waiting e-mails, for tests that kill it. Its time is NOW (ms).
 */
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { openKeys } from '../../src/auth/keys.ts';
import { connect } from '../../src/database/pool.ts';
import { readMailSettings } from '../../src/mail/settings.ts';
import { MailWorker } from '../../src/mail/worker.ts';
import { runDueReport } from '../../src/mail-reports/runs.ts';

const {
  DATABASE_URL: url = '',
  SHOAL_SMTP_URL: smtpUrl = '',
  SHOAL_SECRET_KEY: secretKey = '',
} = process.env;
const now = Number(process.env.NOW);

const log = pino({ level: 'silent' });
const settings = readMailSettings({ smtpUrl, mailFrom: 'Shoal <shoal@shop.example>' });
const keys = await openKeys({ secretKey, dataFolder: '', random: randomBytes });
const sql = connect(url, { max: 4, applicationName: 'shoal mail' });
if (settings === null) throw new Error('SHOAL_SMTP_URL is missing');
const parts = { sql, keys, random: randomBytes, settings, publicUrl: 'https://shoal.example' };
while (await runDueReport(parts, { now, log }));
const worker = new MailWorker({ sql, settings, keys, clock: () => now, log });
while ((await worker.sendDue()) > 0);
await sql.end();
