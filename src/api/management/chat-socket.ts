/**
 * The business's socket: the news of all live chats of a bot, for the dashboard or a program.
 *
 *     → {type: hello, token | csrfToken}       ← {type: ready}
 *     → {type: ping}                           ← {type: pong}
 *     → {type: typing, visitorId, on}          ← message, typing, seen, online, chat
 *
 * The caller's rights are checked again with later frames (a socket without a frame in 30 s is closed), so a revoked token ends
 * its sockets too.
 */
import type { WebSocket } from '@fastify/websocket';
import type { FastifyRequest } from 'fastify';
import { mayUseBot } from '../../auth/admin-tokens.ts';
import type { Caller } from '../../auth/caller.ts';
import { Refusal } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import {
  type Connection,
  closeCodes,
  SocketRefusal,
  type Subscription,
} from '../../live-chat/connections.ts';
import { typingThrottle } from '../../live-chat/typing-throttle.ts';
import { newId } from '../../random.ts';
import { secondMs } from '../../time.ts';
import { readSocketCaller } from './callers.ts';
import { isVisitorId, personOf } from './chats.ts';
import type { Sources } from './operation.ts';

const recheckMs = 20 * secondMs;

/** Serves a socket of the business. Any fault closes it. */
export function openChatSocket(socket: WebSocket, request: FastifyRequest, sources: Sources): void {
  const { botId } = request.params as { botId: string };
  sources.liveChat.connections.open(socket, 'agent', async (hello, connection) => {
    const caller = await callerOf(request, hello, botId, sources);
    let checkedAt = sources.clock();
    const recheck = () => {
      if (sources.clock() - checkedAt < recheckMs) return;
      checkedAt = sources.clock();
      callerOf(request, hello, botId, sources).catch((error: unknown) => {
        // During an outage of the database the rights are unknown. A later frame checks them.
        if (error instanceof SocketRefusal) connection.close(error.code, error.message);
      });
    };
    return subscribeAgent(connection, { botId, caller, recheck }, sources);
  });
}

async function callerOf(
  request: FastifyRequest,
  hello: JsonObject,
  botId: string,
  { sql, clock, publicUrl }: Sources,
): Promise<Caller> {
  const { headers, protocol } = request;
  const { token, csrfToken } = hello;
  const credentials = { headers, protocol, token, csrfToken };
  const caller = await readSocketCaller(sql, credentials, { now: clock(), publicUrl }).catch(
    (error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
      const code = error.code === 'CSRF_TOKEN_INVALID' ? closeCodes.notAllowed : closeCodes.tokenInvalid;
      throw new SocketRefusal(code, error.code);
    },
  );
  const bots = mayUseBot(caller, botId) ? await sql`select from bots where bot_id = ${botId}` : [];
  if (bots.length === 0) throw new SocketRefusal(closeCodes.notAllowed, 'BOT_NOT_FOUND');
  return caller;
}

function subscribeAgent(
  connection: Connection,
  { botId, caller, recheck }: { botId: string; caller: Caller; recheck(): void },
  { liveChat: { hub, signals }, clock, random }: Sources,
): Subscription {
  const subscription = { subscriptionId: newId(random), botId, connection };
  const isNew = typingThrottle(clock);
  hub.addAgent(subscription);
  connection.send({ type: 'ready' });
  return {
    onFrame({ type, visitorId, on }) {
      recheck();
      if (type !== 'typing' || typeof on !== 'boolean' || !isVisitorId(visitorId)) return;
      if (caller.scope === 'read' || !isNew(visitorId, on)) return;
      const from = {
        from: 'agent',
        agentName: personOf({ caller }),
        source: subscription.subscriptionId,
      } as const;
      signals.send({ botId, visitorId, type: 'typing', on, ...from });
    },
    onClose: () => hub.removeAgent(subscription),
  };
}
