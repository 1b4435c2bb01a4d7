/**
 * `shoal collect`: LINE's own figures, fetched until nothing is left to ask for now; and how that stands.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Config } from '../config.ts';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { botsWithPending } from '../inbox/inbox.ts';
import { Worker } from '../ingest/worker.ts';
import { type CallLimit, callLimit } from '../line/collector/call-limit.ts';
import { addCollections, askPresentAgain, endPauses, setFromDay } from '../line/collector/collections.ts';
import { Collector } from '../line/collector/collector.ts';
import { firstDays } from '../line/collector/kinds.ts';
import { LineClient } from '../line/collector/line-client.ts';
import { latestDayAt } from '../line/collector/schedule.ts';
import {
  type CollectStatus,
  collectableBots,
  type KindStatus,
  readCollectStatus,
} from '../line/collector/status.ts';
import { openCommandLog } from '../log.ts';
import { isDay, minuteMs, secondMs } from '../time.ts';
import { renderStatus } from './collect-status.ts';
import type { Context } from './context.ts';
import { renderTime, showProgress } from './progress.ts';
import { untilStopped } from './until-stopped.ts';

type Options = { from?: string; json?: boolean };
type Run = { sql: Sql; botIds: readonly string[]; limit: CallLimit };

const lookMs = secondMs / 2;
const foldLookMs = secondMs / 10;
/** A failure that would be tried again later than this is left to the server, or to another run. */
const patienceMs = 2 * minuteMs;
const foldMsMax = 30 * secondMs;
const botsLookedAtMax = 1_000;

/** Adds the commands. */
export function register(program: Command, context: Context): void {
  const collect = program
    .command('collect')
    .description("LINE's own figures, fetched from LINE within its limit of calls: run, status.");
  collect
    .command('run', { isDefault: true })
    .description(
      'Fetch until nothing is left to ask for now: yesterday first, then the days before it. Ctrl-C stops; run again to go on.',
    )
    .argument('[bots...]', 'bot ids (default: all with an access token for LINE)')
    .option(
      '--from <day>',
      'first day wanted, YYYY-MM-DD in UTC+9; kept (default: as far back as LINE tells)',
    )
    .option('--json', 'print one JSON object')
    .action((bots: string[], options: Options) => run(context, bots, options));
  collect
    .command('status')
    .description('Show how collecting stands: what LINE answered last, what is next, and what is wrong.')
    .argument('<bot>', 'bot id')
    .option('--json', 'print one JSON object')
    .action(async (botId: string, { json }: Options) => {
      const now = context.clock();
      const limit = callLimit(context.config().lineCallsPerHour);
      const status = await context.withDatabase((sql) => readCollectStatus(sql, botId, { now, limit }));
      context.out(json ? JSON.stringify(status) : renderStatus(status, now));
    });
}

async function run(context: Context, bots: readonly string[], { from, json }: Options): Promise<void> {
  if (from !== undefined) checkFrom(from, context.clock());
  const ended = await untilStopped((stop) => collectBots(context, context.config(), { bots, from }, stop));
  const now = context.clock();
  const told = ended.bots.map((status) => renderStatus(status, now)).join('\n\n');
  context.out(json ? JSON.stringify(ended) : told || 'No LINE channel has an access token.');
  if (!ended.done) process.exitCode = 1;
}

/**
 * Collects for the bots (none named: all that have an access token) until nothing is left to ask for now, or `stop`. Throws
 * Refusal for a bot that cannot be collected for. Safe to repeat: it goes on where it stopped.
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

/** The bots to collect for, each ready to begin. Throws Refusal for one that cannot be collected for. */
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
  await addCollections(sql, botIds);
  for (const botId of botIds) {
    await endPauses(sql, botId);
    await askPresentAgain(sql, botId);
    if (from !== undefined) await setFromDay(sql, botId, from);
  }
  return botIds;
}

/** Collects until nothing more can be asked for now, or Ctrl-C. `done`: nothing is left, and nothing failed. */
async function collectAll(
  context: Context,
  config: Config,
  { sql, botIds, limit }: Run,
  stop: AbortSignal,
): Promise<{ done: boolean; bots: CollectStatus[] }> {
  const { clock, random } = context;
  const log = openCommandLog(config.logLevel);
  const collector = new Collector({
    ...{ sql, limit, clock, random, botIds, log, keys: await context.keys(sql) },
    line: new LineClient(config.lineApi),
    called: () => undefined,
    stored: (botId) => worker.wake(botId),
  });
  // What is collected is folded here, too: no server may be running.
  const worker = new Worker(sql, { lanes: 1, clock, random, log, folded: () => undefined });
  worker.start();
  collector.start();
  try {
    await untilDone(context, { sql, botIds, limit }, stop);
  } finally {
    await collector.stop();
    await untilFolded(sql, botIds);
    await worker.stop();
  }
  const ended = await readAll({ sql, botIds, limit }, clock());
  const done = !stop.aborted && ended.every(isDone);
  return { done, bots: ended };
}

async function untilDone(context: Context, run: Run, stop: AbortSignal): Promise<void> {
  const progress = showProgress(context, 'days');
  let told = false;
  try {
    while (!stop.aborted) {
      const now = context.clock();
      const bots = await readAll(run, now);
      const { asked, left, secondsLeft } = sumUp(bots);
      if (!told && left > 0) {
        context.log(
          `At most ${left} days are to be asked for; LINE's limit of calls makes that take about ${renderTime(secondsLeft)}.`,
        );
      }
      told = true;
      progress.update(asked, asked + left, secondsLeft);
      if (bots.every((bot) => hasNothingLeft(bot, now))) return;
      await pause(lookMs, undefined, { signal: stop }).catch(() => undefined);
    }
    context.log('Stopping. Run it again to go on.');
  } finally {
    progress.stop();
  }
}

function readAll({ sql, botIds, limit }: Run, now: number): Promise<CollectStatus[]> {
  return Promise.all(botIds.map((botId) => readCollectStatus(sql, botId, { now, limit })));
}

/** Days of all kinds; the kinds have limits of their own, so the longest counts. */
function sumUp(bots: readonly CollectStatus[]): { asked: number; left: number; secondsLeft: number } {
  const days = bots.flatMap((bot) => bot.kinds).filter(({ daysLeft }) => daysLeft !== null);
  const asked = days
    .flatMap(({ questions }) => Object.values(questions))
    .reduce((sum, count) => sum + count, 0);
  const left = days.reduce((sum, { daysLeft }) => sum + (daysLeft ?? 0), 0);
  return { asked, left, secondsLeft: Math.max(0, ...days.map((kind) => kind.secondsLeft ?? 0)) };
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
      return nextAt !== null && nextAt.getTime() > now + patienceMs;
  }
}

const badStates = ['token-refused', 'sealed', 'unreachable', 'nonsense', 'limited', 'out-of-calls', 'new'];

function isDone({ state, kinds }: CollectStatus): boolean {
  return state === 'collecting' && kinds.every((kind) => !badStates.includes(kind.state));
}

/** Waits until what came for the bots is folded; not for ever, since a server may be at it with much more. */
async function untilFolded(sql: Sql, botIds: readonly string[]): Promise<void> {
  for (let waitedMs = 0; waitedMs < foldMsMax; waitedMs += foldLookMs) {
    const pending = await botsWithPending(sql, botsLookedAtMax);
    if (!pending.some((botId) => botIds.includes(botId))) return;
    await pause(foldLookMs);
  }
}

function checkFrom(from: string, now: number): void {
  const latest = latestDayAt(now);
  if (isDay(from) && from >= firstDays.followers && from <= latest) return;
  throw new Refusal(
    'INPUT_INVALID',
    `--from must be a day from ${firstDays.followers} to ${latest}, written YYYY-MM-DD, not ${JSON.stringify(from)}.`,
  );
}
