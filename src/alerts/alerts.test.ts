/** The check of rules and the reports of alerts, on a real database with a test clock, two processes, and deaths between their steps. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { testDatabase } from '../../tests/harness/database.ts';
import { seededBytes } from '../../tests/harness/random.ts';
import { receiver, status } from '../../tests/harness/receiver.ts';
import { openKeys } from '../auth/keys.ts';
import { setChannel } from '../bots/set-channel.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import type { MailSettings } from '../mail/settings.ts';
import type { Outcome, SendCall } from '../sends/sender.ts';
import { hourMs, minuteMs, secondMs } from '../time.ts';
import { openGate } from '../webhooks-out/addresses.ts';
import { checkAlerts } from './check.ts';
import { listAlerts, reportTest } from './log.ts';
import { claimReports, leaseMs } from './report-queue.ts';
import { Reporter } from './reporter.ts';
import { readSettings, setRule } from './rule-rows.ts';
import { createTarget, removeTarget, type TargetKind } from './targets.ts';

const random = seededBytes(5);
const botId = 'shop';
const lineUser = `U${'a'.repeat(32)}`;
const mail = {
  host: 'mail.example',
  port: 25,
  tls: 'off',
  login: null,
  from: { name: 'Shoal', address: 'shoal@shop.example' },
} as const;

async function world(t: TestContext) {
  const { sql } = await testDatabase(t);
  const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });
  const gate = openGate({ allowPrivate: true });
  await sql`insert into bots (bot_id, name, time_zone) values (${botId}, '小店', 'Asia/Taipei')`;
  const here = { now: Date.parse('2026-03-16T10:00:00Z') };
  const making = () => ({ now: here.now, random, keys });
  await setChannel(sql, { botId, platform: 'line', secret: 'hush', accessToken: 'token' }, {
    ...making(),
    publicKeyOf: undefined,
  } as never);
  const server = await receiver(t);
  const pushes: SendCall[] = [];
  const line = {
    async send(_channel: unknown, call: SendCall): Promise<Outcome> {
      pushes.push(call);
      return { kind: 'accepted', id: `request-${call.key}` };
    },
  };
  const openReporter = (settings: MailSettings | null) => {
    const options = {
      sql,
      keys,
      random,
      gate,
      mail: settings,
      line,
      clock: () => here.now,
      onStored: () => undefined,
    };
    const reporter = new Reporter({ ...options, log: { error: console.error }, publicUrl: null });
    t.after(() => reporter.stop());
    return reporter;
  };
  const processes = [openReporter(mail), openReporter(mail)];
  return {
    ...{ sql, here, server, pushes },
    openReporter,
    pass: (ms: number) => {
      here.now += ms;
    },
    addTarget: (kind: TargetKind, address: string) =>
      createTarget(sql, { botId, kind, address, language: 'en' }, { ...making(), gate }),
    /** Both processes check. Returns how many did. */
    check: async () =>
      (await Promise.all(processes.map(() => checkAlerts(sql, { now: here.now })))).filter(Boolean).length,
    /** Both processes report. Returns the number of attempts. */
    report: async () =>
      (await Promise.all(processes.map((one) => one.reportDue()))).reduce((sum, count) => sum + count, 0),
    alerts: () => listAlerts(sql, botId, { isRunning: null, limit: 100, beforeId: null }),
    /** A delivery that waits since `ageMs`. */
    addWaiting: (ageMs: number) =>
      putDeliveries(sql, [
        { botId, platform: 'line', source: 'webhook', body: Buffer.from('{}'), receivedAt: here.now - ageMs },
      ]),
    clearWaiting: () => sql`delete from pending_bundles where bot_id = ${botId}`,
  };
}

test('two processes begin and end an alert once and report it to each target once, although one dies in between', async (t) => {
  const { sql, server, pushes, pass, check, report, alerts, ...here } = await world(t);
  const { secret } = await here.addTarget('webhook', server.url);
  await here.addTarget('email', 'ming@shop.example');
  await here.addTarget('line', lineUser);
  await here.addWaiting(61 * secondMs);
  assert.equal(await check(), 0, 'after a pause of the servers, the first check waits');
  pass(minuteMs);
  assert.equal(await check(), 1);
  assert.equal(await check(), 0);
  assert.deepEqual(
    (await alerts()).map(({ rule, subject, value, threshold, reports }) => [
      ...[rule, subject, value, threshold],
      reports.map(({ phase, state }) => `${phase} ${state}`),
    ]),
    [['backlog', '', 121, 60, ['begin pending', 'begin pending', 'begin pending']]],
  );

  // A process claims the reports and dies.
  assert.equal((await claimReports(sql, { now: here.here.now, limit: 10 })).length, 3);
  assert.equal(await report(), 0);
  pass(leaseMs);
  assert.equal(await report(), 3);
  assert.equal(await report(), 0);

  // The backlog goes up and down.
  for (const ageMs of [90, 40, 55, 70, 20, 65].map((seconds) => seconds * secondMs)) {
    await here.clearWaiting();
    await here.addWaiting(ageMs);
    pass(minuteMs);
    await sql`update deliveries set received_at = ${new Date(here.here.now - ageMs)} where bot_id = ${botId}`;
    assert.equal(await check(), 1);
  }
  for (let minute = 0; minute < 15; minute += 1) {
    // Also the records of the pushes on LINE, which no worker processes here.
    await here.clearWaiting();
    pass(minuteMs);
    await check();
    await report();
  }
  const [alert, ...others] = await alerts();
  assert.deepEqual(others, []);
  assert.ok(alert?.endedAt);
  assert.deepEqual(
    alert.reports.map(({ kind, phase, state }) => `${kind} ${phase} ${state}`).sort(),
    ['email', 'line', 'webhook'].flatMap((kind) => [`${kind} begin sent`, `${kind} end sent`]),
  );
  assert.deepEqual(
    server.received.map(({ type, data }) => [type, data.rule, data.endedAt === null]),
    [
      ['alert.began', 'backlog', true],
      ['alert.ended', 'backlog', false],
    ],
  );
  assert.equal(new Set(server.received.map(({ id }) => id)).size, 2);
  for (const { body, headers } of server.received)
    assert.match(headers['webhook-signature'] ?? '', /^v1,/, body);
  const [first] = server.received;
  assert.ok(first);
  // The library compares the timestamp with its own clock.
  t.mock.timers.enable({ apis: ['Date'], now: Number(first.headers['webhook-timestamp']) * secondMs });
  new Webhook(String(secret)).verify(first.body, first.headers);
  t.mock.timers.reset();
  assert.deepEqual(
    pushes.map(({ recipients, message }) => [recipients[0]?.id, message.text?.slice(0, 8)]),
    [
      [lineUser, 'Alert: 小'],
      [lineUser, 'Resolved'],
    ],
  );
  const records = await sql<{ body: Uint8Array }[]>`
    select body from deliveries where bot_id = ${botId} and source = 'line-send'`;
  assert.deepEqual(
    records
      .map(({ body }) => JSON.parse(Buffer.from(body).toString()))
      .map(({ kind, person }) => [kind, person]),
    [
      ['push', lineUser],
      ['push', lineUser],
    ],
  );
  const [mails] = await sql`select count(*)::integer as count from mails where kind = 'alert'`;
  assert.equal(mails?.count, 2);
});

test('a failing target is tried again with the same id, a test only once; a rule that is off ends its alert', async (t) => {
  const { sql, server, pass, check, report, alerts, here, ...more } = await world(t);
  const { target } = await more.addTarget('webhook', server.url);
  assert.equal((await more.addTarget('webhook', `${server.url}/2`)).secret, null, 'the secret is shared');
  await assert.rejects(more.addTarget('webhook', server.url), /already go to/);
  await assert.rejects(more.addTarget('line', 'ming'), /id of a user/);
  server.answer = status(500);
  const { targetId } = target;
  await reportTest(sql, { botId, targetId, now: here.now });
  assert.equal(await report(), 1);
  await assert.rejects(reportTest(sql, { botId, targetId: 9_999_999, now: here.now }), /no target/);
  pass(hourMs);
  assert.equal(await report(), 0);
  const [tested] = await alerts();
  assert.deepEqual(
    tested?.reports.map(({ phase, state, problem }) => [phase, state, problem]),
    [['test', 'given-up', 'answered 500']],
  );
  assert.deepEqual(
    server.received.map(({ type }) => type),
    ['alert.test'],
  );

  await more.addWaiting(hourMs);
  await check();
  pass(minuteMs);
  await check();
  assert.equal(await report(), 2);
  pass(10 * secondMs);
  server.answer = (webhook, response) => status(webhook.path === '/hook' ? 200 : 410)(webhook, response);
  assert.equal(await report(), 2);
  const ids = server.received
    .filter(({ path, type }) => path === '/hook' && type === 'alert.began')
    .map(({ id }) => id);
  assert.deepEqual([ids.length, new Set(ids).size], [2, 1]);
  assert.deepEqual(
    (await alerts())[0]?.reports.map(({ state }) => state),
    ['sent', 'given-up'],
  );
  await setRule(sql, { botId, rule: 'backlog', enabled: false, now: here.now });
  assert.equal((await readSettings(sql, botId))(botId, 'backlog').enabled, false);
  for (let minute = 0; minute < 12; minute += 1) {
    pass(minuteMs);
    await check();
  }
  assert.ok((await alerts())[0]?.endedAt);
  await removeTarget(sql, botId, targetId);
  assert.equal(await report(), 1, 'of the other target');

  const { target: mailbox } = await more.addTarget('email', 'ming@shop.example');
  await reportTest(sql, { botId, targetId: mailbox.targetId, now: here.now });
  assert.equal(await more.openReporter(null).reportDue(), 1);
  assert.match((await alerts())[0]?.reports[0]?.problem ?? '', /^E-mail is not configured/);
});

test('a check of 1,100 quiet bots takes a few statements, and a replay that is processed is no backlog', async (t) => {
  const { sql, pass, check, here, addWaiting, alerts } = await world(t);
  await sql`
    insert into bots (bot_id, name, time_zone)
    select 'bot' || lpad(number::text, 5, '0'), 'x', 'UTC' from generate_series(1, 1100) number`;
  assert.equal(await check(), 0);
  // A replay of old deliveries counts as a backlog only if it still waits at the next check.
  pass(minuteMs);
  await addWaiting(5 * hourMs);
  assert.equal(await check(), 1);
  assert.deepEqual(await alerts(), []);
  pass(minuteMs);
  assert.equal(await check(), 1);
  assert.deepEqual(
    (await alerts()).map(({ rule }) => rule),
    ['backlog'],
  );
  pass(minuteMs);
  let statements = 0;
  const counting = new Proxy(sql, {
    apply(target, self, parameters) {
      statements += 1;
      return Reflect.apply(target, self, parameters);
    },
  });
  assert.equal(await checkAlerts(counting, { now: here.now }), true);
  // Also parts of statements.
  assert.ok(statements < 40, `${statements} statements`);
});
