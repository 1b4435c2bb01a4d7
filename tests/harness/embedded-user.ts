/**
 * The users of a data folder's embedded PostgreSQL, as processes of their own (embedded-program.ts), and its server.
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
  /** The process that uses the folder: the child itself, or the one that it started in a container. */
  readonly pid: number;
  /** Null: it was refused. */
  address: Address | null = null;
  refused: string | null = null;

  private constructor(child: ChildProcess, pid: number, lines: AsyncIterator<string>) {
    this.#child = child;
    this.pid = pid;
    this.#lines = lines;
  }

  /** Starts a process on the folder and waits until it is in or refused; it is killed when the test ends. */
  static async enter(
    t: TestContext,
    folder: string,
    { role = 'command', as = null, container, unreachableMsMax }: EnterOptions = {},
  ): Promise<EmbeddedUser> {
    const limit = unreachableMsMax === undefined ? [] : [String(unreachableMsMax)];
    const own = [process.execPath, program, folder, role, ...limit];
    const [command = '', ...args] = [...(container?.entrance ?? []), ...own];
    const child = spawn(command, args, {
      ...as,
      // A process group of its own, so that a test can press Ctrl-C there.
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    // A statement to a killed process; the missing answer shows it.
    child.stdin.on('error', () => undefined);
    const pid = container ? await onlyChild(child) : (child.pid ?? 0);
    const user = new EmbeddedUser(child, pid, createInterface(child.stdout)[Symbol.asyncIterator]());
    const { address = null, refused = null } = await user.#hear();
    user.address = address;
    user.refused = refused;
    return user;
  }

  /** The rows of one line of SQL. Throws when it fails. */
  async ask(statement: string): Promise<unknown[]> {
    this.#child.stdin?.write(`${statement}\n`);
    const { rows, failed } = await this.#hear();
    if (!rows) throw new Error(failed);
    return rows;
  }

  /** The same, asked again while the server is away. */
  async askUntilAnswered(statement: string): Promise<unknown[]> {
    for (let ask = 1; ask < asksMax; ask++) {
      const rows = await this.ask(statement).catch(() => null);
      if (rows) return rows;
      await pause(askPauseMs);
    }
    return this.ask(statement);
  }

  /** Leaves in order. */
  async leave(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    assert.deepEqual(await ended, [0, null]);
  }

  /** Is killed with SIGKILL. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    process.kill(this.pid, 'SIGKILL');
    await ended;
  }

  async #hear(): Promise<Said> {
    const { value, done } = await this.#lines.next();
    assert.ok(!done, 'the process ended without an answer; what it said stands above');
    return JSON.parse(value);
  }
}

/** The process number of the server that runs in the data folder; null when none does. */
export async function serverPid(dataFolder: string): Promise<number | null> {
  const postmaster = await readPostmaster(join(dataFolder, 'postgres'));
  return postmaster?.runsHere ? postmaster.number : null;
}

/** Kills the data folder's server with SIGKILL, if it runs. */
export async function killServer(dataFolder: string): Promise<void> {
  const pid = await serverPid(dataFolder);
  if (pid !== null) process.kill(pid, 'SIGKILL');
}
