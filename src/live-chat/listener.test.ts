/**
 * The listener's end: whenever it comes, no connection stays behind.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { testDatabase } from '../../tests/harness/database.ts';
import { until } from '../../tests/harness/until.ts';
import { openClient, type Sql } from '../database/client.ts';
import { Listener } from './listener.ts';

const applicationName = 'listening';
const log = { error: () => undefined, warn: () => undefined };

test('a listener that is stopped while it reconnects leaves no connection', async (t) => {
  const { sql, url } = await testDatabase(t);
  let opened = 0;
  const again = Promise.withResolvers<void>();
  const open = (lost: () => void): Sql => {
    opened += 1;
    if (opened === 2) again.resolve();
    return openClient(url, { max: 1, applicationName, lost });
  };
  const listener = new Listener({
    ...{ open, sql, processId: 'one', log },
    onSignals: () => undefined,
    onReconnect: () => undefined,
  });
  await listener.start();
  const listening = sql`
    from pg_stat_activity where datname = current_database() and application_name = ${applicationName}`;
  const connections = () => sql`select pid ${listening}`;
  assert.equal((await connections()).length, 1);
  await sql`select pg_terminate_backend(pid) ${listening}`;
  await again.promise;
  await listener.stop();
  await until(async () => (await connections()).length === 0, 'no connection is left');
  await pause(300);
  assert.deepEqual([...(await connections())], []);
});
