/**
 * One kind of work under way: it puts load on Shoal, remembers what was acknowledged, and compares it with what is stored.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../part.ts';
import type { World } from './world.ts';

export type Work = {
  name: string;
  /** Runs once, before the load. */
  prepare?(): Promise<void>;
  start(): void;
  /** Stops after the calls under way. Each call whose outcome is unknown has then been repeated, if it has a key. */
  stop(): Promise<void>;
  /** Calls without an answer. */
  underWay(): number;
  /** Compares everything since the last check. Throws Failure. Called while no load is under way and nothing is pending. */
  check(): Promise<void>;
};

export type MakeWork = (world: World) => Work;

const answerMsMax = 20_000;

/** `status` 0: no answer, and the text says why. */
export type Answer = { status: number; text: string; headers: Headers };

/** Loops that repeat a step until they are stopped. */
export class Lanes {
  readonly #world: Pick<World, 'loadFailure'>;
  readonly #lanes: number;
  readonly #step: () => Promise<void>;
  #isRunning = false;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(world: Pick<World, 'loadFailure'>, lanes: number, step: () => Promise<void>) {
    this.#world = world;
    this.#lanes = lanes;
    this.#step = step;
  }

  start(): void {
    this.#isRunning = true;
    this.#ended = Promise.all(Array.from({ length: this.#lanes }, () => this.#run()));
    // `stop` throws it, too.
    this.#ended.catch((error) => {
      this.#world.loadFailure ??= error;
    });
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (this.#isRunning) await this.#step();
  }
}

/** Calls under way. */
export class Calls {
  readonly #world: Pick<World, 'hasEnded'>;
  #count = 0;

  constructor(world: Pick<World, 'hasEnded'>) {
    this.#world = world;
  }

  get underWay(): number {
    return this.#count;
  }

  /** Makes one call and reads the answer. Status 0 if the connection breaks or no answer comes in time. Throws after the part. */
  async make(url: string, { token, body, headers = {} }: CallOptions = {}): Promise<Answer> {
    if (this.#world.hasEnded) throw new Failure('the part has ended');
    this.#count += 1;
    try {
      const response = await fetch(url, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body ?? null,
        signal: AbortSignal.timeout(answerMsMax),
      });
      return { status: response.status, text: await response.text(), headers: response.headers };
    } catch (error) {
      // Broken connections and missing answers are what the proof causes.
      const { cause } = error as { cause?: unknown };
      return { status: 0, text: `${url}: ${error} ${cause ?? ''}`, headers: new Headers() };
    } finally {
      this.#count -= 1;
    }
  }
}

type CallOptions = { token?: string; body?: string; headers?: Record<string, string> };

const againPauseMs = 40;
const againMsMax = 120_000;

/** Repeats a call until it is answered, whatever is killed. The answers of an outage (502, 503, 504) are repeated, too. */
export async function untilAnswered(
  call: () => Promise<Answer>,
  isOutage: (answer: Answer) => boolean = ({ status }) => status > 500,
): Promise<Answer> {
  const endsAt = performance.now() + againMsMax;
  for (;;) {
    const answer = await call();
    if (answer.status > 0 && answer.status < 500) return answer;
    if (answer.status > 0 && !isOutage(answer))
      throw new Failure(`an answer with status ${answer.status}`, answer.text);
    if (performance.now() > endsAt)
      throw new Failure(`no answer in time, the last status: ${answer.status}`, answer.text);
    await pause(againPauseMs);
  }
}
