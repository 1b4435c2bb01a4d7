/**
 * `shoal demo`: the whole of Shoal on this machine. A demo bot, the server, the sandbox's weeks of signed deliveries over
 * HTTP, then the API's answers beside the truth, calls to paste, and live traffic until it is stopped.
 *
 * It may be run again on the same data folder: the same story is told again (sandbox/memory.ts), so the figures stay right.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Command, Option } from 'commander';
import { type Config, options } from '../config.ts';
import { Refusal } from '../errors.ts';
import { mantagoAddress } from '../sandbox/caller.ts';
import { Chance } from '../sandbox/chance.ts';
import { compareAnalyses, comparePoints, type Row, tableOf } from '../sandbox/comparison.ts';
import { deliver, type Outcome } from '../sandbox/deliver.ts';
import { platformIdOf } from '../sandbox/happening.ts';
import { Memory } from '../sandbox/memory.ts';
import { deliveriesOf, usualShipping } from '../sandbox/platforms.ts';
import { createWorld, type World, withHappenings } from '../sandbox/world.ts';
import { secondMs } from '../time.ts';
import type { Context } from './context.ts';
import { importOwned, openDemoBot } from './demo-bot.ts';
import { goLive, type Stage } from './demo-live.ts';
import { showProgress } from './progress.ts';
import { untilStopped } from './stop.ts';

type Flags = { seed?: number; once?: boolean };

const looksMax = 120;
const looksAlikeMax = 20;
const lookMs = 500;
const seedMax = 2 ** 32 - 1;

/** Adds the command. */
export function register(program: Command, context: Context): void {
  const command = program
    .command('demo')
    .description('Try everything: a demo bot, a sandbox of signed deliveries, the figures beside the truth.')
    .option('--seed <number>', 'which world of people; a new one begins a new bot', readSeed)
    .option('--once', 'end after the comparison, without live traffic; exit 1 when a figure is wrong');
  for (const name of ['port', 'host'] as const) {
    command.addOption(new Option(`--${options[name].flag} <value>`, options[name].meaning));
  }
  command.action((flags: Flags) => demo(context, flags));
}

async function demo(context: Context, flags: Flags): Promise<void> {
  const config = context.config();
  await untilStopped(async (signal) => {
    const server = await startServer(context, config);
    try {
      await tell(context, { config, address: server.address ?? '', flags, signal });
    } finally {
      await server.close();
    }
  });
}

async function tell(
  context: Context,
  { config, address, flags, signal }: { config: Config; address: string; flags: Flags; signal: AbortSignal },
): Promise<void> {
  const memory = new Memory(config.data);
  const story = await memory.story({ seed: flags.seed ?? null, now: context.clock() });
  const { credentials, channels } = await openDemoBot(context, story.botId);
  await memory.keep({ ...story, botId: credentials.botId });
  const world = withHappenings(createWorld(story), await memory.trickled());
  const stage = { context, address, credentials, channels };
  context.out(
    `Shoal demo: bot ${credentials.botId}, seed ${story.seed}, ${world.happenings.length} happenings of 60 days.\n`,
  );
  await sendWorld(stage, world, signal);
  if (signal.aborted) return;
  await importOwned(context, credentials.botId, world);
  await showComparison(stage, world);
  context.out(callsOf(stage, world));
  if (!flags.once) await goLive(stage, { world, memory, signal });
}

async function sendWorld(stage: Stage, world: World, signal: AbortSignal): Promise<void> {
  const { context, address, credentials, channels } = stage;
  const deliveries = deliveriesOf(world.happenings, channels, new Chance(world.until), usualShipping);
  const startedAt = performance.now();
  const progress = showProgress(context, 'deliveries');
  let done = 0;
  const onDone = () => {
    done += 1;
    progress.update(done, deliveries.length);
  };
  const sending = { address, botId: credentials.botId, onDone, signal };
  const outcome = await deliver(deliveries, sending).finally(() => progress.stop());
  context.out(sentText(outcome, performance.now() - startedAt));
}

function sentText({ accepted, refused, resent, lost }: Outcome, ms: number): string {
  const seconds = (ms / secondMs).toFixed(1);
  const trouble = lost > 0 ? `, ${lost} not answered as they must be` : '';
  return `Sent in ${seconds} s: ${accepted} deliveries accepted, ${refused} forged ones refused, ${resent} sent again${trouble}.\n`;
}

async function showComparison(stage: Stage, world: World): Promise<void> {
  const { context, address, credentials } = stage;
  const rows = await analysesOnceStill(stage, world);
  rows.push(...(await comparePoints(address, credentials, world, context.clock())));
  const wrong = rows.filter(({ same }) => !same).length;
  const verdict =
    wrong === 0
      ? `All ${rows.length} figures are the truth.`
      : `${wrong} of ${rows.length} figures are wrong.`;
  context.out([...tableOf(rows), '', verdict, ''].join('\n'));
  if (wrong > 0) process.exitCode = 1;
}

/** The comparison once it is all right, or has stood still for a while: what was answered 200 may still be on its way. */
async function analysesOnceStill({ context, address, credentials }: Stage, world: World): Promise<Row[]> {
  let rows: Row[] = [];
  for (let look = 0, alike = 0; look < looksMax && alike < looksAlikeMax; look += 1) {
    const next = await compareAnalyses(address, credentials, world, context.clock());
    if (next.every(({ same }) => same)) return next;
    alike = isDeepStrictEqual(next, rows) ? alike + 1 : 0;
    rows = next;
    await pause(lookMs);
  }
  return rows;
}

function callsOf({ address, credentials }: Stage, world: World): string {
  const { botId, apiToken, apiSecret } = credentials;
  const holders = world.points.map(({ person }) => person).filter(({ platform }) => platform === 'line');
  const platformClientIds = [...new Set(holders.map(platformIdOf))].slice(0, 3);
  const call = (path: Parameters<typeof mantagoAddress>[1], fields: object) =>
    [
      `curl -s '${mantagoAddress(address, path, botId)}' \\`,
      `  -H 'Authorization: Bearer ${apiToken}' -H 'Content-Type: application/json' \\`,
      `  -d '${JSON.stringify({ secret: apiSecret, ...fields })}'`,
    ].join('\n');
  return [
    'Calls to paste:\n',
    call('clients/analysis', {}),
    call('message/analysis', {}),
    call('client/point', { platform: 'line', platformClientIds }),
    '\nWebhooks of this bot:\n',
    ...['line', 'facebook', 'instagram', 'whatsapp'].map(
      (platform) => `${address}/webhooks/${botId}/${platform}`,
    ),
    '',
  ].join('\n');
}

function startServer(context: Context, config: Config): ReturnType<Context['startServer']> {
  const logLevel = config.logLevel === 'info' ? 'warn' : config.logLevel;
  return context.startServer({ ...config, role: 'all', logLevel });
}

function readSeed(text: string): number {
  const seed = Number(text);
  if (Number.isInteger(seed) && seed >= 0 && seed <= seedMax) return seed;
  throw new Refusal('INPUT_INVALID', `--seed must be a whole number from 0 to ${seedMax}, not "${text}".`);
}
