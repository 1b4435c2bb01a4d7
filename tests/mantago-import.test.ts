/**
 * The import from MantaGo. The counterpart is Shoal's own server of the contract behind a layer that differs where the documents do.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { readBoxes } from '../src/auth/sealed-boxes.ts';
import { setChannel } from '../src/bots/set-channel.ts';
import { findContact, findPerson } from '../src/contacts/contacts.ts';
import type { Sql, Transaction } from '../src/database/client.ts';
import { putDeliveries } from '../src/inbox/inbox.ts';
import { disconnect, readImport, startImport, stopImport } from '../src/mantago/imports.ts';
import { MantagoClient } from '../src/mantago/mantago-client.ts';
import { listProblems } from '../src/mantago/problems.ts';
import { stepImport } from '../src/mantago/steps.ts';
import { startImportWork } from '../src/mantago/worker.ts';
import { auditPoints } from '../src/points/audit.ts';
import { readFigures } from '../src/reports/totals.ts';
import type { Call } from './contract/mantago-server.ts';
import { foldPending } from './harness/fold.ts';
import { forgetContact } from './harness/forget.ts';
import {
  addTheirClients,
  carried,
  givePoints,
  lineId,
  type MovingIn,
  movingIn,
  theirId,
} from './harness/moving-in.ts';
import { lineBody, lineDestination, lineSecret } from './harness/webhooks.ts';

async function problemsOf({ sql, botId }: MovingIn) {
  const problems = await listProblems(sql, botId, { after: null, limit: 1_000 });
  return problems.map(({ reason, subject }) => `${reason} ${subject}`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

test('clients come with profile, customer, tags since their day, former id and one opening entry of points', async (t) => {
  const world = await movingIn(t);
  await addTheirClients(world, { from: 0, to: 204 });
  await world.start();
  const done = await world.walk();
  assert.deepEqual([done.state, done.problem, done.counts.clients], ['done', null, 205]);
  const rows = await carried(world);
  assert.equal(rows.length, 205);
  const first = rows.find((row) => row.platform_contact_id === lineId(0));
  assert.deepEqual(
    [first?.name, first?.customer_id, first?.former, first?.points, first?.created_at.getTime()],
    ['Client 0', 'cust-0', [theirId(0)], ['1 Brought over from MantaGo'], world.server.now - 86_400_000],
  );
  assert.equal(first?.tags.length, 2);
  const began = first?.tags.map((tag: string) =>
    Date.parse(tag.replace(/^\w+ VIP /, '').replace(/\+00$/, 'Z')),
  );
  assert.deepEqual(began, [world.server.now - 3_600_000, world.server.now - 3_600_000]);
  assert.deepEqual(await auditPoints(world.sql, world.botId), []);
  assert.deepEqual(await problemsOf(world), ['personal-tag VIP']);
  const calls = world.mantago.calls.map(({ path }) => path);
  assert.ok(!calls.some((path) => path.endsWith('/token')), 'the pair is never refreshed');
  assert.equal(calls.filter((path) => path.endsWith('/client/point')).length, 3);
});

test('no figure of followers, blocks or messages changes', async (t) => {
  const world = await movingIn(t);
  await addTheirClients(world, { from: 0, to: 20 });
  await world.start();
  await world.walk();
  const figures = await readFigures(world.sql, world.botId, world.server.now);
  const { followers, blocks, messages } = figures?.platforms.line ?? {};
  assert.deepEqual([followers, blocks, messages], [0, 0, 0]);
  // Their profiles are fetched after those of people who write now.
  const [first] =
    await world.sql`select min(profile_due_at) as due from contacts where bot_id = ${world.botId}`;
  assert.equal(first?.due.getTime() >= world.server.now, true);
});

test('every paging of the documents brings each client once, and so does a walk whose page token expires', async (t) => {
  const world = await movingIn(t);
  await addTheirClients(world, { from: 0, to: 199 });
  const walked: unknown[] = [];
  for (const paging of ['both', 'token', 'number', 'expired'] as const) {
    let expired = 0;
    world.mantago.behaviour.paging = paging === 'expired' ? 'both' : paging;
    world.mantago.behaviour.before = ({ query }) => {
      if (paging !== 'expired' || !query.has('next') || expired > 0) return undefined;
      expired += 1;
      return { status: 404, code: 110_000 };
    };
    await world.start();
    const { state, counts } = await world.walk();
    walked.push([paging, state, counts.clients]);
  }
  assert.deepEqual(
    walked,
    ['both', 'token', 'number', 'expired'].map((paging) => [paging, 'done', 200]),
  );
  assert.equal((await carried(world)).length, 200);
});

test('a later walk updates what changed, writes the difference of points once, and repeats nothing', async (t) => {
  const world = await movingIn(t);
  const { sql, theirs, server } = world;
  await addTheirClients(world, { from: 0, to: 12 });
  await world.start();
  await world.walk();
  const before = await carried(world);
  await world.start();
  const repeated = await world.walk();
  assert.deepEqual([repeated.run, repeated.counts.contactsAdded, repeated.counts.pointEntries], [2, 0, 0]);
  assert.deepEqual(await carried(world), before);

  await givePoints(sql, theirs.botId, [{ contactId: theirId(3), amount: 5, key: 'more' }], server.now);
  await addTheirClients(world, { from: 13, to: 13 });
  await sql`update contact_profiles set name = 'Renamed' where bot_id = ${theirs.botId} and contact_id = ${theirId(4)}`;
  await world.start();
  await world.walk();
  const rows = new Map((await carried(world)).map((row) => [row.platform_contact_id, row]));
  assert.equal(rows.size, 14);
  assert.deepEqual(rows.get(lineId(3))?.points, [
    '4 Brought over from MantaGo',
    '5 Brought over from MantaGo',
  ]);
  assert.equal(rows.get(lineId(4))?.name, 'Renamed');
});

test('clients that are added during the walk are brought over by the same walk', async (t) => {
  const world = await movingIn(t);
  await addTheirClients(world, { from: 0, to: 120 });
  let isAdded = false;
  world.mantago.behaviour.before = async ({ path, query }) => {
    if (isAdded || !path.endsWith('/clients') || query.get('limit') !== '100') return undefined;
    isAdded = true;
    await world.sql`
      insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
      values (${world.theirs.botId}, 'Late', 'line', ${lineId(999)}, ${new Date(world.server.now + 5_000)})`;
    return undefined;
  };
  world.mantago.behaviour.change = ({ query, path }, answer) => {
    // The first page was read before the client existed.
    const { clientList } = answer as { clientList?: { list: { clientId: string }[] } };
    if (clientList && path.endsWith('/clients') && !query.has('startAt'))
      clientList.list = clientList.list.filter(({ clientId }) => clientId !== lineId(999));
  };
  await world.start();
  await world.walk();
  assert.ok((await carried(world)).some((row) => row.platform_contact_id === lineId(999)));
});

test('a limit is respected as long as Retry-After says, and failures are retried with growing pauses', async (t) => {
  const world = await movingIn(t);
  await addTheirClients(world, { from: 0, to: 3 });
  const failures = [
    { status: 429, retryAfter: '120', code: 429 },
    'broken' as const,
    { status: 500, code: 500 },
    { status: 502, code: 1 },
  ];
  const pauses: number[] = [];
  world.mantago.behaviour.before = () => failures.shift();
  const { time, parts } = world;
  await world.start();
  for (let step = 0; step < 4; step += 1) {
    assert.equal(await stepImport(parts, world.botId), 'stepped');
    const { nextAt, problem, state } = await readImport(world.sql, world.botId, time.now);
    assert.ok(nextAt && problem && state === 'running');
    pauses.push(nextAt.getTime() - time.now);
    time.now = nextAt.getTime() - 1;
    assert.equal(await stepImport(parts, world.botId), 'waiting');
    time.now += 1;
  }
  assert.deepEqual(pauses, [120_000, 10_000, 20_000, 40_000]);
  const done = await world.walk();
  assert.deepEqual([done.state, done.problem, done.counts.clients], ['done', null, 4]);
});

test('a page that never ends is given up and asked for again, and a restart ends no pause', async (t) => {
  const world = await movingIn(t);
  const { sql, botId, mantago, time } = world;
  await addTheirClients(world, { from: 0, to: 3 });
  const client = new MantagoClient({ ...world.server.gate, allowPrivate: true }, world.parts.clock, {
    msMax: 100,
  });
  t.after(() => client.close());
  await world.start();
  mantago.behaviour.before = () => new Promise(() => undefined);
  assert.equal(await stepImport({ ...world.parts, client }, botId), 'stepped');
  const slow = await readImport(sql, botId, time.now);
  assert.match(slow.problem ?? '', /does not answer in time/);
  assert.equal((slow.nextAt?.getTime() ?? 0) - time.now, 5_000);
  await world.start();
  assert.equal(await stepImport(world.parts, botId), 'waiting');
  mantago.behaviour.before = () => undefined;
  assert.equal((await world.walk()).counts.clients, 4);
});

test('a call that is cancelled by the end of the process is no failure of MantaGo', async (t) => {
  const world = await movingIn(t);
  const client = new MantagoClient({ ...world.server.gate, allowPrivate: true }, world.parts.clock);
  await world.start();
  world.mantago.behaviour.before = () => {
    client.close();
    return new Promise(() => undefined);
  };
  await assert.rejects(stepImport({ ...world.parts, client }, world.botId), /cancelled/);
  const { problem, calls, state } = await readImport(world.sql, world.botId, world.time.now);
  assert.deepEqual([problem, calls, state], [null, 0, 'running']);
});

test('a walk is stopped and started during a call, and the answer to a stopped walk is dropped', async (t) => {
  const world = await movingIn(t);
  const { sql, botId, parts, mantago, time } = world;
  await addTheirClients(world, { from: 0, to: 3 });
  await world.start();
  const client = new MantagoClient({ ...world.server.gate, allowPrivate: true }, parts.clock, {
    msMax: 5_000,
  });
  t.after(() => client.close());
  const stepDuring = async (work: () => Promise<unknown>) => {
    mantago.behaviour.before = async () => void (await work());
    await stepImport({ ...parts, client }, botId);
    mantago.behaviour.before = () => undefined;
    const { state, calls, counts, problem } = await readImport(sql, botId, time.now);
    return [state, calls, counts, problem];
  };
  assert.deepEqual(await stepDuring(() => stopImport(sql, botId, parts)), ['stopped', 0, {}, null]);
  await world.start();
  const others: string[] = [];
  const during = async () => {
    await world.start();
    others.push(await stepImport(parts, botId));
  };
  assert.deepEqual(await stepDuring(during), ['running', 1, { answers: 1 }, null]);
  assert.deepEqual(others, ['waiting']);
  const { state, counts } = await world.walk();
  assert.deepEqual([state, counts.clients], ['done', 4]);
});

test('a slow MantaGo does not hold up the walk of another bot', async (t) => {
  const world = await movingIn(t);
  const { sql, parts, mantago, theirs, botId, time } = world;
  const { botId: otherBotId } = await world.server.addBot();
  const pair = { token: theirs.apiToken, secret: theirs.apiSecret };
  await world.start();
  await startImport(
    sql,
    { botId: otherBotId, address: `${mantago.address}/api`, theirBotId: theirs.botId, ...pair },
    parts,
  );
  const [called, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<undefined>()];
  mantago.behaviour.before = () => {
    mantago.behaviour.before = () => undefined;
    called.resolve();
    return answered.promise;
  };
  const work = startImportWork({ ...parts, log: pino({ enabled: false }) });
  await called.promise;
  const callsOf = async () =>
    (await Promise.all([botId, otherBotId].map((id) => readImport(sql, id, time.now)))).map(
      ({ calls }) => calls,
    );
  const until = async (calls: number) => {
    while (sum(await callsOf()) < calls) await pause(20);
  };
  await until(1);
  answered.resolve(undefined);
  await until(2);
  await work.stop();
  assert.deepEqual(await callsOf(), [1, 1]);
});

test('after the move the pair is deleted, and everything that was brought over stays', async (t) => {
  const world = await movingIn(t);
  await addTheirClients(world, { from: 0, to: 3 });
  await world.start();
  await world.walk();
  const before = await carried(world);
  await disconnect(world.sql, world.botId);
  await disconnect(world.sql, world.botId);
  assert.deepEqual(await readBoxes(world.sql, [world.botId], world.server.now), []);
  await assert.rejects(readImport(world.sql, world.botId, world.time.now), { code: 'IMPORT_NOT_FOUND' });
  assert.deepEqual(await carried(world), before);
});

test('the walk keeps its rate, and a refused pair stops it until a new one is set', async (t) => {
  const world = await movingIn(t);
  await addTheirClients(world, { from: 0, to: 3 });
  await world.start({ callsPerMinute: 30, secret: 'wrong-secret' });
  const stopped = await world.walk();
  assert.equal(stopped.state, 'stopped');
  assert.match(stopped.problem ?? '', /denies permission \(1002\)/);
  assert.doesNotMatch(JSON.stringify(stopped), /wrong-secret/);
  await world.start();
  await stepImport(world.parts, world.botId);
  const { nextAt, callsPerMinute, run } = await readImport(world.sql, world.botId, world.server.now);
  assert.deepEqual([callsPerMinute, run, (nextAt?.getTime() ?? 0) - world.parts.clock()], [30, 1, 2_000]);
  assert.equal((await world.walk()).state, 'done');
});

test('the pair is stored encrypted, and a rotation of the secret key seals it again', async (t) => {
  const world = await movingIn(t);
  await world.start();
  const [row] = await world.sql`select * from mantago_connections where bot_id = ${world.botId}`;
  const stored = JSON.stringify(row, (_, value) =>
    value?.type === 'Buffer' ? Buffer.from(value).toString('latin1') : value,
  );
  assert.ok(!stored.includes(world.theirs.apiSecret) && !stored.includes(world.theirs.apiToken));
  const boxes = await readBoxes(world.sql, [world.botId], world.server.now);
  assert.deepEqual(
    boxes.map(({ place, sealed }) => world.parts.keys.unseal(sealed, place)).sort(),
    [world.theirs.apiSecret, world.theirs.apiToken].sort(),
  );
});

test('the stored pair goes to no other server', async (t) => {
  const world = await movingIn(t);
  await world.start();
  const { sql, botId, parts, mantago, theirs } = world;
  const { apiToken: token, apiSecret: secret } = theirs;
  const address = 'https://elsewhere.example/api';
  for (const part of [{}, { token }, { secret }])
    await assert.rejects(startImport(sql, { botId, address, ...part }, parts), {
      code: 'INPUT_INVALID',
      message: /set both again/,
    });
  const addressOf = async (change: { address: string; token?: string; secret?: string }) =>
    (await startImport(sql, { botId, ...change }, parts)).address;
  assert.equal(await addressOf({ address: `${mantago.address}/v2` }), `${mantago.address}/v2`);
  assert.equal(await addressOf({ address, token, secret }), address);
});

test('an old id works in every call, and so does the old id of a tag', async (t) => {
  const world = await movingIn(t);
  const { server, sql, botId, theirs } = world;
  await addTheirClients(world, { from: 0, to: 10 });
  await world.start();
  await world.walk();
  const gift = { gift_id: 'Gift', name: 'Coffee', kind: 'virtual', resource: 'x', is_default: false };
  await sql`insert into gifts ${sql({ bot_id: botId, ...gift, created_at: new Date(), updated_at: new Date() })}`;
  await setChannel(
    sql,
    { botId, platform: 'line', secret: 's'.repeat(32), accessToken: 'token' },
    { now: server.now, random: randomBytes, keys: server.keys },
  );
  const old = theirId(10);
  const oldTagOf = async (kind: string) => {
    const [tag] = await sql<
      [{ id: string }]
    >`select tag_id as id from tags where bot_id = ${theirs.botId} and kind = ${kind}`;
    return tag.id;
  };
  const [manual, personal, automatic] = [
    await oldTagOf('manual'),
    await oldTagOf('personal'),
    await oldTagOf('automatic'),
  ];
  const clientBody = { clientId: old };
  const calls: [operation: string, call: Call][] = [
    ['getClient', { params: { clientId: old } }],
    ['getClientPoints', { body: { clientIds: [old] } }],
    ['getClientGifts', { body: clientBody }],
    ['bindCustomer', { body: { ...clientBody, customerId: 'new' } }],
    ['unbindCustomer', { body: { ...clientBody, customerId: 'new' } }],
    ['getClientTag', { params: { tagId: manual } }],
    ['updateClientTag', { params: { tagId: manual }, body: { name: 'Best' } }],
    ['createClientTagMapping', { body: { ...clientBody, tagId: manual } }],
    ['deleteClientTagMapping', { body: { ...clientBody, tagId: manual } }],
    ['deleteClientTag', { params: { tagId: manual } }],
    ['getPersonalTag', { params: { tagId: personal } }],
    ['createPersonalTagMapping', { body: { ...clientBody, tagId: personal } }],
    ['deletePersonalTagMapping', { body: { ...clientBody, tagId: personal } }],
    ['getAutoTag', { params: { autoTagId: automatic } }],
    ['updateAutoTagLifeCycle', { params: { autoTagId: automatic }, body: { isActive: true, lifeCycle: 3 } }],
    ['createAutoTagMapping', { body: { ...clientBody, autoTagId: automatic } }],
    ['deleteAutoTagMapping', { body: { ...clientBody, autoTagId: automatic } }],
    ['sendBroadcast', { body: { platform: 'line', clientIds: [old], message: 'Hello', name: 'n' } }],
    ['clearClientPoints', { body: { clientIds: [old] } }],
  ];
  for (const [operation, call] of calls) {
    const { status, body } = await server.call(operation, call);
    assert.equal(status, 200, `${operation} ${JSON.stringify(body)}`);
  }
  const points = await server.call('getClientPoints', { body: { clientIds: [old] } });
  assert.deepEqual(points.body.points, [{ platform: 'line', clientId: old, points: 0 }]);
  assert.equal((await findContact(sql, botId, old)).platformContactId, lineId(10));
  assert.deepEqual((await findPerson(sql, botId, old))?.ids, [lineId(10)]);
});

test('contacts that Shoal knows are matched, and their later events count as before', async (t) => {
  const world = await movingIn(t);
  const { sql, botId, server } = world;
  const channel = { botId, platform: 'line' as const, secret: lineSecret, accountId: lineDestination };
  await setChannel(sql, channel, { now: server.now, random: randomBytes, keys: server.keys });
  const report = async (id: string, index: number, type: 'follow' | 'message' | 'unfollow') => {
    const event = { type, id, user: `client ${index}`, at: server.now };
    const delivery = {
      botId,
      platform: 'line' as const,
      source: 'webhook' as const,
      body: Buffer.from(lineBody([event])),
      receivedAt: server.now,
    };
    await putDeliveries(sql, [delivery]);
    await foldPending(sql, botId, { now: server.now, random: randomBytes });
  };
  await addTheirClients(world, { from: 0, to: 3 });
  await report('e1', 0, 'follow');
  await world.start();
  await world.walk();
  await report('e2', 1, 'follow');
  await report('e3', 2, 'message');
  await report('e4', 3, 'unfollow');
  const rows = await carried(world);
  assert.equal(rows.length, 4);
  const figures = await readFigures(sql, botId, server.now);
  const { followers, blocks, messages } = figures?.platforms.line ?? {};
  assert.deepEqual([followers, blocks, messages], [3, 1, 1]);
});

test('a deleted contact leaves nothing of the import, and a later walk does not bring the person back', async (t) => {
  const world = await movingIn(t);
  const { sql, botId, time } = world;
  await addTheirClients(world, { from: 0, to: 5 });
  await sql`update contacts set blocked = true where bot_id = ${world.theirs.botId}`;
  await world.start();
  await world.walk();
  assert.ok((await problemsOf(world)).includes(`blocked ${lineId(2)}`));
  const { contactId } = await findContact(sql, botId, theirId(2));
  await forgetContact(sql, { botId, contactId }, { now: time.now, random: randomBytes });
  assert.ok(!(await problemsOf(world)).includes(`blocked ${lineId(2)}`));
  assert.equal((await world.server.call('getClient', { params: { clientId: theirId(2) } })).status, 404);
  await world.start();
  await world.walk();
  assert.ok(!(await carried(world)).some((row) => row.platform_contact_id === lineId(2)));
  assert.ok((await problemsOf(world)).includes(`deleted ${theirId(2)}`));
  assert.deepEqual(await auditPoints(sql, botId), []);
});

test('without encoded ids in the list, a file of them brings the old ids, and unknown lists are reported', async (t) => {
  const world = await movingIn(t);
  world.mantago.behaviour.encodedMember = null;
  world.mantago.behaviour.unknownPaths = ['/clientTags/list', '/personalTags/list', '/clients/statistics'];
  await addTheirClients(world, { from: 0, to: 3 });
  await world.start();
  await world.walk();
  assert.deepEqual(await problemsOf(world), [
    'encoded-ids ',
    'followers 2025-03-16 2026-03-15',
    'tag-list manual',
    'tag-list personal',
  ]);
  await world.start({ encodedIds: [theirId(1), 'Unknown', theirId(1)] });
  await world.walk();
  assert.equal((await findContact(world.sql, world.botId, theirId(1))).platformContactId, lineId(1));
  assert.ok((await problemsOf(world)).includes('encoded-id-unknown Unknown'));
});

test('killed at any statement of any step, a walk brings everything once', async (t) => {
  const world = await movingIn(t);
  await addTheirClients(world, { from: 0, to: 3 });
  await world.start();
  await world.walk();
  const expected = await carried(world);
  const killed = await movingIn(t);
  await addTheirClients(killed, { from: 0, to: 3 });
  await killed.start();
  let [kills, state] = [0, 'running'];
  for (let statement = 1; state === 'running'; statement += 1) {
    const dying = { ...killed.parts, sql: killedAt(killed.sql, statement) };
    try {
      const outcome = await stepImport(dying, killed.botId);
      // The step ended before the statement, so the next one is killed from its beginning.
      if (outcome === 'stepped') statement = 0;
    } catch (error) {
      assert.match(String(error), /killed/);
      kills += 1;
    }
    const walk = await readImport(killed.sql, killed.botId, killed.time.now);
    killed.time.now = Math.max(killed.time.now, walk.nextAt?.getTime() ?? 0);
    state = walk.state;
  }
  assert.ok(kills > 50, `${kills} kills`);
  const withoutTimes = (rows: readonly object[]) => JSON.stringify(rows);
  assert.equal(withoutTimes(await carried(killed)), withoutTimes(expected));
  assert.deepEqual(await auditPoints(killed.sql, killed.botId), []);
});

/** The pool, whose transactions fail at their nth statement. */
function killedAt(sql: Sql, statement: number): Sql {
  const begin = (work: (tx: Transaction) => Promise<unknown>) =>
    sql.begin((tx) => {
      let count = 0;
      const dying = new Proxy(tx, {
        apply(target, self, values) {
          count += 1;
          if (count > statement) throw new Error('killed');
          return Reflect.apply(target, self, values);
        },
      });
      return work(dying) as never;
    });
  return new Proxy(sql, {
    get: (target, name) => (name === 'begin' ? begin : Reflect.get(target, name)),
  });
}
