/**
 * The three suites of tests, by what a test file imports: `unit` needs no PostgreSQL, `db` works on a database of its own, `e2e` starts
 * servers, commands or a browser.
 */
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { importsOf } from './harness/imports.ts';

export const suites = ['unit', 'db', 'e2e'] as const;
export type Suite = (typeof suites)[number];

const root = fileURLToPath(new URL('..', import.meta.url));
const e2eHarness = ['server', 'cli', 'command', 'browser', 'container', 'embedded-program', 'line-simulator'];
const dbHarness = ['database', 'cluster'];
const inHarness = (names: readonly string[], suite: Suite) =>
  names.map((name) => [`tests/harness/${name}.ts`, suite] as const);
/** The suite that a file of the harness needs. */
const suiteByFile = new Map<string, Suite>([...inHarness(e2eHarness, 'e2e'), ...inHarness(dbHarness, 'db')]);

/** Every test file, by its suite. */
export function filesBySuite(): Record<Suite, string[]> {
  const files: Record<Suite, string[]> = { unit: [], db: [], e2e: [] };
  for (const file of globSync('{src,simulator,dashboard,widget,tests}/**/*.test.ts', { cwd: root }).sort())
    files[suiteOf(file)].push(file);
  return files;
}

/** The suite of a test file: the one that needs most among all files that it imports. */
export function suiteOf(file: string): Suite {
  const reached = [...importsWithin(file)].map((target) => suiteByFile.get(target) ?? 'unit');
  return suites.findLast((suite) => reached.includes(suite)) ?? 'unit';
}

function importsWithin(file: string, reached = new Set<string>()): Set<string> {
  if (reached.has(file)) return reached;
  reached.add(file);
  for (const target of importsOf(file)) if (/\.tsx?$/.test(target)) importsWithin(target, reached);
  return reached;
}
