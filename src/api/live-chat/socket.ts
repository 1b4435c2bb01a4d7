/**
 * The socket of a visitor. The first frame authenticates the visitor and names its last message; then the server sends all news.
 *
 *     → {type: hello, visitorToken, after}     ← {type: ready, heartbeatSeconds}, every message behind `after`
 *     → {type: ping}                           ← {type: pong}
 *     → {type: typing, on}                     ← {type: typing, on, agentName}, {type: seen, sequence}
 *
 * The token is in the frame and not in the address, because addresses are logged.
 */
import type { WebSocket } from '@fastify/websocket';
import type { Keys } from '../../auth/keys.ts';
import type { Channel } from '../../bots/channels.ts';
import type { Sql } from '../../database/client.ts';
import type { JsonObject } from '../../json.ts';
import {
  type Connection,
  closeCodes,
  heartbeatSeconds,
  isSequence,
  SocketRefusal,
  type Subscription,
} from '../../live-chat/connections.ts';
import type { VisitorSubscription } from '../../live-chat/hub.ts';
import type { LiveChat } from '../../live-chat/live-chat.ts';
import { typingThrottle } from '../../live-chat/typing-throttle.ts';
import { readVisitorToken } from '../../live-chat/visitor-token.ts';
import type { Clock } from '../../time.ts';

type Sources = {
  sql: Sql;
  keys: Keys;
  clock: Clock;
  liveChat: LiveChat;
};

/** Serves a visitor's socket. Its widget key, origin and address were checked at the upgrade. */
export function openVisitorSocket(socket: WebSocket, { botId }: Channel, sources: Sources): void {
  sources.liveChat.connections.open(socket, 'visitor', async (hello, connection) =>
    subscribeVisitor(connection, await readHello(hello, botId, sources), sources),
  );
}

type Hello = { botId: string; visitorId: string; after: number };

async function readHello(hello: JsonObject, botId: string, { sql, keys, clock }: Sources): Promise<Hello> {
  const { visitorToken, after } = hello;
  if (!isSequence(after)) {
    throw new SocketRefusal(closeCodes.invalidFrame, 'after must be a whole number from 0');
  }
  const claims =
    typeof visitorToken === 'string' ? readVisitorToken(keys, visitorToken, { now: clock() }) : null;
  const visitorId = claims?.botId === botId ? claims.visitorId : '';
  const visitors = await sql`
    select from chat_visitors where bot_id = ${botId} and visitor_id = ${visitorId}`;
  if (visitors.length === 0) throw new SocketRefusal(closeCodes.tokenInvalid, 'TOKEN_INVALID');
  return { botId, visitorId, after };
}

function subscribeVisitor(
  connection: Connection,
  { botId, visitorId, after }: Hello,
  { liveChat: { hub, signals }, clock }: Sources,
): Subscription {
  const subscription: VisitorSubscription = {
    botId,
    visitorId,
    connection,
    cursor: after,
    seen: 0,
    blocked: false,
  };
  const isTold = typingThrottle(clock);
  connection.send({ type: 'ready', heartbeatSeconds });
  if (!hub.addVisitor(subscription))
    throw new SocketRefusal(closeCodes.tooMany, 'too many sockets of this visitor');
  return {
    onFrame({ type, on }) {
      if (type !== 'typing' || typeof on !== 'boolean' || subscription.blocked || !isTold('', on)) return;
      signals.send({ botId, visitorId, type: 'typing', from: 'visitor', on, agentName: null, source: '' });
    },
    onClose: () => hub.removeVisitor(subscription),
  };
}
