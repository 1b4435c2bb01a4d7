/**
 * The environment of processes that collect: a database, a fake LINE with figures of a number of days, and a bot whose
 * channel has an access token. The rate limit is high unless set; `shoal serve` collects only if SHOAL_COLLECT is on.
 */
import type { TestContext } from 'node:test';
import { createBot } from '../../src/bots/bots.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import type { Sql } from '../../src/database/client.ts';
import { latestDayAt } from '../../src/line/collector/kinds.ts';
import type { KindStatus } from '../../src/line/collector/status.ts';
import { addDays } from '../../src/time.ts';
import { creationIn, databaseEnvironment, type ShoalEnvironment, shoalJson } from './cli.ts';
import { type FaultyLine, faultyLine, faultyLineToken } from './faulty-line.ts';

export type CollectingEnvironment = {
  environment: ShoalEnvironment;
  line: FaultyLine;
  botId: string;
  sql: Sql;
};

/** Creates the environment and deletes it when the test ends. */
export async function collectingEnvironment(
  t: TestContext,
  { days, callsPerHour = 1_000_000 }: { days: number; callsPerHour?: number },
): Promise<CollectingEnvironment> {
  const { sql, env, onEnd } = await databaseEnvironment(t);
  const line = await faultyLine(t);
  line.readyDay = latestDayAt(Date.now());
  line.firstDay = addDays(line.readyDay, 1 - days);
  const settings = { SHOAL_LINE_API: line.address, SHOAL_LINE_CALLS_PER_HOUR: String(callsPerHour) };
  const environment = { env: { ...env, ...settings }, onEnd };
  const creation = await creationIn(sql, environment);
  const { botId } = await createBot(sql, { name: 'Tea shop', timeZone: 'Asia/Taipei' }, creation);
  const channel = { platform: 'line', secret: 'secret', accessToken: faultyLineToken } as const;
  await setChannel(sql, { botId, ...channel }, creation);
  return { environment, line, botId, sql };
}

/** The schedule state of one kind, as `shoal collect status` prints it. */
export async function statusOf(
  environment: ShoalEnvironment,
  botId: string,
  kind: string,
): Promise<KindStatus> {
  const { kinds } = (await shoalJson(environment, 'collect', 'status', botId)) as { kinds: KindStatus[] };
  const status = kinds.find((one) => one.kind === kind);
  if (!status) throw new Error(`${kind} is not collected`);
  return status;
}
