/** Signed deliveries of four platforms with known ids. Every acknowledged one counts exactly once, every other one at most once. */
import { setTimeout as pause } from 'node:timers/promises';
import { randomOf } from '../../simulator/events/random.ts';
import { Sender } from '../../tests/reliability/sender.ts';
import { Failure } from '../part.ts';
import type { Work } from './work.ts';
import { expectNone, type World } from './world.ts';

export const webhookPlatforms = ['line', 'facebook', 'instagram', 'whatsapp'] as const;

export type Deliveries = Work & {
  /** Messages of acknowledged deliveries. */
  acknowledged(): number;
  /** A delivery from elsewhere: its message, as `PLATFORM KEY`. */
  note(message: string, isAcknowledged: boolean): void;
};

export function deliveries(world: World): Deliveries {
  const { sql, botId } = world;
  const random = randomOf(world.proving.seed, 'deliveries');
  const sender = new Sender(botId, random, { platforms: webhookPlatforms, people: 400, pauseMsMax: 120 });
  /** Sent, but not found at the last check: given up by the platform, or repeated later. */
  let unseen = new Set<string>();
  let counted = 0;
  let acknowledged = 0;
  let follow: NodeJS.Timeout | undefined;
  return {
    name: 'deliveries',
    acknowledged: () => acknowledged + sender.acknowledged.size,
    note(message, isAcknowledged) {
      sender.sent.add(message);
      if (isAcknowledged) sender.acknowledged.add(message);
    },
    start() {
      sender.address = world.address;
      follow = setInterval(() => {
        sender.address = world.address;
      }, 10);
      sender.start();
    },
    async stop() {
      await sender.stop();
      clearInterval(follow);
    },
    underWay: () => sender.underWay,
    async check() {
      expectNone('wrong answers to deliveries', sender.wrongAnswers);
      const keys = [...sender.sent.union(unseen)];
      const rows = await sql<{ message: string }[]>`
        select platform || ' ' || key as message from events
        where bot_id = ${botId} and platform || ' ' || key = any(${keys})`;
      const stored = new Set(rows.map(({ message }) => message));
      const newlyAcknowledged = sender.acknowledged.intersection(new Set(keys));
      expectNone('acknowledged messages are not counted', newlyAcknowledged.difference(stored));
      counted += stored.size;
      acknowledged += sender.acknowledged.size;
      unseen = new Set(keys).difference(stored);
      sender.sent.clear();
      sender.acknowledged.clear();
      await expectCounted(world, counted);
    },
  };
}

/** The stored messages of the webhooks' platforms, and their sum, are `counted`: no more and no fewer. */
async function expectCounted({ sql, botId }: World, counted: number): Promise<void> {
  const platforms = [...webhookPlatforms];
  const [row] = await sql<{ events: number; inbound: number; aside: string[] }[]>`
    select
      (select count(*)::integer from events
        where bot_id = ${botId} and platform = any(${platforms}) and kind = 'message-in') as events,
      (select sum(inbound)::integer from totals where bot_id = ${botId} and platform = any(${platforms})) as inbound,
      array(select platform || ' ' || source || ': ' || set_aside_reason from deliveries
        where set_aside_reason is not null limit 5) as aside`;
  if (row?.events !== counted || row.inbound !== counted || row.aside.length > 0)
    throw new Failure(`${counted} messages are known, but stored are`, row);
}

/** Waits until deliveries are acknowledged again. */
export async function goesOn(work: { acknowledged(): number }, count: number): Promise<void> {
  const goal = work.acknowledged() + count;
  const endsAt = performance.now() + 120_000;
  while (work.acknowledged() < goal) {
    if (performance.now() > endsAt) throw new Failure('no delivery was acknowledged for two minutes');
    await pause(5);
  }
}
