/**
 * `shoal demo`: the whole of Shoal on this machine. A demo bot, the server, a stand-in for LINE, the sandbox's weeks of signed
 * deliveries over HTTP, LINE's own figures collected; then the API's answers beside the truth, our own count beside LINE's,
 * calls to paste, the dashboard, a shop's page with the chat widget, and live traffic until it is stopped.
 *
 * It may be run again on the same data folder: the same story is told again (simulator/memory.ts), so the figures stay right.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Command, Option } from 'commander';
import { mantagoAddress } from '../../simulator/caller.ts';
import { Chance } from '../../simulator/chance.ts';
import { compareAnalyses, comparePoints, type Row, tableOf } from '../../simulator/comparison.ts';
import { deliver, type Outcome } from '../../simulator/deliver.ts';
import { type Happening, platformIdOf } from '../../simulator/happening.ts';
import type { LineSide } from '../../simulator/line/line-side.ts';
import { SandboxChat } from '../../simulator/live-chat.ts';
import { Memory, type Story } from '../../simulator/memory.ts';
import { deliveriesOf, usualShipping } from '../../simulator/platforms.ts';
import { type ShopPage, startShopPage } from '../../simulator/shop-page.ts';
import { createWorld, type World, withHappenings } from '../../simulator/world.ts';
import { type Config, options } from '../config.ts';
import { Refusal } from '../errors.ts';
import { secondMs } from '../time.ts';
import type { Context } from './context.ts';
import { demoAdminToken, importOwned, nameContacts, openDemoBot, openDemoChat } from './demo-bot.ts';
import {
  collectLine,
  DemoClock,
  importQuotas,
  lineOf,
  liveLine,
  showDemoReconciliation,
  startDemoLine,
} from './demo-line.ts';
import { goLive, type Stage } from './demo-live.ts';
import { showProgress } from './progress.ts';
import { untilStopped } from './until-stopped.ts';

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
  const memory = new Memory(config.data);
  const story = await memory.story({ seed: flags.seed ?? null, now: context.clock() });
  const side = await startDemoLine(story);
  const widget = { src: '', widgetKey: '' };
  const page = await startShopPage(() => widget);
  try {
    await untilStopped(async (signal) => {
      const clock = new DemoClock(context.clock);
      const server = await startServer(context, { ...config, lineApi: side.address }, clock);
      const { address } = server;
      widget.src = `${address}/live-chat/widget.js`;
      try {
        await tell(context, {
          ...{ address, flags, memory, story, side, clock, page, widget, signal },
        });
      } finally {
        await server.close();
      }
    });
  } finally {
    await page.close();
    await side.close();
  }
}

type Telling = {
  address: string;
  flags: Flags;
  memory: Memory;
  story: Story;
  side: LineSide;
  clock: DemoClock;
  page: ShopPage;
  /** What the page asks for; its key is set here. */
  widget: { src: string; widgetKey: string };
  signal: AbortSignal;
};

async function tell(
  context: Context,
  { address, flags, memory, story, side, clock, page, widget, signal }: Telling,
): Promise<void> {
  const { credentials, channels } = await openDemoBot(context, story.botId, side.credentials);
  const { botId } = credentials;
  await memory.keep({ ...story, botId });
  widget.widgetKey = (await openDemoChat(context, botId, page.origin)).widgetKey;
  const adminToken = await demoAdminToken(context, botId);
  const place = { address, botId, adminToken, widgetKey: widget.widgetKey, origin: page.origin };
  const chat = new SandboxChat(place, new Chance(Buffer.from(context.random(4)).readUInt32BE()));
  const stage = { context, address, credentials, channels };
  context.out(`Shoal demo: bot ${botId}, seed ${story.seed}. Days pass on LINE's stand-in …`);
  await untilFolded(context, botId);
  const hasTalked = (await chat.happenings()).length > 0;
  const past = { side, clock, until: story.until, chat: hasTalked ? null : chat, signal };
  const shop = await liveLine(stage, past);
  if (signal.aborted) return;
  const told = createWorld({ ...story, line: lineOf(side, shop) });
  const trickled = await memory.trickled();
  const said = await chat.happenings();
  const world = { ...withHappenings(told, [...trickled, ...said]), hasLiveChat: true };
  context.out(`${world.happenings.length} happenings of 60 days.\n`);
  // LINE's side has told of its own; what the live traffic added to it is ours to tell again.
  const ours = [...told.happenings.filter(({ platform }) => platform !== 'line'), ...trickled];
  await sendHappenings(stage, ours, { seed: story.seed, signal });
  if (signal.aborted) return;
  await importOwned(context, botId, world, { isCollected: true });
  await importQuotas(context, botId, shop);
  await collectLine(stage, side, signal);
  if (signal.aborted) return;
  await showComparison(stage, world);
  await nameContacts(context, botId);
  await showDemoReconciliation(stage, world);
  context.out(callsOf(stage, world, adminToken));
  context.out(pagesOf(stage, page, adminToken));
  if (!flags.once) await goLive(stage, { world, chat, memory, signal });
}

async function sendHappenings(
  stage: Stage,
  happenings: readonly Happening[],
  { seed, signal }: { seed: number; signal: AbortSignal },
): Promise<void> {
  const { context, address, credentials, channels } = stage;
  const deliveries = deliveriesOf(happenings, channels, new Chance(seed), usualShipping);
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

function callsOf({ address, credentials }: Stage, world: World, adminToken: string): string {
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
    [
      `curl -s '${address}/api/v1/bots/${botId}/reconciliation' \\`,
      `  -H 'Authorization: Bearer ${adminToken}'`,
    ].join('\n'),
    `\nThe API documents: ${address}/docs`,
    '\nWebhooks of this bot:\n',
    ...['line', 'facebook', 'instagram', 'whatsapp'].map(
      (platform) => `${address}/webhooks/${botId}/${platform}`,
    ),
    '',
  ].join('\n');
}

/** The token is behind the #: no server gets it with the address, and the page takes it off and asks before it signs in. */
function pagesOf({ address, credentials: { botId } }: Stage, page: ShopPage, adminToken: string): string {
  return [
    `The dashboard:          ${address}/`,
    `… to sign in to it:     ${address}/sign-in#token=${adminToken}`,
    `Live chat in it:        ${address}/bots/${botId}/live-chat`,
    `A shop with the widget: ${page.origin}/`,
    '',
  ].join('\n');
}

/** Waits for what an earlier run has left: it may not be judged by the clock of the past. */
async function untilFolded({ withDatabase }: Context, botId: string): Promise<void> {
  await withDatabase(async (sql) => {
    for (let look = 0; look < looksMax; look += 1) {
      const [pending] = await sql`select 1 from pending_bundles where bot_id = ${botId} limit 1`;
      if (!pending) return;
      await pause(lookMs);
    }
  });
}

function startServer(
  context: Context,
  config: Config,
  { read: clock }: DemoClock,
): ReturnType<Context['startServer']> {
  const logLevel = config.logLevel === 'info' ? 'warn' : config.logLevel;
  // LINE's figures are collected once LINE's days have passed, not before.
  return context.startServer({ ...config, role: 'all', logLevel, collect: 'off' }, { clock });
}

function readSeed(text: string): number {
  const seed = Number(text);
  if (Number.isInteger(seed) && seed >= 0 && seed <= seedMax) return seed;
  throw new Refusal('INPUT_INVALID', `--seed must be a whole number from 0 to ${seedMax}, not "${text}".`);
}
