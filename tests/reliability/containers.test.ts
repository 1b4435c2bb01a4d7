/**
 * One data folder in two containers, which do not see each other's processes. There is never a second PostgreSQL server on it,
 * and every acknowledged row survives any kill. `SHOAL_TEST_ROUNDS=50` runs more rounds.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { SeededRandom } from '../../simulator/events/random.ts';
import { Container, postmastersOf, whyNoContainers } from '../harness/container.ts';
import { EmbeddedUser } from '../harness/embedded-user.ts';

const skip = whyNoContainers();
const seed = 20_261_130;
const rounds = Number(process.env.SHOAL_TEST_ROUNDS ?? 6);
const recoveryMsMax = 120_000;
const momentMsMax = 600;
const watchPauseMs = 50;
const failurePauseMs = 50;
/** Rows that each survivor writes after a kill before the next kill. */
const rowsMin = 3;

let above = '';
before(async () => {
  above = await mkdtemp(join(tmpdir(), 'shoal-containers-'));
  await chmod(above, 0o711);
});
// Runs after the tests' own hooks, which end their containers.
after(() => rm(above, { recursive: true, force: true, maxRetries: 5 }));

let folders = 0;
function dataFolder(): string {
  return join(above, `data-${++folders}`);
}

test('a command in another container joins the running server and leaves it running', { skip }, async (t) => {
  const folder = dataFolder();
  const serve = await EmbeddedUser.enter(t, folder, { role: 'serve', container: await Container.open(t) });
  await serve.ask('create table notes (text text)');
  const servers = postmastersOf(folder);
  const command = await EmbeddedUser.enter(t, folder, { container: await Container.open(t) });
  await command.ask(`insert into notes values ('from the other container')`);
  assert.deepEqual(postmastersOf(folder), servers);
  await command.leave();
  assert.deepEqual(postmastersOf(folder), servers);
  assert.deepEqual(await serve.ask('select text from notes'), [{ text: 'from the other container' }]);
  await serve.leave();
  assert.deepEqual(postmastersOf(folder), []);
});

test('a second serve is refused in another container, too', { skip }, async (t) => {
  const folder = dataFolder();
  const serve = await EmbeddedUser.enter(t, folder, { role: 'serve', container: await Container.open(t) });
  const second = await EmbeddedUser.enter(t, folder, { role: 'serve', container: await Container.open(t) });
  assert.match(second.refused ?? '', /Another shoal serve is running .* in another container/);
  await serve.leave();
});

test('when a server is stopped, a command in another container starts its own', {
  skip,
}, async (t) => {
  const folder = dataFolder();
  const serve = await EmbeddedUser.enter(t, folder, { role: 'serve', container: await Container.open(t) });
  await serve.ask('create table notes (text text)');
  const command = await EmbeddedUser.enter(t, folder, { container: await Container.open(t) });
  await serve.leave();
  assert.deepEqual(await command.askUntilAnswered('select * from notes'), []);
  await command.leave();
  assert.deepEqual(postmastersOf(folder), []);
});

test('another container finds a server whose Shoal process was killed', { skip }, async (t) => {
  const folder = dataFolder();
  const killed = await EmbeddedUser.enter(t, folder, { container: await Container.open(t) });
  await killed.ask('create table notes (text text)');
  const servers = postmastersOf(folder);
  await killed.kill();
  const next = await EmbeddedUser.enter(t, folder, { container: await Container.open(t) });
  assert.deepEqual(await next.ask('select * from notes'), []);
  assert.deepEqual(postmastersOf(folder), servers);
  await next.leave();
  assert.deepEqual(postmastersOf(folder), servers);
});

test('no server starts while processes of a killed one are alive in another container', {
  skip,
}, async (t) => {
  const folder = dataFolder();
  const container = await Container.open(t);
  const first = await EmbeddedUser.enter(t, folder, { container });
  const [server = 0] = postmastersOf(folder);
  // A process that inherits the same file descriptor as the server's processes, and outlives them.
  const [command = '', ...args] = [
    ...container.entrance,
    'sh',
    '-c',
    `exec sleep 3600 < ${folder}/postgres.alive`,
  ];
  const lingering = spawn(command, args, { stdio: 'ignore' });
  t.after(() => lingering.kill('SIGKILL'));
  process.kill(server, 'SIGKILL');
  await first.kill();
  const other = await Container.open(t);
  const second = await EmbeddedUser.enter(t, folder, { container: other, unreachableMsMax: 2_000 });
  assert.match(
    second.refused ?? '',
    /runs in another container and does not answer at .*ECONNREFUSED.*Stop that container/,
  );
  assert.deepEqual(postmastersOf(folder), []);
  await container.kill();
  const third = await EmbeddedUser.enter(t, folder, { container: other });
  assert.deepEqual(await third.ask('select 1 as one'), [{ one: 1 }]);
  await third.leave();
});

test(`after ${rounds} kills in two containers, every acknowledged row exists`, { skip }, async (t) => {
  t.diagnostic(`seed ${seed}`);
  const random = new SeededRandom(seed);
  const folder = dataFolder();
  const maker = await EmbeddedUser.enter(t, folder);
  await maker.ask('create table notes (text text primary key)');
  await maker.leave();
  const watch = watchServers(folder);
  const sides = await Promise.all([Side.open(t, folder, 'a'), Side.open(t, folder, 'b')]);
  const kills: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    await Promise.all(sides.map((side) => side.fill()));
    await haveWritten(sides);
    await pause(random.integer(0, momentMsMax));
    const target = targets[round % targets.length] ?? 'server';
    kills[target] = (kills[target] ?? 0) + 1;
    await strike(target, { folder, side: sides[random.integer(0, 1)] ?? sides[0], other: sides[1] });
  }
  await Promise.all(sides.map((side) => side.fill()));
  await haveWritten(sides);
  await Promise.all(sides.map((side) => side.end()));
  const serversMax = watch.stop();
  assert.equal(serversMax, 1, 'two servers ran at the same time');
  await compare(t, folder, sides);
  t.diagnostic(`killed: ${JSON.stringify(kills)}`);
});

const targets = ['command', 'serve', 'server', 'container', 'serve and server', 'everything'] as const;

/** The processes of one container: a `serve`, unless the other container has it, and a command. Both write rows continuously. */
class Side {
  readonly #t: TestContext;
  readonly #folder: string;
  readonly #name: string;
  container: Container;
  readonly writers = new Map<'serve' | 'command', Writer>();
  readonly acknowledged: string[] = [];

  private constructor(t: TestContext, folder: string, name: string, container: Container) {
    this.#t = t;
    this.#folder = folder;
    this.#name = name;
    this.container = container;
  }

  static async open(t: TestContext, folder: string, name: string): Promise<Side> {
    const side = new Side(t, folder, name, await Container.open(t));
    t.after(() => Promise.all([...side.writers.values()].map((writer) => writer.end())));
    return side;
  }

  /** Restarts the killed processes. */
  async fill(): Promise<void> {
    for (const role of ['serve', 'command'] as const) {
      if (this.writers.get(role)?.lives) continue;
      const user = await EmbeddedUser.enter(this.#t, this.#folder, { role, container: this.container });
      if (user.refused === null) {
        this.writers.set(role, new Writer(user, `${this.#name} ${user.pid}`, this.acknowledged));
        continue;
      }
      assert.match(user.refused, /Another shoal serve/);
      this.writers.delete(role);
    }
  }

  async kill(role: 'serve' | 'command'): Promise<void> {
    await this.writers.get(role)?.kill();
  }

  async killContainer(): Promise<void> {
    const ending = [...this.writers.values()].map((writer) => writer.end());
    await this.container.kill();
    await Promise.all(ending);
    this.container = await Container.open(this.#t);
  }

  async end(): Promise<void> {
    for (const writer of this.writers.values()) await writer.leave();
  }
}

/** Writes rows one after the other, and remembers the acknowledged ones. */
class Writer {
  readonly #user: EmbeddedUser;
  readonly #writing: Promise<void>;
  #stopped = false;
  written = 0;
  lives = true;

  constructor(user: EmbeddedUser, name: string, acknowledged: string[]) {
    this.#user = user;
    this.#writing = this.#write(name, acknowledged);
  }

  async kill(): Promise<void> {
    await this.#user.kill();
    await this.end();
  }

  async leave(): Promise<void> {
    this.#stopped = true;
    await this.#writing;
    await this.#user.leave();
  }

  /** Waits for the end of a process that is killed. */
  async end(): Promise<void> {
    this.#stopped = true;
    this.lives = false;
    await this.#writing;
  }

  async #write(name: string, acknowledged: string[]): Promise<void> {
    for (let row = 0; !this.#stopped; row++) {
      const text = `${name} ${row}`;
      try {
        await this.#user.ask(`insert into notes values ('${text}')`);
        acknowledged.push(text);
        this.written++;
      } catch {
        // The server or this process was killed. A row without acknowledgement may exist or not.
        await pause(failurePauseMs);
      }
    }
  }
}

type Place = { folder: string; side: Side; other: Side };

async function strike(target: (typeof targets)[number], { folder, side, other }: Place): Promise<void> {
  switch (target) {
    case 'command':
      return side.kill('command');
    case 'serve':
      await Promise.all([side.kill('serve'), other.kill('serve')]);
      return;
    case 'server':
      return killServers(folder);
    case 'container':
      return side.killContainer();
    case 'serve and server':
      killServers(folder);
      await side.kill('serve');
      return;
    case 'everything':
      await Promise.all([side.killContainer(), other === side ? null : other.killContainer()]);
  }
}

function killServers(folder: string): void {
  for (const pid of postmastersOf(folder)) process.kill(pid, 'SIGKILL');
}

async function haveWritten(sides: readonly Side[]): Promise<void> {
  const writers = sides.flatMap((side) => [...side.writers.values()]).filter((writer) => writer.lives);
  assert.ok(writers.length >= sides.length, 'a command is missing');
  const goals = writers.map((writer) => writer.written + rowsMin);
  const endsAt = performance.now() + recoveryMsMax;
  while (writers.some((writer, index) => writer.written < (goals[index] ?? 0))) {
    assert.ok(performance.now() < endsAt, 'a process could not write for too long');
    await pause(watchPauseMs);
  }
}

/**
 * Counts the servers repeatedly. `stop` returns the highest number at one time. A process that a server has just forked looks like a
 * server for a moment, so a server counts only after two observations.
 */
function watchServers(folder: string): { stop(): number } {
  let most = 0;
  let seen: number[] = [];
  const look = () => {
    const servers = postmastersOf(folder);
    most = Math.max(most, servers.filter((pid) => seen.includes(pid)).length);
    seen = servers;
  };
  const timer = setInterval(look, watchPauseMs).unref();
  return {
    stop() {
      clearInterval(timer);
      look();
      return most;
    },
  };
}

async function compare(t: TestContext, folder: string, sides: readonly Side[]): Promise<void> {
  const user = await EmbeddedUser.enter(t, folder);
  const rows = (await user.ask('select text from notes')) as { text: string }[];
  const stored = new Set(rows.map(({ text }) => text));
  const acknowledged = sides.flatMap((side) => side.acknowledged);
  const missing = acknowledged.filter((text) => !stored.has(text));
  assert.deepEqual(missing, [], 'acknowledged rows are missing');
  await user.leave();
  const log = await readFile(join(folder, 'postgres', 'server.log'), 'utf8');
  assert.doesNotMatch(log, /PANIC|lock file is invalid|invalid page|could not read block/);
  assert.deepEqual(postmastersOf(folder), []);
  t.diagnostic(`${acknowledged.length} rows acknowledged, ${stored.size} stored`);
}
