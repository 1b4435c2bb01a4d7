/**
 * The socket of the business: what is new in all live chats of a bot, for a page of the dashboard or a program.
 *
 *     → {type: hello, token | csrfToken}       ← {type: ready}
 *     → {type: ping}                           ← {type: pong}
 *     → {type: typing, visitorId, on}          ← message, typing, seen, online, chat
 *
 * Whether the caller still may is asked again with the frames that come (there is one every 30 s, or the socket is closed), so a
 * token that is revoked ends its sockets, too.
 */
import type { WebSocket } from '@fastify/websocket';
import type { FastifyRequest } from 'fastify';
import { mayUseBot } from '../../auth/admin-tokens.ts';
import type { Caller } from '../../auth/caller.ts';
import type { Sql } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { type Connection, closeCodes, type Seat, SocketRefusal } from '../../live-chat/connections.ts';
import type { LiveChat } from '../../live-chat/live-chat.ts';
import { typingThrottle } from '../../live-chat/typing-throttle.ts';
import { newId, type Random } from '../../random.ts';
import { type Clock, secondMs } from '../../time.ts';
import { readSocketCaller } from './callers.ts';
import { personOf, visitorIdForm } from './chats.ts';

type Sources = { sql: Sql; clock: Clock; random: Random; liveChat: LiveChat; publicUrl: string | null };

const askAgainMs = 20 * secondMs;

/** Takes a socket of the business in; everything that is wrong with it closes it. */
export function openChatSocket(socket: WebSocket, request: FastifyRequest, sources: Sources): void {
  const { botId } = request.params as { botId: string };
  sources.liveChat.connections.open(socket, 'agent', async (hello, connection) => {
    const who = await callerOf(request, hello, botId, sources);
    let askedAt = sources.clock();
    const askAgain = () => {
      if (sources.clock() - askedAt < askAgainMs) return;
      askedAt = sources.clock();
      callerOf(request, hello, botId, sources).catch((error: unknown) => {
        // When the database is away nothing is known, and it is asked again later.
        if (error instanceof SocketRefusal) connection.close(error.code, error.message);
      });
    };
    return seatAgent(connection, { botId, who, askAgain }, sources);
  });
}

async function callerOf(
  request: FastifyRequest,
  hello: JsonObject,
  botId: string,
  { sql, clock, publicUrl }: Sources,
): Promise<Caller> {
  const shown = {
    headers: request.headers,
    protocol: request.protocol,
    token: hello.token,
    csrfToken: hello.csrfToken,
  };
  const who = await readSocketCaller(sql, shown, { now: clock(), publicUrl }).catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error;
    const code = error.code === 'CSRF_TOKEN_INVALID' ? closeCodes.notAllowed : closeCodes.tokenInvalid;
    throw new SocketRefusal(code, error.code);
  });
  const known = mayUseBot(who, botId) ? await sql`select from bots where bot_id = ${botId}` : [];
  if (known.length === 0) throw new SocketRefusal(closeCodes.notAllowed, 'BOT_NOT_FOUND');
  return who;
}

function seatAgent(
  connection: Connection,
  { botId, who, askAgain }: { botId: string; who: Caller; askAgain(): void },
  { liveChat: { hub, signals }, clock, random }: Sources,
): Seat {
  const seat = { seatId: newId(random), botId, connection };
  const isTold = typingThrottle(clock);
  hub.addAgent(seat);
  connection.send({ type: 'ready' });
  return {
    heard({ type, visitorId, on }) {
      askAgain();
      if (type !== 'typing' || typeof on !== 'boolean') return;
      if (typeof visitorId !== 'string' || !visitorIdForm.test(visitorId)) return;
      if (who.scope === 'read' || !isTold(visitorId, on)) return;
      const from = { from: 'agent', agentName: personOf({ caller: who }), source: seat.seatId } as const;
      signals.send({ botId, visitorId, type: 'typing', on, ...from });
    },
    left: () => hub.removeAgent(seat),
  };
}
