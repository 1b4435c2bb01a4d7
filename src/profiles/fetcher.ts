/**
 * Reads the profiles of people from the platforms, within a rate for each channel.
 *
 *     due channel → lock its schedule → due contacts → calls, none begins after ten seconds → under the bot's lock: profiles and
 *     next due times → commit
 *
 * Each worker takes the next due channel as soon as it is free, so a slow platform delays its own channels only.
 *
 * Any number of processes can do this for one database. A profile is read again after 30 days. A person without a profile (404) is
 * asked about again when the person unblocks the account, on Meta's platforms also after 30 days. A refused token, a reached limit or an unreachable platform pauses the
 * channel, for growing times; new settings of the channel end the pause.
 */
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Keys } from '../auth/keys.ts';
import { type Channel, type ChannelId, findChannel } from '../bots/channels.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { Poll } from '../database/poll.ts';
import { Refusal } from '../errors.ts';
import { type Clock, dayMs, hourMs, minuteMs, secondMs } from '../time.ts';
import type { FetchedProfile, ProfileSource } from './profile.ts';
import {
  addSchedule,
  claimTurn,
  type DueContact,
  dueChannels,
  dueContacts,
  type ProfileResult,
  putResults,
  putSchedule,
} from './queue.ts';

export type FetcherOptions = {
  /** A pool of its own with `fetchWorkers` connections: a step holds one during its calls. */
  sql: Sql;
  keys: Keys;
  clock: Clock;
  log: Pick<Logger, 'warn' | 'error'>;
  sources: readonly ProfileSource[];
  /** Calls per second for each channel. */
  perSecond: number;
  /** Waits for that time (ms); a test passes its own. */
  pause?(ms: number): Promise<void>;
  /** Milliseconds since any fixed instant, for the length of a step. Default: `performance.now`. */
  monotonicMs?(): number;
};

/** Channels that one process works on at a time. A long queue keeps one busy for ten seconds. */
export const fetchWorkers = 8;
const callsAtOnce = 8;
/**
 * No call of a step begins later than ten seconds after its start. Its results are written under the bot's lock, which interrupts the fold of the bot for some tenths
 * of a second, so a long queue must not write every second.
 */
const stepSeconds = 10;
const contactsMax = 200;
const checkMs = secondMs;
const retryMsMax = 30 * secondMs;
const refreshMs = 30 * dayMs;
const failedPauseMs = hourMs;
const firstPauseMs = 5 * secondMs;
const pauseMsMax = 15 * minuteMs;

export class ProfileFetcher {
  readonly #options: FetcherOptions;
  readonly #sources: ReadonlyMap<string, ProfileSource>;
  #isStopped = false;
  /** Channels that no worker has taken yet, read at `#readAt` (monotonic). */
  #due: ChannelId[] = [];
  #readAt = -Infinity;
  #workers: readonly Poll[] = [];

  constructor(options: FetcherOptions) {
    this.#options = options;
    this.#sources = new Map(options.sources.map((source) => [source.platform, source]));
  }

  /** Starts the workers. After an error of the database, a worker logs the error and retries with growing pauses. */
  start(): void {
    const { log } = this.#options;
    const options = { name: 'reading profiles', pauseMs: checkMs, retryMsMax, log };
    const step = async () => {
      // One of the free workers reads for all.
      if (this.#due.length === 0 && this.#monotonicMs() - this.#readAt >= checkMs) await this.#readDue();
      await this.#work();
    };
    this.#workers = Array.from({ length: fetchWorkers }, () => new Poll(step, options));
  }

  /** Cancels running calls; their contacts stay due. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const sources = this.#options.sources.map((source) => source.close());
    await Promise.all([...sources, ...this.#workers.map((worker) => worker.stop())]);
  }

  /** Runs one step of each channel that is due, and returns the number of calls. Throws errors of the database. */
  async round(): Promise<number> {
    await this.#readDue();
    const workers = await Promise.allSettled(Array.from({ length: fetchWorkers }, () => this.#work()));
    let calls = 0;
    for (const worker of workers) {
      if (worker.status === 'rejected') throw worker.reason;
      calls += worker.value;
    }
    return calls;
  }

  async #readDue(): Promise<void> {
    const { sql, clock, sources } = this.#options;
    this.#readAt = this.#monotonicMs();
    this.#due = await dueChannels(sql, { platforms: sources.map(({ platform }) => platform), now: clock() });
  }

  /** Takes channels until none is left, and returns the number of calls. */
  async #work(): Promise<number> {
    const { sql, clock } = this.#options;
    let calls = 0;
    for (let id = this.#due.shift(); id && !this.#isStopped; id = this.#due.shift()) {
      const channel = id;
      try {
        await addSchedule(sql, channel, clock());
        calls += (await sql.begin((tx) => this.#step(tx, channel))) as number;
      } catch (error) {
        // The end of the fetcher cancels calls.
        if (!this.#isStopped) throw error;
      }
    }
    return calls;
  }

  #monotonicMs(): number {
    return this.#options.monotonicMs?.() ?? performance.now();
  }

  async #step(tx: Transaction, id: ChannelId): Promise<number> {
    const { clock, log, perSecond } = this.#options;
    const startedAt = clock();
    const endsAt = this.#monotonicMs() + stepSeconds * secondMs;
    const turn = await claimTurn(tx, id, startedAt);
    if (turn === null) return 0;
    const limit = Math.min(perSecond * stepSeconds, contactsMax);
    const contacts = await dueContacts(tx, id, { now: startedAt, limit });
    const { results, calls, pause } = await this.#fetchAll(tx, id, { contacts, endsAt });
    const now = clock();
    if (pause === null) {
      const nextAt = startedAt + Math.ceil((calls * secondMs) / perSecond);
      await putSchedule(tx, id, { nextAt, failures: 0, problem: null, now });
    } else {
      const failures = turn.failures + 1;
      const pauseMs = Math.min(firstPauseMs * 2 ** (failures - 1), pauseMsMax);
      const nextAt = now + Math.max(pauseMs, pause.retryMs ?? 0);
      await putSchedule(tx, id, { nextAt, failures, problem: pause.problem, now });
      log.warn({ ...id, problem: pause.problem }, 'profiles cannot be read now');
    }
    // Last, because it takes the bot's lock.
    await putResults(tx, id, results, { now });
    return calls;
  }

  /** Asks about the contacts, several at a time and `perSecond` in a second, until one answer pauses the channel or `endsAt` (monotonic). */
  async #fetchAll(
    tx: Transaction,
    id: ChannelId,
    { contacts, endsAt }: { contacts: readonly DueContact[]; endsAt: number },
  ): Promise<Fetched> {
    const fetched: Fetched = { results: [], calls: 0, pause: null };
    const channel = await this.#findChannel(tx, id);
    const source = this.#sources.get(id.platform);
    if ('outcome' in channel || !source)
      return { ...fetched, pause: 'outcome' in channel ? channel : noAccess };
    const { perSecond, pause = setTimeout } = this.#options;
    const rest = contacts.entries();
    let second = Promise.resolve();
    const work = async () => {
      for (const [index, contact] of rest) {
        // Every call of the next second waits for the end of this one.
        if (index > 0 && index % perSecond === 0) second = second.then(() => pause(secondMs));
        await second;
        if (this.#isStopped || fetched.pause !== null || this.#monotonicMs() >= endsAt) return;
        fetched.calls += 1;
        const answer = await source.fetchProfile(channel, contact.platformContactId);
        if (answer.outcome === 'paused') fetched.pause ??= answer;
        else fetched.results.push(toResult(contact, answer, this.#options.clock()));
        if (answer.outcome === 'found' && answer.pauseMs) fetched.pause ??= nearLimit(answer.pauseMs);
        if (fetched.pause !== null) return;
      }
    };
    const workers = await Promise.allSettled(Array.from({ length: callsAtOnce }, work));
    for (const worker of workers) if (worker.status === 'rejected') throw worker.reason;
    return fetched;
  }

  async #findChannel(tx: Transaction, id: ChannelId): Promise<Channel | Pause> {
    const { keys, clock } = this.#options;
    try {
      return (await findChannel(tx, keys, { ...id, now: clock() })) ?? noAccess;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { outcome: 'paused', problem: error.message };
    }
  }
}

type Pause = Extract<FetchedProfile, { outcome: 'paused' }>;
type Fetched = { results: ProfileResult[]; calls: number; pause: Pause | null };

function nearLimit(retryMs: number): Pause {
  return { outcome: 'paused', problem: "The platform's limit of calls is nearly used up.", retryMs };
}

const noAccess: Pause = { outcome: 'paused', problem: 'The channel has no access to the platform.' };

function toResult(contact: DueContact, answer: Exclude<FetchedProfile, Pause>, now: number): ProfileResult {
  switch (answer.outcome) {
    case 'found':
      return { ...contact, nextDueAt: now + refreshMs, profile: answer.profile };
    case 'gone':
      return { ...contact, nextDueAt: answer.isAskedAgain ? now + refreshMs : null, profile: null };
    case 'failed':
      return { ...contact, nextDueAt: now + failedPauseMs, profile: null };
  }
}
