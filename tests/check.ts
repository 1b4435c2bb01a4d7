/**
 * The whole check: `npm test`. Types, lint and format, derived files, the build of the dashboard and the widget, then every test
 * against one temporary PostgreSQL.
 *
 *     npm run test:unit, test:db, test:e2e                   one suite (suites.ts), without the steps before the tests
 *     node tests/check.ts tests/intake.test.ts               some files
 *     npm run test:15                                        on Debian's PostgreSQL 15 (package postgresql-15)
 *     SHOAL_TEST_CITUS=postgres://… npm run test:cluster     on a node of Citus, without the tests of cluster-exceptions.ts
 *
 * Exits non-zero at the first step that fails.
 */
import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { clusterExceptions } from './cluster-exceptions.ts';
import { startTestCluster } from './harness/cluster.ts';
import { filesBySuite, type Suite, suiteOf, suites } from './suites.ts';

const { values, positionals } = parseArgs({
  options: { postgres: { type: 'string' }, suite: { type: 'string' }, cluster: { type: 'boolean' } },
  allowPositionals: true,
});
const root = fileURLToPath(new URL('..', import.meta.url));
/** Three more than there are cores: the tests often wait for other processes. */
const concurrency = availableParallelism() + 3;
const testsMsMax = 40 * 60_000;
const clusterTestsMsMax = 90 * 60_000;
/** Processes for the files of a suite that start no process themselves. The files of one share their loaded modules. */
const processesOf = { unit: 3, db: 12 };
const slowestShown = 10;
/** As in bin/shoal.js: processes share compiled code. */
const compileCache = join(root, 'node_modules/.cache/shoal');

class StepFailed extends Error {}

try {
  const files = testFiles();
  const isWhole = values.suite === undefined && !values.cluster && positionals.length === 0;
  if (isWhole) {
    await Promise.all([
      command('types', ['node_modules/.bin/tsc']),
      command('types of the dashboard', ['node_modules/.bin/tsc', '-p', 'dashboard']),
      command('types of the widget', ['node_modules/.bin/tsc', '-p', 'widget']),
      command('lint and format', ['node_modules/.bin/biome', 'check', '--error-on-warnings', '.']),
      command('derived files', [process.execPath, 'tests/generate.ts', '--check']),
    ]);
  }
  const needed = suites.findLast((suite) => files.some((file) => suiteOf(file) === suite));
  if (needed === 'e2e') await command('build', ['npm', 'run', '--silent', 'build']);
  await timed('tests', () =>
    needed === 'unit' || values.cluster ? runTests(files) : withCluster(() => runTests(files)),
  );
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  process.stderr.write(`✖ ${error.message}\n`);
  process.exitCode = 1;
}

function testFiles(): string[] {
  if (positionals.length > 0) return globSync(positionals, { cwd: root }).sort();
  const files = filesBySuite();
  if (values.cluster) return clusterFiles(files);
  if (values.suite === undefined) return Object.values(files).flat();
  if (!suites.some((suite) => suite === values.suite))
    throw new StepFailed(`there is no suite ${values.suite}; use ${suites.join(', ')}`);
  return files[values.suite as Suite];
}

/** The files that use a database, without the whole files of cluster-exceptions.ts. */
function clusterFiles(files: Record<Suite, string[]>): string[] {
  if (process.env.SHOAL_TEST_CITUS === undefined)
    throw new StepFailed('set SHOAL_TEST_CITUS to the URL of a Citus node whose user is a superuser');
  const leftOut = clusterExceptions.flatMap(({ file, test }) => (test === undefined ? [file] : []));
  return [...files.e2e, ...files.db].filter((file) => !leftOut.includes(file));
}

async function withCluster(runAll: () => Promise<void>): Promise<void> {
  const cluster = await startTestCluster(programsOf(values.postgres));
  process.env.SHOAL_TEST_SERVER = cluster.url;
  try {
    await runAll();
  } finally {
    await cluster.stop();
  }
}

async function runTests(files: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-check-'));
  try {
    await runEntries(positionals.length > 0 ? files.map(pathOf) : await entriesOf(files, folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * The programs to run: one for each group of files of unit and db, written to the folder, and each file of e2e. The groups of db come
 * first: they take longest. The short ones of unit fill the gaps at the end.
 */
async function entriesOf(files: readonly string[], folder: string): Promise<string[]> {
  const { unit = [], db = [], e2e = [] } = Object.groupBy(files, suiteOf);
  const groups = (suite: 'unit' | 'db', members: readonly string[]) => {
    const byProcess = Object.groupBy(members, (_, index) => index % processesOf[suite]);
    return Promise.all(
      Object.entries(byProcess).map(async ([number, group = []]) => {
        const entry = join(folder, `${suite}-${number}.mjs`);
        const imports = group.map((file) => `import ${JSON.stringify(pathToFileURL(pathOf(file)))};\n`);
        await writeFile(entry, imports.join(''));
        return entry;
      }),
    );
  };
  return [...(await groups('db', db)), ...alternated(e2e).map(pathOf), ...(await groups('unit', unit))];
}

/**
 * The files of both halves in turn: files that mostly compute (browsers) and files that mostly wait (kills), because neighbours in a
 * folder are alike.
 */
function alternated(files: readonly string[]): string[] {
  const middle = Math.ceil(files.length / 2);
  return files
    .slice(0, middle)
    .flatMap((file, index) => [file, ...files.slice(middle + index, middle + index + 1)]);
}

function pathOf(file: string): string {
  return join(root, file);
}

async function runEntries(entries: readonly string[]): Promise<void> {
  process.env.NODE_COMPILE_CACHE = compileCache;
  const msByFile = new Map<string, number>();
  let failures = 0;
  const events = run({
    files: entries,
    concurrency,
    signal: AbortSignal.timeout(values.cluster ? clusterTestsMsMax : testsMsMax),
    ...(values.cluster && { testSkipPatterns: clusterExceptions.flatMap(({ test }) => test ?? []) }),
  });
  events.on('test:fail', () => {
    failures += 1;
  });
  events.on('test:complete', ({ nesting, name, file = '', details }) => {
    // An entry is reported as a test, too.
    if (nesting === 0 && name !== file) msByFile.set(file, (msByFile.get(file) ?? 0) + details.duration_ms);
  });
  const reported = events.compose(spec);
  reported.pipe(process.stdout);
  await new Promise((resolve, reject) => reported.on('end', resolve).on('error', reject));
  const slowest = [...msByFile].sort(([, a], [, b]) => b - a).slice(0, slowestShown);
  for (const [file, ms] of slowest)
    process.stderr.write(`${seconds(ms).padStart(8)} ${relative(root, file)}\n`);
  if (failures > 0) throw new StepFailed(`${failures} tests failed`);
}

function programsOf(version: string | undefined): string | undefined {
  if (version === undefined) return undefined;
  const folder = `/usr/lib/postgresql/${version}/bin`;
  if (!existsSync(folder))
    throw new StepFailed(`PostgreSQL ${version} is not installed: there is no ${folder}.`);
  return folder;
}

async function command(name: string, [program = '', ...args]: readonly string[]): Promise<void> {
  await timed(name, async () => {
    const child = spawn(program, args, { cwd: root, stdio: 'inherit' });
    const code = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (exitCode, signal) => resolve(exitCode ?? signal));
    });
    if (code !== 0) throw new StepFailed(`${name} failed (${code})`);
  });
}

async function timed(name: string, step: () => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  await step();
  process.stderr.write(`✔ ${name}: ${seconds(performance.now() - startedAt)}\n`);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
