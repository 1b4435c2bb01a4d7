/**
 * The master key: where it comes from, who may read it, and that all processes have the same.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal } from '../errors.ts';
import { openKeys } from './keys.ts';

const place = { botId: 'AbCdEfGhI', platform: 'line', column: 'secret' };

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

function open(dataFolder: string, secretKey: string | null = null) {
  return openKeys({ secretKey, dataFolder, random: randomBytes });
}

test('the first start makes a key file that only its owner can read, in a folder that need not be there', async (t) => {
  const data = join(await folder(t), 'new', 'data');
  const keys = await open(data);
  assert.deepEqual(await readdir(data), ['secret.key']);
  assert.equal((await stat(join(data, 'secret.key'))).mode & 0o777, 0o600);
  const box = keys.current.seal('secret', place);
  assert.equal((await open(data)).unseal(box, place), 'secret');
});

test('processes that start at once agree on one key', async (t) => {
  const data = await folder(t);
  const all = await Promise.all(Array.from({ length: 20 }, () => open(data)));
  const tokenKeys = new Set(all.map(({ current }) => Buffer.from(current.tokenKey).toString('hex')));
  assert.equal(tokenKeys.size, 1);
  assert.deepEqual(await readdir(data), ['secret.key']);
});

test('a secret key is taken instead of the file, and none is made', async (t) => {
  const data = await folder(t);
  const keys = await open(data, 'a secret key of 32 characters ..');
  assert.deepEqual(await readdir(data), []);
  const box = keys.current.seal('secret', place);
  assert.equal((await open(data, 'a secret key of 32 characters ..')).unseal(box, place), 'secret');
  const other = await open(data, 'another secret key of many characters');
  assert.throws(() => other.unseal(box, place), Refusal);
});

test('tokens and boxes have keys of their own, and neither is the master key', async (t) => {
  const data = await folder(t);
  const { tokenKey } = (await open(data)).current;
  const master = Buffer.from((await readFile(join(data, 'secret.key'), 'utf8')).trim(), 'base64url');
  assert.equal(tokenKey.length, 32);
  assert.notDeepEqual(Buffer.from(tokenKey), master);
});

test('a short secret key is refused, and not repeated', async (t) => {
  await assert.rejects(open(await folder(t), 'too short'), (error: unknown) => {
    assert.ok(error instanceof Refusal);
    assert.match(error.message, /at least 32 characters, not 9/);
    assert.doesNotMatch(error.message, /too short/);
    return true;
  });
});

test('a key file that its group may read, as on a volume with fsGroup, is closed', async (t) => {
  const data = await folder(t);
  const path = join(data, 'secret.key');
  await open(data);
  await chmod(path, 0o660);
  await open(data);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('a damaged key file is refused with the remedy', async (t) => {
  const data = await folder(t);
  const path = join(data, 'secret.key');
  await open(data);
  await writeFile(path, 'half a key');
  await assert.rejects(open(data), /is damaged/);
});
