/**
 * The whole check: `npm test`. Types, lint and format, derived files, the build of the browser's side, then every test against one
 * throw-away PostgreSQL.
 *
 * `npm run test:15` runs the tests against Debian's PostgreSQL 15 instead (package postgresql-15). Exits non-zero at the first
 * step that fails.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startTestCluster } from './harness/cluster.ts';

const { values, positionals } = parseArgs({
  options: { postgres: { type: 'string' } },
  allowPositionals: true,
});
const files =
  positionals.length > 0
    ? positionals
    : [
        'src/**/*.test.ts',
        'simulator/**/*.test.ts',
        'dashboard/**/*.test.ts',
        'widget/**/*.test.ts',
        'tests/**/*.test.ts',
      ];
/** One more than there are cores: the tests wait for other processes half of the time. */
const concurrency = String(availableParallelism() + 1);
const testsMsMax = 20 * 60_000;
/** As bin/shoal.js has it: a test's process need not compile again what another has compiled. */
const compiled = fileURLToPath(new URL('../node_modules/.cache/shoal', import.meta.url));

class StepFailed extends Error {}

try {
  if (positionals.length === 0) {
    await step('types', ['node_modules/.bin/tsc']);
    await step('types of the dashboard', ['node_modules/.bin/tsc', '-p', 'dashboard']);
    await step('types of the widget', ['node_modules/.bin/tsc', '-p', 'widget']);
    await step('lint and format', ['node_modules/.bin/biome', 'check', '--error-on-warnings', '.']);
    await step('derived files', [process.execPath, 'tests/generate.ts', '--check']);
  }
  await step('build', ['npm', 'run', '--silent', 'build']);
  await tests();
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  process.stderr.write(`✖ ${error.message}\n`);
  process.exitCode = 1;
}

async function tests(): Promise<void> {
  const programs = programsOf(values.postgres);
  const cluster = await startTestCluster(programs);
  try {
    const command = [
      process.execPath,
      '--test',
      '--test-reporter=spec',
      `--test-concurrency=${concurrency}`,
      ...files,
    ];
    const env = { SHOAL_TEST_SERVER: cluster.url, NODE_COMPILE_CACHE: compiled };
    await step('tests', command, { env, msMax: testsMsMax });
  } finally {
    await cluster.stop();
  }
}

function programsOf(version: string | undefined): string | undefined {
  if (version === undefined) return undefined;
  const folder = `/usr/lib/postgresql/${version}/bin`;
  if (!existsSync(folder)) throw new Error(`PostgreSQL ${version} is not installed: there is no ${folder}.`);
  return folder;
}

async function step(
  name: string,
  command: readonly string[],
  { env = {}, msMax }: { env?: Record<string, string>; msMax?: number } = {},
): Promise<void> {
  const startedAt = performance.now();
  const seconds = () => `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
  const [program = '', ...args] = command;
  // At SIGINT the runner of the tests names what it was waiting for.
  const limit = { timeout: msMax, killSignal: 'SIGINT' } as const;
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...env }, ...limit });
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  if (code !== 0) throw new StepFailed(`${name} failed (${code}) after ${seconds()}`);
  process.stderr.write(`✔ ${name}: ${seconds()}\n`);
}
