/**
 * The database's secret key: recorded once, asked of every process, and rotated while others go on.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { createBot } from '../bots/bots.ts';
import { findChannel } from '../bots/channels.ts';
import { rotateKey } from '../bots/key-rotation.ts';
import { setChannel } from '../bots/set-channel.ts';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { openGate } from '../webhooks-out/addresses.ts';
import { openSecrets, rotateSecret, setCallback } from '../webhooks-out/endpoints.ts';
import { readToken } from './api-pairs.ts';
import { KeyWatch } from './key-watch.ts';
import { findKeys, type Keys, openKeys, renewKeyFile } from './keys.ts';
import { readBoxes, sealedColumns } from './sealed-boxes.ts';
import { keysOf, matchKeys, readFingerprints, sealingKey } from './secret-key.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const random = randomBytes;
const [oldKey, newKey, otherKey] = ['old', 'new', 'other'].map((name) => `the ${name} key `.padEnd(40, '.'));

function keysFrom(secretKey: string | undefined, secretKeyPrevious: string | null = null): Keys {
  const keys = findKeys({ secretKey: secretKey ?? '', secretKeyPrevious, dataFolder: '', random });
  assert.ok(keys);
  return keys;
}

async function addBot(sql: Sql, keys: Keys) {
  const bot = await createBot(sql, { name: 'test', timeZone: 'Asia/Taipei' }, { now, random, keys });
  const { botId } = bot;
  await setChannel(
    sql,
    { botId, platform: 'line', secret: 'a'.repeat(32), accessToken: 'the-access-token' },
    { now, random, keys },
  );
  await setChannel(sql, { botId, platform: 'line', secret: 'b'.repeat(32) }, { now, random, keys });
  const gate = openGate({ allowPrivate: true });
  await setCallback(sql, { botId, url: 'http://127.0.0.1:1/' }, { gate, now, random, keys });
  await rotateSecret(sql, { botId, retire: false }, { now, random, keys });
  return bot;
}

const rotating = (next: Keys, previousLost = false) => ({
  next: next.current,
  previousLost,
  now,
  progress: () => undefined,
});

async function unreadableWith(sql: Sql, keys: Keys, botId: string): Promise<string[]> {
  const boxes = await readBoxes(sql, [botId], now);
  return boxes
    .filter(({ sealed, place }) => {
      try {
        keys.unseal(sealed, place);
        return false;
      } catch {
        return true;
      }
    })
    .map(({ table, column }) => `${table}.${column}`);
}

test('every sealed column of the schema is among those that a rotation seals again', async (t) => {
  const { sql } = await testDatabase(t);
  const rows = await sql<{ name: string }[]>`
    select table_name || '.' || column_name as name from information_schema.columns
    where table_schema = 'public' and column_name like '%sealed%' order by name`;
  const listed = Object.entries(sealedColumns).flatMap(([table, columns]) =>
    Object.keys(columns).map((column) => `${table}.${column}`),
  );
  // An e-mail is sealed for at most two days. Until then the previous key opens it.
  const shortLived = ['mails.content_sealed'];
  assert.deepEqual(
    rows.map(({ name }) => name),
    [...listed, ...shortLived].sort(),
  );
});

test('the first process records its key, and another key is refused with both fingerprints and the remedy', async (t) => {
  const { sql } = await testDatabase(t);
  await matchKeys(sql, keysFrom(oldKey), now);
  await matchKeys(sql, keysFrom(oldKey), now);
  const [right, wrong] = [keysFrom(oldKey), keysFrom(otherKey)].map(({ current }) => current.fingerprint);
  await assert.rejects(matchKeys(sql, keysFrom(otherKey), now), (error: unknown) => {
    assert.ok(error instanceof Refusal);
    assert.match(error.message, new RegExp(`${wrong}.*${right}.*SHOAL_SECRET_KEY_PREVIOUS.*key rotate`, 's'));
    assert.doesNotMatch(error.message, /the old key|the other key/);
    return true;
  });
});

test('a database without a fingerprint accepts the key that opens its credentials, and no other', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, keysFrom(oldKey));
  assert.equal(await readFingerprints(sql), null);
  await assert.rejects(matchKeys(sql, keysFrom(otherKey), now), /opens none of its credentials/);
  await matchKeys(sql, keysFrom(oldKey), now);
  assert.equal((await readFingerprints(sql))?.fingerprint, keysFrom(oldKey).current.fingerprint);
});

test('a missing key is refused: with DATABASE_URL always, else when the database has had one; no key file is made', async (t) => {
  const dataFolder = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  t.after(() => rm(dataFolder, { recursive: true }));
  const { sql } = await testDatabase(t);
  const source = { secretKey: null, dataFolder, random };
  await assert.rejects(keysOf(sql, source, { mayMake: false, now }), /openssl rand -hex 32/);
  await matchKeys(sql, keysFrom(oldKey), now);
  for (const mayMake of [true, false]) {
    await assert.rejects(keysOf(sql, source, { mayMake, now }), /is missing. Put it back/);
  }
  assert.deepEqual(await readdir(dataFolder), []);
});

test('a rotation seals everything again; both keys work while it runs, the new one alone after it', async (t) => {
  const { sql } = await testDatabase(t);
  const server = keysFrom(newKey, oldKey);
  const old = keysFrom(oldKey);
  await matchKeys(sql, old, now);
  const { botId, apiToken } = await addBot(sql, old);
  await matchKeys(sql, server, now);
  assert.equal(
    server.current.fingerprint,
    old.current.fingerprint,
    'the database decides which key is in use',
  );

  const rotator = keysFrom(newKey, oldKey);
  const { resealed, unreadable } = await rotateKey(sql, rotator, rotating(keysFrom(newKey)));
  assert.deepEqual({ resealed, unreadable }, { resealed: 5, unreadable: [] });
  for (const keys of [server, keysFrom(newKey)]) {
    const channel = await findChannel(sql, keys, { botId, platform: 'line', now });
    assert.deepEqual(channel?.secrets, ['b'.repeat(32), 'a'.repeat(32)]);
    assert.equal(channel?.accessToken, 'the-access-token');
    const [callback] = await sql<Parameters<typeof openSecrets>[2][]>`select * from callbacks`;
    assert.ok(callback && openSecrets(keys, botId, callback, now).length === 2);
  }
  // A server that has not looked since seals with the new key all the same.
  await setChannel(sql, { botId, platform: 'line', secret: 'c'.repeat(32) }, { now, random, keys: server });
  assert.deepEqual(await unreadableWith(sql, keysFrom(newKey), botId), []);
  assert.equal((await readToken(server, apiToken))?.botId, botId, 'a token of the key before');
  assert.equal(await readToken(keysFrom(newKey), apiToken), null);
  assert.deepEqual(await readFingerprints(sql), {
    fingerprint: keysFrom(newKey).current.fingerprint,
    previous: null,
  });
  await assert.rejects(matchKeys(sql, keysFrom(oldKey), now), /is not the one of this database/);
});

test('an interrupted rotation needs both keys until it has been run to its end', async (t) => {
  const { sql } = await testDatabase(t);
  const old = keysFrom(oldKey);
  await matchKeys(sql, old, now);
  const bots = await Promise.all([addBot(sql, old), addBot(sql, old), addBot(sql, old)]);
  let done = 0;
  const killed = rotateKey(sql, keysFrom(newKey, oldKey), {
    ...rotating(keysFrom(newKey)),
    progress: () => {
      done += 1;
      if (done === 2) throw new Error('killed');
    },
  });
  await assert.rejects(killed, /killed/);
  await matchKeys(sql, keysFrom(newKey, oldKey), now);
  for (const { botId } of bots)
    assert.deepEqual(await unreadableWith(sql, keysFrom(newKey, oldKey), botId), []);
  await assert.rejects(matchKeys(sql, keysFrom(newKey), now), /rotation of the secret key has not finished/);
  await assert.rejects(rotateKey(sql, keysFrom(newKey), rotating(keysFrom(newKey))), /is missing/);
  const rest = await rotateKey(sql, keysFrom(newKey, oldKey), rotating(keysFrom(newKey)));
  assert.equal(rest.resealed, 5);
  await matchKeys(sql, keysFrom(newKey), now);
  for (const { botId } of bots) assert.deepEqual(await unreadableWith(sql, keysFrom(newKey), botId), []);
});

test('a rotation waits for a transaction that seals with the key before, and seals its credentials again', async (t) => {
  const { sql } = await testDatabase(t);
  const old = keysFrom(oldKey);
  await matchKeys(sql, old, now);
  const { botId } = await addBot(sql, old);
  const place = { botId, platform: 'line', column: 'verify token' };
  let rotation: Promise<unknown> | undefined;
  await sql.begin(async (tx) => {
    const { seal } = await sealingKey(tx, keysFrom(newKey, oldKey));
    rotation = rotateKey(sql, keysFrom(newKey, oldKey), rotating(keysFrom(newKey)));
    await waitsForLock(sql);
    await tx`update channels set verify_token_sealed = ${seal('late', place)} where bot_id = ${botId}`;
  });
  await rotation;
  assert.deepEqual(await unreadableWith(sql, keysFrom(newKey), botId), []);
});

test('after a lost key a new one is accepted, and the report names each credential to set again', async (t) => {
  const { sql } = await testDatabase(t);
  await matchKeys(sql, keysFrom(oldKey), now);
  const { botId } = await addBot(sql, keysFrom(oldKey));
  const { resealed, unreadable } = await rotateKey(sql, keysFrom(newKey), rotating(keysFrom(newKey), true));
  assert.equal(resealed, 0);
  assert.deepEqual(
    unreadable.map(({ platform, credential }) => `${platform} ${credential}`),
    ['line secret', 'line secret', 'line access token', 'callback secret', 'callback secret'],
  );
  assert.deepEqual(new Set(unreadable.map((one) => one.botId)), new Set([botId]));
  await matchKeys(sql, keysFrom(newKey), now);
});

test('a running process finds the new key file, and the previous key stays next to it', async (t) => {
  const dataFolder = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  t.after(() => rm(dataFolder, { recursive: true }));
  const { sql } = await testDatabase(t);
  const source = { secretKey: null, dataFolder, random };
  const server = await openKeys(source);
  await matchKeys(sql, server, now);
  const { botId, apiToken } = await addBot(sql, server);
  await renewKeyFile(dataFolder, random);
  assert.deepEqual((await readdir(dataFolder)).sort(), ['secret.key', 'secret.key.previous']);
  for (const name of await readdir(dataFolder)) {
    assert.equal((await stat(join(dataFolder, name))).mode & 0o777, 0o600, name);
  }
  const rotator = await openKeys(source);
  await rotateKey(sql, rotator, rotating(rotator));
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const channel = await findChannel(sql, server, { botId, platform: 'line', now });
  assert.equal(channel?.accessToken, 'the-access-token');
  await matchKeys(sql, server, now);
  assert.equal(server.current.fingerprint, rotator.current.fingerprint);
  assert.equal((await readToken(await openKeys(source), apiToken))?.botId, botId);
});

test('a rotation of the key file that is interrupted at any step can be repeated, and no key is lost', async (t) => {
  const dataFolder = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  t.after(() => rm(dataFolder, { recursive: true }));
  const source = { secretKey: null, dataFolder, random };
  const { fingerprint } = (await openKeys(source)).current;
  const file = (name: string) => join(dataFolder, name);
  for (const left of [['secret.key.next'], ['secret.key.next', 'secret.key.kept'], ['secret.key.previous']]) {
    for (const name of left) await cp(file('secret.key'), file(name));
  }
  assert.deepEqual(
    findKeys(source)?.all.map((key) => key.fingerprint),
    [fingerprint],
  );
  await renewKeyFile(dataFolder, random);
  const keys = findKeys(source)?.all.map((key) => key.fingerprint) ?? [];
  assert.equal(keys.length, 2);
  assert.equal(keys[1], fingerprint);
  assert.deepEqual((await readdir(dataFolder)).sort(), ['secret.key', 'secret.key.previous']);
});

test("the watch reports each credential that cannot be opened once, and a key that is not the database's", async (t) => {
  const { sql } = await testDatabase(t);
  const keys = keysFrom(newKey);
  await matchKeys(sql, keys, now);
  const { botId } = await addBot(sql, keys);
  await sql`update channels set access_token_sealed = decode('01', 'hex')`;
  const errors: unknown[][] = [];
  const watch = new KeyWatch({
    ...{ sql, keys, clock: () => now },
    log: { error: (...given: unknown[]) => void errors.push(given) },
  });
  await watch.tryCredentials();
  await watch.tryCredentials();
  assert.equal(watch.unreadable, 1);
  assert.deepEqual(
    errors.map(([about]) => about),
    [{ botId, platform: 'line', credential: 'access token' }],
  );
  assert.equal(await watch.followKey(), null);
  await rotateKey(sql, keysFrom(otherKey, newKey), rotating(keysFrom(otherKey)));
  assert.match((await watch.followKey()) ?? '', /is not the one of this database/);
  await watch.followKey();
  assert.equal(errors.length, 2);
});

async function waitsForLock(sql: Sql): Promise<void> {
  for (;;) {
    const rows = await sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    if (rows.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
