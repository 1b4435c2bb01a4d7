/** Live chat: visitors and agents write with their own message ids. Every acknowledged message is stored and counted once. */
import { setTimeout as pause } from 'node:timers/promises';
import { ulid } from 'ulid';
import { randomOf } from '../../simulator/events/random.ts';
import { Failure } from '../part.ts';
import { Calls, Lanes, untilAnswered, type Work } from './work.ts';
import { expectNone, type World } from './world.ts';

const visitorsCount = 6;
const lanes = 3;
const pauseMsMax = 80;

type Visitor = { visitorId: string; token: string };

/** `acknowledgedIds`: receives the id of each acknowledged message of a visitor. */
export function chat(world: World, acknowledgedIds: Set<string>): Work {
  const { sql, botId, widgetKey, proving } = world;
  const random = randomOf(proving.seed, 'chat');
  const calls = new Calls(world);
  const visitors: Visitor[] = [];
  /** Acknowledged messages since the last check. */
  const written = new Set<string>();
  const sums = { inbound: 0, outbound: 0 };
  const writing = new Lanes(world, lanes, async () => {
    const visitor = visitors[random.integer(0, visitors.length - 1)];
    if (!visitor) throw new Failure('there is no visitor');
    const isVisitor = random.chance(0.5);
    const messageId = ulid();
    const path = isVisitor
      ? `live-chat/v1/${widgetKey}/messages`
      : `api/v1/bots/${botId}/chats/${visitor.visitorId}/messages`;
    const body = JSON.stringify({ messageId, text: `message ${messageId}` });
    const token = isVisitor ? visitor.token : world.adminToken;
    const { status, text } = await untilAnswered(() =>
      calls.make(`${world.address}/${path}`, { token, body }),
    );
    if (status !== 200 && status !== 201) throw new Failure(`live chat answered ${status}`, text);
    written.add(messageId);
    if (isVisitor) acknowledgedIds.add(messageId);
    sums[isVisitor ? 'inbound' : 'outbound'] += 1;
    await pause(random.integer(0, pauseMsMax));
  });
  return {
    name: 'live chat',
    async prepare() {
      for (let index = 0; index < visitorsCount; index++) {
        const url = `${world.address}/live-chat/v1/${widgetKey}/session`;
        const { text } = await untilAnswered(() => calls.make(url, { body: '{}' }));
        const { visitorId, visitorToken } = JSON.parse(text);
        visitors.push({ visitorId, token: visitorToken });
      }
    },
    start: () => writing.start(),
    stop: () => writing.stop(),
    underWay: () => calls.underWay,
    async check() {
      const rows = await sql<{ messageId: string }[]>`
        select message_id as "messageId" from chat_messages
        where bot_id = ${botId} and message_id = any(${[...written]})`;
      const stored = new Set(rows.map(({ messageId }) => messageId));
      expectNone('acknowledged messages of live chat are not stored', written.difference(stored));
      if (rows.length !== stored.size) throw new Failure('messages of live chat are stored twice');
      written.clear();
      const [row] = await sql<{ inbound: number; outbound: number; messages: number }[]>`
        select inbound::integer, outbound::integer,
          (select count(*)::integer from chat_messages where bot_id = ${botId}) as messages
        from totals where bot_id = ${botId} and platform = 'liveChat'`;
      const { inbound, outbound } = sums;
      if (row?.inbound !== inbound || row.outbound !== outbound || row.messages !== inbound + outbound)
        throw new Failure(`live chat has ${inbound} + ${outbound} messages, but counted are`, row);
    },
  };
}
