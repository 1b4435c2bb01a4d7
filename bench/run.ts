/**
 * `npm run bench`: compares Shoal with the simplest program for the same work, on this machine, and writes the table to
 * bench/results/<date>.md and .json. Progress goes to stderr. See bench/README.md.
 */
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { measureAnalysis } from './analysis.ts';
import { measureBulk } from './bulk.ts';
import { measureChat } from './chat.ts';
import { measureCluster } from './cluster.ts';
import { measureExports } from './exports.ts';
import { measureFold } from './fold.ts';
import { measureGateway } from './gateway.ts';
import { measureGrowth } from './growth.ts';
import { measureInsight } from './insight.ts';
import { measureIntake, measureMemory } from './intake.ts';
import { measureOverview } from './overview.ts';
import { fullPlan, type Measure, type Plan, quickPlan } from './plan.ts';
import { measurePoints } from './points.ts';
import { measureProfiles } from './profiles.ts';
import { environment, type Line, reached, toMarkdown } from './report.ts';
import { measureSends } from './sends.ts';
import { openStage, type Stage } from './stage.ts';
import { measureStart } from './start.ts';
import { median } from './statistics.ts';
import { measureTransfers } from './transfers.ts';

const measures: Record<string, Measure> = {
  fold: measureFold,
  intake: measureIntake,
  analysis: measureAnalysis,
  points: measurePoints,
  transfers: measureTransfers,
  bulk: measureBulk,
  exports: measureExports,
  overview: measureOverview,
  insight: measureInsight,
  gateway: measureGateway,
  sends: measureSends,
  profiles: measureProfiles,
  chat: measureChat,
  memory: measureMemory,
  start: measureStart,
};

/** Too long for each run of all, or for a cluster. */
const onlyIfNamed: Record<string, Measure> = { growth: measureGrowth, cluster: measureCluster };
const named: Record<string, Measure> = { ...measures, ...onlyIfNamed };

type Options = {
  only: string[];
  quick: boolean;
  runs?: number;
  bots?: number[];
  events?: number[];
  out: string;
  profile?: string;
};

/** Much longer than the longest plan. Beyond it, something hangs. */
const allMsMax = 90 * 60_000;
const runsMax = 50;
const syncedWrites = 100;
const syncedBytes = 8_192;

const program = new Command('npm run bench --')
  .description('Measure Shoal on this machine and write a table to bench/results.')
  .option('--only <names>', `some of ${Object.keys(named).join(', ')}`, parseNames, Object.keys(measures))
  .option('--quick', 'shorter runs with fewer events: a first impression', false)
  .option('--runs <number>', 'runs of each measure', parseRuns)
  .option('--bots <numbers>', 'of growth: numbers of bots, such as 1,3000', parseSizes)
  .option('--events <numbers>', 'of growth: events of one bot, such as 100000,1000000', parseSizes)
  .option('--out <folder>', 'where the table goes', fileURLToPath(new URL('results', import.meta.url)))
  .option('--profile <folder>', "also write the server's CPU profiles there");
await run(program.parse().opts<Options>());

async function run(options: Options): Promise<void> {
  const interrupted = new Promise<never>((_resolve, reject) => {
    const stop = (why: string) => () => reject(new Error(why));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop('interrupted'));
    setTimeout(stop(`not done within ${allMsMax / 60_000} minutes`), allMsMax).unref();
  });
  interrupted.catch(() => undefined);
  let stage: Stage | undefined;
  try {
    say('starting a cluster');
    stage = await openStage({ profileFolder: options.profile ?? null });
    const lines = await Promise.race([measureAll(stage, options), interrupted]);
    await write(stage, options, lines);
  } catch (error) {
    process.exitCode = 1;
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await stage?.close();
  }
  // An interrupted measurement can still wait for an ended process.
  process.exit();
}

async function measureAll(stage: Stage, { only, quick, ...options }: Options): Promise<Line[]> {
  const base = quick ? quickPlan : fullPlan;
  const plan: Plan = {
    ...base,
    runs: options.runs ?? base.runs,
    growthBots: options.bots ?? base.growthBots,
    growthEvents: options.events ?? base.growthEvents,
  };
  const lines: Line[] = [];
  for (const name of only) {
    say(`measuring: ${name}`);
    lines.push(...((await named[name]?.({ stage, plan, say })) ?? []));
  }
  return lines;
}

async function write(stage: Stage, options: Options, lines: Line[]): Promise<void> {
  const [version] = await stage.sql<{ version: string }[]>`
    select current_setting('server_version') as version`;
  const date = new Date().toISOString().slice(0, 10);
  const command = [
    'npm run bench',
    ...(process.argv.length > 2 ? ['--'] : []),
    ...process.argv.slice(2),
  ].join(' ');
  const syncMs = await measureSync(stage.dataFolder);
  const found = environment({ date, postgresql: version?.version ?? 'unknown', syncMs, command });
  const markdown = toMarkdown(found, lines);
  await mkdir(options.out, { recursive: true });
  const name = [date, ...(options.quick ? ['quick'] : []), ...suffix(options.only)].join('-');
  await writeFile(join(options.out, `${name}.md`), markdown);
  const json = { ...found, lines: lines.map((line) => ({ ...line, reached: reached(line) })) };
  await writeFile(join(options.out, `${name}.json`), `${JSON.stringify(json, null, 2)}\n`);
  process.stdout.write(markdown);
}

/** A partial run does not replace a complete one. */
function suffix(only: readonly string[]): readonly string[] {
  return only.length === Object.keys(measures).length ? [] : only;
}

/** The time of a disk sync, which a commit waits for. */
async function measureSync(folder: string): Promise<number> {
  const path = join(folder, 'synced-writes');
  const file = await open(path, 'w');
  const bytes = Buffer.alloc(syncedBytes, 1);
  const times: number[] = [];
  try {
    for (let index = 0; index < syncedWrites; index++) {
      const startedAt = performance.now();
      await file.write(bytes, 0, syncedBytes, 0);
      await file.datasync();
      times.push(performance.now() - startedAt);
    }
  } finally {
    await file.close();
    await rm(path);
  }
  return median(times);
}

function say(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}

function parseNames(text: string): string[] {
  const names = text.split(',');
  const unknown = names.filter((name) => !(name in named));
  if (unknown.length > 0) throw new InvalidArgumentError(`there is no ${unknown.join(', ')}`);
  return names;
}

function parseRuns(text: string): number {
  const runs = Number(text);
  if (!Number.isInteger(runs) || runs < 1 || runs > runsMax) {
    throw new InvalidArgumentError(`a whole number from 1 to ${runsMax}`);
  }
  return runs;
}

function parseSizes(text: string): number[] {
  const sizes = text.split(',').map(Number);
  if (sizes.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new InvalidArgumentError('whole numbers from 1, with commas between');
  }
  return sizes;
}
