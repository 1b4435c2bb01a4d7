/**
 * The users of a data folder's embedded PostgreSQL as separate processes (embedded-program.ts), and its server.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Address } from '../../src/database/client.ts';
import { readPostmaster } from '../../src/database/embedded/postmaster.ts';
import type { SystemUser } from '../../src/database/embedded/system-user.ts';
import { type Container, onlyChild } from './container.ts';

type EnterOptions = {
  role?: 'serve' | 'command';
  as?: SystemUser | null;
  container?: Container;
  unreachableMsMax?: number;
};

type Said = { address?: Address; refused?: string; rows?: unknown[]; failed?: string };

const program = fileURLToPath(new URL('embedded-program.ts', import.meta.url));
const asksMax = 300;
const askPauseMs = 100;

export class EmbeddedUser {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  /** The process that uses the folder: the child, or the process that the child started in a container. */
  readonly pid: number;
  /** Null if the process was rejected. */
  address: Address | null = null;
  refused: string | null = null;

  private constructor(child: ChildProcess, pid: number, lines: AsyncIterator<string>) {
    this.#child = child;
    this.pid = pid;
    this.#lines = lines;
  }

  /** Starts a process on the folder and waits until it is connected or rejected; kills it when the test ends. */
  static async enter(
    t: TestContext,
    folder: string,
    { role = 'command', as = null, container, unreachableMsMax }: EnterOptions = {},
  ): Promise<EmbeddedUser> {
    const limit = unreachableMsMax === undefined ? [] : [String(unreachableMsMax)];
    const programCommand = [process.execPath, program, folder, role, ...limit];
    const [command = '', ...args] = [...(container?.entrance ?? []), ...programCommand];
    const child = spawn(command, args, {
      ...as,
      // Its own process group, so that a test can send Ctrl-C to it.
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    // A killed process cannot be written to; the missing response shows that.
    child.stdin.on('error', () => undefined);
    const pid = container ? await onlyChild(child) : (child.pid ?? 0);
    const user = new EmbeddedUser(child, pid, createInterface(child.stdout)[Symbol.asyncIterator]());
    const { address = null, refused = null } = await user.#hear();
    user.address = address;
    user.refused = refused;
    return user;
  }

  /** Runs one line of SQL and returns its rows. */
  async ask(statement: string): Promise<unknown[]> {
    this.#child.stdin?.write(`${statement}\n`);
    const { rows, failed } = await this.#hear();
    if (!rows) throw new Error(failed);
    return rows;
  }

  /** The same, retried while the server is unavailable. */
  async askUntilAnswered(statement: string): Promise<unknown[]> {
    for (let ask = 1; ask < asksMax; ask++) {
      const rows = await this.ask(statement).catch(() => null);
      if (rows) return rows;
      await pause(askPauseMs);
    }
    return this.ask(statement);
  }

  /** Exits in order. */
  async leave(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    assert.deepEqual(await ended, [0, null]);
  }

  /** Kills the process with SIGKILL. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    process.kill(this.pid, 'SIGKILL');
    await ended;
  }

  async #hear(): Promise<Said> {
    const { value, done } = await this.#lines.next();
    assert.ok(!done, 'the process ended without a response; its output is above');
    return JSON.parse(value);
  }
}

/** The process id of the server in the data folder, or null. */
export async function serverPid(dataFolder: string): Promise<number | null> {
  const postmaster = await readPostmaster(join(dataFolder, 'postgres'));
  return postmaster?.runsHere ? postmaster.number : null;
}

/** Kills the data folder's server with SIGKILL if it is running. */
export async function killServer(dataFolder: string): Promise<void> {
  const pid = await serverPid(dataFolder);
  if (pid !== null) process.kill(pid, 'SIGKILL');
}
