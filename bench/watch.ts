/**
 * Observations during a load: the age of the oldest queued delivery, the time until an answered delivery is counted, and the server's
 * memory.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from '../src/database/client.ts';
import {
  type LineChannel,
  lineDelivery,
  lineEventKey,
  lineHeaders,
  type Stretch,
  webhookPath,
} from './line-deliveries.ts';

/** Ends the observation and returns its values. */
export type Watch<Values> = { end(): Promise<Values> };

const ageEveryMs = 100;
const probeEveryMs = 250;
const lookEveryMs = 5;
const memoryEveryMs = 1_000;
const countedMsMax = 30_000;
const kilobytesInMegabyte = 1_024;

/** Ages in ms of the bot's oldest pending delivery, every 100 ms; 0: nothing is pending. */
export function watchAges(sql: Sql, botId: string): Watch<number[]> {
  return repeat(ageEveryMs, async () => {
    const [oldest] = await sql<{ received_at: Date }[]>`
      select received_at
      from (select delivery_ids[1] as delivery_id from pending_bundles where bot_id = ${botId} order by bundle_id limit 1) pending
      join deliveries on deliveries.bot_id = ${botId} and deliveries.delivery_id = pending.delivery_id`;
    return oldest ? Date.now() - oldest.received_at.getTime() : 0;
  });
}

/**
 * Sends an extra delivery four times a second, and returns for each the ms from its response until its event exists. Events and
 * figures share one transaction, so it is counted then.
 */
export function watchFreshness(
  sql: Sql,
  address: string,
  channel: LineChannel,
  stretch: Stretch,
): Watch<number[]> {
  let number = 0;
  return repeat(probeEveryMs, async () => {
    const n = number++;
    const body = lineDelivery(stretch, n);
    const headers = lineHeaders(body, channel.secret);
    const response = await fetch(`${address}${webhookPath(channel.botId)}`, {
      method: 'POST',
      headers,
      body,
    });
    await response.text();
    if (response.status !== 200) throw new Error(`a delivery was answered ${response.status}`);
    const answeredAt = performance.now();
    await counted(sql, channel.botId, lineEventKey(stretch, n), answeredAt + countedMsMax);
    return performance.now() - answeredAt;
  });
}

/** A process's resident memory in MB, each second by default; 0 after its end. Throws if the system is not Linux. */
export function watchMemory(pid: number, everyMs = memoryEveryMs): Watch<number[]> {
  if (process.platform !== 'linux') throw new Error('memory is measured on Linux only');
  return repeat(everyMs, async () => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const [, kilobytes = 0] = /^VmRSS:\s+(\d+)/m.exec(status) ?? [];
    return Number(kilobytes) / kilobytesInMegabyte;
  });
}

async function counted(sql: Sql, botId: string, key: string, endsAt: number): Promise<void> {
  while (performance.now() < endsAt) {
    const found =
      await sql`select from events where bot_id = ${botId} and platform = 'line' and key = ${key}`;
    if (found.length > 0) return;
    await pause(lookEveryMs);
  }
  throw new Error('a delivery that was answered is not counted');
}

function repeat(everyMs: number, look: () => Promise<number>): Watch<number[]> {
  const seen: number[] = [];
  const ending = new AbortController();
  const watching = (async () => {
    while (!ending.signal.aborted) {
      seen.push(await look());
      await pause(everyMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  })();
  // The promise is awaited later; the handler keeps an early failure from being reported as unhandled.
  watching.catch(() => undefined);
  return {
    async end() {
      ending.abort();
      await watching;
      return seen;
    },
  };
}
