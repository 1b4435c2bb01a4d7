/**
 * The rules of all WebSockets of the server.
 */
import type { IncomingMessage } from 'node:http';
import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import { Refusal } from '../errors.ts';
import { endWithRefusal } from '../http/errors/by-path.ts';
import { frameBytesMax } from '../live-chat/connections.ts';

/** The paths of WebSockets in the contracts. */
const socketPaths = /^\/(?:live-chat\/v1\/[^/?]+|api\/v1\/bots\/[^/?]+\/chats)\/socket(?:\?|$)/;

/** True for a request that opens a WebSocket at the path of one. Node passes all others on as calls without an upgrade. */
export function opensSocket(request: Upgrade): boolean {
  return asksForSocket(request) && socketPaths.test(request.url ?? '');
}

/** The refusal of a WebSocket at another address, or undefined. */
export function socketRefusal(request: Upgrade): Refusal | undefined {
  if (!asksForSocket(request) || socketPaths.test(request.url ?? '')) return undefined;
  return new Refusal('OPERATION_NOT_FOUND', `There is no WebSocket at ${request.method} ${request.url}`);
}

type Upgrade = Pick<IncomingMessage, 'headers' | 'url' | 'method'>;

// Without `Connection: Upgrade`, the header is for another hop (RFC 9110, section 7.8).
function asksForSocket({ headers: { connection = '', upgrade } }: Upgrade): boolean {
  return upgrade?.toLowerCase() === 'websocket' && /\bupgrade\b/i.test(connection);
}

/**
 * Enables WebSocket routes in a scope, once for a server. Call it before such a route is added; safe to repeat within the scope. Every
 * call in the scope passes the plugin's hooks.
 */
export async function registerSockets(app: FastifyInstance): Promise<void> {
  if (app.hasDecorator('websocketServer')) return;
  app.addHook('onRoute', ({ wsHandler, url }) => {
    if (wsHandler && !socketPaths.test(url)) throw new Error(`${url} is no path of a WebSocket`);
  });
  await app.register(websocket, {
    options: { maxPayload: frameBytesMax },
    // A client that disconnects or violates the protocol is no fault of the server: ws closes the socket with a code.
    errorHandler: (_error, socket) => socket.close(),
    // Live chat closes its own sockets, each with a code for the reason.
    preClose: (done) => done(),
  });
  app.websocketServer.on('wsClientError', ({ message }, socket, { url = '' }) => {
    endWithRefusal(socket, url, new Refusal('INPUT_INVALID', message), ['Sec-WebSocket-Version: 13']);
  });
}

/** The answer to a call that opens no WebSocket. */
export function upgradeRequired(): never {
  throw new Refusal('UPGRADE_REQUIRED', 'This is the address of a WebSocket.');
}
