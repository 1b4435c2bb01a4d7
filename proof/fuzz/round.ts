/** One round of the fuzzer: new bots, many calls and bodies at a time, then the checks of the figures. */
import { randomOf, type SeededRandom } from '../../simulator/events/random.ts';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { Failure } from '../part.ts';
import { until, type World } from '../world/world.ts';
import { bytesOf, type Call, makeCall } from './calls.ts';
import { type Problem, problemOf } from './checks.ts';
import { bodyPlatforms, makeBody, type WebhookBody } from './deliveries.ts';
import type { Operation } from './operations.ts';
import { reduced } from './reduce.ts';
import { type Answer, type Connections, messageOf, rawText, sendRaw } from './send.ts';
import { useSocket } from './sockets.ts';
import { openTenant, type Tenant } from './tenant.ts';
import { toText } from './values.ts';

export type Setting = {
  world: World;
  operations: readonly Operation[];
  usual: { address: string; connections: Connections };
  /** The process with the default limits. */
  limited: { address: string; connections: Connections };
  answerMsMax: number;
};

/** The numbers of a round: what passed, by row and column. */
export type Tally = Map<string, Map<string, number>>;

const lanes = 16;
const warmingNumbers = 200;
const bodyEvery = 6;
const rawShare = 0.02;
const pipelinedShare = 0.15;
const limitedShare = 0.02;
const socketShare = 0.5;
const problemsMax = 12;
const socketOperations: Readonly<Record<string, 'visitor' | 'business'>> = {
  ...{ openVisitorSocket: 'visitor', openChatSocket: 'business' },
};
/** Operations that cost a password check or a whole table are called in one of this number of turns. */
const rarely: Readonly<Record<string, number>> = {
  createUser: 8,
  updateUser: 8,
  changeOwnPassword: 8,
  exportData: 3,
  createBot: 2,
};

type Fault = Problem & { number: number; input: unknown };

export class Round {
  readonly tally: Tally = new Map();
  /** By operation id: all calls, those without a change, those with a success, and refusals as not built. */
  readonly ofOperations = new Map<string, { calls: number; valid: number; good: number; notBuilt: number }>();
  readonly #setting: Setting;
  readonly #tenant: Tenant;
  readonly #faults = new Map<string, Fault>();
  readonly #goodKeys = new Map<string, WebhookBody>();
  slowestMs = 0;

  private constructor(setting: Setting, tenant: Tenant) {
    this.#setting = setting;
    this.#tenant = tenant;
  }

  static async open(setting: Setting, number: number): Promise<Round> {
    return new Round(setting, await openTenant(setting.world, number));
  }

  /** Makes the calls with these numbers until `isOver`, then checks. Returns the next number. Throws Failure with all faults. */
  async run(from: number, to: number, isOver: (next: number) => boolean): Promise<number> {
    await settled(this.#setting.world);
    const before = await this.#foreignState();
    let next = from;
    const startedAt = performance.now();
    const lane = async (): Promise<void> => {
      while (next < to && !isOver(next) && this.#faults.size < problemsMax) await this.#step(next++);
    };
    // The first calls run alone: a process that has just started compiles its code.
    const warm = Promise.withResolvers<void>();
    const first = async () => {
      while (next < from + warmingNumbers && !isOver(next)) await this.#step(next++);
      warm.resolve();
      await lane();
    };
    await Promise.all([first(), ...Array.from({ length: lanes - 1 }, () => warm.promise.then(lane))]);
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    this.#setting.world.proving.say(`${next - from} calls and bodies in ${seconds} s`);
    await this.#checkFigures(before);
    const [fault] = this.#faults.values();
    if (fault)
      throw new Failure(`${this.#faults.size} kinds of faults; ${fault.kind}: ${fault.detail}`, [
        ...this.#faults.values(),
      ]);
    return next;
  }

  async #step(number: number): Promise<void> {
    const { world } = this.#setting;
    const random = randomOf(world.proving.seed, 'fuzz', number);
    if (number % bodyEvery === 0) {
      const platform = bodyPlatforms[(number / bodyEvery) % bodyPlatforms.length] ?? 'line';
      await this.#deliver(makeBody(platform, random), number, random);
      return;
    }
    const { operations } = this.#setting;
    const turn = Math.floor(number / operations.length);
    const operation = operations[(number * 7) % operations.length];
    if (!operation || turn % (rarely[operation.id] ?? 1) !== 0) return;
    const side = socketOperations[operation.id];
    if (side !== undefined && random.chance(socketShare))
      await this.#useSocket(operation, side, random, number);
    else await this.#call(operation, random, number);
  }

  async #call(operation: Operation, random: SeededRandom, number: number): Promise<void> {
    const { usual, limited, world } = this.#setting;
    const call = await makeCall(operation, { world, tenant: this.#tenant, random });
    const isLimited = random.chance(limitedShare);
    const { connections, address } = isLimited ? limited : usual;
    if (random.chance(rawShare)) {
      await this.#sendRaw(call, address, random, number);
      return;
    }
    const pipeline = random.chance(pipelinedShare) ? random.integer(0, 3) : null;
    const answer = await this.#send(call, connections, pipeline);
    if (answer === null) {
      this.#add(operation.contract, 'not sent');
      return;
    }
    const problem = this.#problemOf(call, answer);
    if (problem) await this.#report(problem, call, number);
    this.#note(call, answer);
  }

  /** Null if the client library refuses the message, or the server closes the connection as after a body that is too large. */
  async #send(
    call: Call,
    connections: Connections,
    pipeline: number | null,
    isAgain = false,
  ): Promise<Answer | null> {
    try {
      return await connections.send(messageOf(call), pipeline);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (/^UND_ERR_INVALID_ARG$/.test(code)) return null;
      // The answer to a refused body can be lost, because the server closes the connection. Others in its pipeline are lost with it.
      const isLarge = (bytesOf(call)?.length ?? 0) > 30_000;
      if (isLarge || pipeline !== null || call.changes.some((change) => /bytes|headers/.test(change)))
        return null;
      // A server may close a connection that was idle at the moment at which the next call begins.
      if (!isAgain) {
        this.#add('connections', 'opened again');
        return this.#send(call, connections, null, true);
      }
      throw new Failure(`${call.operation.id}: the connection broke: ${error}`, shown(call));
    }
  }

  #problemOf(call: Call, answer: Answer): Problem | null {
    const { answerMsMax } = this.#setting;
    return problemOf(call, answer, { marker: this.#tenant.marker, answerMsMax });
  }

  #note(call: Call, answer: Answer): void {
    const { operation, changes } = call;
    this.slowestMs = Math.max(this.slowestMs, answer.ms);
    const isGood = answer.status < 300 && answer.status > 100 && call.isOperation;
    if (isGood && answer.text.length > 0) this.#tenant.pool.learn(operation.id, answer.text);
    const counts = this.ofOperations.get(operation.id) ?? { calls: 0, valid: 0, good: 0, notBuilt: 0 };
    this.ofOperations.set(operation.id, counts);
    counts.calls += 1;
    counts.valid += Number(changes.length === 0);
    counts.good += Number(isGood);
    counts.notBuilt += Number(answer.status === 501);
    this.#add(operation.contract, answer.status === 101 ? '2xx' : `${Math.floor(answer.status / 100)}xx`);
  }

  #add(row: string, column: string): void {
    const columns = this.tally.get(row) ?? new Map<string, number>();
    this.tally.set(row, columns);
    for (const name of ['total', column]) columns.set(name, (columns.get(name) ?? 0) + 1);
  }

  async #report(problem: Problem, call: Call, number: number): Promise<void> {
    if (this.#faults.has(problem.kind)) return;
    const fault: Fault = { ...problem, number, input: shown(call) };
    this.#faults.set(problem.kind, fault);
    const { connections } = this.#setting.usual;
    const { call: smallest, isRepeatable } = await reduced(call, async (candidate) => {
      const answer = await this.#send(candidate, connections, null);
      return answer !== null && this.#problemOf(candidate, answer)?.kind === problem.kind;
    });
    fault.input = { ...shown(smallest), isRepeatable };
    this.#setting.world.proving.say(
      `${fault.kind}\n${fault.detail}\n${JSON.stringify(fault.input).slice(0, 2_000)}`,
    );
  }

  #fail(kind: string, detail: string, number: number, input: unknown): void {
    if (!this.#faults.has(kind)) this.#faults.set(kind, { kind, detail, number, input });
  }

  async #useSocket(
    operation: Operation,
    side: 'visitor' | 'business',
    random: SeededRandom,
    number: number,
  ): Promise<void> {
    const { usual, answerMsMax } = this.#setting;
    const answer = await useSocket(usual.address, side, {
      tenant: this.#tenant,
      random,
      msMax: answerMsMax * 2,
    });
    if (answer.status !== 101)
      this.#fail(`${operation.id}: no answer to the hello`, answer.text, number, null);
    if (answer.text.includes(this.#tenant.marker))
      this.#fail(`${operation.id}: data of another bot`, answer.text, number, null);
    this.#note({ operation, changes: [], isOperation: true } as unknown as Call, { ...answer, text: '' });
  }

  /** A cut, doubled or damaged message on a connection of its own. */
  async #sendRaw(call: Call, address: string, random: SeededRandom, number: number): Promise<void> {
    const { answerMsMax } = this.#setting;
    const whole = rawText(messageOf(call), new URL(address).host);
    const kind = random.weighted({ cut: 3, twice: 2, slow: 1, noise: 2 });
    const at = random.integer(1, whole.length - 1);
    const pieces = {
      cut: [whole.subarray(0, at)],
      twice: [Buffer.concat([whole, whole, whole])],
      slow: [whole.subarray(0, at), whole.subarray(at)],
      noise: [
        whole.subarray(0, at),
        Buffer.from(random.pick(['\0', '\r\n\r\n', 'transfer-encoding: chunked\r\n', '\xff'])),
        whole.subarray(at),
      ],
    }[kind];
    const { statuses, text, ms, isClosed } = await sendRaw(address, pieces, answerMsMax * 2);
    const what = `${call.operation.id}: raw ${kind}`;
    const input = { ...shown(call), at };
    if (!isClosed || ms > answerMsMax)
      this.#fail(`${what}: the connection stayed open`, `${Math.round(ms)} ms`, number, input);
    const wrong = statuses.find((status) => status >= 500 && status !== 501 && status !== 503);
    if (wrong !== undefined) this.#fail(`${what}: status ${wrong}`, text.slice(0, 500), number, input);
    if (!call.maySeeForeign && text.includes(this.#tenant.marker))
      this.#fail(`${what}: data of another bot`, text.slice(0, 500), number, input);
    this.#add(
      'raw connections',
      statuses.length === 0 ? 'closed' : `${Math.floor((statuses[0] ?? 0) / 100)}xx`,
    );
  }

  async #deliver(body: WebhookBody, number: number, random: SeededRandom): Promise<void> {
    const { platform, bytes, headers, isSigned, goodKey } = body;
    const { botId } = this.#tenant;
    const row = `bodies of ${platform}`;
    if (platform === 'liveChat') {
      await putDeliveries(this.#setting.world.sql, [
        { botId, platform, source: 'live-chat', body: bytes, receivedAt: Date.now() },
      ]);
      this.#add(row, 'stored');
      return;
    }
    const { usual } = this.#setting;
    const url = `/webhooks/${botId}/${platform}`;
    const message = {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', ...headers },
      body: bytes,
    };
    const pipeline = random.chance(pipelinedShare) ? random.integer(0, 3) : null;
    const answer = await usual.connections
      .send(message, bytes.length > 30_000 ? null : pipeline)
      .catch(() => null);
    if (answer === null) {
      this.#add(row, 'not sent');
      return;
    }
    const expected = bytes.length > 3 * 1024 * 1024 ? 413 : isSigned ? 200 : 401;
    const isLate = answer.ms > this.#setting.answerMsMax;
    if (answer.status !== expected || isLate)
      this.#fail(
        `${row}: status ${answer.status}, not ${expected}${isLate ? ', late' : ''}`,
        answer.text.slice(0, 300),
        number,
        shownBody(body),
      );
    if (answer.status === 200 && goodKey !== null)
      this.#goodKeys.set(`${platform} ${platform === 'line' ? '' : 'message:'}${goodKey}`, body);
    this.#add(row, `${Math.floor(answer.status / 100)}xx`);
  }

  async #checkFigures(foreignBefore: readonly string[]): Promise<void> {
    const { world } = this.#setting;
    const { botId, spareId } = this.#tenant;
    await settled(world);
    const aside = await world.sql<{ platform: string; reason: string; body: Buffer }[]>`
      select platform, set_aside_reason as reason, body from deliveries
      where bot_id = ${botId} and set_aside_reason like 'could not be folded%' limit 3`;
    for (const { platform, reason, body } of aside)
      this.#fail(`bodies of ${platform}: ${reason}`, '', 0, body.toString().slice(0, 5_000));
    const rows = await world.sql<{ message: string }[]>`
      select platform || ' ' || key as message from events where bot_id = ${botId} and platform || ' ' || key = any(${[...this.#goodKeys.keys()]})`;
    const stored = new Set(rows.map(({ message }) => message));
    for (const [key, body] of this.#goodKeys)
      if (!stored.has(key))
        this.#fail(
          `bodies of ${body.platform}: a good item in a batch is not counted`,
          key,
          0,
          shownBody(body),
        );
    for (const id of [botId, spareId, world.botId]) {
      try {
        await world.checkFigures(id);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.#fail(error.message, JSON.stringify(error.input), 0, null);
      }
    }
    const foreignAfter = await this.#foreignState();
    const changed = foreignAfter.filter((state, index) => state !== foreignBefore[index]);
    if (changed.length > 0) this.#fail('the data of another bot changed', changed.join('; '), 0, null);
  }

  /** The digest of each table's rows of the foreign bot. Background work may write the tables that are left out. */
  async #foreignState(): Promise<string[]> {
    const { sql } = this.#setting.world;
    const tables = await sql<{ name: string }[]>`
      select quote_ident(c.table_name) as name from information_schema.columns c
      join information_schema.tables t using (table_schema, table_name)
      where c.table_schema = 'public' and c.column_name = 'bot_id' and t.table_type = 'BASE TABLE'
        and c.table_name !~ 'notice|callbacks|collections|positions|delivery_people' order by 1`;
    const digests = tables.map(
      ({ name }) =>
        `(select concat('${name} ', count(*), ' ', md5(string_agg(t::text, ',' order by t::text))) from ${name} t where bot_id = $1)`,
    );
    const [row] = await sql.unsafe<{ states: string[] }[]>(`select array[${digests.join(', ')}] as states`, [
      this.#tenant.foreignIds.botId ?? '',
    ]);
    return row?.states ?? [];
  }
}

async function settled(world: World): Promise<void> {
  await until('everything is folded and no job runs', async () => {
    const [row] = await world.sql<{ jobs: number }[]>`
      select count(*)::integer as jobs from jobs where state = 'running'`;
    return (await world.pending()).deliveries + (row?.jobs ?? 0) === 0;
  });
}

/** A call for people: everything that is sent. */
function shown(call: Call): object {
  const { operation, changes } = call;
  const { method, url, headers, body } = messageOf(call);
  const text = body?.toString('latin1') ?? null;
  return { operation: operation.id, changes, method, url, headers, body: text?.slice(0, 3_000) ?? null };
}

function shownBody({ platform, changes, bytes }: WebhookBody): object {
  return { platform, changes, body: toText(bytes.toString()).slice(0, 5_000) };
}
