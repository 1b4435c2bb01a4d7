/**
 * The demo's platforms: a LINE and a Meta simulator whose clocks pass the 60 days before the present. They send their webhooks to the
 * server, and the shop sends to LINE through the gateway.
 */
import { type LineSimulator, startLineSimulator } from '../../simulator/line/simulator.ts';
import { LineShop, stopsBetween } from '../../simulator/line-shop.ts';
import type { SimulatedChat } from '../../simulator/live-chat.ts';
import { metaPlatforms } from '../../simulator/meta/people.ts';
import { type MetaSimulator, startMetaSimulator } from '../../simulator/meta/simulator.ts';
import { type Clock, dayMs } from '../time.ts';
import type { Stage } from './demo-live.ts';
import { withProgress } from './progress.ts';

export type DemoPlatforms = { line: LineSimulator; meta: MetaSimulator; close(): Promise<void> };

const connectedDays = 60;
/** Days of the accounts before they were connected: the platforms count them, but sent no webhooks of them. */
const daysBefore = 30;
const stepMinutes = 240;
const daysPerChat = 2;
const disturbance = { batchMax: 12, repeatShare: 0.08, lateMinutesMax: 30 };
/** Messages per month on LINE. */
const quota = 10_000;
/** At the time of the connection. */
const people = { line: 140, meta: 35 };

/** Starts the simulators 60 days before the world's end. Only `runDays` advances their clocks. */
export async function startDemoPlatforms({
  seed,
  until,
}: {
  seed: number;
  until: number;
}): Promise<DemoPlatforms> {
  const startsAt = until - connectedDays * dayMs;
  const shared = { clock: () => startsAt, seed, disturbance, callsPerHour: null, pastDays: daysBefore };
  const line = await startLineSimulator({ ...shared, quota, people: people.line });
  const meta = await startMetaSimulator({ ...shared, people: people.meta });
  // A token of 60 days would expire at the end of the world.
  meta.control.set({ tokens: { instagram: { expiresAt: null } } });
  return { line, meta, close: async () => void (await Promise.all([line.close(), meta.close()])) };
}

/** The server's clock: the platforms' time while their days pass, then the machine's. */
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

type Days = {
  platforms: DemoPlatforms;
  clock: DemoClock;
  /** The end of the world, ms. */
  until: number;
  /** Creates the live chats of these days; null: they exist already. */
  chat: SimulatedChat | null;
  signal: AbortSignal;
};

/** Advances the platforms' clocks to the present, with the webhooks, the shop's sends and the live chats of that time. */
export async function runDays(
  stage: Stage,
  { platforms: { line, meta }, clock, until, chat, signal }: Days,
): Promise<LineShop> {
  const { context, address, credentials } = stage;
  const { verifyToken } = meta.credentials;
  const callbackUrl = (platform: string) => `${address}/webhooks/${credentials.botId}/${platform}`;
  line.control.set({ webhook: { endpoint: callbackUrl('line') } });
  for (const platform of metaPlatforms)
    meta.control.subscribe(platform, { callbackUrl: callbackUrl(platform), verifyToken });
  const now = context.clock();
  const stops = stopsBetween(line.control.now(), now);
  const { lateMinutesMax } = disturbance;
  const log = (text: string) => context.log(text);
  const shop = new LineShop({ simulator: line, address, until, lateMinutesMax, log });
  const lastDay = stops.at(-1)?.day ?? 0;
  const followLine = () => clock.follow(() => line.control.now());
  const runUntil = async (at: number) => {
    const run = { until: new Date(at).toISOString(), stepMinutes };
    await Promise.all([line.control.run(run), meta.control.run(run)]);
  };
  followLine();
  await withProgress(context, 'days', async (progress) => {
    for (const stop of stops) {
      if (signal.aborted) return;
      await runUntil(stop.at);
      await shop.act(stop);
      if (chat && stop.isEvening && stop.day % daysPerChat === 0) {
        await chat.converse(clock.read, (ms) => clock.advance(ms));
        followLine();
      }
      progress(stop.day, lastDay);
    }
    await runUntil(now);
  }).finally(() => clock.follow(null));
  return shop;
}
