import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { startSmtp, type TestSmtp } from '../../tests/harness/smtp.ts';
import { openKeys } from '../auth/keys.ts';
import { Refusal } from '../errors.ts';
import { dayMs, hourMs, minuteMs } from '../time.ts';
import { claimMails, enqueueMail, type NewMail, purgeMails, recordTransfer } from './queue.ts';
import { sendMail } from './send.ts';
import { MailWorker } from './worker.ts';

const start = Date.parse('2026-03-01T00:00:00Z');
const mail: NewMail = {
  ...{ kind: 'report', to: 'ming@shop.example', subject: '週報：3 月', text: '訊息 12' },
  html: '<p>訊息 <img src="cid:chart" alt="chart"> 12</p>',
  headers: { 'List-Unsubscribe': '<https://shoal.example/u>' },
  attachments: [
    { fileName: 'chart.png', type: 'image/png', content: Buffer.from('png'), cid: 'chart' },
    { fileName: '數字.csv', type: 'text/csv', content: Buffer.from('day,messages\n') },
  ],
};

async function world(t: TestContext, options: Parameters<typeof startSmtp>[1] = {}) {
  const smtp = await startSmtp(t, options);
  const { sql } = await testDatabase(t);
  const keys = await openKeys({ secretKey: 'k'.repeat(32), dataFolder: '', random: randomBytes });
  const logs: string[] = [];
  const note = (fields: object, text: string) => void logs.push(`${text} ${JSON.stringify(fields)}`);
  let now = start;
  const worker = (settings: TestSmtp['settings'] = smtp.settings) =>
    new MailWorker({ sql, settings, keys, clock: () => now, log: { error: note, warn: note } as never });
  return {
    ...{ smtp, sql, keys, logs, worker },
    now: () => now,
    pass(ms: number) {
      now += ms;
    },
    enqueue: (changes: Partial<NewMail> = {}) =>
      sql.begin((tx) =>
        enqueueMail(tx, { ...mail, ...changes }, { settings: smtp.settings, keys, now, random: randomBytes }),
      ),
    rows: () =>
      sql`select outcome, attempts, may_be_repeated, problem, content_sealed is null as "isEmpty" from mails order by mail_id`,
  };
}

test('two workers send each mail once, over STARTTLS with a sign-in, and delete its content', async (t) => {
  const { smtp, worker, enqueue, rows } = await world(t);
  for (let index = 0; index < 6; index += 1) await enqueue({ to: `m${index}@shop.example` });
  assert.notEqual(await enqueue({ key: 'report 1' }), null);
  assert.equal(await enqueue({ key: 'report 1' }), null);
  const workers = [worker(), worker()];
  for (let attempts = 1; attempts > 0; ) {
    const counts = await Promise.all(workers.map((each) => each.sendDue()));
    attempts = counts[0]! + counts[1]!;
  }
  assert.deepEqual(
    smtp.mails.map(({ to }) => to[0]?.address).sort(),
    [...Array.from({ length: 6 }, (_, index) => `m${index}@shop.example`), mail.to].sort(),
  );
  const [received] = smtp.mails;
  assert.equal(received?.subject, mail.subject);
  assert.equal(received?.text?.trim(), mail.text);
  assert.match(received?.html ?? '', /cid:chart/);
  assert.deepEqual(
    received?.attachments.map(({ filename, mimeType, contentId }) => [filename, mimeType, contentId]),
    [
      ['chart.png', 'image/png', '<chart>'],
      ['數字.csv', 'text/csv', undefined],
    ],
  );
  assert.match(received?.bytes ?? '', /^List-Unsubscribe: <https:\/\/shoal\.example\/u>\r?$/m);
  assert.match(received?.bytes ?? '', /^Auto-Submitted: auto-generated\r?$/m);
  for (const row of await rows())
    assert.deepEqual(row, {
      outcome: 'sent',
      attempts: 1,
      may_be_repeated: false,
      problem: null,
      isEmpty: true,
    });
});

test('a mail whose transfer ended without an answer is sent again with the same Message-ID, and recorded', async (t) => {
  const { smtp, worker, enqueue, rows, pass, logs } = await world(t);
  await enqueue();
  smtp.behave('drop');
  await worker().sendDue();
  pass(hourMs);
  assert.equal(await worker().sendDue(), 1);
  assert.equal(smtp.mails.length, 2);
  assert.equal(smtp.mails[0]?.messageId, smtp.mails[1]?.messageId);
  const [row] = await rows();
  assert.deepEqual([row?.outcome, row?.may_be_repeated], ['sent', true]);
  assert.equal(logs.filter((line) => line.includes('same Message-ID')).length, 1);
});

test('a mail of a process that died is sent once by the next, and the dead claim cannot begin', async (t) => {
  const { smtp, sql, worker, enqueue, rows, pass, now } = await world(t);
  await enqueue();
  const [claim] = await claimMails(sql, { now: now(), limit: 1 });
  assert.ok(claim);
  assert.equal(await worker().sendDue(), 0, 'claimed');
  pass(hourMs);
  await worker().sendDue();
  assert.equal(smtp.mails.length, 1);
  assert.equal(await recordTransfer(sql, claim, now()), false);
  const [row] = await rows();
  assert.deepEqual([row?.outcome, row?.attempts, row?.may_be_repeated], ['sent', 2, false]);
});

test('a temporary refusal is retried, a final one is given up, and so is a mail that expires', async (t) => {
  const { smtp, sql, worker, enqueue, rows, pass, logs } = await world(t);
  smtp.behave('refuse-for-now', 'refuse');
  await enqueue();
  await worker().sendDue();
  pass(minuteMs);
  await worker().sendDue();
  await enqueue({ validMs: hourMs });
  pass(hourMs);
  await worker().sendDue();
  assert.equal(smtp.mails.length, 0);
  const [refused, expired] = await rows();
  assert.deepEqual([refused?.outcome, refused?.attempts, refused?.isEmpty], ['given-up', 2, true]);
  assert.match(refused?.problem, /550 no such mailbox/);
  assert.deepEqual([expired?.outcome, expired?.isEmpty], ['given-up', true]);
  assert.ok(!logs.join().includes('ming@'), 'logs name no recipient');
  await purgeMails(sql, { now: start + 2 * hourMs + 30 * dayMs });
  assert.equal((await rows()).length, 0);
});

test('a server without STARTTLS, an untrusted certificate or a wrong password gets no message', async (t) => {
  const plain = await startSmtp(t, { disabledCommands: ['STARTTLS'] });
  const { smtp } = await world(t);
  const { ca: _ca, ...untrusting } = smtp.settings;
  const wrong = { ...smtp.settings, login: { user: 'shoal', password: 'geheim' } };
  for (const [settings, expected] of [
    [plain.settings, /STARTTLS/],
    [untrusting, /self-signed/],
    [wrong, /Invalid login/],
  ] as const) {
    await assert.rejects(
      sendMail(settings, mail, { now: start, random: randomBytes }),
      (error) =>
        error instanceof Refusal &&
        error.code === 'MAIL_REFUSED' &&
        expected.test(error.message) &&
        !error.message.includes('geheim'),
      String(expected),
    );
  }
  await assert.rejects(sendMail(null, mail, { now: start, random: randomBytes }), /SHOAL_SMTP_URL/);
  assert.deepEqual([...smtp.mails, ...plain.mails], []);
});
