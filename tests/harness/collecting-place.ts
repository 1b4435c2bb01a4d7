/**
 * A place for processes that collect: a database, a LINE on loopback that has told so many days, and a bot whose channel has
 * an access token. The limit of calls is far away unless set; `shoal serve` collects only where SHOAL_COLLECT is on.
 */
import type { TestContext } from 'node:test';
import type { Sql } from '../../src/database/client.ts';
import { latestDayAt } from '../../src/line/collector/schedule.ts';
import type { KindStatus } from '../../src/line/collector/status.ts';
import { addDays } from '../../src/time.ts';
import { databasePlace, type Place, shoalJson } from './cli.ts';
import { type FaultyLine, faultyLine, standInToken } from './faulty-line.ts';

export type CollectingPlace = { place: Place; line: FaultyLine; botId: string; sql: Sql };

/** Makes one; everything is gone when the test ends. */
export async function collectingPlace(
  t: TestContext,
  { days, callsPerHour = 1_000_000 }: { days: number; callsPerHour?: number },
): Promise<CollectingPlace> {
  const { sql, env, onEnd } = await databasePlace(t);
  const line = await faultyLine(t);
  line.readyDay = latestDayAt(Date.now());
  line.firstDay = addDays(line.readyDay, 1 - days);
  const settings = { SHOAL_LINE_API: line.address, SHOAL_LINE_CALLS_PER_HOUR: String(callsPerHour) };
  const place = { env: { ...env, ...settings }, onEnd };
  const { botId } = await shoalJson(place, 'bot', 'create', '--name', 'Tea shop');
  const channel = ['--channel-secret', 'secret', '--channel-access-token', standInToken];
  await shoalJson(place, 'channel', 'set', String(botId), 'line', ...channel);
  return { place, line, botId: String(botId), sql };
}

/** How one kind stands, as `shoal collect status` tells it. */
export async function statusOf(place: Place, botId: string, kind: string): Promise<KindStatus> {
  const { kinds } = (await shoalJson(place, 'collect', 'status', botId)) as { kinds: KindStatus[] };
  const found = kinds.find((one) => one.kind === kind);
  if (!found) throw new Error(`${kind} is not collected`);
  return found;
}
