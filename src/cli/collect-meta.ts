/** Fetching Meta's own figures, and earlier conversations, for `shoal collect`. */
import { setTimeout as pause } from 'node:timers/promises';
import { listBots } from '../bots/bots.ts';
import { type CallLimit, callLimit } from '../collector/call-limit.ts';
import { addCollections, askPresentAgain, endPauses, setFromDay } from '../collector/collections.ts';
import { Collector } from '../collector/collector.ts';
import type { Config } from '../config.ts';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { Worker } from '../ingest/worker.ts';
import { openCommandLog } from '../log.ts';
import { GraphClient } from '../meta/graph-client.ts';
import { requestHistory } from '../meta/history-request.ts';
import { presentKinds, spanKinds } from '../meta/kinds.ts';
import { metaChannels, metaSource } from '../meta/meta-source.ts';
import { type MetaStatus, readMetaStatus } from '../meta/status.ts';
import { minuteMs, secondMs } from '../time.ts';
import type { Context } from './context.ts';
import { untilFolded } from './until-folded.ts';

export type MetaBotStatus = { botId: string; channels: MetaStatus[] };
type Run = { sql: Sql; botIds: readonly string[]; limit: CallLimit };

const checkMs = secondMs / 4;
/** Later retries are left to the server, or to another run. */
const retryWaitMsMax = 2 * minuteMs;

/**
 * Collects Meta's figures of the bots (default: all with an access token) until Meta has no more now, or until `stop`. With `history`
 * also the earlier conversations. Safe to repeat: it continues where it stopped. Throws Refusal INPUT_INVALID for `history` without a
 * Messenger or Instagram channel that has an access token.
 */
export function collectMeta(
  context: Context,
  config: Config,
  { bots, from, history }: { bots: readonly string[]; from?: string | undefined; history: boolean },
  stop: AbortSignal,
): Promise<{ done: boolean; bots: MetaBotStatus[] }> {
  return context.withDatabase(async (sql) => {
    const limit = callLimit(config.metaCallsPerHour);
    const run = { sql, botIds: await begin(sql, { bots, from, history }, context.clock()), limit };
    if (run.botIds.length === 0) return { done: true, bots: [] };
    await collectAll(context, config, run, stop);
    const ended = await readAll(run, context.clock());
    const isDone = ended.every(({ channels }) => channels.every(isHealthy));
    return { done: !stop.aborted && isDone, bots: ended };
  });
}

async function begin(
  sql: Sql,
  { bots, from, history }: { bots: readonly string[]; from: string | undefined; history: boolean },
  now: number,
): Promise<string[]> {
  const candidates = bots.length > 0 ? [...new Set(bots)] : (await listBots(sql)).map(({ botId }) => botId);
  const botIds: string[] = [];
  for (const botId of candidates) {
    const rows = await sql`
      select from channels where bot_id = ${botId} and platform in ('facebook', 'instagram', 'whatsapp')
        and enabled and access_token_sealed is not null limit 1`;
    if (rows.length > 0) botIds.push(botId);
  }
  await addCollections(sql, metaChannels, botIds);
  let requested = 0;
  for (const botId of botIds) {
    await endPauses(sql, botId);
    await askPresentAgain(sql, botId, presentKinds);
    if (from !== undefined) await setFromDay(sql, botId, { fromDay: from, kinds: spanKinds });
    if (history) requested += await requestHistory(sql, botId, now);
  }
  if (!history || requested > 0) return botIds;
  throw new Refusal(
    'INPUT_INVALID',
    '--history needs a Messenger or Instagram channel with an access token.',
  );
}

async function collectAll(context: Context, config: Config, run: Run, stop: AbortSignal): Promise<void> {
  const { clock, random } = context;
  const { sql, botIds, limit } = run;
  const log = openCommandLog(config.logLevel);
  const keys = await context.keys(sql);
  const graph = new GraphClient({ facebook: config.graphApi, instagram: config.instagramApi });
  // Processes fetched messages, too, because a server may not be running.
  const worker = new Worker(sql, { slots: 1, clock, random, log, onFold: () => undefined });
  const collector = new Collector({
    ...{ sql, limit, clock, random, botIds, log },
    source: metaSource({ keys, graph, clock, onCall: () => undefined }),
    onStored: (botId) => worker.wake(botId),
  });
  worker.start();
  collector.start();
  try {
    while (!stop.aborted) {
      const now = clock();
      if ((await readAll(run, now)).every(({ channels }) => channels.every((one) => isFinished(one, now))))
        return;
      await pause(checkMs, undefined, { signal: stop }).catch(() => undefined);
    }
  } finally {
    await collector.stop();
    await untilFolded(sql, botIds);
    await worker.stop();
  }
}

async function readAll({ sql, botIds, limit }: Run, now: number): Promise<MetaBotStatus[]> {
  return Promise.all(
    botIds.map(async (botId) => ({ botId, channels: await readMetaStatus(sql, botId, { now, limit }) })),
  );
}

const failedStates = ['token-refused', 'sealed', 'unreachable', 'nonsense', 'limited', 'out-of-calls', 'new'];

function isHealthy({ state, kinds }: MetaStatus): boolean {
  return (
    state === 'off' || (state === 'collecting' && kinds.every((kind) => !failedStates.includes(kind.state)))
  );
}

function isFinished({ state, kinds }: MetaStatus, now: number): boolean {
  return state !== 'collecting' || kinds.every((kind) => hasNothingLeft(kind, now));
}

function hasNothingLeft({ state, nextAt }: MetaStatus['kinds'][number], now: number): boolean {
  const waitMs = nextAt === null ? 0 : nextAt.getTime() - now;
  return state === 'resting' ? waitMs > 0 : state !== 'new' && waitMs > retryWaitMsMax;
}
