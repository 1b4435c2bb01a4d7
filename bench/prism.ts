/**
 * Prism, the mock server that answers a contract's examples, as the other party of a measure. It is not among the project's
 * dependencies: npm brings the version named here when it is measured.
 */
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../tests/harness/free-port.ts';

const version = '5.16.0';
const startMsMax = 180_000;
const lookMs = 200;

export const prismName = `Prism ${version} mocking the same document`;

/** Starts Prism on a contract. Throws when npm cannot bring it, or it does not answer. */
export async function startPrism(contract: string): Promise<{ port: number; stop(): void }> {
  const port = await freePort();
  const document = fileURLToPath(new URL(`../contracts/${contract}`, import.meta.url));
  const prism = ['prism', 'mock', '--port', String(port), '--host', '127.0.0.1', '--verboseLevel', 'silent'];
  const child = spawn(
    'npm',
    ['exec', '--yes', `--package=@stoplight/prism-cli@${version}`, '--', ...prism, document],
    // A group of its own: npm does not pass a signal on to what it runs.
    { stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  const stop = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
  };
  const endsAt = performance.now() + startMsMax;
  while (performance.now() < endsAt && child.exitCode === null) {
    if (await answers(port)) return { port, stop };
    await pause(lookMs);
  }
  stop();
  throw new Error(`Prism did not start: ${told}`);
}

async function answers(port: number): Promise<boolean> {
  try {
    await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
