/**
 * Background work: the worker, the dispatcher of webhooks, the collector, and periodic tasks.
 */
import type { pino } from 'pino';
import { checkAlerts } from '../alerts/check.ts';
import { Reporter } from '../alerts/reporter.ts';
import type { Keys } from '../auth/keys.ts';
import { callLimit } from '../collector/call-limit.ts';
import { Collector, collectWorkers } from '../collector/collector.ts';
import type { Config } from '../config.ts';
import { readNames } from '../contacts/names.ts';
import type { Sql } from '../database/client.ts';
import { Poll, type PollStep } from '../database/poll.ts';
import { botsToIndex, indexPeople } from '../inbox/delivery-people.ts';
import { Worker } from '../ingest/worker.ts';
import { type Job, type JobFailure, stepAnyJob } from '../jobs/jobs.ts';
import type { LineAccess } from '../line/access.ts';
import { lineSource } from '../line/collector/line-source.ts';
import { LineClient } from '../line/line-client.ts';
import { type FriendParts, readFriendLists } from '../line/people/friends.ts';
import { LineProfiles } from '../line/people/line-profiles.ts';
import { Posting } from '../live-chat/posting.ts';
import { readMailSettings } from '../mail/settings.ts';
import { MailWorker } from '../mail/worker.ts';
import { runDueReport } from '../mail-reports/runs.ts';
import { MantagoClient } from '../mantago/mantago-client.ts';
import { startComparisonWork, startImportWork } from '../mantago/worker.ts';
import { GraphClient } from '../meta/graph-client.ts';
import { MetaProfiles } from '../meta/meta-profiles.ts';
import { metaSource } from '../meta/meta-source.ts';
import { fetchWorkers, ProfileFetcher } from '../profiles/fetcher.ts';
import { inPortions, type Random } from '../random.ts';
import { lineSender } from '../sends/line-sender.ts';
import { PlatformHost } from '../sends/platform-host.ts';
import { readReceipts } from '../sends/receipts.ts';
import { openSenders } from '../sends/senders.ts';
import { startSendWork } from '../sends/worker.ts';
import { reportExpired } from '../tags/expiry.ts';
import { type Clock, hourMs, secondMs } from '../time.ts';
import { openGate } from '../webhooks-out/addresses.ts';
import { Dispatcher } from '../webhooks-out/dispatcher.ts';
import { pendingMessages } from '../webhooks-out/log.ts';
import type { NoteRefusal } from './count-refused.ts';
import type { Metrics } from './metrics.ts';
import { purge } from './purge.ts';

/** The settings and resources that all parts of the server share. */
export type Parts = { config: Config; sql: Sql; keys: Keys; clock: Clock; random: Random; log: pino.Logger };
/** Ends a part. Called in the reverse order of the starts. */
export type Closer = () => Promise<void>;

const purgeEveryMs = hourMs;
const shortPollMs = 10 * secondMs;
/** A page has 1,000 friends. */
const friendsPollMs = 2 * secondMs;
const jobPollMs = secondMs;
/** Indexing takes at most a fifth of the time. */
const indexPauseShare = 4;

type BackgroundParts = {
  openPool: (max: number) => Sql;
  /** Tokens for calls to LINE. */
  access: LineAccess;
  metrics: Metrics;
  refused: NoteRefusal;
  closers: Closer[];
};

/** Starts the background work. Each part adds its closer. Returns the worker, which is woken when deliveries are stored. */
export function startBackground(parts: Parts, background: BackgroundParts): Worker {
  const { closers } = background;
  const worker = startWorker(parts, background);
  startTasks(parts, closers);
  startDispatcher(parts, background.metrics, closers);
  if (parts.config.collect === 'on') {
    startCollectors(parts, { ...background, worker });
    startProfiles(parts, background);
    startFriends(parts, background);
  }
  startSends(parts, background, worker);
  startAlerts(parts, background, worker);
  startMantago({ ...parts, closers });
  startMail(parts, closers);
  return worker;
}

/** The number of pending webhook messages, and the age of the oldest one. */
export async function readWaitingNotices({
  sql,
  clock,
}: Parts): Promise<{ count: number; oldestSeconds: number }> {
  const { count, oldestSince } = await pendingMessages(sql);
  return { count, oldestSeconds: oldestSince === null ? 0 : Math.max(0, clock() - oldestSince) / secondMs };
}

function startWorker(parts: Parts, { metrics, refused, closers }: BackgroundParts): Worker {
  const { config, sql, clock, random, log } = parts;
  const worker = new Worker(sql, {
    ...{ slots: config.workers, clock, log },
    onFold(outcome, ms) {
      metrics.folded(outcome, ms);
      for (const channel of outcome.otherAccounts) refused(channel, 'other-account');
    },
    random: inPortions(random),
  });
  worker.start();
  closers.push(() => worker.stop());
  return worker;
}

function startTasks(parts: Parts, closers: Closer[]): void {
  const { config, sql, clock, log } = parts;
  const start = (name: string, pauseMs: number, step: PollStep) => new Poll(step, { name, pauseMs, log });
  const tasks = [
    start('the deletion of old data', purgeEveryMs, (isStopped) =>
      purge(sql, { ...config, clock }, isStopped),
    ),
    start('the reading of names', shortPollMs, (isStopped) => readAllNames(parts, isStopped)),
    start('the dispatch of expired tags', shortPollMs, () => reportExpired(sql, { now: clock() })),
    start('the index of people', shortPollMs, (isStopped) => indexAllPeople(parts, isStopped)),
    start('the look-up of receipts', shortPollMs, (isStopped) =>
      readReceipts(sql, { now: clock() }, isStopped),
    ),
    start('the look-up of jobs', jobPollMs, (isStopped) => workJobs(parts, isStopped)),
  ];
  closers.push(async () => void (await Promise.all(tasks.map((task) => task.stop()))));
}

function startCollectors(
  { config, keys, clock, random, log }: Parts,
  more: BackgroundParts & { worker: Worker },
): void {
  const { access } = more;
  const shared = {
    ...{ clock, random, log, botIds: null },
    // A call holds a connection, so the collectors have a pool of their own.
    sql: more.openPool(2 * collectWorkers),
    onStored: (botId: string) => more.worker.wake(botId),
  };
  const line = new Collector({
    ...shared,
    source: lineSource({
      ...{ keys, clock, access, line: new LineClient(config.lineApi), onCall: more.metrics.lineCalled },
    }),
    limit: callLimit(config.lineCallsPerHour),
  });
  const graph = openGraph(config);
  const meta = new Collector({
    ...shared,
    source: metaSource({ keys, clock, graph, onCall: more.metrics.metaCalled }),
    limit: callLimit(config.metaCallsPerHour),
  });
  for (const collector of [line, meta]) {
    collector.start();
    more.closers.push(() => collector.stop());
  }
}

function openGraph({ graphApi, instagramApi }: Config): GraphClient {
  return new GraphClient({ facebook: graphApi, instagram: instagramApi });
}

function startProfiles(
  { config, keys, clock, log }: Parts,
  { openPool, access, metrics, closers }: BackgroundParts,
): void {
  const perSecond = config.profileCallsPerSecond;
  if (perSecond === 0) return;
  const fetcher = new ProfileFetcher({
    ...{ keys, clock, log, perSecond },
    // A call to a platform holds a connection, so the fetcher has a pool of its own.
    sql: openPool(fetchWorkers),
    sources: [
      new LineProfiles(new LineClient(config.lineApi), access, metrics.lineCalled),
      new MetaProfiles('facebook', openGraph(config), metrics.metaCalled),
      new MetaProfiles('instagram', openGraph(config), metrics.metaCalled),
    ],
  });
  fetcher.start();
  closers.push(() => fetcher.stop());
}

function startSends(parts: Parts, { access, closers }: BackgroundParts, worker: Worker): void {
  const { config, sql, keys, clock, random, log } = parts;
  const onStored = (botId: string): void => worker.wake(botId);
  const byteLimits = { visitor: 0, address: 0, bot: 0 };
  const posting = new Posting(sql, { clock, log, byteLimits, stored: onStored });
  const { senders, close } = openSenders({ ...config, access, posting, clock });
  const sends = startSendWork({ sql, keys, senders, clock, random, log, onStored });
  closers.push(async () => {
    await sends.stop();
    await posting.drain();
    await close();
  });
}

function startFriends(
  { config, keys, clock, random, log }: Parts,
  { openPool, access, metrics, closers }: BackgroundParts,
): void {
  const line = new LineClient(config.lineApi);
  const parts: FriendParts = {
    ...{ keys, line, access, clock, random, onCall: metrics.lineCalled },
    // A call to LINE holds a connection.
    sql: openPool(1),
  };
  const poll = new Poll((isStopped) => readFriendLists(parts, isStopped), {
    ...{ name: "reading LINE's list of friends", pauseMs: friendsPollMs, log },
  });
  closers.push(async () => void (await Promise.all([line.close(), poll.stop()])));
}

function startMantago({ config, closers, ...parts }: Parts & { closers: Closer[] }): void {
  const gate = openGate({ allowPrivate: config.callbackPrivate });
  const client = new MantagoClient(gate, parts.clock);
  const work = [startImportWork({ ...parts, client }), startComparisonWork({ ...parts, client, gate })];
  closers.push(async () => {
    client.close();
    await Promise.all(work.map((one) => one.stop()));
  });
}

function startAlerts(parts: Parts, { access, closers }: BackgroundParts, worker: Worker): void {
  const { config, sql, keys, clock, random, log } = parts;
  const host = new PlatformHost('LINE', config.lineApi);
  const reporter = new Reporter({
    ...{ sql, keys, clock, random, log, publicUrl: config.publicUrl },
    gate: openGate({ allowPrivate: config.callbackPrivate }),
    mail: readMailSettings(config),
    line: lineSender(host, access),
    onStored: (botId) => worker.wake(botId),
  });
  reporter.start();
  const check = new Poll(async () => void (await checkAlerts(sql, { now: clock() })), {
    ...{ name: 'the check of alerts', pauseMs: shortPollMs, log },
  });
  closers.push(async () => {
    await Promise.all([check.stop(), reporter.stop()]);
    await host.close();
  });
}

function startMail({ config, sql, keys, clock, random, log }: Parts, closers: Closer[]): void {
  const settings = readMailSettings(config);
  if (settings === null) return;
  const worker = new MailWorker({ sql, settings, keys, clock, log });
  worker.start();
  const reports = { sql, keys, random, settings, publicUrl: config.publicUrl };
  const poll = new Poll(
    async () => ((await runDueReport(reports, { now: clock(), log })) ? 0 : shortPollMs),
    {
      ...{ name: 'the sending of reports', pauseMs: shortPollMs, log },
    },
  );
  closers.push(async () => void (await Promise.all([poll.stop(), worker.stop()])));
}

function startDispatcher(
  { config, sql, keys, clock, random, log }: Parts,
  { attempted }: Metrics,
  closers: Closer[],
): void {
  const gate = openGate({ allowPrivate: config.callbackPrivate });
  const sender = new Dispatcher(sql, { gate, keys, clock, random, log, attempted });
  sender.start();
  closers.push(() => sender.stop());
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
      if (indexed > 0) await new Promise((resolve) => setTimeout(resolve, indexPauseShare * tookMs).unref());
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
