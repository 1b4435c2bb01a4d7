/**
 * Prism, a mock server that returns a contract's examples, as a reference. It is not a dependency of the project: npm downloads this
 * version for the measurement.
 */
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../tests/harness/free-port.ts';

const version = '5.16.0';
const startMsMax = 180_000;
const lookMs = 200;

export const prismName = `Prism ${version} mocking the same document`;

/** Starts Prism with a contract. Throws if npm cannot download it, or it does not answer. */
export async function startPrism(contract: string): Promise<{ port: number; stop(): void }> {
  const port = await freePort();
  const document = fileURLToPath(new URL(`../contracts/${contract}`, import.meta.url));
  const prism = ['prism', 'mock', '--port', String(port), '--host', '127.0.0.1', '--verboseLevel', 'silent'];
  const child = spawn(
    'npm',
    ['exec', '--yes', `--package=@stoplight/prism-cli@${version}`, '--', ...prism, document],
    // A separate process group, because npm does not forward signals.
    { stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
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
  throw new Error(`Prism did not start: ${output}`);
}

async function answers(port: number): Promise<boolean> {
  try {
    await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
