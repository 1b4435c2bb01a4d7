/**
 * The demo's LINE: a stand-in for LINE on this machine, where the shop's friends live for 60 days before the present. Its
 * webhooks go to the server, the shop sends through the gateway; then LINE's own figures are collected and reconciled.
 */

import { type LineSide, startLineSide } from '../../simulator/line/line-side.ts';
import { LineShop, ownSends, stopsBetween } from '../../simulator/line-shop.ts';
import type { SandboxChat } from '../../simulator/live-chat.ts';
import type { World } from '../../simulator/world.ts';
import { Refusal } from '../errors.ts';
import { importSnapshots } from '../line/snapshots.ts';
import { type Clock, dayMs, dayOf, lineZone } from '../time.ts';
import { collectBots } from './collect.ts';
import type { CommandContext } from './context.ts';
import type { Stage } from './demo-live.ts';
import { showProgress } from './progress.ts';
import { showReconciliation } from './reconcile.ts';

const daysTold = 60;
/** Days of the account before it was connected: LINE counts them, and no webhook told of them. */
const daysBefore = 30;
const stepMinutes = 60;
/** Every so many days a visitor talks in the live chat. */
const chatEvery = 2;
const disturbance = { batchMax: 12, repeatShare: 0.08, lateMinutesMax: 30 };
/** The messages of a month that the account may send. */
const quota = 10_000;
/** The stand-in has no limit of calls. */
const callsPerHour = 1_000_000;
const daysShown = 5;

/** Starts LINE's side as it stood 60 days before the story's end; its clock moves by `liveLine` alone. */
export function startDemoLine({ seed, until }: { seed: number; until: number }): Promise<LineSide> {
  const begin = until - daysTold * dayMs;
  return startLineSide({
    clock: () => begin,
    ...{ seed, quota, disturbance },
    callsPerHour: null,
    pastDays: daysBefore,
  });
}

/** The server's clock: LINE's while its days pass, so that what happens meanwhile has its time there; then the machine's. */
export class DemoClock {
  #past: Clock | null = null;
  #aheadMs = 0;
  readonly #present: Clock;

  constructor(present: Clock) {
    this.#present = present;
  }

  readonly read: Clock = () =>
    this.#past === null ? this.#present() : Math.floor(this.#past()) + this.#aheadMs;

  /** Follows another clock from now on; null: the machine's. */
  follow(past: Clock | null): void {
    this.#past = past;
    this.#aheadMs = 0;
  }

  /** Moves ahead of the clock that it follows, until it follows another. */
  pass(ms: number): void {
    this.#aheadMs += ms;
  }
}

type Past = {
  side: LineSide;
  clock: DemoClock;
  /** The end of the story, ms. */
  until: number;
  /** Live chats of these days are made; null: they are there. */
  chat: SandboxChat | null;
  signal: AbortSignal;
};

/** Lets LINE's days pass up to the present, webhooks and all, with what the shop sends and answers on them. */
export async function liveLine(stage: Stage, { side, clock, until, chat, signal }: Past): Promise<LineShop> {
  const { context, address, credentials } = stage;
  const { control } = side;
  control.set({ webhook: { endpoint: `${address}/webhooks/${credentials.botId}/line` } });
  const now = context.clock();
  const stops = stopsBetween(control.now(), now);
  const { lateMinutesMax } = disturbance;
  const shop = new LineShop({ side, address, until, lateMinutesMax, log: (text) => context.log(text) });
  const progress = showProgress(context, 'days on LINE');
  const days = stops.at(-1)?.day ?? 0;
  const follow = () => clock.follow(() => control.now());
  follow();
  try {
    for (const stop of stops) {
      if (signal.aborted) break;
      await control.run({ until: new Date(stop.at).toISOString(), stepMinutes });
      await shop.act(stop);
      if (chat && stop.isEvening && stop.day % chatEvery === 0) {
        await chat.talk(clock.read, (ms) => clock.pass(ms));
        follow();
      }
      progress.update(stop.day, days);
    }
    if (!signal.aborted) await control.run({ until: new Date(now).toISOString(), stepMinutes });
  } finally {
    clock.follow(null);
    progress.stop();
  }
  return shop;
}

/** What LINE's webhooks have told, what the shop sent, and what LINE reports: LINE's part of the world. */
export function lineOf(
  { control }: LineSide,
  { answers }: LineShop,
): {
  happenings: World['happenings'];
  account: NonNullable<World['line']>;
} {
  const account = control.reported();
  const sends = new Map([...account.sends, ...ownSends(answers, account.readyDay)]);
  return { happenings: [...control.told(), ...answers], account: { ...account, sends } };
}

/** Keeps the quotas of the days before today, which LINE no longer answers; today's is collected. Safe to repeat. */
export async function importQuotas(
  context: CommandContext,
  botId: string,
  { quotas }: LineShop,
): Promise<void> {
  const now = context.clock();
  const past = quotas.filter(({ day }) => day < dayOf(now, lineZone));
  const entries = past.map(({ day, ...quota }) => ({
    kind: 'quota',
    day,
    value: { type: 'limited', ...quota },
  }));
  await context.withDatabase((sql) => importSnapshots(sql, { botId, entries }, { now }));
}

/** Collects LINE's own figures from its side. */
export async function collectLine(
  { context, credentials }: Stage,
  side: LineSide,
  signal: AbortSignal,
): Promise<void> {
  const config = { ...context.config(), lineApi: side.address, lineCallsPerHour: callsPerHour };
  const wanted = { bots: [credentials.botId], from: side.control.truth().firstDay };
  const { done } = await collectBots(context, config, wanted, signal);
  if (!done && !signal.aborted) throw new Refusal('INPUT_INVALID', "LINE's figures could not be collected.");
}

/** Our own count of the last days beside LINE's. */
export async function showDemoReconciliation(
  { context, credentials }: Stage,
  { line }: World,
): Promise<void> {
  if (!line) return;
  const table = await showReconciliation(context, credentials.botId, { to: line.readyDay, days: daysShown });
  context.out(`LINE's count beside our own (npx shoal reconcile ${credentials.botId}):\n\n${table}\n`);
}
