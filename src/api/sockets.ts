/**
 * The rules of all WebSockets of the server.
 */
import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import { Refusal } from '../errors.ts';
import { endWithRefusal } from '../http/errors/by-path.ts';
import { frameBytesMax } from '../live-chat/connections.ts';

/** Enables WebSocket routes. Call it before such a route is added; safe to repeat. */
export async function registerSockets(app: FastifyInstance): Promise<void> {
  if (app.hasDecorator('websocketServer')) return;
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
  app.addHook('onRequest', (request, _reply, done) => {
    const { ws, is404, method, url } = request;
    if (!ws || is404 || request.routeOptions.config.isSocket) done();
    else done(new Refusal('OPERATION_NOT_FOUND', `There is no WebSocket at ${method} ${url}`));
  });
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for the address of a WebSocket. */
    isSocket?: boolean;
  }
}

/** The answer to a call that opens no WebSocket. */
export function upgradeRequired(): never {
  throw new Refusal('UPGRADE_REQUIRED', 'This is the address of a WebSocket.');
}
