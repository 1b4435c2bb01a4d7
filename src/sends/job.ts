/**
 * The send job: does the due sends of one lane.
 *
 *     plan → give up or repeat the calls of a killed process → windows, some at a time: claim → calls → settle → … → done
 *
 * No recipient gets a message twice, whenever the process is killed. A call is made only for claimed positions, and a position is
 * claimed once. After a kill, calls that can be repeated with the same key are; the recipients of others become `unknown`. Each
 * recipient gets the message or a result that says why not.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Keys } from '../auth/keys.ts';
import { type Channel, findChannel } from '../bots/channels.ts';
import type { Sql } from '../database/client.ts';
import { isOutage } from '../database/outage.ts';
import type { Random } from '../random.ts';
import { type Clock, hourMs, minuteMs, secondMs } from '../time.ts';
import { type Lane, nextDue, releaseLane, renewLane, takeLane } from './lanes.ts';
import { callKey, isPersonal, personalize } from './message.ts';
import { Pace } from './pace.ts';
import { planStep } from './plan.ts';
import { quietUntil } from './quiet-hours.ts';
import type { Outcome, SendCall, Sender, Senders } from './sender.ts';
import { findSend, type Send, type SendKey } from './sends.ts';
import { type Blocks, type LineRecord, type Result, type ResultState, settle } from './settle.ts';
import {
  claimWindow,
  type Lease,
  type Needs,
  readInFlight,
  type Window,
  type WindowRecipient,
} from './window.ts';

/** Where a process can be killed; for tests. */
export type Checkpoint = 'planned' | 'claimed' | 'calling' | 'answered' | 'settling' | 'settled' | 'ending';

export type JobOptions = {
  sql: Sql;
  keys: Keys;
  senders: Senders;
  clock: Clock;
  random: Random;
  log: Pick<Logger, 'error'>;
  /** Called after each commit with deliveries for the inbox. */
  onStored(botId: string): void;
  isStopped?: () => boolean;
  checkpoint?: (point: Checkpoint) => Promise<void>;
  planBatch?: number;
  /** Calls of a window with one recipient each. */
  callsAtOnce?: number;
};

/** Calls of a window with one recipient each: those of a killed process may have to be given up, unless they are repeatable. */
const singleCalls = { repeatable: 500, other: 100 };
const multipleCalls = 4;
const windowsAtOnce = { repeatable: 3, other: 2 };
const renewAfterMs = 15 * secondMs;
/** Of one send, then of one lane, so that long sends do not keep others waiting. */
const sendTurnMs = 10 * secondMs;
const laneTurnMs = 30 * secondMs;
const firstPauseMs = 2 * secondMs;
const pauseMsMax = 5 * minuteMs;
/** A call is repeated with its key for this time; LINE keeps the key for 24 hours. */
const repeatMsMax = 23 * hourMs;

/** Works on the due sends of the lane in turn, for a limited time. False: another process holds it. Throws errors of the database; the sends continue later. */
export async function workLane(lane: Lane, options: JobOptions): Promise<boolean> {
  const { sql, clock, random, isStopped = () => false } = options;
  const endsAt = clock() + laneTurnMs;
  const lease = await takeLane(sql, lane, { now: clock(), random });
  if (lease === null) return false;
  try {
    while (!isStopped() && clock() < endsAt && (await renewLane(sql, lease, { now: clock() }))) {
      const send = await nextDue(sql, lane, { now: clock() });
      if (send === null) break;
      await new SendRun(send, lease, options).run();
    }
  } finally {
    await releaseLane(sql, lease);
  }
  return true;
}

/** Work on one send under a lease. */
class SendRun {
  readonly #key: SendKey;
  readonly #lease: Lease;
  readonly #options: JobOptions;
  readonly #sender: Sender;
  readonly #checkpoint: (point: Checkpoint) => Promise<void>;
  /** Windows with calls that run, or whose result is not known. */
  readonly #inFlight = new Set<Window>();
  #problem: { kind: 'later' | 'halted'; problem: string; afterMs: number } | null = null;
  #renewedAt: number;
  readonly #endsAt: number;
  #isLost = false;
  #isOver = false;
  #hasAccepted = false;

  constructor(key: SendKey, lease: Lease, options: JobOptions) {
    this.#key = key;
    this.#lease = lease;
    this.#options = options;
    this.#sender = options.senders[lease.platform];
    this.#checkpoint = options.checkpoint ?? (async () => undefined);
    this.#renewedAt = options.clock();
    this.#endsAt = this.#renewedAt + sendTurnMs;
  }

  async run(): Promise<void> {
    try {
      await this.#work();
    } catch (error) {
      if (isOutage(error)) throw error;
      this.#options.log.error({ err: error, ...this.#key }, 'a send failed');
      this.#fail({
        kind: 'later',
        problem: 'A fault of the server; its log has the details.',
        afterMs: minuteMs,
      });
    }
    await this.#end();
  }

  async #work(): Promise<void> {
    const { sql } = this.#options;
    const send = await findSend(sql, this.#key);
    if (send.state === 'stopped') return this.#recover(this.#shapeOf(send), null);
    if (await this.#isQuiet(send)) return;
    if (!(await this.#plan())) return;
    const channel = await this.#findChannel();
    if (channel !== null) {
      const shape = this.#shapeOf(send);
      const work = {
        send,
        channel,
        shape,
        pace: new Pace(shape.callsPerSecond, { now: () => performance.now(), wait: (ms) => pause(ms) }),
      };
      await this.#recover(shape, work);
      await this.#sendWindows(work);
    }
  }

  async #plan(): Promise<boolean> {
    const { sql, clock, planBatch: batch } = this.#options;
    for (;;) {
      if (!(await this.#goesOn())) return false;
      const isPlanned = await planStep(sql, this.#key, {
        now: clock(),
        ...(batch === undefined ? {} : { batch }),
      });
      await this.#checkpoint('planned');
      if (isPlanned) return true;
    }
  }

  async #findChannel(): Promise<Channel | null> {
    const { sql, keys, clock } = this.#options;
    const channel = await findChannel(sql, keys, { ...this.#lease, now: clock() });
    if (channel?.enabled) return channel;
    this.#fail({ kind: 'halted', problem: 'The channel is disconnected or disabled.', afterMs: 0 });
    return null;
  }

  #shapeOf({ message }: Send): Shape {
    const { recipientsMax, callsPerSecond, isRepeatable, needsLastInbound: lastInbound } = this.#sender;
    const { callsAtOnce = isRepeatable ? singleCalls.repeatable : singleCalls.other } = this.#options;
    const variables = isPersonal(message);
    const blockSize = variables ? 1 : recipientsMax;
    const needs = { lastInbound, variables };
    if (blockSize > 1)
      return { blockSize, size: blockSize * multipleCalls, callsPerSecond: callsPerSecond.multiple, needs };
    return {
      ...{ blockSize, needs, callsPerSecond: callsPerSecond.single },
      size: Math.min(callsAtOnce, callsPerSecond.single),
    };
  }

  /** Ends the calls of a killed process: repeats them, or gives their recipients up. `work` null: the send is stopped. */
  async #recover({ size, needs }: Shape, work: Work | null): Promise<void> {
    const { sql, clock } = this.#options;
    const { isRepeatable } = this.#sender;
    while (this.#problem === null && (await this.#goesOn())) {
      const now = clock();
      const window = await readInFlight(sql, this.#key, { size, needs });
      if (window === null) return;
      const rest = { ...window, after: window.upTo, recipients: [] };
      this.#inFlight.add(window).add(rest);
      const until = now + repeatMsMax - window.ageMs;
      if (work !== null && isRepeatable && now < until)
        await this.#sendWindow(window, work, { until, isRepeated: true });
      else {
        const results = window.recipients.map(({ position }) => ({ position, state: 'unknown' as const }));
        await this.#settle(window, { results, lineRecords: [], blocks: null });
      }
      this.#inFlight.delete(rest);
    }
  }

  async #sendWindows(work: Work): Promise<void> {
    const atOnce = this.#sender.isRepeatable ? windowsAtOnce.repeatable : windowsAtOnce.other;
    const running = new Set<Promise<void>>();
    const errors: unknown[] = [];
    for (;;) {
      const until = this.#options.clock() + repeatMsMax;
      const window =
        errors.length === 0 ? await this.#claim(work).catch((error) => void errors.push(error)) : null;
      if (!window) break;
      const sending = this.#sendWindow(window, work, { until })
        .catch((error: unknown) => void errors.push(error))
        .finally(() => running.delete(sending));
      running.add(sending);
      if (running.size >= atOnce) await Promise.race(running);
    }
    await Promise.all(running);
    if (errors.length > 0) throw errors[0];
  }

  async #claim({ send, shape }: Work): Promise<Window | null> {
    const { sql, clock } = this.#options;
    if (this.#problem !== null || !(await this.#goesOn()) || (await this.#isQuiet(send))) return null;
    return this.#inTurn(async () => {
      const options = { lease: this.#lease, ...shape, now: clock() };
      const window = await claimWindow(sql, this.#key, options);
      if (window === null) return null;
      this.#inFlight.add(window);
      await this.#checkpoint('claimed');
      return window;
    });
  }

  /** `isRepeated`: an earlier call may have been accepted, so only an answer about the message ends it. */
  async #sendWindow(
    window: Window,
    work: Work,
    { until, isRepeated = false }: { until: number; isRepeated?: boolean },
  ): Promise<void> {
    const isValid = ({ id }: WindowRecipient) => this.#sender.isRecipient(id);
    const invalid = window.recipients.filter((recipient) => !isValid(recipient));
    const calls = this.#callsOf(window.recipients.filter(isValid), work);
    const called = await Promise.all(calls.map((call) => this.#call({ call, until }, work)));
    const answers = isRepeated ? called.map(keepOpen) : called;
    await this.#settle(window, {
      results: [
        // The platform would refuse a whole call with such a recipient.
        ...resultsOf(invalid, { state: 'refused', code: 'invalid-recipient' }),
        ...answers.flatMap(({ results }) => results),
      ],
      lineRecords: answers.flatMap(({ lineRecord }) => lineRecord ?? []),
      blocks: blocksOf(answers, work.channel),
      isOpen: answers.some(({ isOpen }) => isOpen),
    });
  }

  #callsOf(recipients: readonly WindowRecipient[], { send, shape }: Work): SendCall[] {
    const { botId, sendId, message } = send;
    const { blockSize, needs } = shape;
    const blocks = Map.groupBy(recipients, ({ position }) => Math.floor((position - 1) / blockSize));
    return [...blocks].map(([block, ofBlock]) => ({
      recipients: ofBlock,
      message: needs.variables ? personalize(message, ofBlock[0]?.variables ?? null) : message,
      key: callKey(botId, sendId, blockSize, block),
    }));
  }

  /** One call, unless the run is ending: then its recipients wait for another run. */
  async #call({ call, until }: TimedCall, { channel, pace }: Work): Promise<CallAnswer> {
    const { clock, isStopped = () => false } = this.#options;
    await pace.take();
    const all = (state: ResultState) => ({ results: resultsOf(call.recipients, state) });
    if (this.#problem !== null || isStopped()) return all({ state: 'waiting' });
    await this.#checkpoint('calling');
    if (clock() >= until) {
      this.#fail({
        kind: 'later',
        problem: 'The process was suspended for too long before a call.',
        afterMs: firstPauseMs,
      });
      return { results: [], isOpen: true };
    }
    const outcome = await this.#sender.send(channel, call);
    await this.#checkpoint('answered');
    switch (outcome.kind) {
      case 'accepted': {
        this.#hasAccepted = true;
        const accepted = all({ state: 'accepted', messageId: outcome.id });
        return channel.platform === 'line'
          ? { ...accepted, lineRecord: lineRecordOf(outcome, call, clock()) }
          : accepted;
      }
      case 'refused':
        return {
          ...all({ state: 'refused', code: outcome.code }),
          ...(outcome.isBlock && { blocked: idsOf(call) }),
        };
      case 'unknown':
        if (!this.#sender.isRepeatable) return all({ state: 'unknown' });
        // Repeated by the next run, as after a kill.
        this.#fail({ kind: 'later', problem: outcome.problem, afterMs: firstPauseMs });
        return { results: [], isOpen: true };
      default:
        this.#fail({ afterMs: 0, ...outcome });
        return all({ state: 'waiting' });
    }
  }

  /** `isOpen`: some calls have no result, so the window stays in flight. */
  async #settle(
    window: Window,
    { isOpen = false, ...settled }: Settled & { isOpen?: boolean },
  ): Promise<void> {
    const { sql, clock, onStored } = this.#options;
    await this.#checkpoint('settling');
    await this.#inTurn(async () => {
      if (!isOpen) this.#inFlight.delete(window);
      const others = [...this.#inFlight];
      const settlement = {
        ...settled,
        lease: this.#lease,
        settled: Math.min(Number.MAX_SAFE_INTEGER, ...others.map(({ after }) => after)),
        inFlightSince: others.map(({ claimedAt }) => claimedAt).reduce(earlier, null),
        now: clock(),
      };
      await duringOutage(() => settle(sql, this.#key, settlement));
    });
    if (settled.lineRecords.length > 0 || settled.blocks !== null) onStored(this.#key.botId);
    await this.#checkpoint('settled');
  }

  #lastTurn: Promise<unknown> = Promise.resolve();

  /** Claims and settlements in turn: each knows the windows in flight. */
  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }

  #fail(problem: { kind: 'later' | 'halted'; problem: string; afterMs: number }): void {
    if (this.#problem?.kind !== 'halted') this.#problem = problem;
  }

  /** False, then always: the process stops, the turn is over, or another process has taken the lane. Renews the lease from time to time. */
  async #goesOn(): Promise<boolean> {
    const { sql, clock, isStopped = () => false } = this.#options;
    const now = clock();
    if (now - this.#renewedAt >= renewAfterMs) {
      this.#isLost ||= !(await renewLane(sql, this.#lease, { now }));
      this.#renewedAt = now;
    }
    this.#isOver ||= isStopped() || now >= this.#endsAt;
    return !this.#isLost && !this.#isOver;
  }

  /** True during the quiet hours; the send is due again at their end. */
  async #isQuiet({ quietHours, zone }: Send): Promise<boolean> {
    const { sql, clock } = this.#options;
    const until = quietUntil(quietHours, { zone, now: clock() });
    if (until === null) return false;
    await sql`
      update sends set due_at = ${new Date(until)}
      where bot_id = ${this.#key.botId} and send_id = ${this.#key.sendId} and state = 'running'`;
    return true;
  }

  /** Ends a finished send; stores the problem of any other one, with the time of the next attempt. */
  async #end(): Promise<void> {
    const { sql, clock } = this.#options;
    const { botId, sendId } = this.#key;
    await this.#checkpoint('ending');
    if (this.#isLost) return;
    const now = clock();
    const problem = this.#problem;
    const isLater = problem?.kind === 'later';
    const isDone = sql`(state = 'running' and planned and settled = recipients and waiting_after is null)`;
    await sql`
      update sends set updated_at = ${new Date(now)}, failure = ${problem?.problem ?? null},
        attempts = case when ${isLater} then case when ${this.#hasAccepted} then 1 else attempts + 1 end else 0 end,
        -- The send that was worked on least recently is the next one.
        due_at = case when ${isLater} then to_timestamp((${now}::float8 + least(${pauseMsMax}::float8,
          ${problem?.afterMs ?? 0}::float8 * power(2, case when ${this.#hasAccepted} then 0 else least(attempts, 20) end))) / 1000)
          else greatest(due_at, ${new Date(now)}::timestamptz) end,
        state = case when ${isDone} then 'done' when state = 'running' and ${problem?.kind === 'halted'} then 'paused' else state end,
        ended_at = case when ${isDone} then ${new Date(now)} else ended_at end
      where bot_id = ${botId} and send_id = ${sendId} and state in ('running', 'stopped')`;
  }
}

const outageMsMax = 30 * secondMs;
const outagePauseMs = 500;

/** PostgreSQL ended the transaction because of another one. */
const conflictCodes: ReadonlySet<unknown> = new Set(['40P01', '40001']);

/** Repeats work during an outage of the database or after a conflict, for a limited time: results that are lost make recipients unknown. */
async function duringOutage(work: () => Promise<void>): Promise<void> {
  const endsAt = performance.now() + outageMsMax;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isConflict = error instanceof Error && 'code' in error && conflictCodes.has(error.code);
      if (!(isOutage(error) || isConflict) || performance.now() >= endsAt) throw error;
      await pause(outagePauseMs);
    }
  }
}

type Shape = { blockSize: number; size: number; callsPerSecond: number; needs: Needs };
type Work = { send: Send; channel: Channel; shape: Shape; pace: Pace };
/** `until`: when the call must have begun; LINE soon forgets the key, so a later one could be a second message. */
type TimedCall = { call: SendCall; until: number };
type Settled = { results: Result[]; lineRecords: LineRecord[]; blocks: Blocks | null };
/** `blocked`: ids of people who count as blocking the account. */
type CallAnswer = { results: Result[]; lineRecord?: LineRecord; blocked?: string[]; isOpen?: boolean };

/** Leaves recipients that would wait for another call in the one that was made: a later run repeats it with its key. */
function keepOpen({ results, ...answer }: CallAnswer): CallAnswer {
  const ended = results.filter(({ state }) => state !== 'waiting');
  return { ...answer, results: ended, isOpen: (answer.isOpen ?? false) || ended.length < results.length };
}

function blocksOf(answers: readonly CallAnswer[], { platform, accountId }: Channel): Blocks | null {
  const people = answers.flatMap(({ blocked = [] }) => blocked);
  if (platform !== 'facebook' || accountId === null || people.length === 0) return null;
  return { pageId: accountId, people };
}

function idsOf({ recipients }: SendCall): string[] {
  return recipients.map(({ id }) => id);
}

function earlier(a: Date | null, b: Date): Date {
  return a !== null && a < b ? a : b;
}

function resultsOf(
  recipients: readonly WindowRecipient[] | SendCall['recipients'],
  state: ResultState,
): Result[] {
  return recipients.map(({ position }) => ({ position, ...state }));
}

function lineRecordOf(
  { id }: Extract<Outcome, { kind: 'accepted' }>,
  { recipients }: SendCall,
  sentAt: number,
): LineRecord {
  const person = recipients.length === 1 ? (recipients[0]?.id ?? null) : null;
  return { requestId: id ?? '', recipients: recipients.length, person, sentAt };
}
