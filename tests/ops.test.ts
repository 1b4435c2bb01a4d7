/**
 * The systemd units of ops/, which systemd itself checks where it is installed.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const isInstalled = spawnSync('systemd-analyze', ['--version']).status === 0;

test('systemd accepts the units', { skip: !isInstalled && 'systemd is not installed' }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-units-'));
  t.after(() => rm(folder, { recursive: true }));
  const units = (await readdir(join(root, 'ops'))).filter((name) => /\.(service|timer)$/.test(name));
  assert.ok(units.length > 0);
  for (const name of units) {
    const text = await readFile(join(root, 'ops', name), 'utf8');
    // The programs must exist.
    await writeFile(join(folder, name), text.replaceAll('/opt/shoal', root.replace(/\/$/, '')));
  }
  const { status, stdout, stderr } = spawnSync(
    'systemd-analyze',
    ['verify', ...units.map((name) => join(folder, name))],
    { encoding: 'utf8' },
  );
  // A machine without a running systemd can report the state of its own units.
  const problems = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('shoal'));
  assert.deepEqual({ status, problems }, { status: 0, problems: [] });
});
