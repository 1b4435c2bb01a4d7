/** Waiting for the worker. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from '../database/client.ts';
import { botsWithPending } from '../inbox/pending.ts';
import { secondMs } from '../time.ts';

const foldCheckMs = secondMs / 10;
const foldMsMax = 30 * secondMs;
const botsLookedAtMax = 1_000;

/** Waits until the deliveries of the bots are processed. The wait is bounded, because a server may process many more. */
export async function untilFolded(sql: Sql, botIds: readonly string[], msMax = foldMsMax): Promise<void> {
  for (let waitedMs = 0; waitedMs < msMax; waitedMs += foldCheckMs) {
    const pending = await botsWithPending(sql, botsLookedAtMax);
    if (!pending.some((botId) => botIds.includes(botId))) return;
    await pause(foldCheckMs);
  }
}
