/** The demo's LINE: its part of the world, and the collection and reconciliation of LINE's own figures. */
import type { LineSimulator } from '../../simulator/line/simulator.ts';
import { type LineShop, unreportedSends } from '../../simulator/line-shop.ts';
import type { WorldOptions } from '../../simulator/world.ts';
import { Refusal } from '../errors.ts';
import { importSnapshots } from '../line/snapshots.ts';
import { dayOf, lineZone } from '../time.ts';
import { collectBots } from './collect.ts';
import type { CommandContext } from './context.ts';
import type { Stage } from './demo-live.ts';

/** The demo's simulators have no rate limits, so the collectors need none. */
export const demoCallsPerHour = 1_000_000;

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
  const config = { ...context.config(), lineApi: simulator.address, lineCallsPerHour: demoCallsPerHour };
  const selection = { bots: [credentials.botId], from: simulator.control.truth().firstDay };
  const { done } = await collectBots(context, config, selection, signal);
  if (!done && !signal.aborted) throw new Refusal('INPUT_INVALID', "LINE's figures could not be collected.");
}
