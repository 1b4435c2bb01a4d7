import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal } from './errors.ts';
import { closeToOthers, makeFolder, usingFolder } from './folders.ts';

test('a folder is created with its parents, and a second call changes nothing', async (t) => {
  const path = join(await temporary(t), 'a', 'b');
  await makeFolder(path, 0o700);
  await makeFolder(path, 0o700);
  assert.equal((await stat(path)).mode & 0o777, 0o700);
});

test('a file where a folder is expected is an error', async (t) => {
  const path = join(await temporary(t), 'file');
  await writeFile(path, '');
  await assert.rejects(makeFolder(path), { code: 'EEXIST' });
  await assert.rejects(makeFolder(join(path, 'below')), { code: 'ENOTDIR' });
});

test('a folder that the file system cannot create is an error at once', async () => {
  await assert.rejects(makeFolder('/proc/shoal/data'), { code: 'ENOENT' });
});

test('a file is closed to its group and to others, and keeps its owner’s permissions', async (t) => {
  const path = join(await temporary(t), 'file');
  await writeFile(path, '');
  await chmod(path, 0o664);
  assert.ok(closeToOthers(path));
  assert.equal((await stat(path)).mode & 0o7777, 0o600);
});

test('a system error names the data folder, other errors stay', async () => {
  const missing = usingFolder('/a/data', async () => stat('/nonexistent/shoal'));
  await assert.rejects(
    missing,
    (error: unknown) => error instanceof Refusal && /\/a\/data .*ENOENT/.test(error.message),
  );
  const other = usingFolder('/a/data', async () => {
    throw new TypeError('a mistake');
  });
  await assert.rejects(other, TypeError);
});

async function temporary(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'shoal-folders-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}
