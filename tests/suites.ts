/**
 * The three suites of tests, by what a test file imports: `unit` needs no PostgreSQL, `db` works on a database of its own, `e2e` starts
 * servers, commands or a browser.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const suites = ['unit', 'db', 'e2e'] as const;
export type Suite = (typeof suites)[number];

const root = fileURLToPath(new URL('..', import.meta.url));
const e2eHarness = ['server', 'cli', 'command', 'browser', 'container', 'embedded-program', 'line-simulator'];
const dbHarness = ['database', 'cluster'];
const harness = (names: readonly string[]): Set<string> =>
  new Set(names.map((name) => `tests/harness/${name}.ts`));
const starters = new Map<string, Suite>([
  ...[...harness(e2eHarness)].map((file) => [file, 'e2e'] as const),
  ...[...harness(dbHarness)].map((file) => [file, 'db'] as const),
]);

/** Every test file, by its suite. */
export function filesBySuite(): Record<Suite, string[]> {
  const files: Record<Suite, string[]> = { unit: [], db: [], e2e: [] };
  for (const file of globSync('{src,simulator,dashboard,widget,tests}/**/*.test.ts', { cwd: root }).sort())
    files[suiteOf(file)].push(file);
  return files;
}

/** The suite of a test file: the one that needs most among all files that it imports. */
export function suiteOf(file: string): Suite {
  const reached = [...importsWithin(file)].map((target) => starters.get(target) ?? 'unit');
  return suites.findLast((suite) => reached.includes(suite)) ?? 'unit';
}

function importsWithin(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, path = ''] of readFileSync(join(root, file), 'utf8').matchAll(/from '(\.[^']+\.tsx?)'/g))
    importsWithin(normalize(join(dirname(file), path)), found);
  return found;
}
