/**
 * An upgrade: a data folder of an earlier version, on which this version starts. The folder comes from a backup that the earlier
 * version's data was stored in (fixtures/upgrade), with the schema of that version.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { restoreKeyFiles } from '../src/auth/keys.ts';
import { restoreBackup, verifyBackup } from '../src/backup/restore.ts';
import { openEmbedded } from '../src/database/embedded/embedded.ts';
import { readMigrations } from '../src/database/migrate.ts';
import { connect } from '../src/database/pool.ts';
import { dataFolder, serve, shoal } from './harness/cli.ts';
import { seededBytes } from './harness/random.ts';
import { until } from './harness/until.ts';
import { deliver, lineBody, lineSecret } from './harness/webhooks.ts';

const release = '0.1.0';
const fixture = (suffix: string) =>
  fileURLToPath(new URL(`fixtures/upgrade/${release}${suffix}`, import.meta.url));

test(`a data folder of ${release} has the same data after the upgrade, and an older version refuses it`, async (t) => {
  const { botId, token, answers } = JSON.parse(await readFile(fixture('.json'), 'utf8'));
  const environment = await dataFolder(t);
  const migrations = await readMigrations();
  const reading = { passphrase: null, signal: AbortSignal.any([]), progress: () => undefined };
  const backup = await verifyBackup(fixture('.tar.gz'), migrations, reading);
  const earlier = migrations.slice(0, backup.manifest.migrations.length);
  const withDatabase = async (run: (sql: ReturnType<typeof connect>) => Promise<unknown>) => {
    const log = pino({ level: 'silent' });
    const embedded = await openEmbedded({ dataFolder: environment.folder, exclusive: false, log });
    const sql = connect(embedded.address, { max: 1, applicationName: 'shoal test' });
    await run(sql).finally(() => sql.end().finally(embedded.release));
  };
  const beforeRows = async () =>
    void (await restoreKeyFiles(environment.folder, backup.keys, seededBytes(1)));
  await withDatabase((sql) => restoreBackup(sql, backup, earlier, { ...reading, beforeRows }));

  const server = await serve(environment);
  const get = async (path: string) => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${server.address}/api/v1/bots/${botId}${path}`, { headers })).json();
  };
  for (const [index, { name }] of migrations.entries()) {
    const isLogged = server.stderr().includes(`migration ${name} (${index + 1} of ${migrations.length})`);
    assert.equal(isLogged, index >= earlier.length, name);
  }
  for (const [path, answer] of Object.entries<object>(answers))
    assert.partialDeepStrictEqual(await get(path), answer, path);
  // The credentials open, and the events are known: of two, one is a repetition.
  const at = Date.parse('2026-03-02T12:00:00+08:00');
  const message = (id: string) => ({ type: 'message', id, user: 'Ada', at }) as const;
  const answer = await deliver(
    server.address,
    { botId, platform: 'line', secret: lineSecret },
    lineBody([message('a-Ada'), message('new')]),
  );
  assert.equal(answer.status, 200);
  await until(async () => JSON.stringify(await get('/figures')).includes('"messages":7'));
  await server.stop();
  for (const args of [
    ['recount', botId, '--check'],
    ['points', 'audit', botId],
  ])
    assert.equal((await shoal(environment, ...args)).code, 0, args.join(' '));

  await withDatabase((sql) => sql`insert into migrations (name, checksum) values ('9999-later.sql', '')`);
  const { code, stderr } = await shoal(environment, 'bot', 'list');
  assert.equal(code, 1);
  assert.match(stderr, /The database is newer than this version of Shoal: .*9999-later\.sql/);
});
