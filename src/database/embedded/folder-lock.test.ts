import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { makeLockFiles, tryLock } from './folder-lock.ts';

test('any number of processes share a lock, or one has it exclusively', async (t) => {
  const path = join(await dataFolder(t), 'postgres.users');
  const [first, second] = [tryLock(path, 'shared'), tryLock(path, 'shared')];
  assert.ok(first && second);
  assert.equal(tryLock(path, 'exclusive'), null);
  first();
  assert.equal(tryLock(path, 'exclusive'), null);
  second();
  const alone = tryLock(path, 'exclusive');
  assert.ok(alone);
  assert.equal(tryLock(path, 'shared'), null);
  alone();
  tryLock(path, 'shared')?.();
});

test('a lock survives another check of the folder by the same process', async (t) => {
  const folder = await dataFolder(t);
  const path = join(folder, 'postgres.lock');
  const unlock = tryLock(path, 'exclusive');
  await makeLockFiles(folder, null);
  const script = `import { tryLock } from ${JSON.stringify(import.meta.resolve('./folder-lock.ts'))};
    console.log(tryLock(${JSON.stringify(path)}, 'exclusive') === null)`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  assert.equal(stdout, 'true\n');
  unlock?.();
});

test('a file that cannot be locked is refused with the reason', () => {
  assert.throws(
    () => tryLock('/nonexistent/shoal/postgres.lock', 'exclusive'),
    /cannot be locked.*another PostgreSQL server/,
  );
});

async function dataFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-locks-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await makeLockFiles(folder, null);
  return folder;
}
