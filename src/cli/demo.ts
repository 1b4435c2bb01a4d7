/**
 * `shoal demo`: a complete Shoal on this machine. It starts the server and the simulators of LINE and Meta, which pass weeks of a shop
 * with signed webhooks. It sends, collects the platforms' own figures and reads people's names. Then it compares the API's answers with
 * the simulators' truth. It prints calls to paste and pages to open, and sends live traffic until it is stopped.
 *
 * A second run on the same data folder continues the same world (simulator/demo-state.ts), so the figures stay correct.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Option } from 'commander';
import { compareAnalyses, comparePoints, type Row, tableOf } from '../../simulator/comparison.ts';
import { DemoFolder, type DemoState } from '../../simulator/demo-state.ts';
import { type Person, platformIdOf, type SimulatedEvent } from '../../simulator/events/event.ts';
import { SeededRandom } from '../../simulator/events/random.ts';
import { SimulatedChat } from '../../simulator/live-chat.ts';
import type { ManagementAccess } from '../../simulator/management-client.ts';
import { mantagoAddress } from '../../simulator/mantago-client.ts';
import { type ShopPage, startShopPage } from '../../simulator/shop-page.ts';
import { createWorld, peopleIn, type World, withEvents } from '../../simulator/world.ts';
import { metaPlatforms } from '../bots/meta-tokens.ts';
import { type Config, options } from '../config.ts';
import { Refusal } from '../errors.ts';
import { minuteMs } from '../time.ts';
import type { ShoalCommand } from './command.ts';
import type { Context } from './context.ts';
import { demoAdminToken, importOwnData, nameContacts, openDemoBot, openDemoChat } from './demo-bot.ts';
import { compareNames, compareReconciliations, expectedReconciliations } from './demo-comparison.ts';
import { DemoClock, type DemoPlatforms, runDays, startDemoPlatforms } from './demo-days.ts';
import { collectLine, importQuotas, lineWorldOf } from './demo-line.ts';
import { goLive, type Stage } from './demo-live.ts';
import { collectMetaFigures, readPeople, sendOnMeta } from './demo-meta.ts';
import { showReconciliation } from './reconcile.ts';
import { untilFolded } from './until-folded.ts';
import { untilStopped } from './until-stopped.ts';

type Flags = { seed?: number; once?: boolean };

const reconciledDays = 3;
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
  const platforms = await startDemoPlatforms(state);
  const widget = { src: '', widgetKey: '' };
  const page = await startShopPage(() => widget);
  try {
    await untilStopped(async (signal) => {
      const clock = new DemoClock(context.clock);
      const [lineApi, graphApi] = [platforms.line.address, platforms.meta.address];
      const apis = { lineApi, graphApi, instagramApi: graphApi };
      const server = await startServer(context, { ...config, ...apis }, clock);
      const { address } = server;
      widget.src = `${address}/live-chat/widget.js`;
      try {
        await runDemo(context, {
          ...{ address, flags, folder, state, platforms, clock, page, widget, signal },
        });
      } finally {
        await server.close();
      }
    });
  } finally {
    await page.close();
    await platforms.close();
  }
}

type Demo = {
  address: string;
  flags: Flags;
  folder: DemoFolder;
  state: DemoState;
  platforms: DemoPlatforms;
  clock: DemoClock;
  page: ShopPage;
  /** The widget's script and key for the page. */
  widget: { src: string; widgetKey: string };
  signal: AbortSignal;
};

async function runDemo(
  context: Context,
  { address, flags, folder, state, platforms, clock, page, widget, signal }: Demo,
): Promise<void> {
  const { line, meta } = platforms;
  const accounts = { line: line.credentials, meta: meta.credentials };
  const { credentials } = await openDemoBot(context, state.botId, accounts);
  const { botId } = credentials;
  await folder.save({ ...state, botId });
  widget.widgetKey = (await openDemoChat(context, botId, page.origin)).widgetKey;
  const adminToken = await demoAdminToken(context, botId);
  const access = { address, botId, adminToken };
  const chat = new SimulatedChat(
    { ...access, widgetKey: widget.widgetKey, origin: page.origin },
    new SeededRandom(Buffer.from(context.random(4)).readUInt32BE()),
  );
  const stage = { context, address, credentials };
  context.out(`Shoal demo: bot ${botId}, seed ${state.seed}. Simulating 60 days on the platforms …`);
  // Deliveries of an earlier run are counted before the server's clock moves to the past.
  await context.withDatabase((sql) => untilFolded(sql, [botId], minuteMs));
  const hasChats = (await chat.events()).length > 0;
  const days = { platforms, clock, until: state.until, chat: hasChats ? null : chat, signal };
  const shop = await runDays(stage, days);
  if (signal.aborted) return;
  await deliver(platforms, await folder.liveEvents());
  const worldNow = async (): Promise<World> => {
    const webhooks = { line: lineWorldOf(line, shop), meta: meta.control.deliveredEvents() };
    return { ...withEvents(createWorld({ ...state, ...webhooks }), await chat.events()), hasLiveChat: true };
  };
  await importOwnData(context, botId, await worldNow(), { isCollected: true });
  for (const event of await sendOnMeta(access, meta, await worldNow())) await folder.addLiveEvent(event);
  const world = await worldNow();
  context.out(`${world.events.length} events of 60 days.\n`);
  await importQuotas(context, botId, shop);
  await Promise.all([collectLine(stage, line, signal), collectMetaFigures(stage, meta, signal)]);
  if (signal.aborted) return;
  await readPeople(stage, platforms);
  await nameContacts(context, botId, ['liveChat']);
  await showComparison(stage, access, { platforms, world });
  await showReconciliations(stage, world);
  context.out(callsOf(stage, world, adminToken));
  context.out(pagesOf(stage, page, adminToken));
  if (flags.once) return;
  const isOnMeta = ({ platform }: Person) => metaPlatforms.some((name) => name === platform);
  await goLive(stage, {
    ...{ world, chat, folder, signal },
    // People who have blocked a page or deleted the account do not write again.
    people: peopleIn(world.events).filter(
      (person) => person.platform === 'line' || (isOnMeta(person) && meta.control.hasProfile(person)),
    ),
    deliver: (event) => deliver(platforms, [event]),
    readPeople: () => readPeople(stage, platforms),
  });
}

/** Sends the webhooks of events that the platforms have not simulated themselves. */
async function deliver({ line, meta }: DemoPlatforms, events: readonly SimulatedEvent[]): Promise<void> {
  const [onLine, onMeta] = [true, false].map((isLine) =>
    events.filter(({ platform }) => (platform === 'line') === isLine),
  );
  // The clocks stand still, so a late webhook would never be sent.
  for (const { control } of [line, meta]) control.set({ webhook: { lateMinutesMax: 0 } });
  await Promise.all([line.control.deliver(onLine ?? []), meta.control.deliver(onMeta ?? [])]);
}

type Compared = { platforms: DemoPlatforms; world: World };

async function showComparison(stage: Stage, access: ManagementAccess, compared: Compared): Promise<void> {
  const { context } = stage;
  const rows = await settledRows(stage, access, compared);
  const wrong = rows.filter(({ isEqual }) => !isEqual).length;
  const result =
    wrong === 0
      ? `All ${rows.length} figures are the truth.`
      : `${wrong} of ${rows.length} figures are wrong.`;
  context.out([...tableOf(rows), '', result, ''].join('\n'));
  if (wrong > 0) process.exitCode = 1;
}

/** The comparison when all figures are correct or none has changed for a while: the server counts accepted deliveries later. */
async function settledRows(
  { context, address, credentials }: Stage,
  access: ManagementAccess,
  { platforms, world }: Compared,
): Promise<Row[]> {
  const now = context.clock();
  const reconciliations = expectedReconciliations(platforms, world);
  let rows: Row[] = [];
  for (let check = 0, unchanged = 0; check < checksMax && unchanged < unchangedChecksMax; check += 1) {
    const next = [
      ...(await compareAnalyses(address, credentials, world, now)),
      ...(await comparePoints(address, credentials, world, now)),
      ...(await compareNames(access, platforms, world)),
      ...(await compareReconciliations(access, reconciliations)),
    ];
    if (next.every(({ isEqual }) => isEqual)) return next;
    unchanged = isDeepStrictEqual(next, rows) ? unchanged + 1 : 0;
    rows = next;
    await pause(checkMs);
  }
  return rows;
}

/** Shows our count of the last days next to each platform's. */
async function showReconciliations(
  { context, credentials: { botId } }: Stage,
  { line }: World,
): Promise<void> {
  if (!line) return;
  for (const platform of ['line', ...metaPlatforms] as const) {
    const table = await showReconciliation(context, botId, {
      platform,
      to: line.readyDay,
      days: reconciledDays,
    });
    context.out(
      `${platform}, our count and the platform's (npx shoal reconcile ${botId} --platform ${platform}):\n\n${table}\n`,
    );
  }
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
  // The demo collects the platforms' figures and reads names itself, after the days have passed.
  return context.startServer({ ...config, role: 'all', logLevel, collect: 'off' }, { clock });
}

function readSeed(text: string): number {
  const seed = Number(text);
  if (Number.isInteger(seed) && seed >= 0 && seed <= seedMax) return seed;
  throw new Refusal('INPUT_INVALID', `--seed must be a whole number from 0 to ${seedMax}, not "${text}".`);
}
