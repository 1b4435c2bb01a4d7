/**
 * The demo's live traffic: a few happenings a second, each remembered, sent and counted, until it is stopped. In the live chat
 * visitors write, and the shop's bot answers them, and whoever tries the widget.
 */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { sumFields } from '../../simulator/answers.ts';
import type { Credentials } from '../../simulator/caller.ts';
import { Chance } from '../../simulator/chance.ts';
import { compareAnalyses, type Row } from '../../simulator/comparison.ts';
import { deliver } from '../../simulator/deliver.ts';
import type { Happening } from '../../simulator/happening.ts';
import type { SandboxChat } from '../../simulator/live-chat.ts';
import type { Memory } from '../../simulator/memory.ts';
import { type ChannelKeys, deliveriesOf } from '../../simulator/platforms.ts';
import { nextHappening } from '../../simulator/trickle.ts';
import { peopleIn, type World, withHappenings } from '../../simulator/world.ts';
import type { Context } from './context.ts';
import { nameContacts } from './demo-bot.ts';

/** Where the demo runs, and whom it asks for. */
export type Stage = { context: Context; address: string; credentials: Credentials; channels: ChannelKeys };

/** All of it is told again on the next run, so it must end some time: after about five hours. */
const happeningsMax = 50_000;
const pauseMsMin = 150;
const pauseMsMax = 600;
const lookEvery = 12;
const answerEvery = 4;
const chatShare = 0.05;
/** So long a fold may take before the figures must show it. */
const settleMs = 300;

type LiveTraffic = {
  world: World;
  chat: Pick<SandboxChat, 'write' | 'answer' | 'happenings'>;
  memory: Pick<Memory, 'trickle'>;
  signal: AbortSignal;
};

/** Sends live traffic on top of the world until the signal; a line of running figures now and then. */
export async function goLive(stage: Stage, { world, chat, memory, signal }: LiveTraffic): Promise<void> {
  const { context, channels, address, credentials } = stage;
  const chance = new Chance(Buffer.from(context.random(4)).readUInt32BE());
  const people = peopleIn(world.happenings).filter(({ platform }) => platform !== 'liveChat');
  // What was said in the live chat is read from there each time.
  const told = { ...world, happenings: world.happenings.filter(({ platform }) => platform !== 'liveChat') };
  const live: Happening[] = [];
  let refusal = '';
  // An owner who tries the product may block a visitor or switch the chat off.
  const attempt = async (act: () => Promise<unknown>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== refusal) context.log(`Refused, and the live traffic goes on: ${text}`);
      refusal = text;
    }
  };
  context.log('Live traffic goes on until Ctrl-C.');
  while (!signal.aborted && live.length < happeningsMax) {
    const happening = nextHappening(people, chance, context.clock());
    await memory.trickle(happening);
    live.push(happening);
    const deliveries = deliveriesOf([happening], channels, chance);
    await deliver(deliveries, { address, botId: credentials.botId, signal });
    if (chance.happens(chatShare)) await attempt(() => chat.write(context.clock()));
    if (live.length % answerEvery === 0) await attempt(() => chat.answer(context.clock()));
    if (live.length % lookEvery === 0)
      await look(stage, { world: withHappenings(told, live), chat, sent: live.length });
    await pause(chance.whole(pauseMsMin, pauseMsMax), null, { signal }).catch(() => null);
  }
  if (signal.aborted) return;
  context.log('That was live traffic for some hours; the server goes on until Ctrl-C.');
  await once(signal, 'abort');
}

async function look(
  { context, address, credentials }: Stage,
  { world, chat, sent }: Pick<LiveTraffic, 'world' | 'chat'> & { sent: number },
): Promise<void> {
  await pause(settleMs);
  try {
    await nameContacts(context, credentials.botId);
    const now = withHappenings(world, await chat.happenings());
    context.log(textOf(sent, await compareAnalyses(address, credentials, now, context.clock())));
  } catch (error) {
    // Whoever tries the calls meanwhile may use up the bot's calls a minute.
    context.log(error instanceof Error ? error.message : String(error));
  }
}

function textOf(sent: number, rows: readonly Row[]): string {
  const answered = (figure: string) => rows.find((row) => row.figure === figure)?.answered;
  const sums = Object.entries(sumFields).map(([name, field]) => `${name} ${answered(field)}`);
  const right = rows.filter(({ same }) => same).length;
  return [`${sent} live`, ...sums, `${right} of ${rows.length} figures right`].join(' · ');
}
