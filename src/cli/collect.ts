/**
 * `shoal collect`: fetches the platforms' own figures, and shows the state of the collectors.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type CallLimit, callLimit } from '../collector/call-limit.ts';
import { addCollections, askPresentAgain, endPauses, setFromDay } from '../collector/collections.ts';
import { Collector } from '../collector/collector.ts';
import type { Config } from '../config.ts';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { Worker } from '../ingest/worker.ts';
import { LineAccess } from '../line/access.ts';
import { dayKinds, firstDays, latestDayAt, presentKinds } from '../line/collector/kinds.ts';
import { lineChannels, lineSource } from '../line/collector/line-source.ts';
import {
  type CollectStatus,
  collectableBots,
  type KindStatus,
  readCollectStatus,
} from '../line/collector/status.ts';
import { LineClient } from '../line/line-client.ts';
import { openCommandLog } from '../log.ts';
import { readMetaStatus } from '../meta/status.ts';
import { isDay, minuteMs, secondMs } from '../time.ts';
import { collectFriends } from './collect-friends.ts';
import { collectMeta } from './collect-meta.ts';
import { renderStatus } from './collect-status.ts';
import type { Answer, ShoalCommand } from './command.ts';
import type { Context } from './context.ts';
import { renderTime, withProgress } from './progress.ts';
import { untilFolded } from './until-folded.ts';
import { untilStopped } from './until-stopped.ts';

type Options = { from?: string; history?: boolean; friends?: boolean };
type Run = { sql: Sql; botIds: readonly string[]; limit: CallLimit };

const checkMs = secondMs / 2;
/** Later retries are left to the server, or to another run. */
const retryWaitMsMax = 2 * minuteMs;

/** Adds the commands. */
export function register(program: ShoalCommand, context: Context): void {
  const collect = program.add(
    'collect',
    "The platforms' own figures, fetched within their limits of calls: run, status.",
  );
  collect
    .command('run', { isDefault: true })
    .description(
      'Fetch all figures that LINE and Meta have now: the latest first, then earlier days. Ctrl-C stops; run it again to continue.',
    )
    .argument('[bots...]', 'bot ids (default: all with an access token)')
    .option(
      '--from <day>',
      'first day, YYYY-MM-DD; stored for later runs (default: the first that the platform has)',
    )
    .option(
      '--history',
      'fetch messages of earlier conversations on Messenger and Instagram, too; no message counts twice',
    )
    .option(
      '--friends',
      "read LINE's list of friends instead: each friend from before the connection becomes a contact; resumable",
    )
    .print((bots: string[], options: Options) =>
      options.friends ? collectFriends(context, bots) : run(context, bots, options),
    );
  collect
    .addForBot('status', 'Show what each platform answered last, what is next, and any problems.')
    .answer((botId: string) => async (sql) => {
      const now = context.clock();
      const { lineCallsPerHour, metaCallsPerHour } = context.config();
      const meta = await readMetaStatus(sql, botId, { now, limit: callLimit(metaCallsPerHour) });
      const hasLine = meta.length === 0 || (await botsForLine(sql, [botId])) !== null;
      const line = hasLine
        ? await readCollectStatus(sql, botId, { now, limit: callLimit(lineCallsPerHour) })
        : null;
      const texts = [
        ...(line ? [renderStatus(line, now)] : []),
        ...meta.map(({ platform, ...status }) =>
          renderStatus({ ...status, botId: `${botId} ${platform}` }, now),
        ),
      ];
      return { json: { botId, ...line, ...(meta.length > 0 && { meta }) }, text: texts.join('\n\n') };
    });
}

async function run(
  context: Context,
  bots: readonly string[],
  { from, history = false }: Options,
): Promise<Answer> {
  if (from !== undefined) checkFrom(from, context.clock());
  const config = context.config();
  const { line, meta } = await untilStopped(async (stop) => {
    const lineBots = await context.withDatabase((sql) => botsForLine(sql, bots));
    return {
      line: await (lineBots === null
        ? { done: true, bots: [] }
        : collectBots(context, config, { bots: lineBots, from }, stop)),
      meta: await collectMeta(context, config, { bots, from, history }, stop),
    };
  });
  const now = context.clock();
  const texts = [
    ...line.bots.map((status) => renderStatus(status, now)),
    ...meta.bots.flatMap(({ botId, channels }) =>
      channels.map(({ platform, ...status }) =>
        renderStatus({ ...status, botId: `${botId} ${platform}` }, now),
      ),
    ),
  ];
  const done = line.done && meta.done;
  const json = { ...line, done, ...(meta.bots.length > 0 && { meta: meta.bots }) };
  return { json, text: texts.join('\n\n') || 'No channel has an access token.', isFailure: !done };
}

/** The bots whose LINE figures are collected; null: none, because the named bots have Meta channels only. */
async function botsForLine(sql: Sql, bots: readonly string[]): Promise<readonly string[] | null> {
  if (bots.length === 0) return bots;
  const rows = await sql<{ botId: string }[]>`
    select distinct bot_id as "botId" from channels
    where bot_id = any (${[...bots]}::text[]) and platform in ('facebook', 'instagram', 'whatsapp')
      and not exists (select from channels line where line.bot_id = channels.bot_id and line.platform = 'line')`;
  const others = bots.filter((botId) => !rows.some((row) => row.botId === botId));
  return others.length === 0 ? null : others;
}

/**
 * Collects the figures of the bots (default: all with an access token) until LINE has no more now, or until `stop`. Throws a Refusal
 * for a bot without a usable channel. Safe to repeat: it continues where it stopped.
 */
export function collectBots(
  context: Context,
  config: Config,
  { bots, from }: { bots: readonly string[]; from?: string | undefined },
  stop: AbortSignal,
): Promise<{ done: boolean; bots: CollectStatus[] }> {
  return context.withDatabase(async (sql) => {
    const limit = callLimit(config.lineCallsPerHour);
    const botIds = await begin(sql, bots, { from, now: context.clock(), limit });
    return collectAll(context, config, { sql, botIds, limit }, stop);
  });
}

/** Prepares the bots and returns their ids. Throws a Refusal for a bot without a usable channel. */
async function begin(
  sql: Sql,
  bots: readonly string[],
  { from, now, limit }: { from: string | undefined; now: number; limit: CallLimit },
): Promise<readonly string[]> {
  const botIds = bots.length > 0 ? [...new Set(bots)] : await collectableBots(sql);
  for (const botId of botIds) {
    const { state, problem } = await readCollectStatus(sql, botId, { now, limit });
    if (state === 'off') throw new Refusal('INPUT_INVALID', `Bot ${botId}: ${problem}`);
  }
  await addCollections(sql, lineChannels, botIds);
  for (const botId of botIds) {
    await endPauses(sql, botId);
    await askPresentAgain(sql, botId, presentKinds);
    if (from !== undefined) await setFromDay(sql, botId, { fromDay: from, kinds: dayKinds });
  }
  return botIds;
}

/** `done`: every figure is collected, and no request failed. */
async function collectAll(
  context: Context,
  config: Config,
  run: Run,
  stop: AbortSignal,
): Promise<{ done: boolean; bots: CollectStatus[] }> {
  const { clock, random } = context;
  const { sql, botIds, limit } = run;
  const log = openCommandLog(config.logLevel);
  const line = new LineClient(config.lineApi);
  const access = new LineAccess(line, { clock, onCall: () => undefined });
  const collector = new Collector({
    ...{ sql, limit, clock, random, botIds, log },
    source: lineSource({
      ...{ keys: await context.keys(sql), clock, line, access },
      onCall: () => undefined,
    }),
    onStored: (botId) => worker.wake(botId),
  });
  // Processes the collected figures, too, because a server may not be running.
  const worker = new Worker(sql, { slots: 1, clock, random, log, onFold: () => undefined });
  worker.start();
  collector.start();
  try {
    await untilDone(context, run, stop);
  } finally {
    await collector.stop();
    await untilFolded(sql, botIds);
    await worker.stop();
  }
  const ended = await readAll(run, clock());
  return { done: !stop.aborted && ended.every(isDone), bots: ended };
}

function untilDone(context: Context, run: Run, stop: AbortSignal): Promise<void> {
  return withProgress(context, 'days', async (progress) => {
    let isEstimateShown = false;
    while (!stop.aborted) {
      const now = context.clock();
      const bots = await readAll(run, now);
      const { fetched, left, secondsLeft } = sumUp(bots);
      if (!isEstimateShown && left > 0) {
        context.log(
          `Up to ${left} days to fetch. LINE's rate limit makes this take about ${renderTime(secondsLeft)}.`,
        );
      }
      isEstimateShown = true;
      progress(fetched, fetched + left, secondsLeft);
      if (bots.every((bot) => hasNothingLeft(bot, now))) return;
      await pause(checkMs, undefined, { signal: stop }).catch(() => undefined);
    }
    context.log('Stopping. Run it again to continue.');
  });
}

function readAll({ sql, botIds, limit }: Run, now: number): Promise<CollectStatus[]> {
  return Promise.all(botIds.map((botId) => readCollectStatus(sql, botId, { now, limit })));
}

/** Days of all kinds. Each kind has its own rate limit, so the longest estimate counts. */
function sumUp(bots: readonly CollectStatus[]): { fetched: number; left: number; secondsLeft: number } {
  const days = bots.flatMap((bot) => bot.kinds).filter(({ daysLeft }) => daysLeft !== null);
  const fetched = days
    .flatMap(({ questions }) => Object.values(questions))
    .reduce((sum, count) => sum + count, 0);
  const left = days.reduce((sum, { daysLeft }) => sum + (daysLeft ?? 0), 0);
  return { fetched, left, secondsLeft: Math.max(0, ...days.map((kind) => kind.secondsLeft ?? 0)) };
}

function hasNothingLeft({ state, kinds }: CollectStatus, now: number): boolean {
  return state !== 'collecting' || kinds.every((kind) => hasKindNothingLeft(kind, now));
}

function hasKindNothingLeft({ state, nextAt, daysLeft }: KindStatus, now: number): boolean {
  switch (state) {
    case 'new':
    case 'out-of-calls':
    case 'limited':
      return false;
    case 'resting':
      return daysLeft === 0 || daysLeft === null ? nextAt !== null && nextAt.getTime() > now : false;
    default:
      return nextAt !== null && nextAt.getTime() > now + retryWaitMsMax;
  }
}

const badStates = ['token-refused', 'sealed', 'unreachable', 'nonsense', 'limited', 'out-of-calls', 'new'];

function isDone({ state, kinds }: CollectStatus): boolean {
  return state === 'collecting' && kinds.every((kind) => !badStates.includes(kind.state));
}

function checkFrom(from: string, now: number): void {
  const latest = latestDayAt(now);
  if (isDay(from) && from >= firstDays.followers && from <= latest) return;
  throw new Refusal(
    'INPUT_INVALID',
    `--from must be a day from ${firstDays.followers} to ${latest} (YYYY-MM-DD), not ${JSON.stringify(from)}.`,
  );
}
