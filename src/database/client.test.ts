/**
 * The client: conversions of values, and statements and transactions when connections are lost.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, connect as dial, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { setOpposites, testDatabase } from '../../tests/harness/database.ts';
import { type Sql, sessionSettings } from './client.ts';
import { connect } from './pool.ts';

test('a bigint is read as a number, alone and in a list', async (t) => {
  const { sql } = await testDatabase(t);
  const [row] = await sql`select 9007199254740991::bigint as alone, array[1, 2]::bigint[] as list`;
  assert.deepEqual(row, { alone: 9007199254740991, list: [1, 2] });
});

test('a bigint beyond the safe integers is an error', async (t) => {
  const { sql } = await testDatabase(t);
  await assert.rejects(async () => sql`select 9007199254740993::bigint`, /9007199254740993/);
});

test('a session has the settings that the code relies on, regardless of the database and the role', async (t) => {
  const { sql: admin, url } = await testDatabase(t);
  await setOpposites(admin);
  const sql = connect(url, { max: 1, applicationName: 'shoal test' });
  t.after(() => sql.end());
  const names = Object.keys(sessionSettings).map((name) => name.toLowerCase());
  const rows = await sql<{ name: string; source: string; setting: string }[]>`
    select lower(name) as name, source, setting from pg_settings
    where lower(name) = any (${names}::text[]) order by lower(name)`;
  assert.deepEqual(
    rows.map(({ name, setting }) => [name, setting]),
    Object.entries(sessionSettings)
      .map(([name, value]) => [name.toLowerCase(), String(value)])
      .sort(),
  );
  assert.deepEqual(new Set(rows.map(({ source }) => source)), new Set(['client']));
});

test('later connections of a pool convert lists, too', async (t) => {
  const { sql } = await testDatabase(t);
  const words = ['a "quoted"', 'b,c', 'd\\e'];
  const read = async (query: Sql): Promise<unknown> => {
    const rows = await query<{ list: string[] }[]>`select ${words}::text[] as list, pg_sleep(0.05)`;
    return rows[0]?.list;
  };
  const statements = Array.from({ length: 4 }, () => read(sql));
  const transactions = Array.from({ length: 4 }, () =>
    sql.begin(async (transaction) => {
      const rows = await transaction<{ list: string[] }[]>`select ${words}::text[] as list`;
      return rows[0]?.list;
    }),
  );
  for (const list of await Promise.all([...statements, ...transactions])) assert.deepEqual(list, words);
});

test('a statement after one that failed while its rows arrived has exactly its own rows', async (t) => {
  const { sql } = await testDatabase(t);
  const statements = Array.from({ length: 20 }, () => [
    assert.rejects(sql`select 1 / (4 - i) from generate_series(1, 10) i`.execute(), /division/),
    sql`select x from generate_series(1, 2) x`.then((rows) =>
      assert.deepEqual([rows.length, ...rows], [2, { x: 1 }, { x: 2 }]),
    ),
    sql`select x from generate_series(1, 2) x`
      .values()
      .then((rows) => assert.deepEqual([rows.length, ...rows], [2, [1], [2]])),
  ]);
  await Promise.all(statements.flat());
});

test('an error rolls back a transaction, and the next one uses its connection', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`create table notes (text text)`;
  const failed = sql.begin(async (transaction) => {
    await transaction`insert into notes values ('never')`;
    throw new Error('changed my mind');
  });
  await assert.rejects(failed, /changed my mind/);
  await sql.begin('read write', async (transaction) => {
    await transaction`insert into notes values ('kept')`;
    await transaction
      .savepoint(async (part) => {
        await part`insert into notes values ('not kept')`;
        throw new Error('only this part');
      })
      .catch(() => undefined);
  });
  assert.deepEqual([...(await sql`select text from notes`)], [{ text: 'kept' }]);
});

test('more transactions than connections wait for their turn', async (t) => {
  const { url } = await testDatabase(t);
  const sql = connect(url, { max: 2, applicationName: 'shoal test' });
  t.after(() => sql.end());
  let atOnce = 0;
  let atOnceMost = 0;
  const one = (place: number): Promise<number> =>
    sql.begin(async (transaction) => {
      atOnceMost = Math.max(atOnceMost, ++atOnce);
      await transaction`select pg_sleep(0.01)`;
      atOnce--;
      return place;
    });
  const places = Array.from({ length: 9 }, (_, place) => place);
  assert.deepEqual(await Promise.all(places.map(one)), places);
  assert.equal(atOnceMost, 2);
});

test('after the loss of its connection, a transaction stores nothing and sends nothing more', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`create table notes (text text)`;
  let goneOn = false;
  const lost = sql.begin(async (transaction) => {
    const [row] = await transaction<{ pid: number }[]>`select pg_backend_pid() as pid`;
    await transaction`insert into notes values ('before')`;
    await sql`select pg_terminate_backend(${row?.pid ?? 0}::integer)`;
    await pause(50);
    goneOn = true;
    await transaction`insert into notes values ('after')`;
  });
  await assert.rejects(lost, { code: 'CONNECTION_CLOSED' });
  await sql.begin((transaction) => transaction`insert into notes values ('next')`);
  await pause(100);
  assert.ok(goneOn);
  assert.deepEqual([...(await sql`select text from notes`)], [{ text: 'next' }]);
});

test('statements and transactions fail soon while the server is away, and work when it returns', async (t) => {
  const { url } = await testDatabase(t);
  const gate = await openGate(t, url);
  const sql = connect(gate.url, { max: 3, applicationName: 'shoal test' });
  t.after(() => sql.end({ timeout: 1 }));
  await sql`create table notes (text text)`;
  for (let round = 0; round < 8; round++) {
    const underWay = Array.from({ length: 12 }, (_, place) => write(sql, place));
    await pause(2 * round);
    await gate.shut(round % 2 === 0 ? 'reset' : 'end');
    const before = performance.now();
    await Promise.allSettled(underWay);
    const during = await Promise.allSettled(Array.from({ length: 12 }, (_, place) => write(sql, place)));
    assert.ok(performance.now() - before < failMsMax, 'a query hung');
    assert.deepEqual([...new Set(during.map(({ status }) => status))], ['rejected']);
    await gate.open();
    await Promise.all(Array.from({ length: 12 }, (_, place) => write(sql, place)));
  }
  const rows = await sql`select text from notes where text = 'half'`;
  assert.deepEqual([...rows], []);
});

test('a pool can be closed soon after a loss', async (t) => {
  const { url } = await testDatabase(t);
  const gate = await openGate(t, url);
  for (const pauseMs of [0, 20, 150]) {
    const sql = connect(gate.url, { max: 3, applicationName: 'shoal test' });
    await Promise.all([sql`select 1`, sql.begin((transaction) => transaction`select 1`)]);
    const underWay = [sql`select pg_sleep(5)`.execute(), sql`select pg_sleep(5)`.execute()];
    const ended = Promise.allSettled(underWay);
    await pause(pauseMs);
    await gate.shut('reset');
    const before = performance.now();
    await sql.end({ timeout: 1 });
    await ended;
    assert.ok(performance.now() - before < failMsMax, 'the end hung');
    await gate.open();
  }
});

test('a server that accepts and closes the connection fails the query', async (t) => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  const sql = connect(`postgres://127.0.0.1:${address.port}/none`, { max: 1, applicationName: 'shoal test' });
  t.after(async () => {
    await sql.end({ timeout: 0 });
    server.close();
  });
  const before = performance.now();
  await assert.rejects(async () => sql`select 1`, { code: 'CONNECTION_CLOSED' });
  await assert.rejects(
    sql.begin(async () => undefined),
    { code: 'CONNECTION_CLOSED' },
  );
  assert.ok(performance.now() - before < failMsMax, 'a query hung');
});

const failMsMax = 10_000;

/** Every third one is a transaction that puts a `half` right before it commits as `whole`. */
async function write(sql: Sql, place: number): Promise<void> {
  if (place % 3 > 0) {
    await sql`insert into notes select unnest(${[`${place}`, 'x']}::text[])`;
    return;
  }
  await sql.begin(async (transaction) => {
    const id = randomBytes(8).toString('hex');
    await transaction`insert into notes values ('half'), (${id})`;
    await transaction`delete from notes where text = 'half'`;
  });
}

type Gate = { url: string; open(): Promise<void>; shut(how: 'reset' | 'end'): Promise<void> };

/** A way to the server that can be cut off, with everything that is on it. */
async function openGate(t: TestContext, url: string): Promise<Gate> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = dial(Number(port), hostname);
    for (const end of [socket, onward]) {
      sockets.add(end);
      end.on('error', () => undefined).on('close', () => sockets.delete(end));
    }
    socket.pipe(onward).pipe(socket);
  });
  const listen = (at: number): Promise<void> =>
    new Promise((resolve) => server.listen(at, '127.0.0.1', resolve));
  await listen(0);
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  const gated = new URL(url);
  gated.port = String(address.port);
  const shut = async (how: 'reset' | 'end'): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) {
      if (how === 'reset') socket.resetAndDestroy();
      else socket.destroy();
    }
    await closed;
  };
  t.after(() => (server.listening ? shut('end') : undefined));
  return { url: gated.href, shut, open: () => listen(address.port) };
}
