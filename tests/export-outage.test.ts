/** Exports while the server stops or the connection to the database ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import type { Sql } from '../src/database/client.ts';
import { isOutage } from '../src/database/outage.ts';
import { connect } from '../src/database/pool.ts';
import { type ExportName, writeExport } from '../src/exports/export.ts';
import { testDatabase } from './harness/database.ts';
import { type DatabaseProxy, databaseProxy } from './harness/database-proxy.ts';
import { testServer } from './harness/server.ts';

test('an export that the stop of the server ends before its first row answers 503', async (t) => {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  const { address, sql, addBot, addToken, close } = await testServer(t, { role: 'web' }, { log });
  const { botId } = await addBot();
  const locked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const holding = sql.begin(async (tx) => {
    await tx`lock table events in access exclusive mode`;
    locked.resolve();
    await released.promise;
  });
  await locked.promise;
  const headers = { authorization: `Bearer ${await addToken('write')}` };
  const waiting = fetch(`${address}/api/v1/bots/${botId}/exports/events`, { headers });
  while (!(await isWaiting(sql)));
  const closed = close();
  const answer = await waiting;
  released.resolve();
  await Promise.all([holding, closed]);
  assert.deepEqual([answer.status, Object(await answer.json()).code], [503, 'SERVER_STOPPING']);
  assert.ok(Number(answer.headers.get('retry-after')) > 0);
  // An error is no file.
  assert.equal(answer.headers.get('content-disposition'), null);
  assert.deepEqual(lines, []);
});

async function isWaiting(sql: Sql): Promise<boolean> {
  const rows = await sql`
    select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query ~ 'exported'`;
  return rows.length > 0;
}

const ends: Record<string, (database: { proxy: DatabaseProxy; sql: Sql }) => Promise<unknown>> = {
  'is cut': async ({ proxy }) => {
    proxy.setState('gone');
    proxy.setState('open');
  },
  'is ended by PostgreSQL': ({ sql }) => sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'exporting'`,
};

for (const [how, end] of Object.entries(ends)) {
  test(`an export whose connection ${how} is complete or fails with an outage, at any point`, async (t) => {
    const { sql, url } = await testDatabase(t);
    const proxy = await databaseProxy(t, url);
    await sql`insert into bots (bot_id, name) values ('shop', 'Shop')`;
    await sql`
      insert into events (bot_id, platform, key, kind, happened_at, received_at)
      select 'shop', 'line', 'e' || number, 'other', now(), now() from generate_series(1, 600) number`;
    for (const what of ['events', 'figures'] as const) {
      const failures: unknown[] = [];
      for (let point = 1, isReached = true; isReached; point++) {
        let chunks = 0;
        proxy.onChunk = async () => {
          chunks += 1;
          if (chunks === point) await end({ proxy, sql });
        };
        await exportOnce(proxy.url, what).catch((error: unknown) => failures.push(error));
        isReached = chunks >= point;
      }
      assert.ok(failures.length > 5, `${failures.length} failures`);
      assert.deepEqual(
        failures.filter((error) => !isOutage(error)),
        [],
      );
    }
  });
}

async function exportOnce(url: string, what: ExportName): Promise<void> {
  const pool = connect(url, { max: 1, applicationName: 'exporting' });
  const signal = new AbortController().signal;
  const days = { from: undefined, to: undefined };
  try {
    await writeExport(
      pool,
      { botId: 'shop', what, format: 'csv', bom: false, ...days },
      { now: 0, signal, write: async () => undefined },
    );
  } finally {
    await pool.end({ timeout: 0 });
  }
}
