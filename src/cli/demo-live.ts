/**
 * The demo's live traffic: some events per second, each saved, sent and counted, until the demo is stopped. In the live chat
 * simulated visitors write, and the shop's bot answers them and real visitors.
 */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { compareAnalyses, type Row } from '../../simulator/comparison.ts';
import type { DemoFolder } from '../../simulator/demo-state.ts';
import type { Person, SimulatedEvent } from '../../simulator/events/event.ts';
import { SeededRandom } from '../../simulator/events/random.ts';
import { sumFields } from '../../simulator/expected-answers.ts';
import type { SimulatedChat } from '../../simulator/live-chat.ts';
import { nextLiveEvent } from '../../simulator/live-events.ts';
import type { Credentials } from '../../simulator/mantago-client.ts';
import { type World, withEvents } from '../../simulator/world.ts';
import type { Context } from './context.ts';
import { nameContacts } from './demo-bot.ts';

/** The server and the bot of the demo. */
export type Stage = { context: Context; address: string; credentials: Credentials };

/** The next run sends all these events again, so their number is limited: about five hours of traffic. */
const eventsMax = 50_000;
const pauseMsMin = 150;
const pauseMsMax = 600;
const eventsPerCheck = 12;
const eventsPerAnswer = 4;
const chatShare = 0.05;
/** The time in which the server must have counted an event. */
const countedMs = 300;

type LiveTraffic = {
  world: World;
  /** The people who may act again. */
  people: readonly Person[];
  chat: Pick<SimulatedChat, 'write' | 'answer' | 'events'>;
  folder: Pick<DemoFolder, 'addLiveEvent'>;
  /** Sends the webhook of an event as its platform does. */
  deliver(event: SimulatedEvent): Promise<void>;
  /** Reads the names of new people. */
  readPeople(): Promise<void>;
  signal: AbortSignal;
};

/** Sends live traffic in addition to the world until the signal, and regularly logs the current figures. */
export async function goLive(stage: Stage, traffic: LiveTraffic): Promise<void> {
  const { world, people, chat, folder, signal } = traffic;
  const { context } = stage;
  const random = new SeededRandom(Buffer.from(context.random(4)).readUInt32BE());
  // Every check reads the live chat's events again.
  const withoutChat = { ...world, events: world.events.filter(({ platform }) => platform !== 'liveChat') };
  const live: SimulatedEvent[] = [];
  let lastRefusal = '';
  // The user of the demo may block a visitor or disable the chat.
  const attempt = async (act: () => Promise<unknown>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== lastRefusal) context.log(`Refused; live traffic continues: ${text}`);
      lastRefusal = text;
    }
  };
  context.log('Live traffic runs until Ctrl-C.');
  while (!signal.aborted && live.length < eventsMax) {
    const event = nextLiveEvent(people, random, context.clock());
    await folder.addLiveEvent(event);
    live.push(event);
    await traffic.deliver(event);
    if (random.chance(chatShare)) await attempt(() => chat.write(context.clock()));
    if (live.length % eventsPerAnswer === 0) await attempt(() => chat.answer(context.clock()));
    if (live.length % eventsPerCheck === 0)
      await check(stage, { ...traffic, world: withEvents(withoutChat, live), sent: live.length });
    await pause(random.integer(pauseMsMin, pauseMsMax), null, { signal }).catch(() => null);
  }
  if (signal.aborted) return;
  context.log('Live traffic has ended after some hours. The server runs until Ctrl-C.');
  await once(signal, 'abort');
}

async function check(
  { context, address, credentials }: Stage,
  { world, chat, sent, readPeople }: LiveTraffic & { sent: number },
): Promise<void> {
  await pause(countedMs);
  try {
    await readPeople();
    await nameContacts(context, credentials.botId, ['liveChat']);
    const current = withEvents(world, await chat.events());
    context.log(checkText(sent, await compareAnalyses(address, credentials, current, context.clock())));
  } catch (error) {
    // Calls by the user of the demo count towards the same rate limit.
    context.log(error instanceof Error ? error.message : String(error));
  }
}

function checkText(sent: number, rows: readonly Row[]): string {
  const actual = (figure: string) => rows.find((row) => row.figure === figure)?.actual;
  const sums = Object.entries(sumFields).map(([name, field]) => `${name} ${actual(field)}`);
  const correct = rows.filter(({ isEqual }) => isEqual).length;
  return [`${sent} live`, ...sums, `${correct} of ${rows.length} figures right`].join(' · ');
}
