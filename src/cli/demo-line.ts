/**
 * The demo's LINE: a LINE simulator whose clock passes the 60 days before the present. It sends its webhooks to the server, and
 * the shop sends through the gateway. Then the demo collects LINE's own figures and reconciles them.
 */

import { type LineSimulator, startLineSimulator } from '../../simulator/line/simulator.ts';
import { LineShop, stopsBetween, unreportedSends } from '../../simulator/line-shop.ts';
import type { SimulatedChat } from '../../simulator/live-chat.ts';
import type { World, WorldOptions } from '../../simulator/world.ts';
import { Refusal } from '../errors.ts';
import { importSnapshots } from '../line/snapshots.ts';
import { type Clock, dayMs, dayOf, lineZone } from '../time.ts';
import { collectBots } from './collect.ts';
import type { CommandContext } from './context.ts';
import type { Stage } from './demo-live.ts';
import { withProgress } from './progress.ts';
import { showReconciliation } from './reconcile.ts';

const connectedDays = 60;
/** Days of the account before it was connected: LINE counts them, but sent no webhooks of them. */
const daysBefore = 30;
const stepMinutes = 60;
const daysPerChat = 2;
const disturbance = { batchMax: 12, repeatShare: 0.08, lateMinutesMax: 30 };
/** Messages per month. */
const quota = 10_000;
/** The demo's simulator has no rate limits, so the collector needs none. */
const callsPerHour = 1_000_000;
const reconciledDays = 5;

/** Starts the LINE simulator 60 days before the world's end. Only `runLineDays` advances its clock. */
export function startDemoLine({ seed, until }: { seed: number; until: number }): Promise<LineSimulator> {
  const startsAt = until - connectedDays * dayMs;
  return startLineSimulator({
    clock: () => startsAt,
    ...{ seed, quota, disturbance },
    callsPerHour: null,
    pastDays: daysBefore,
  });
}

/** The server's clock: LINE's time while its days pass, then the machine's. */
export class DemoClock {
  #followed: Clock | null = null;
  #aheadMs = 0;
  readonly #machine: Clock;

  constructor(machine: Clock) {
    this.#machine = machine;
  }

  readonly read: Clock = () =>
    this.#followed === null ? this.#machine() : Math.floor(this.#followed()) + this.#aheadMs;

  /** Follows another clock; null: the machine's. */
  follow(clock: Clock | null): void {
    this.#followed = clock;
    this.#aheadMs = 0;
  }

  /** Moves ahead of the followed clock, until the next `follow`. */
  advance(ms: number): void {
    this.#aheadMs += ms;
  }
}

type LineDays = {
  simulator: LineSimulator;
  clock: DemoClock;
  /** The end of the world, ms. */
  until: number;
  /** Creates the live chats of these days; null: they exist already. */
  chat: SimulatedChat | null;
  signal: AbortSignal;
};

/** Advances LINE's clock to the present, with the webhooks, the shop's sends and the live chats of that time. */
export async function runLineDays(
  stage: Stage,
  { simulator, clock, until, chat, signal }: LineDays,
): Promise<LineShop> {
  const { context, address, credentials } = stage;
  const { control } = simulator;
  control.set({ webhook: { endpoint: `${address}/webhooks/${credentials.botId}/line` } });
  const now = context.clock();
  const stops = stopsBetween(control.now(), now);
  const { lateMinutesMax } = disturbance;
  const log = (text: string) => context.log(text);
  const shop = new LineShop({ simulator, address, until, lateMinutesMax, log });
  const lastDay = stops.at(-1)?.day ?? 0;
  const followLine = () => clock.follow(() => control.now());
  followLine();
  await withProgress(context, 'days on LINE', async (progress) => {
    for (const stop of stops) {
      if (signal.aborted) return;
      await control.run({ until: new Date(stop.at).toISOString(), stepMinutes });
      await shop.act(stop);
      if (chat && stop.isEvening && stop.day % daysPerChat === 0) {
        await chat.converse(clock.read, (ms) => clock.advance(ms));
        followLine();
      }
      progress(stop.day, lastDay);
    }
    await control.run({ until: new Date(now).toISOString(), stepMinutes });
  }).finally(() => clock.follow(null));
  return shop;
}

/** LINE's part of the world: the delivered events, the shop's answers, and LINE's report. */
export function lineWorldOf(
  { control }: LineSimulator,
  { answers }: LineShop,
): NonNullable<WorldOptions['line']> {
  const report = control.report();
  const sends = new Map([...report.sends, ...unreportedSends(answers, report.readyDay)]);
  return { events: [...control.deliveredEvents(), ...answers], report: { ...report, sends } };
}

/** Stores the quotas of past days, which LINE no longer answers. The collector stores today's. Idempotent. */
export async function importQuotas(
  context: CommandContext,
  botId: string,
  { quotas }: LineShop,
): Promise<void> {
  const now = context.clock();
  const past = quotas.filter(({ day }) => day < dayOf(now, lineZone));
  const entries = past.map(({ day, ...value }) => ({
    kind: 'quota',
    day,
    value: { type: 'limited', ...value },
  }));
  await context.withDatabase((sql) => importSnapshots(sql, { botId, entries }, { now }));
}

/** Collects LINE's own figures from the simulator. */
export async function collectLine(
  { context, credentials }: Stage,
  simulator: LineSimulator,
  signal: AbortSignal,
): Promise<void> {
  const config = { ...context.config(), lineApi: simulator.address, lineCallsPerHour: callsPerHour };
  const selection = { bots: [credentials.botId], from: simulator.control.truth().firstDay };
  const { done } = await collectBots(context, config, selection, signal);
  if (!done && !signal.aborted) throw new Refusal('INPUT_INVALID', "LINE's figures could not be collected.");
}

/** Shows our count of the last days next to LINE's. */
export async function showDemoReconciliation(
  { context, credentials }: Stage,
  { line }: World,
): Promise<void> {
  if (!line) return;
  const options = { to: line.readyDay, days: reconciledDays };
  const table = await showReconciliation(context, credentials.botId, options);
  context.out(`LINE's count compared with ours (npx shoal reconcile ${credentials.botId}):\n\n${table}\n`);
}
