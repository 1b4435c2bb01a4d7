/**
 * The demo's LINE: a stand-in for LINE on this machine, where the shop's friends live for 60 days before the present. Its
 * webhooks go to the server; then LINE's own figures are collected from it, and the two are reconciled.
 */
import { Refusal } from '../errors.ts';
import { type LineSide, startLineSide } from '../sandbox/line-side/line-side.ts';
import type { World } from '../sandbox/world.ts';
import { dayMs } from '../time.ts';
import { collectBots } from './collect.ts';
import type { Stage } from './demo-live.ts';
import { showProgress } from './progress.ts';
import { showReconciliation } from './reconcile.ts';

const daysTold = 60;
/** Days of the account before it was connected: LINE counts them, and no webhook told of them. */
const daysBefore = 30;
const stepMinutes = 60;
const disturbance = { batchMax: 12, repeatShare: 0.08, lateMinutesMax: 30 };
/** Every so many days something is sent by hand, of which LINE alone knows. */
const broadcastEvery = 9;
const broadcast = '本週新品上市，到店出示此訊息享九折優惠';
/** The stand-in has no limit of calls. */
const callsPerHour = 1_000_000;
const daysShown = 5;

/** Starts LINE's side as it stood 60 days before the story's end; its clock moves by `liveLine` alone. */
export function startDemoLine({ seed, until }: { seed: number; until: number }): Promise<LineSide> {
  const begin = until - daysTold * dayMs;
  return startLineSide({ clock: () => begin, seed, callsPerHour: null, pastDays: daysBefore, disturbance });
}

/** Lets LINE's days pass up to the present, webhooks and all. */
export async function liveLine(stage: Stage, side: LineSide, signal: AbortSignal): Promise<void> {
  const { context, address, credentials } = stage;
  const { control } = side;
  control.set({ webhook: { endpoint: `${address}/webhooks/${credentials.botId}/line` } });
  const until = context.clock();
  const days = Math.ceil((until - control.now()) / dayMs);
  const progress = showProgress(context, 'days on LINE');
  try {
    for (let day = 1; day <= days && !signal.aborted; day += 1) {
      const end = Math.min(until, control.now() + dayMs);
      await control.run({ until: new Date(end).toISOString(), stepMinutes });
      if (day % broadcastEvery === 0) control.broadcastByHand(broadcast);
      progress.update(day, days);
    }
  } finally {
    progress.stop();
  }
}

/** What LINE's webhooks have told, and what LINE reports: LINE's part of the world. */
export function lineOf({ control }: LineSide): {
  happenings: World['happenings'];
  account: NonNullable<World['line']>;
} {
  return { happenings: control.told(), account: control.reported() };
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
