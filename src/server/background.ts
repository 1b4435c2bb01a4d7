/**
 * What goes on beside the answers: folding, telling callback addresses, collecting LINE's figures, and the work that comes round
 * again and again.
 */
import type { pino } from 'pino';
import { purgeAttempts } from '../auth/attempts.ts';
import type { Keys } from '../auth/keys.ts';
import { purgeSessions } from '../auth/sessions.ts';
import { listBots } from '../bots/bots.ts';
import type { Config } from '../config.ts';
import { readNames } from '../contacts/names.ts';
import type { Sql } from '../database/client.ts';
import { logFailure } from '../database/outage.ts';
import { purgeDeliveries } from '../inbox/deliveries.ts';
import { botsToIndex, indexPeople } from '../inbox/delivery-people.ts';
import { purgeRefused } from '../inbox/refused.ts';
import { Worker } from '../ingest/worker.ts';
import { type Job, type JobFailure, purgeJobs, stepAnyJob } from '../jobs/jobs.ts';
import { purgeClicks } from '../line/clicks.ts';
import { callLimit } from '../line/collector/call-limit.ts';
import { Collector, collectLanes } from '../line/collector/collector.ts';
import { LineClient } from '../line/collector/line-client.ts';
import { purgeReplyTokens } from '../line/reply-tokens.ts';
import { purgeImages } from '../live-chat/erasure.ts';
import { purgeUsage } from '../live-chat/usage.ts';
import { purgeSilentVisitors } from '../live-chat/visitors.ts';
import { keepPointDays } from '../points/point-periods.ts';
import { inPortions, type Random } from '../random.ts';
import { purgeEnded, tellEnded } from '../tags/expiry.ts';
import { type Clock, hourMs, secondMs } from '../time.ts';
import { openGate } from '../webhooks-out/addresses.ts';
import { Sender } from '../webhooks-out/dispatcher.ts';
import { purgeNotices, waitingNotices } from '../webhooks-out/log.ts';
import type { Metrics } from './metrics.ts';

/** What the server's parts are made of. */
export type Parts = { config: Config; sql: Sql; keys: Keys; clock: Clock; random: Random; log: pino.Logger };
/** Ends a part; called in the reverse order of starting. */
export type Closer = () => Promise<void>;

const purgeEveryMs = hourMs;
const namesEveryMs = 10 * secondMs;
const endingsEveryMs = 10 * secondMs;
const peopleEveryMs = 10 * secondMs;
const jobsEveryMs = secondMs;
/** So that indexing takes at most a fifth of the time. */
const indexRest = 4;

/**
 * Starts the worker and everything that goes on beside it; each is ended by a closer. Gives the worker, to be told of what comes.
 */
export function startBackground(
  parts: Parts,
  { openPool, metrics, closers }: { openPool: (max: number) => Sql; metrics: Metrics; closers: Closer[] },
): Worker {
  const worker = startWorker(parts, metrics, closers);
  startSender(parts, metrics, closers);
  if (parts.config.collect === 'on') startCollector(parts, { openPool, metrics, worker, closers });
  return worker;
}

/** How many notices wait to be told, and since when. */
export async function readWaitingNotices({
  sql,
  clock,
}: Parts): Promise<{ count: number; oldestSeconds: number }> {
  const { count, oldestSince } = await waitingNotices(sql);
  return { count, oldestSeconds: oldestSince === null ? 0 : Math.max(0, clock() - oldestSince) / secondMs };
}

function startWorker(parts: Parts, metrics: Metrics, closers: Closer[]): Worker {
  const { config, sql, clock, random, log } = parts;
  const worker = new Worker(sql, {
    ...{ lanes: config.workers, clock, log, folded: metrics.folded },
    random: inPortions(random),
  });
  worker.start();
  const purging = repeat(
    (isStopped) => purge(parts, isStopped),
    purgeEveryMs,
    (error) => logFailure(log, error, 'old deliveries could not be deleted; the next hour tries again'),
  );
  const naming = repeat(
    (isStopped) => readAllNames(parts, isStopped),
    namesEveryMs,
    (error) => logFailure(log, error, 'names of contacts could not be read; the next look tries again'),
  );
  const telling = repeat(
    () => tellEnded(sql, { now: clock() }),
    endingsEveryMs,
    (error) => logFailure(log, error, 'ended tags could not be told; the next look tries again'),
  );
  const indexing = repeat(
    (isStopped) => indexAllPeople(parts, isStopped),
    peopleEveryMs,
    (error) => logFailure(log, error, 'people in deliveries could not be indexed; the next look tries again'),
  );
  const jobs = repeat(
    (isStopped) => workJobs(parts, isStopped),
    jobsEveryMs,
    (error) => logFailure(log, error, 'jobs could not be looked up; the next look tries again'),
  );
  closers.push(async () => {
    await Promise.all([purging.stop(), naming.stop(), telling.stop(), indexing.stop(), jobs.stop()]);
    await worker.stop();
  });
  return worker;
}

function startCollector(
  { config, keys, clock, random, log }: Parts,
  {
    openPool,
    metrics,
    worker,
    closers,
  }: {
    openPool: (max: number) => Sql;
    metrics: Metrics;
    worker: Worker;
    closers: Closer[];
  },
): void {
  const collector = new Collector({
    ...{ keys, clock, random, log, botIds: null },
    // A call to LINE holds a connection; none of those that others wait for.
    sql: openPool(collectLanes),
    line: new LineClient(config.lineApi),
    limit: callLimit(config.lineCallsPerHour),
    called: metrics.lineCalled,
    stored: (botId) => worker.wake(botId),
  });
  collector.start();
  closers.push(() => collector.stop());
}

function startSender(
  { config, sql, keys, clock, random, log }: Parts,
  { attempted }: Metrics,
  closers: Closer[],
): void {
  const gate = openGate({ allowPrivate: config.callbackPrivate });
  const sender = new Sender(sql, { gate, keys, clock, random, log, attempted });
  sender.start();
  closers.push(() => sender.stop());
}

/**
 * Runs the work at once and then again and again, with a pause in between; what fails is told. Work that goes step by step asks
 * whether it is to stop.
 */
export function repeat(
  work: (isStopped: () => boolean) => Promise<void>,
  pauseMs: number,
  failed: (error: unknown) => void,
): { stop(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const run = async (): Promise<void> => {
    await work(() => stopped).catch(failed);
    if (!stopped) timer = setTimeout(start, pauseMs).unref();
  };
  let running: Promise<void>;
  const start = () => {
    running = run();
  };
  start();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

async function purge({ sql, clock, config }: Parts, isStopped: () => boolean): Promise<void> {
  const { retentionDays, callbackLogDays: logDays, chatImageDays: imageDays } = config;
  await purgeSessions(sql, { now: clock() });
  await purgeAttempts(sql, { now: clock() });
  for (const { botId } of await listBots(sql)) {
    const now = clock();
    while (!isStopped() && (await purgeDeliveries(sql, botId, { now, retentionDays })).more);
    while (!isStopped() && (await purgeNotices(sql, botId, { now, logDays })).more);
    while (!isStopped() && (await purgeImages(sql, botId, { now, imageDays })).more);
    while (!isStopped() && (await purgeSilentVisitors(sql, botId, { now })).more);
    if (isStopped()) return;
    await purgeEnded(sql, botId, { now: clock() });
    await purgeJobs(sql, botId, { now });
    await purgeReplyTokens(sql, botId, now);
    await purgeClicks(sql, botId, { now, retentionDays });
    await purgeRefused(sql, botId, { now });
    await purgeUsage(sql, botId, { now });
    await keepPointDays(sql, botId, { now: clock() });
  }
}

async function readAllNames({ sql, clock }: Parts, isStopped: () => boolean): Promise<void> {
  while (!isStopped() && (await readNames(sql, { now: clock() })).more);
}

async function indexAllPeople({ sql, clock }: Parts, isStopped: () => boolean): Promise<void> {
  for (const botId of await botsToIndex(sql, { now: clock() })) {
    for (let indexed = 1; indexed > 0 && !isStopped(); ) {
      const startedAt = performance.now();
      indexed = await indexPeople(sql, botId, { now: clock() });
      const tookMs = performance.now() - startedAt;
      if (indexed > 0) await new Promise((resolve) => setTimeout(resolve, indexRest * tookMs).unref());
    }
  }
}

async function workJobs(parts: Parts, isStopped: () => boolean): Promise<void> {
  const failed = (
    error: unknown,
    { botId, jobId, attempts, retryAt }: Pick<Job, 'botId' | 'jobId'> & JobFailure,
  ) => parts.log.error({ err: error, botId, jobId, attempts, retryAt }, 'a step of a job failed');
  while (!isStopped() && (await stepAnyJob(parts.sql, parts, { failed })));
}
