/**
 * Containers as PostgreSQL sees them: separate process namespaces, shared memory and mounts, and the same files. They use
 * util-linux's unshare and nsenter, which need root.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

const namespaces = ['--pid', '--ipc', '--mount'];
const looksMax = 200;
const lookPauseMs = 50;

/** The reason why containers cannot be created here, or false. */
export function whyNoContainers(): string | false {
  const { status, stderr, error } = spawnSync('unshare', [...namespaces, '--fork', '--mount-proc', 'true'], {
    encoding: 'utf8',
  });
  return status === 0 ? false : `unshare is not allowed here: ${error?.message ?? stderr.trim()}`;
}

export class Container {
  readonly #unshare: ChildProcess;
  readonly #init: number;

  private constructor(unshare: ChildProcess, init: number) {
    this.#unshare = unshare;
    this.#init = init;
  }

  /** Creates a container with an idle process; kills it when the test ends. */
  static async open(t: TestContext): Promise<Container> {
    const child = spawn(
      'unshare',
      [...namespaces, '--fork', '--mount-proc', '--kill-child', 'sleep', '3600'],
      {
        stdio: 'ignore',
      },
    );
    const container = new Container(child, await onlyChild(child));
    t.after(() => container.kill());
    return container;
  }

  /** The command prefix that runs a command line in the container. */
  get entrance(): string[] {
    return ['nsenter', `--target=${this.#init}`, ...namespaces];
  }

  /** Kills every process of the container. Can be called twice. */
  async kill(): Promise<void> {
    if (this.#unshare.exitCode !== null || this.#unshare.signalCode !== null) return;
    const ended = once(this.#unshare, 'exit');
    this.#unshare.kill('SIGKILL');
    await ended;
    for (let look = 0; look < looksMax && isRunning(this.#init); look++) await pause(lookPauseMs);
    assert.ok(!isRunning(this.#init), 'the container did not end');
  }
}

/** The id, in this namespace, of the process that a wrapper such as nsenter started. */
export async function onlyChild({ pid }: ChildProcess): Promise<number> {
  assert.ok(pid);
  for (let look = 0; look < looksMax; look++) {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    if (child) return Number(child);
    await pause(lookPauseMs);
  }
  throw new Error(`process ${pid} has started no other`);
}

/** The ids, in this namespace, of the postmasters on the data folder in any container. */
export function postmastersOf(dataFolder: string): number[] {
  const { ino, dev } = statSync(join(dataFolder, 'postgres'));
  const servers = readdirSync('/proc').filter((pid) => {
    if (!Number(pid)) return false;
    try {
      const folder = statSync(`/proc/${pid}/cwd`);
      // The other processes of a server replace their command line soon after they start.
      const [program = '', option] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return folder.ino === ino && folder.dev === dev && program.endsWith('postgres') && option === '-D';
    } catch {
      // The process has ended in between.
      return false;
    }
  });
  return servers.filter((pid) => !servers.includes(parentOf(pid))).map(Number);
}

function parentOf(pid: string): string {
  try {
    const [, parent = ''] = /^.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return parent;
  } catch {
    return '';
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
