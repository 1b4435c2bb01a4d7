/**
 * `shoal demo`: a complete Shoal on this machine. It starts the server and a LINE simulator, sends weeks of signed deliveries and
 * collects LINE's figures. Then it compares the API's answers with the expected figures, and our count with LINE's. It prints
 * calls to paste and pages to open, and sends live traffic until it is stopped.
 *
 * A second run on the same data folder continues the same world (simulator/demo-state.ts), so the figures stay correct.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Option } from 'commander';
import { compareAnalyses, comparePoints, type Row, tableOf } from '../../simulator/comparison.ts';
import { deliveriesOf, usualShipping } from '../../simulator/deliveries.ts';
import { DemoFolder, type DemoState } from '../../simulator/demo-state.ts';
import { platformIdOf, type SimulatedEvent } from '../../simulator/events/event.ts';
import { SeededRandom } from '../../simulator/events/random.ts';
import type { LineSimulator } from '../../simulator/line/simulator.ts';
import { SimulatedChat } from '../../simulator/live-chat.ts';
import { mantagoAddress } from '../../simulator/mantago-client.ts';
import { type Outcome, sendDeliveries } from '../../simulator/send-deliveries.ts';
import { type ShopPage, startShopPage } from '../../simulator/shop-page.ts';
import { createWorld, type World, withEvents } from '../../simulator/world.ts';
import { type Config, options } from '../config.ts';
import { Refusal } from '../errors.ts';
import { minuteMs, secondMs } from '../time.ts';
import type { ShoalCommand } from './command.ts';
import type { Context } from './context.ts';
import { demoAdminToken, importOwnData, nameContacts, openDemoBot, openDemoChat } from './demo-bot.ts';
import {
  collectLine,
  DemoClock,
  importQuotas,
  lineWorldOf,
  runLineDays,
  showDemoReconciliation,
  startDemoLine,
} from './demo-line.ts';
import { goLive, type Stage } from './demo-live.ts';
import { withProgress } from './progress.ts';
import { untilFolded } from './until-folded.ts';
import { untilStopped } from './until-stopped.ts';

type Flags = { seed?: number; once?: boolean };

const checksMax = 120;
const unchangedChecksMax = 20;
const checkMs = 500;
const seedMax = 2 ** 32 - 1;

/** Adds the command. */
export function register(program: ShoalCommand, context: Context): void {
  const command = program
    .add(
      'demo',
      'Try everything: a demo bot, simulated signed deliveries, and all figures compared with the truth.',
    )
    .option('--seed <number>', 'selects the simulated people; another seed creates another bot', readSeed)
    .option('--once', 'end after the comparison, without live traffic; exit 1 when a figure is wrong');
  for (const name of ['port', 'host'] as const) {
    command.addOption(new Option(`--${options[name].flag} <value>`, options[name].meaning));
  }
  command.action((flags: Flags) => demo(context, flags));
}

async function demo(context: Context, flags: Flags): Promise<void> {
  const config = context.config();
  const folder = new DemoFolder(config.data);
  const state = await folder.open({ seed: flags.seed ?? null, now: context.clock() });
  const simulator = await startDemoLine(state);
  const widget = { src: '', widgetKey: '' };
  const page = await startShopPage(() => widget);
  try {
    await untilStopped(async (signal) => {
      const clock = new DemoClock(context.clock);
      const server = await startServer(context, { ...config, lineApi: simulator.address }, clock);
      const { address } = server;
      widget.src = `${address}/live-chat/widget.js`;
      try {
        await runDemo(context, {
          ...{ address, flags, folder, state, simulator, clock, page, widget, signal },
        });
      } finally {
        await server.close();
      }
    });
  } finally {
    await page.close();
    await simulator.close();
  }
}

type Demo = {
  address: string;
  flags: Flags;
  folder: DemoFolder;
  state: DemoState;
  simulator: LineSimulator;
  clock: DemoClock;
  page: ShopPage;
  /** The widget's script and key for the page. */
  widget: { src: string; widgetKey: string };
  signal: AbortSignal;
};

async function runDemo(
  context: Context,
  { address, flags, folder, state, simulator, clock, page, widget, signal }: Demo,
): Promise<void> {
  const { credentials, channels } = await openDemoBot(context, state.botId, simulator.credentials);
  const { botId } = credentials;
  await folder.save({ ...state, botId });
  widget.widgetKey = (await openDemoChat(context, botId, page.origin)).widgetKey;
  const adminToken = await demoAdminToken(context, botId);
  const chat = new SimulatedChat(
    { address, botId, adminToken, widgetKey: widget.widgetKey, origin: page.origin },
    new SeededRandom(Buffer.from(context.random(4)).readUInt32BE()),
  );
  const stage = { context, address, credentials, channels };
  context.out(`Shoal demo: bot ${botId}, seed ${state.seed}. Simulating days on LINE …`);
  // Deliveries of an earlier run are counted before the server's clock moves to the past.
  await context.withDatabase((sql) => untilFolded(sql, [botId], minuteMs));
  const hasChats = (await chat.events()).length > 0;
  const days = { simulator, clock, until: state.until, chat: hasChats ? null : chat, signal };
  const shop = await runLineDays(stage, days);
  if (signal.aborted) return;
  const pastWorld = createWorld({ ...state, line: lineWorldOf(simulator, shop) });
  const liveEvents = await folder.liveEvents();
  const chatEvents = await chat.events();
  const world = { ...withEvents(pastWorld, [...liveEvents, ...chatEvents]), hasLiveChat: true };
  context.out(`${world.events.length} events of 60 days.\n`);
  // The LINE simulator has sent its own webhooks. Its share of live traffic comes from the demo.
  const unsent = [...pastWorld.events.filter(({ platform }) => platform !== 'line'), ...liveEvents];
  await sendEvents(stage, unsent, { seed: state.seed, signal });
  if (signal.aborted) return;
  await importOwnData(context, botId, world, { isCollected: true });
  await importQuotas(context, botId, shop);
  await collectLine(stage, simulator, signal);
  if (signal.aborted) return;
  await showComparison(stage, world);
  await nameContacts(context, botId);
  await showDemoReconciliation(stage, world);
  context.out(callsOf(stage, world, adminToken));
  context.out(pagesOf(stage, page, adminToken));
  if (!flags.once) await goLive(stage, { world, chat, folder, signal });
}

async function sendEvents(
  stage: Stage,
  events: readonly SimulatedEvent[],
  { seed, signal }: { seed: number; signal: AbortSignal },
): Promise<void> {
  const { context, address, credentials, channels } = stage;
  const deliveries = deliveriesOf(events, channels, new SeededRandom(seed), usualShipping);
  const startedAt = performance.now();
  const outcome = await withProgress(context, 'deliveries', (progress) => {
    let done = 0;
    const onDone = () => progress(++done, deliveries.length);
    return sendDeliveries(deliveries, { address, botId: credentials.botId, onDone, signal });
  });
  context.out(outcomeText(outcome, performance.now() - startedAt));
}

function outcomeText({ accepted, refused, resent, lost }: Outcome, ms: number): string {
  const seconds = (ms / secondMs).toFixed(1);
  const lostText = lost > 0 ? `, ${lost} lost` : '';
  return `Sent in ${seconds} s: ${accepted} deliveries accepted, ${refused} forged ones refused, ${resent} sent again${lostText}.\n`;
}

async function showComparison(stage: Stage, world: World): Promise<void> {
  const { context, address, credentials } = stage;
  const rows = await settledAnalyses(stage, world);
  rows.push(...(await comparePoints(address, credentials, world, context.clock())));
  const wrong = rows.filter(({ isEqual }) => !isEqual).length;
  const result =
    wrong === 0
      ? `All ${rows.length} figures are the truth.`
      : `${wrong} of ${rows.length} figures are wrong.`;
  context.out([...tableOf(rows), '', result, ''].join('\n'));
  if (wrong > 0) process.exitCode = 1;
}

/** The comparison when all figures are correct or none has changed for a while: the server counts accepted deliveries later. */
async function settledAnalyses({ context, address, credentials }: Stage, world: World): Promise<Row[]> {
  let rows: Row[] = [];
  for (let check = 0, unchanged = 0; check < checksMax && unchanged < unchangedChecksMax; check += 1) {
    const next = await compareAnalyses(address, credentials, world, context.clock());
    if (next.every(({ isEqual }) => isEqual)) return next;
    unchanged = isDeepStrictEqual(next, rows) ? unchanged + 1 : 0;
    rows = next;
    await pause(checkMs);
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

/** The token follows the #, so the browser sends it to no server. The page removes it and asks before it signs in. */
function pagesOf({ address, credentials: { botId } }: Stage, page: ShopPage, adminToken: string): string {
  return [
    `The dashboard:          ${address}/`,
    `… to sign in to it:     ${address}/sign-in#token=${adminToken}`,
    `Live chat in it:        ${address}/bots/${botId}/live-chat`,
    `A shop with the widget: ${page.origin}/`,
    '',
  ].join('\n');
}

function startServer(
  context: Context,
  config: Config,
  { read: clock }: DemoClock,
): ReturnType<Context['startServer']> {
  const logLevel = config.logLevel === 'info' ? 'warn' : config.logLevel;
  // The demo collects LINE's figures itself, after LINE's days have passed.
  return context.startServer({ ...config, role: 'all', logLevel, collect: 'off' }, { clock });
}

function readSeed(text: string): number {
  const seed = Number(text);
  if (Number.isInteger(seed) && seed >= 0 && seed <= seedMax) return seed;
  throw new Refusal('INPUT_INVALID', `--seed must be a whole number from 0 to ${seedMax}, not "${text}".`);
}
