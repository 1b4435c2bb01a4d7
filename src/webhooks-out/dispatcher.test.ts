/** Dispatch to receivers that answer, fail, hang, redirect, break off and die, over real HTTP with a test clock. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { testDatabase } from '../../tests/harness/database.ts';
import { seededBytes } from '../../tests/harness/random.ts';
import { type Receiver, receiver, status } from '../../tests/harness/receiver.ts';
import { until } from '../../tests/harness/until.ts';
import { type Keys, openKeys } from '../auth/keys.ts';
import type { Sql } from '../database/client.ts';
import { dayMs, hourMs } from '../time.ts';
import { type Gate, openGate } from './addresses.ts';
import { Dispatcher, type DispatcherOptions } from './dispatcher.ts';
import { findCallback, removeCallback, rotateSecret, setCallback } from './endpoints.ts';
import { findMessage, listMessages, pendingMessages, purgeMessages, replayMessages } from './log.ts';
import { type Change, enqueueMessages } from './outbox.ts';
import { botsWithDue, claimDue, leaseMs } from './queue.ts';

const random = seededBytes(1);
const openedGate = openGate({ allowPrivate: true });

type World = {
  sql: Sql;
  keys: Keys;
  /** ms; the clock of all dispatchers. */
  now: number;
  /** The entries of the log. */
  logged: unknown[];
  outcomes: string[];
  addBot(botId: string, url: string): Promise<string>;
  enqueue(botId: string, ...tags: string[]): Promise<void>;
  dispatcher(part?: Partial<DispatcherOptions>): Dispatcher;
};

async function world(t: TestContext): Promise<World> {
  const { sql } = await testDatabase(t);
  const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });
  const here: World = {
    sql,
    keys,
    now: Date.parse('2026-03-01T00:00:00Z'),
    logged: [],
    outcomes: [],
    async addBot(botId, url) {
      await sql`insert into bots (bot_id, name) values (${botId}, 'Shop')`;
      await sql`
        insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
        values (${botId}, 'Ada', 'line', 'U1', now())`;
      const making = { gate: openedGate, now: here.now, random, keys };
      const { secret } = await setCallback(sql, { botId, url }, making);
      return String(secret);
    },
    enqueue: (botId, ...tags) =>
      sql.begin((tx) =>
        enqueueMessages(
          tx,
          botId,
          tags.map((tag) => tagged(tag, here.now)),
          { now: here.now },
        ),
      ),
    dispatcher(part = {}) {
      const dispatcher = new Dispatcher(sql, {
        gate: openedGate,
        keys,
        clock: () => here.now,
        random,
        log: { error: (...entry: unknown[]) => void here.logged.push(...entry) },
        attempted: (outcome) => void here.outcomes.push(outcome),
        ...part,
      });
      t.after(() => dispatcher.stop());
      return dispatcher;
    },
  };
  return here;
}

function tagged(tag: string, at: number): Change {
  return { type: 'contact.tagged', contactId: 'Ada', at, data: { tag, kind: 'manual' } };
}

async function notices({ sql }: World, botId = 'shop') {
  const listed = await listMessages(sql, botId, { state: null, limit: 1_000, beforeId: null });
  return listed.reverse();
}

async function only(here: World) {
  const [first, ...more] = await notices(here);
  assert.ok(first && more.length === 0);
  return { ...first, attempts: (await findMessage(here.sql, 'shop', first.noticeId))?.attempts ?? [] };
}

test('a change is sent once, with a signature that the reference library accepts, and recorded as delivered', async (t) => {
  const here = await world(t);
  here.now = Date.now();
  const shop = await receiver(t);
  shop.answer = status(200, {}, 'thank\u0000 you\n');
  const secret = await here.addBot('shop', shop.url);
  await here.enqueue('shop', 'VIP');
  const dispatcher = here.dispatcher();
  assert.equal(await dispatcher.dispatchDue(), 1);
  assert.equal(await dispatcher.dispatchDue(), 0);
  const [webhook] = shop.received;
  assert.ok(webhook && shop.received.length === 1);
  const timestamp = new Date(here.now).toISOString();
  const data = {
    botId: 'shop',
    contactId: 'Ada',
    platform: 'line',
    platformContactId: 'U1',
    tag: 'VIP',
    kind: 'manual',
  };
  const payload = { type: 'contact.tagged', timestamp, data };
  assert.deepEqual(new Webhook(secret).verify(webhook.body, webhook.headers), payload);
  assert.equal(webhook.headers['content-type'], 'application/json');
  assert.equal(webhook.path, '/hook');
  const { state, webhookId, attempts } = await only(here);
  assert.deepEqual([state, webhookId], ['told', webhook.id]);
  assert.deepEqual(
    attempts.map(({ ms: _, ...attempt }) => attempt),
    [{ attemptedAt: new Date(here.now), status: 200, problem: null, excerpt: 'thank you' }],
  );
  assert.deepEqual(here.outcomes, ['told']);
});

test('during a rotation both secrets sign; after 7 days, or at once on request, only the new one does', async (t) => {
  const here = await world(t);
  const { sql, keys } = here;
  const shop = await receiver(t);
  await here.addBot('shop', shop.url);
  const signatures = async () => {
    await here.enqueue('shop', 'VIP');
    await here.dispatcher().dispatchDue();
    return shop.received.at(-1)?.headers['webhook-signature']?.split(' ').length;
  };
  assert.equal(await signatures(), 1);
  await rotateSecret(sql, { botId: 'shop', retire: false }, { now: here.now, random, keys });
  assert.equal(await signatures(), 2);
  here.now += 7 * dayMs - 1;
  assert.equal(await signatures(), 2);
  here.now += 1;
  assert.equal(await signatures(), 1);
  await rotateSecret(sql, { botId: 'shop', retire: false }, { now: here.now, random, keys });
  await rotateSecret(sql, { botId: 'shop', retire: true }, { now: here.now, random, keys });
  assert.equal(await signatures(), 1);
});

test('a failing receiver gets 13 attempts over three days with one id; then the message is given up, and a replay delivers it', async (t) => {
  const here = await world(t);
  const shop = await receiver(t);
  shop.answer = status(500, {}, 'x'.repeat(100_000));
  await here.addBot('shop', shop.url);
  await here.enqueue('shop', 'VIP');
  const begin = here.now;
  const dispatcher = here.dispatcher();
  let notice = await only(here);
  while (notice.state === 'pending') {
    assert.ok(notice.dueAt);
    here.now = notice.dueAt.getTime() - 1;
    if (here.now > begin) assert.equal(await dispatcher.dispatchDue(), 0);
    here.now += 1;
    assert.equal(await dispatcher.dispatchDue(), 1);
    notice = await only(here);
  }
  assert.equal(notice.state, 'given-up');
  assert.equal(shop.received.length, 13);
  assert.deepEqual(new Set(shop.received.map(({ id }) => id)), new Set([notice.webhookId]));
  assert.equal(new Set(shop.received.map(({ body }) => body)).size, 1);
  assert.ok(here.now - begin > 2 * dayMs && here.now - begin < 3 * dayMs);
  assert.deepEqual([notice.attempts.length, notice.problem], [13, 'answered 500']);
  for (const { excerpt } of notice.attempts) assert.equal(excerpt, 'x'.repeat(300));
  assert.deepEqual(here.outcomes, [...Array.from({ length: 12 }, () => 'again'), 'given-up']);
  here.now += 30 * dayMs;
  assert.equal(await dispatcher.dispatchDue(), 0);

  shop.answer = status(204);
  assert.equal(await replayMessages(here.sql, 'shop', [notice.noticeId], here), 1);
  assert.equal(await dispatcher.dispatchDue(), 1);
  assert.equal((await only(here)).state, 'told');
  assert.equal(shop.received.at(-1)?.id, notice.webhookId);
});

test('an unsuccessful, broken or missing answer is retried and recorded with its reason', async (t) => {
  const here = await world(t);
  const shop = await receiver(t);
  await here.addBot('shop', shop.url);
  const cases: [typeof shop.answer, RegExp][] = [
    [status(400), /^answered 400$/],
    [status(404), /^answered 404$/],
    [
      status(302, { location: shop.url.replace('/hook', '/elsewhere') }),
      /^answered 302; redirects are not followed$/,
    ],
    [status(307, { location: 'http://169.254.169.254/' }), /^answered 307; redirects are not followed$/],
    [(_webhook, response) => void response.socket?.destroy(), /^ECONNRESET socket hang up$/],
    [interim('100 Continue'), /^ECONNRESET socket hang up$/],
    [interim('101 Switching Protocols'), /^Error the connection ended without an answer$/],
    [(_webhook, response) => void response.socket?.end('nonsense\r\n\r\n'), /^HPE_\w+ Parse Error/],
  ];
  const dispatcher = here.dispatcher();
  for (const [answer, expected] of cases) {
    shop.answer = answer;
    await here.enqueue('shop', 'VIP');
    assert.equal(await dispatcher.dispatchDue(), 1);
    const last = (await notices(here)).at(-1);
    assert.equal(last?.state, 'pending');
    assert.match(last?.problem ?? '', expected);
    here.now += 1;
  }
  assert.ok(shop.received.every(({ path }) => path === '/hook'));
});

/** The head of an interim answer, and the end of the connection. */
const interim =
  (head: string): Receiver['answer'] =>
  (_webhook, response) =>
    void response.socket?.end(`HTTP/1.1 ${head}\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n`);

test('the final answer counts after unrequested interim ones', async (t) => {
  const here = await world(t);
  const shop = await receiver(t);
  await here.addBot('shop', shop.url);
  const dispatcher = here.dispatcher();
  for (const [finalStatus, state] of [
    [200, 'told'],
    [500, 'pending'],
  ] as const) {
    shop.answer = (_webhook, response) => {
      response.writeContinue();
      response.writeProcessing();
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.writeHead(finalStatus).end('final');
    };
    await here.enqueue('shop', 'VIP');
    assert.equal(await dispatcher.dispatchDue(), 1);
    const last = (await notices(here)).at(-1);
    assert.equal(last?.state, state);
    const [attempt] = (await findMessage(here.sql, 'shop', last?.noticeId ?? 0))?.attempts ?? [];
    assert.deepEqual([attempt?.status, attempt?.excerpt], [finalStatus, 'final']);
    here.now += 1;
  }
});

test('a closed port, a name without address and a silent receiver are failures', async (t) => {
  const here = await world(t);
  const silent = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : 0;
  t.after(() => silent.close());
  await here.addBot('closed', 'http://127.0.0.1:1/');
  await here.addBot('nameless', 'http://missing.invalid/');
  await here.addBot('silent', `http://127.0.0.1:${port}/`);
  for (const botId of ['closed', 'nameless', 'silent']) await here.enqueue(botId, 'VIP');
  const gate: Gate = { allowPrivate: true, lookup: () => Promise.reject(new Error('no address')) };
  assert.equal(await here.dispatcher({ gate, attemptMsMax: 300 }).dispatchDue(), 3);
  const problem = async (botId: string) => (await notices(here, botId))[0]?.problem;
  assert.match((await problem('closed')) ?? '', /ECONNREFUSED/);
  assert.match((await problem('nameless')) ?? '', /no address/);
  assert.match((await problem('silent')) ?? '', /no answer within 0.3 s/);
});

test('a body that hangs or never ends does not undo a success', async (t) => {
  const here = await world(t);
  const shop = await receiver(t);
  await here.addBot('shop', shop.url);
  const endless: typeof shop.answer = (_webhook, response) => {
    response.writeHead(200);
    const flood = setInterval(() => response.write('x'.repeat(2_000)), 1);
    response.on('close', () => clearInterval(flood));
  };
  const hanging: typeof shop.answer = (_webhook, response) => void response.writeHead(200).write('yes');
  const dispatcher = here.dispatcher();
  for (const [answer, excerpt] of [
    [endless, 'x'.repeat(300)],
    [hanging, 'yes'],
  ] as const) {
    shop.answer = answer;
    await here.enqueue('shop', 'VIP');
    await dispatcher.dispatchDue();
    const last = (await notices(here)).at(-1);
    assert.equal(last?.state, 'told');
    assert.equal((await findMessage(here.sql, 'shop', last?.noticeId ?? 0))?.attempts[0]?.excerpt, excerpt);
  }
});

test('410 disables the address: pending messages are given up, later changes write none, and setting it again enables it', async (t) => {
  const here = await world(t);
  const { sql, keys } = here;
  const shop = await receiver(t);
  shop.answer = status(410);
  const secret = await here.addBot('shop', shop.url);
  await here.enqueue('shop', 'a', 'b', 'c');
  const dispatcher = here.dispatcher();
  assert.equal(await dispatcher.dispatchDue(), 1);
  assert.deepEqual(
    (await notices(here)).map(({ state }) => state),
    ['given-up', 'given-up', 'given-up'],
  );
  assert.deepEqual((await findCallback(sql, 'shop', here.now))?.disabledAt, new Date(here.now));
  await here.enqueue('shop', 'd');
  assert.equal((await notices(here)).length, 3);
  await assert.rejects(replayMessages(sql, 'shop', null, here), { code: 'INPUT_INVALID' });

  shop.answer = status(200);
  const again = await setCallback(
    sql,
    { botId: 'shop', url: shop.url },
    { gate: openedGate, now: here.now, random, keys },
  );
  assert.equal(again.secret, null);
  await here.enqueue('shop', 'e');
  assert.equal(await replayMessages(sql, 'shop', null, here), 3);
  while ((await dispatcher.dispatchDue()) > 0);
  assert.deepEqual(
    (await notices(here)).map(({ state }) => state),
    ['told', 'told', 'told', 'told'],
  );
  assert.notEqual(secret, 'null');
});

test('Retry-After delays all messages of its bot, and none of another bot', async (t) => {
  const here = await world(t);
  const [shop, other] = [await receiver(t), await receiver(t)];
  shop.answer = status(429, { 'retry-after': '3600' });
  await here.addBot('shop', shop.url);
  await here.addBot('other', other.url);
  await here.enqueue('shop', 'a', 'b');
  const dispatcher = here.dispatcher();
  assert.equal(await dispatcher.dispatchDue(), 1);
  shop.answer = status(200);
  here.now += hourMs - 1;
  await here.enqueue('other', 'c');
  assert.equal(await dispatcher.dispatchDue(), 1);
  assert.equal(other.received.length, 1);
  here.now += 1;
  while ((await dispatcher.dispatchDue()) > 0);
  assert.deepEqual(
    (await notices(here)).map(({ state }) => state),
    ['told', 'told'],
  );
});

test('hanging receivers delay no other: each has one running attempt, and those in poor health share half of all slots', async (t) => {
  const here = await world(t);
  const [dead, shop] = [await receiver(t), await receiver(t)];
  let open = 0;
  let openMax = 0;
  dead.answer = (_webhook, response) => {
    open += 1;
    openMax = Math.max(openMax, open);
    response.on('close', () => {
      open -= 1;
    });
  };
  const tags = (count: number) => Array.from({ length: count }, (_, index) => `tag ${index}`);
  const addDead = async (name: string) => {
    for (let index = 0; index < 40; index += 1) {
      await here.addBot(`${name}${index}`, dead.url);
      await here.enqueue(`${name}${index}`, ...tags(5));
    }
  };
  await here.addBot('shop', shop.url);
  const tellShop = async () => {
    here.now += 1;
    const dispatcher = here.dispatcher();
    dispatcher.start();
    await here.enqueue('shop', ...tags(200));
    const expectedCount = shop.received.length + 200;
    const startedAt = performance.now();
    await until(() => shop.received.length >= expectedCount, 'the shop receives its webhooks');
    t.diagnostic(`200 webhooks delivered within ${Math.round(performance.now() - startedAt)} ms`);
    assert.equal(shop.received.length, expectedCount);
    await dispatcher.stop();
  };
  await addDead('new');
  await tellShop();
  assert.equal(openMax, 40);
  await addDead('known');
  await here.sql`update callbacks set standing = 'poor' where bot_id <> 'shop'`;
  openMax = 0;
  await tellShop();
  assert.equal(openMax, 32);
});

test('a receiver is in good health after a quick success, and in poor health after a failure', async (t) => {
  const here = await world(t);
  const shop = await receiver(t);
  await here.addBot('shop', shop.url);
  const dispatcher = here.dispatcher();
  const health = async () => {
    const [row] = await here.sql`select standing from callbacks`;
    return row?.standing;
  };
  const healthStates = [await health()];
  for (const code of [200, 500, 200]) {
    shop.answer = status(code);
    await here.enqueue('shop', 'VIP');
    await dispatcher.dispatchDue();
    healthStates.push(await health());
  }
  assert.deepEqual(healthStates, ['new', 'good', 'poor', 'good']);
});

test('two dispatchers share the work: each message is sent once', async (t) => {
  const here = await world(t);
  const shop = await receiver(t);
  shop.answer = (_webhook, response) => void setTimeout(() => response.end(), 3);
  await here.addBot('shop', shop.url);
  await here.enqueue('shop', ...Array.from({ length: 120 }, (_, index) => `tag ${index}`));
  const dispatchers = [here.dispatcher(), here.dispatcher()];
  for (const dispatcher of dispatchers) dispatcher.start();
  while ((await pendingMessages(here.sql)).count > 0) await pause(20);
  assert.equal(shop.received.length, 120);
  assert.equal(new Set(shop.received.map(({ id }) => id)).size, 120);
  assert.deepEqual(here.logged, []);
});

test('the claim of a killed dispatcher is free after its lease', async (t) => {
  const here = await world(t);
  const shop = await receiver(t);
  await here.addBot('shop', shop.url);
  await here.enqueue('shop', 'VIP');
  assert.equal((await claimDue(here.sql, 'shop', { now: here.now, countMax: 5 })).length, 1);
  const dispatcher = here.dispatcher();
  here.now += leaseMs - 1;
  assert.equal((await botsWithDue(here.sql, { now: here.now, limit: 5 })).length, 0);
  assert.equal(await dispatcher.dispatchDue(), 0);
  here.now += 1;
  assert.equal(await dispatcher.dispatchDue(), 1);
  assert.equal((await only(here)).state, 'told');
});

test('a claim and its change are synced to disk before the message is sent', async (t) => {
  const here = await world(t);
  const { sql, now } = here;
  await here.addBot('shop', 'http://127.0.0.1:1/');
  for (let round = 1; round <= 5; round += 1) {
    await sql.begin(async (tx) => {
      await tx`select set_config('synchronous_commit', 'off', true)`;
      await enqueueMessages(tx, 'shop', [tagged(`tag ${round}`, now)], { now });
    });
    const [written] = await sql<{ place: string }[]>`select pg_current_wal_insert_lsn()::text as place`;
    assert.equal((await claimDue(sql, 'shop', { now, countMax: 1 })).length, 1);
    const [safe] = await sql`
      select pg_current_wal_flush_lsn() >= ${written?.place ?? ''}::text::pg_lsn as change`;
    assert.equal(safe?.change, true);
  }
});

test('a stopped dispatcher releases unfinished messages, and the next one sends them', async (t) => {
  const here = await world(t);
  const shop = await receiver(t);
  shop.answer = () => undefined;
  await here.addBot('shop', shop.url);
  await here.enqueue('shop', 'VIP');
  const dispatcher = here.dispatcher();
  dispatcher.start();
  while (shop.received.length === 0) await pause(5);
  await dispatcher.stop();
  const { state, attempts } = await only(here);
  assert.deepEqual([state, attempts], ['pending', []]);
  shop.answer = status(200);
  assert.equal(await here.dispatcher().dispatchDue(), 1);
  assert.equal(shop.received[0]?.id, shop.received[1]?.id);
});

test('an address that was public when it was set is not called after its name resolves to a private one', async (t) => {
  const here = await world(t);
  const shop = await receiver(t);
  await here.addBot('shop', shop.url.replace('127.0.0.1', 'rebound.example'));
  await here.addBot('literal', shop.url);
  await here.enqueue('shop', 'VIP');
  await here.enqueue('literal', 'VIP');
  const gate: Gate = {
    allowPrivate: false,
    lookup: async () => [
      { address: '93.184.215.14', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ],
  };
  assert.equal(await here.dispatcher({ gate }).dispatchDue(), 2);
  assert.deepEqual(shop.received, []);
  for (const botId of ['shop', 'literal'])
    assert.match((await notices(here, botId))[0]?.problem ?? '', /private, local or reserved/);
});

test('a removed or replaced address is no longer called', async (t) => {
  const here = await world(t);
  const { sql, keys } = here;
  const [before, after] = [await receiver(t), await receiver(t)];
  await here.addBot('shop', before.url);
  await here.enqueue('shop', 'a');
  await setCallback(
    sql,
    { botId: 'shop', url: after.url },
    { gate: openedGate, now: here.now, random, keys },
  );
  const dispatcher = here.dispatcher();
  await dispatcher.dispatchDue();
  assert.deepEqual([before.received.length, after.received.length], [0, 1]);
  await here.enqueue('shop', 'b');
  assert.equal(await removeCallback(sql, 'shop', here), true);
  assert.equal(await removeCallback(sql, 'shop', here), false);
  assert.equal(await dispatcher.dispatchDue(), 0);
  assert.deepEqual(
    (await notices(here)).map(({ state }) => state),
    ['told', 'given-up'],
  );
  assert.deepEqual(await pendingMessages(sql), { count: 0, oldestSince: null });
});

test('an unreadable secret is a failure with its reason, and no message is sent unsigned', async (t) => {
  const here = await world(t);
  const shop = await receiver(t);
  await here.addBot('shop', shop.url);
  await here.enqueue('shop', 'VIP');
  const keys = await openKeys({ secretKey: 'another secret key, also long enough', dataFolder: '', random });
  await here.dispatcher({ keys }).dispatchDue();
  assert.deepEqual(shop.received, []);
  assert.match((await only(here)).problem ?? '', /cannot be opened/);
});

test('the log is deleted after its days, except for pending messages', async (t) => {
  const here = await world(t);
  const shop = await receiver(t);
  await here.addBot('shop', shop.url);
  await here.enqueue('shop', 'told');
  await here.dispatcher().dispatchDue();
  await here.enqueue('shop', 'pending');
  const purge = () => purgeMessages(here.sql, 'shop', { now: here.now, logDays: 30 });
  here.now += 30 * dayMs;
  assert.deepEqual(await purge(), { deleted: 0, more: false });
  here.now += 1;
  assert.deepEqual(await purge(), { deleted: 1, more: false });
  assert.deepEqual(
    (await notices(here)).map(({ data }) => data),
    [{ tag: 'pending', kind: 'manual' }],
  );
  const [left] = await here.sql`select count(*)::integer as count from notice_attempts`;
  assert.equal(left?.count, 0);
});
