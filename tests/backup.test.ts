/**
 * `shoal backup` while the server runs, and `shoal restore` into another data folder. Both are killed midway first.
 */
import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import type { Sql } from '../src/database/client.ts';
import { openEmbedded } from '../src/database/embedded/embedded.ts';
import { connect } from '../src/database/pool.ts';
import {
  dataFolder,
  preparedFolder,
  type ShoalEnvironment,
  serve,
  shoal,
  shoalJson,
  startCommand,
} from './harness/cli.ts';
import { until } from './harness/until.ts';
import { deliver, lineBody, lineSecret } from './harness/webhooks.ts';
import { becomes, call, pairOf } from './story/calls.ts';

const person = 'U00000000000000000000000000000001';
const lockKey = 1;

/** A connection to the folder's database, next to the processes of Shoal. */
async function databaseOf(t: TestContext, folder: string): Promise<Sql> {
  const log = pino({ level: 'silent' });
  const { address, release } = await openEmbedded({ dataFolder: folder, exclusive: false, log });
  const sql = connect(address, { max: 2, applicationName: 'shoal test' });
  t.after(async () => {
    await sql.end();
    await release();
  });
  return sql;
}

/** The number of statements of `shoal` commands that wait for a lock. */
async function waiting(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count from pg_stat_activity
    where application_name = 'shoal command' and wait_event_type = 'Lock'`;
  return row?.count ?? 0;
}

test('a backup of a running server restores figures, points, credentials and the API pair', async (t) => {
  const environment = await preparedFolder(t);
  const server = await serve(environment);
  const pair = pairOf(await shoalJson(environment, 'bot', 'create', '--name', 'Tea shop'));
  const { botId } = pair;
  await shoalJson(environment, 'channel', 'set', botId, 'line', '--channel-secret', lineSecret);
  const send = async (address: string, id: string) => {
    const at = Date.parse('2026-03-01T10:00:00+08:00');
    const body = lineBody([{ type: 'message', id, user: person, at }]);
    assert.equal((await deliver(address, { botId, platform: 'line' }, body)).status, 200);
  };
  const messages = async (address: string) =>
    Object((await call(`${address}/openapi/clients/analysis`, pair)).body.clientAnalysis).lineMessageNumbers;
  await send(server.address, 'm1');
  await becomes(() => messages(server.address), 1);
  await shoalJson(environment, 'points', 'earn', botId, 'line', person, '100', '--create-contacts');

  const file = join(dirname(environment.folder), 'backup.tar.gz');
  await killedBackup(t, environment, file);
  await shoalJson(environment, 'backup', file);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await send(server.address, 'm2');
  await becomes(() => messages(server.address), 2);
  assert.equal(await server.stop(), 0);

  const copy = await dataFolder(t);
  await killedRestore(t, copy, file);
  const restored = await shoalJson(copy, 'restore', file);
  assert.deepEqual(restored.bots, [botId]);
  const again = await shoal(copy, 'restore', file);
  assert.match(again.stderr, /already has data of Shoal/);
  assert.equal(again.code, 1);
  const second = await serve(copy);
  assert.equal(await messages(second.address), 1);
  await send(second.address, 'm2');
  await becomes(() => messages(second.address), 2);
  for (const args of [
    ['recount', botId, '--check'],
    ['points', 'audit', botId],
  ])
    assert.equal((await shoal(copy, ...args)).code, 0, args.join(' '));
});

/** Kills a backup that waits for the rows of one table. The file does not appear. */
async function killedBackup(
  t: TestContext,
  environment: ShoalEnvironment & { folder: string },
  file: string,
): Promise<void> {
  const sql = await databaseOf(t, environment.folder);
  await sql.begin(async (tx) => {
    await tx`lock table setup_links in access exclusive mode`;
    const command = startCommand(environment, 'backup', file);
    await until(async () => (await waiting(sql)) === 1);
    await command.kill();
  });
  const names = await readdir(dirname(file));
  assert.ok(!names.includes('backup.tar.gz'));
  assert.ok(names.some((name) => /^backup\.tar\.gz\.\d+\.unfinished$/.test(name)));
}

/** Kills a restore within its transaction: it waits after one of its last tables. The database stays empty. */
async function killedRestore(
  t: TestContext,
  environment: ShoalEnvironment & { folder: string },
  file: string,
): Promise<void> {
  const sql = await databaseOf(t, environment.folder);
  await sql`
    create function wait() returns event_trigger language plpgsql as
    'begin if to_regclass(''gift_grants'') is not null then perform pg_advisory_xact_lock(1); end if; end'`;
  await sql`create event trigger wait on ddl_command_end execute function wait()`;
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${lockKey})`;
    const command = startCommand(environment, 'restore', file);
    await until(async () => (await waiting(sql)) === 1);
    await command.kill();
  });
  await sql`drop event trigger wait`;
  await sql`drop function wait()`;
  assert.deepEqual((await sql`select to_regclass('bots') as bots`)[0], { bots: null });
}
