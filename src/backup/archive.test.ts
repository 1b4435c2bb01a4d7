/**
 * The file of a backup: its content, its encryption, and every way in which it can be damaged.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal } from '../errors.ts';
import { manifestName, readArchive, writeArchive } from './archive.ts';

const [now, passphrase, workFactor] = [Date.parse('2026-03-01'), 'correct horse battery staple', 4];
/** Does not compress, and has several pieces of age's and of gzip's stream. */
const large = randomBytes(300_000);

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function write(path: string, secret: string | null): Promise<{ bytes: number }> {
  return writeArchive(path, { now, passphrase: secret, workFactor }, async (add) => {
    await add('one.txt', Buffer.from('one'));
    await add('folder/large', large);
    await add('empty', Buffer.alloc(0));
    return { format: 1 };
  });
}

async function read(path: string, secret: string | null): Promise<[string, Buffer][]> {
  const { signal } = new AbortController();
  const members = readArchive(path, { passphrase: secret, signal, progress: () => undefined });
  return Array.fromAsync(members, ({ name, body }) => [name, Buffer.from(body)]);
}

for (const secret of [null, passphrase]) {
  const kind = secret === null ? 'a backup' : 'an encrypted backup';

  test(`${kind} has all members, belongs to its owner alone, and replaces no file`, async (t) => {
    const folder = await folderOf(t);
    const path = join(folder, 'backup');
    const { bytes } = await write(path, secret);
    const { size, mode } = await stat(path);
    assert.deepEqual([size, mode & 0o777], [bytes, 0o600]);
    const members = await read(path, secret);
    assert.deepEqual(
      members.map(([name]) => name),
      ['one.txt', 'folder/large', 'empty', manifestName],
    );
    assert.deepEqual(members[1]?.[1], large);
    assert.equal((await readFile(path)).includes('one.txt'), false);
    await assert.rejects(write(path, secret), /exists already/);
    assert.deepEqual(await readdir(folder), ['backup']);
  });

  test(`${kind} that is cut off or changed anywhere is refused`, async (t) => {
    const path = join(await folderOf(t), 'backup');
    const { bytes } = await write(path, secret);
    const whole = await readFile(path);
    const refuses = async (content: Uint8Array) => {
      await writeFile(path, content);
      await assert.rejects(read(path, secret), (error) => error instanceof Refusal);
    };
    for (const length of [0, 5, 100, bytes >> 1, bytes - 9]) await refuses(whole.subarray(0, length));
    for (const place of [0, 25, bytes >> 1, bytes - 6]) {
      const changed = Buffer.from(whole);
      changed[place] = (changed[place] ?? 0) ^ 1;
      await refuses(changed);
    }
  });
}

test('a wrong passphrase and a missing one are refused', async (t) => {
  const path = join(await folderOf(t), 'backup');
  await write(path, passphrase);
  await assert.rejects(read(path, 'another one'), /passphrase is not the one of this backup/);
  await assert.rejects(read(path, null), /encrypted/);
});

test('a backup that fails leaves no file', async (t) => {
  const folder = await folderOf(t);
  const failing = writeArchive(join(folder, 'backup'), { now, passphrase: null }, async (add) => {
    await add('large', large);
    throw new Error('the database is away');
  });
  await assert.rejects(failing, /the database is away/);
  assert.deepEqual(await readdir(folder), []);
  await assert.rejects(write(join(folder, 'missing', 'backup'), null), /cannot be written/);
});
