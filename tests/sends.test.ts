/** The send job next to other sends, stops, deletions and time. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { openKeys } from '../src/auth/keys.ts';
import { setChannel } from '../src/bots/set-channel.ts';
import type { Sql } from '../src/database/client.ts';
import { eraseRecipients } from '../src/sends/erasure.ts';
import { type JobOptions, workLane } from '../src/sends/job.ts';
import { planStep } from '../src/sends/plan.ts';
import { readReceipts } from '../src/sends/receipts.ts';
import type { Outcome, Sender } from '../src/sends/sender.ts';
import { createSend, findSend, purgeSends, setState } from '../src/sends/sends.ts';
import { dayMs } from '../src/time.ts';
import { testDatabase } from './harness/database.ts';
import { forgetContact } from './harness/forget.ts';
import { oncePerFile } from './harness/scope.ts';

const anyFilter = {
  ...{ id: null, customerId: null, platform: null, name: null },
  ...{ tag: null, blocked: null, from: null, to: null },
};
const random = randomBytes;
const startsAt = Date.parse('2026-03-15T04:00:00Z');
const database = oncePerFile(testDatabase);
const secretKey = 'a secret key for tests, long enough';
let bots = 0;

/** A bot with contacts `c0` to `c5` on Messenger or WhatsApp, where each call has one recipient. */
async function shop(platform: 'facebook' | 'whatsapp' = 'facebook') {
  const { sql } = await database();
  await sql`delete from sends`;
  const keys = await openKeys({ secretKey, dataFolder: '', random });
  const botId = `bot${bots++}`;
  await sql`insert into bots (bot_id, name) values (${botId}, 'test')`;
  await setChannel(
    sql,
    { botId, platform, accountId: '1', secret: 's', verifyToken: 'v', accessToken: 'a' },
    { now: startsAt, random, keys },
  );
  const contactIds = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5'];
  for (const contactId of contactIds) {
    await sql`
      insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
      values (${botId}, ${contactId}, ${platform}, ${contactId}, ${new Date(startsAt)})`;
  }
  const create = async (text: string) => {
    const message = { text, quickReplies: [], whatsAppTemplate: null, tag: null };
    const send = {
      ...{ botId, name: text, platform, message, zone: 'UTC', quietHours: null },
      ...{ to: { contactIds, unknownContacts: 0 }, startsAt: null, key: null, createdBy: null },
    };
    return (await createSend(sql, send, { now: startsAt })).send;
  };
  const work = (
    answer: (text: string | null, to: string) => Outcome,
    { isRepeatable = false, ...options }: Partial<JobOptions> & { isRepeatable?: boolean } = {},
  ) => {
    const sender: Sender = {
      ...{ recipientsMax: 1, isRepeatable, isRecipient: () => true, needsLastInbound: false },
      callsPerSecond: { single: 300, multiple: 300 },
      send: async (_, { message, recipients }) => answer(message.text, recipients[0]?.id ?? ''),
    };
    const senders = { line: sender, facebook: sender, instagram: sender, whatsapp: sender, liveChat: sender };
    const log = { error: (...entry: unknown[]) => assert.fail(JSON.stringify(entry)) };
    const usual = { sql, keys, random, senders, log, clock: () => startsAt, onStored: () => undefined };
    return workLane({ botId, platform }, { ...usual, callsAtOnce: 1, ...options });
  };
  let receipts = 0;
  const receipt = async (detail: string, contactId: string, at: number, key?: string) => {
    receipts += 1;
    await sql`
      insert into events (bot_id, platform, key, kind, detail, contact_id, happened_at, received_at)
      values (${botId}, ${platform}, ${key ?? `${detail}:${receipts}`}, ${detail === 'message-out' ? detail : 'other'}, ${detail},
        ${contactId}, ${new Date(at)}, ${new Date(at)})
      on conflict do nothing`;
  };
  /** Reads the receipts of all sends once, whenever they are due. */
  const readAll = async () => {
    await sql`update sends set receipts_due_at = ${new Date(startsAt)} where receipts_due_at is not null`;
    await readReceipts(sql, { now: startsAt }, () => false);
  };
  return { sql, botId, create, receipt, readAll, work };
}

const accept = (): Outcome => ({ kind: 'accepted', id: 'm' });

test('a long send takes turns with other sends of its channel, and leaves the channel after a while', async () => {
  const { sql, create, work } = await shop();
  const sends = [await create('first'), await create('second')];
  const texts: (string | null)[] = [];
  let now = startsAt;
  const answer = (text: string | null) => {
    texts.push(text);
    now += 4_000;
    return accept();
  };
  await work(answer, { clock: () => now });
  assert.ok(texts.includes('second') && texts.length < 12, texts.join());
  while (texts.length < 12) await work(answer, { clock: () => now });
  await work(answer, { clock: () => now });
  assert.ok(texts.indexOf('second') < texts.lastIndexOf('first'), texts.join());
  for (const send of sends) assert.equal((await findSend(sql, send)).state, 'done');
});

test('a stopped send gives up the calls of a killed process', async () => {
  const { sql, create, work } = await shop();
  const send = await create('stopped');
  const killed = Promise.withResolvers<void>();
  const checkpoint = (point: string) => {
    if (point !== 'answered') return Promise.resolve();
    killed.resolve();
    return new Promise<void>(() => undefined);
  };
  void work(accept, { checkpoint });
  await killed.promise;
  await setState(sql, send, { state: 'stopped', now: startsAt });
  const texts: (string | null)[] = [];
  const clock = () => startsAt + 120_000;
  const answer = (text: string | null) => {
    texts.push(text);
    return accept();
  };
  await work(answer, { clock });
  const { state, unknown, pending, recipients } = await findSend(sql, send);
  assert.deepEqual([texts, state, recipients - unknown - pending], [[], 'stopped', 0]);
  assert.ok(unknown > 0 && unknown <= 2, `${unknown} unknown`);
  const [row] = await sql`select claimed - settled as open from sends where bot_id = ${send.botId}`;
  assert.deepEqual(row, { open: 0 });
});

test('the deletion of a contact waits for results before it locks recipients', async () => {
  const { sql, botId, create } = await shop();
  const { sendId } = await create('deleted');
  let erased: Promise<unknown> = Promise.resolve();
  await sql.begin(async (tx) => {
    await tx`select from sends where bot_id = ${botId} and send_id = ${sendId} for update`;
    erased = sql.begin((other) => eraseRecipients(other, botId, ['c1']));
    for (;;) {
      const [waits] = await sql`
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      if (waits) break;
    }
    // Throws if the deletion holds the row.
    await tx`select from send_recipients where bot_id = ${botId} and send_id = ${sendId} for update nowait`;
  });
  await erased;
});

test('results whose transaction PostgreSQL ends because of a deadlock are stored again', async () => {
  const { sql, create, work } = await shop();
  const send = await create('deadlock');
  // The plan, then the results.
  let begins = 0;
  const begin = async (transaction: Parameters<Sql['begin']>[1]) => {
    begins += 1;
    if (begins === 2) throw Object.assign(new Error('deadlock detected'), { code: '40P01' });
    return sql.begin(transaction as never);
  };
  const failing = new Proxy(sql, {
    get: (target, name) => (name === 'begin' ? begin : Reflect.get(target, name)),
  });
  await work(accept, { sql: failing, callsAtOnce: 6 });
  const { state, accepted, unknown } = await findSend(sql, send);
  assert.deepEqual([begins, state, accepted, unknown], [3, 'done', 6, 0]);
});

test('a process that has lost its lease does not end calls that its successor has repeated', async () => {
  const { sql, botId, create, work } = await shop();
  await create('repeated');
  const usual = { isRepeatable: true, callsAtOnce: 6 };
  const hangs = Promise.withResolvers<void>();
  const goesOn = Promise.withResolvers<void>();
  const checkpoint = async (point: string) => {
    if (point !== 'answered') return;
    hangs.resolve();
    await goesOn.promise;
  };
  const first = work(() => ({ kind: 'later', problem: 'limited', afterMs: 1 }), { ...usual, checkpoint });
  await hangs.promise;
  // Accepted, but the answers are lost.
  const clock = () => startsAt + 120_000;
  await work(() => ({ kind: 'unknown', problem: 'lost' }), { ...usual, clock });
  goesOn.resolve();
  await first;
  const states = await sql`select distinct state from send_recipients where bot_id = ${botId}`;
  assert.deepEqual([...states], [{ state: 'planned' }]);
});

test('a send that ended after a failure, and one that stays paused, are deleted after 400 days', async () => {
  const { sql, botId, create, work } = await shop();
  const ended = await create('ended');
  let calls = 0;
  await work(() => (++calls === 6 ? { kind: 'refused', code: '1' } : accept()), { callsAtOnce: 6 });
  await sql`update sends set state = 'running', ended_at = null where bot_id = ${botId}`;
  const isLost = new Error('a fault');
  let checkpoints = 0;
  const checkpoint = async (point: string) => {
    if (point === 'planned' && checkpoints++ === 0) throw isLost;
  };
  await work(accept, { checkpoint, log: { error: () => undefined } });
  const { state, endedAt } = await findSend(sql, ended);
  assert.deepEqual([state, endedAt], ['done', new Date(startsAt)]);
  const paused = await create('paused');
  await setState(sql, paused, { state: 'paused', now: startsAt });
  const counted = async () => (await sql`select from sends where bot_id = ${botId}`).length;
  const purgeAfter = async (days: number) => {
    while ((await purgeSends(sql, botId, { now: startsAt + days * dayMs })).more);
    return counted();
  };
  assert.deepEqual([await purgeAfter(399), await purgeAfter(401)], [2, 0]);
});

test('each step of a plan adds a batch of recipients at most, and continues after the last one', async () => {
  const { sql, botId, create } = await shop();
  const send = await create('planned');
  await sql`delete from send_recipients where bot_id = ${botId}`;
  await sql`update sends set planned = false, recipients = 0, audience = ${JSON.stringify(anyFilter)}::text::jsonb where bot_id = ${botId}`;
  const counts: number[] = [];
  for (let isPlanned = false; !isPlanned; ) {
    isPlanned = await planStep(sql, send, { now: startsAt, batch: 4 });
    counts.push((await findSend(sql, send)).recipients);
  }
  assert.deepEqual(counts, [4, 6]);
  const rows = await sql`select distinct contact_id, position from send_recipients where bot_id = ${botId}`;
  assert.equal(rows.length, 6);
});

test('receipts are read for all recent sends in turn, page by page, and not after seven days', async () => {
  const { sql, create, receipt, work } = await shop();
  const sends = [await create('one'), await create('two'), await create('three')];
  await work(accept, { callsAtOnce: 6 });
  await receipt('read', 'c1', startsAt);
  const reads = async () =>
    (await Promise.all(sends.map((send) => findSend(sql, send)))).map(({ read }) => read);
  // A page has two of the six recipients.
  for (let round = 1; round <= 3; round += 1)
    await readReceipts(sql, { now: startsAt + round, sendsMax: 1, page: 2 }, () => false);
  assert.deepEqual(await reads(), [1, 1, 1]);
  for (let round = 1; round <= 9; round += 1)
    await readReceipts(sql, { now: startsAt + 7 * dayMs + round, sendsMax: 1, page: 2 }, () => false);
  const due = await sql`select from sends where receipts_due_at is not null`;
  assert.equal(due.length, 0);
});

test('a receipt of Messenger or Instagram covers all messages up to its watermark, in any order and number', async () => {
  const { sql, create, receipt, readAll, work } = await shop();
  const send = await create('watermarks');
  await work((_, to) => ({ kind: 'accepted', id: `mid-${to}` }), { callsAtOnce: 6 });
  // Messenger's own time of two messages.
  await receipt('message-out', 'c1', startsAt, 'message:mid-c1');
  await receipt('message-out', 'c2', startsAt, 'message:mid-c2');
  // A receipt of an earlier message, a late delivery after the read, and repetitions.
  await receipt('read', 'c1', startsAt - 1);
  await receipt('read', 'c2', startsAt + 5_000);
  await receipt('read', 'c2', startsAt + 5_000);
  await receipt('delivery', 'c3', startsAt);
  const numbers = async () => {
    await readAll();
    const { delivered, read, accepted } = await findSend(sql, send);
    return { delivered, read, accepted };
  };
  assert.deepEqual(await numbers(), { delivered: 2, read: 1, accepted: 6 });
  await receipt('delivery', 'c2', startsAt + 1_000);
  await receipt('read', 'c3', startsAt + 9_000);
  await receipt('read', 'c3', startsAt + 8_000);
  assert.deepEqual(await numbers(), { delivered: 2, read: 2, accepted: 6 });
  await receipt('read', 'c1', startsAt);
  assert.deepEqual(await numbers(), { delivered: 3, read: 3, accepted: 6 });
});

test('the statuses of a WhatsApp message count in any order and number, and a failure only before a delivery', async () => {
  const { sql, create, receipt, readAll, work } = await shop('whatsapp');
  const send = await create('statuses');
  await work((_, to) => ({ kind: 'accepted', id: `wamid-${to}` }), { callsAtOnce: 6 });
  const status = (contact: string, name: string) =>
    receipt(name, contact, startsAt + 1_000, `status:wamid-${contact}:${name}`);
  const numbers = async () => {
    await readAll();
    const { delivered, read, accepted, refused } = await findSend(sql, send);
    return { delivered, read, accepted, refused };
  };
  await status('c1', 'read');
  await status('c1', 'read');
  await status('c2', 'failed');
  await status('c3', 'delivered');
  await status('c3', 'failed');
  await status('c4', 'sent');
  assert.deepEqual(await numbers(), { delivered: 2, read: 1, accepted: 5, refused: 1 });
  await status('c1', 'delivered');
  await status('c3', 'read');
  assert.deepEqual(await numbers(), { delivered: 2, read: 2, accepted: 5, refused: 1 });
});

test('the deletion of a contact removes its customer id and name from the filters of sends', async () => {
  const { sql, botId, create } = await shop();
  await sql`
    insert into contact_profiles (bot_id, contact_id, customer_id, name, updated_at)
    values (${botId}, 'c1', 'K1', 'Ada Lovelace', ${new Date(startsAt)})`;
  const filters = [
    { customerId: 'K1', name: null },
    { customerId: null, name: 'ada lovelace' },
    { customerId: 'K2', name: 'Grace' },
    { customerId: null, name: 'LOVE' },
    { customerId: null, name: 'Ada' },
    { customerId: null, name: 'Ada', planned: true },
  ];
  const sends: { botId: string; sendId: number }[] = [];
  for (const [index, { planned = false, ...filter }] of filters.entries()) {
    const { sendId } = await create(`${index}`);
    await sql`
      update sends set planned = ${planned}, audience = ${JSON.stringify({ ...anyFilter, ...filter })}::text::jsonb
      where bot_id = ${botId} and send_id = ${sendId}`;
    sends.push({ botId, sendId });
  }
  await forgetContact(sql, { botId, contactId: 'c1' }, { now: startsAt, random });
  const read = () =>
    Promise.all(
      sends.map(async (send) => {
        const { audience, isPlanned } = await findSend(sql, send);
        return [audience?.customerId, audience?.name, isPlanned];
      }),
    );
  const atOnce = [
    ['(deleted)', null, true],
    [null, '(deleted)', true],
    ['K2', 'Grace', false],
  ];
  // A part of the name may find other contacts, so a send that is not planned keeps it until then.
  const after = [null, '(deleted)', true];
  assert.deepEqual(await read(), [...atOnce, [null, 'LOVE', false], [null, 'Ada', false], after]);
  const [, , , planned, stopped] = sends;
  assert.ok(planned && stopped);
  await planStep(sql, planned, { now: startsAt });
  await setState(sql, stopped, { state: 'stopped', now: startsAt });
  assert.deepEqual(await read(), [...atOnce, after, [null, '(deleted)', false], after]);
});
