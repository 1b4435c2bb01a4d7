import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decode } from 'fast-png';
import { pino } from 'pino';
import { testDatabase } from '../../tests/harness/database.ts';
import { foldPending } from '../../tests/harness/fold.ts';
import { startSmtp } from '../../tests/harness/smtp.ts';
import { until } from '../../tests/harness/until.ts';
import { bodyOfAll } from '../../tests/properties/bodies.ts';
import { openKeys } from '../auth/keys.ts';
import { createBot } from '../bots/bots.ts';
import { setChannel } from '../bots/set-channel.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import { MailWorker } from '../mail/worker.ts';
import { readOverview } from '../reports/overview.ts';
import { dayMs, hourMs } from '../time.ts';
import { createReport, findReport, type ReportDraft, replaceReport } from './reports.ts';
import { runDueReport, sendReportNow } from './runs.ts';
import { findSubscription, unsubscribe } from './unsubscribe.ts';

const secretKey = 'k'.repeat(32);
const log = pino({ level: 'silent' });
/** Tuesday 2026-03-03, 09:30 in Taipei. */
const start = Date.parse('2026-03-03T01:30:00Z');

async function world(t: TestContext) {
  const smtp = await startSmtp(t);
  const { sql, url } = await testDatabase(t);
  const keys = await openKeys({ secretKey, dataFolder: '', random: randomBytes });
  const { botId } = await createBot(
    sql,
    { name: '海<風>', timeZone: 'Asia/Taipei' },
    { now: start, random: randomBytes, keys },
  );
  const channel = { botId, platform: 'line', secret: 'hush' } as const;
  await setChannel(sql, channel, { now: start, random: randomBytes, keys });
  const at = Date.parse('2026-03-03T04:00:00Z');
  const body = bodyOfAll([
    { platform: 'line', kind: 'follow', id: 1, person: 1, at: at - dayMs },
    { platform: 'line', kind: 'message', id: 2, person: 1, at: at - dayMs },
    { platform: 'line', kind: 'follow', id: 3, person: 2, at },
    { platform: 'line', kind: 'message', id: 4, person: 1, at },
    { platform: 'line', kind: 'message', id: 5, person: 2, at },
  ]);
  await putDeliveries(sql, [
    { botId, source: 'webhook', receivedAt: at, platform: 'line', body: Buffer.from(body) },
  ]);
  await foldPending(sql, botId, { now: at, random: randomBytes });
  const parts = {
    ...{ sql, keys, random: randomBytes, settings: smtp.settings, publicUrl: 'https://shoal.example' },
  };
  const draft: ReportDraft = {
    ...{ name: 'Sales', botIds: [botId], frequency: 'daily', language: 'en', timeZone: 'Asia/Taipei' },
    ...{ time: '09:00', isPaused: false, recipients: ['a@shop.example', 'b@shop.example'] },
  };
  const worker = (now: number) =>
    new MailWorker({ sql, settings: smtp.settings, keys, clock: () => now, log });
  return { smtp, sql, url, keys, botId, parts, draft, worker };
}

test('two workers, one killed during a transfer, send a period once to each recipient', async (t) => {
  const { smtp, sql, url, parts, draft, worker } = await world(t);
  const { reportId, dueAt } = await createReport(sql, draft, { now: start, random: randomBytes });
  assert.equal(dueAt.toISOString(), '2026-03-04T01:00:00.000Z');
  assert.equal(await runDueReport(parts, { now: start, log }), false, 'not due yet');
  const now = dueAt.getTime();
  smtp.behave('stall', 'stall');
  const child = fork(fileURLToPath(new URL('../../tests/harness/mail-process.ts', import.meta.url)), {
    env: {
      ...process.env,
      DATABASE_URL: url,
      SHOAL_SMTP_URL: smtp.url,
      SHOAL_SECRET_KEY: secretKey,
      NOW: String(now),
    },
  });
  t.after(() => child.kill('SIGKILL'));
  await smtp.stalled;
  child.kill('SIGKILL');
  await once(child, 'exit');
  await until(() => smtp.connections() === 0);
  smtp.behave();

  const runs = await Promise.all([1, 2].map(() => runDueReport(parts, { now: now + hourMs, log })));
  assert.deepEqual(runs, [false, false], 'the killed process has planned the period');
  const workers = [worker(now + hourMs), worker(now + hourMs)];
  await Promise.all(workers.map((each) => each.sendDue()));
  assert.deepEqual(smtp.mails.map(({ to }) => to[0]?.address).sort(), ['a@shop.example', 'b@shop.example']);
  const { lastRun, recipients } = await findReport(sql, reportId);
  assert.deepEqual([lastRun?.first, lastRun?.last], ['2026-03-03', '2026-03-03']);
  assert.deepEqual(
    recipients.map(({ result }) => result?.state),
    ['sent', 'sent'],
  );

  const later = now + 3 * dayMs;
  const planned = await Promise.all([1, 2].map(() => runDueReport(parts, { now: later, log })));
  assert.equal(planned.filter(Boolean).length, 1, 'of three missed periods the latest is planned, once');
  await sql`update mail_reports set due_at = ${new Date(later)}`;
  await runDueReport(parts, { now: later, log });
  await worker(later).sendDue();
  assert.equal(smtp.mails.length, 4);
  assert.match(smtp.mails[3]?.subject ?? '', /Mar 6, 2026/);
});

test('a report holds the figures of the overview, charts, a CSV file and links, and nothing remote', async (t) => {
  const { smtp, sql, botId, parts, draft, worker, keys } = await world(t);
  const now = start + dayMs;
  const { reportId } = await createReport(sql, draft, { now: start, random: randomBytes });
  await runDueReport(parts, { now, log });
  await worker(now).sendDue();
  const [mail] = smtp.mails;
  assert.ok(mail);
  assert.equal(mail.subject, 'Sales, Daily report: Mar 3, 2026');
  const html = mail.html ?? '';
  const overview = await readOverview(sql, botId, { from: '2026-03-03', to: '2026-03-03', now });
  const messages = overview.figures.find(
    ({ figure, platform }) => figure === 'messages' && platform === 'all',
  );
  assert.deepEqual([messages?.now, messages?.before], [2, 1]);
  assert.match(html, /Messages<\/td><td[^>]*>2<\/td><td[^>]*>▲ 100%<\/td>/);
  assert.match(html, /Followers<\/td><td[^>]*>2<\/td><td[^>]*>▲ 100%<\/td>/);
  assert.match(html, /New blocks<\/td><td[^>]*>0<\/td><td[^>]*>–<\/td>/);
  assert.match(mail.text ?? '', /^Messages: 2 \(▲ 100%\)$/m);
  assert.ok(html.includes('海&lt;風&gt;') && !html.includes('<風>'));
  assert.ok(html.includes(`https://shoal.example/bots/${botId}/overview?from=2026-03-03&amp;to=2026-03-03`));
  assert.deepEqual(
    [...html.matchAll(/src="([^"]*)"/g)].map(([, source]) => source),
    ['cid:chart-1-messages', 'cid:chart-1-newFollowers'],
  );
  const [chart, , csv] = mail.attachments;
  assert.equal(decode(new Uint8Array(chart?.content as ArrayBuffer)).width, 1_120);
  assert.equal(csv?.filename, `shoal-${botId}-2026-03-03.csv`);
  const lines = Buffer.from(csv?.content as ArrayBuffer)
    .toString()
    .trim()
    .split('\n');
  assert.equal(lines[1], '2026-03-03,line,1,0,2,,2,2,2,0');

  const [, link = ''] =
    /^List-Unsubscribe: <([^>]*)>\r?$/m.exec(mail.bytes.replace(/\r?\n[ \t]+/g, ' ')) ?? [];
  assert.match(mail.bytes, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r?$/m);
  const [, token = ''] = /^https:\/\/shoal\.example\/mail\/unsubscribe\/(.*)$/.exec(link) ?? [];
  const forged = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
  assert.equal(await unsubscribe(sql, keys, forged, { now }), null);
  assert.equal(await findSubscription(sql, keys, ''), null);
  const address = mail.to[0]?.address;
  assert.equal((await unsubscribe(sql, keys, token, { now }))?.address, address);
  await unsubscribe(sql, keys, token, { now });
  await replaceReport(sql, reportId, draft, { now, random: randomBytes });
  await sendReportNow(parts, reportId, { now, key: 'once' });
  await sendReportNow(parts, reportId, { now, key: 'once' });
  await worker(now).sendDue();
  assert.equal(smtp.mails.length, 3);
  assert.notEqual(smtp.mails[2]?.to[0]?.address, address, 'an unsubscribed address stays unsubscribed');
});
