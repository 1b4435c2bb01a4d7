/**
 * WebSockets on the server: what holds for all of them. What each is for stands with its operation.
 */
import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import { Refusal } from '../errors.ts';
import { endWithRefusal } from '../http/errors/by-path.ts';
import { frameBytesMax } from '../live-chat/connections.ts';

/** Lets routes of the server be WebSockets. Before any route that is one; safe to repeat. */
export async function registerSockets(app: FastifyInstance): Promise<void> {
  if (app.hasDecorator('websocketServer')) return;
  await app.register(websocket, {
    options: { maxPayload: frameBytesMax },
    // A client that breaks off or breaks the protocol is nothing to report: ws closes it with the code for it.
    errorHandler: (_error, socket) => socket.close(),
    // Live chat closes its own sockets, each with a code that says why.
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

/** What a call gets that opens no WebSocket. */
export function upgradeRequired(): never {
  throw new Refusal('UPGRADE_REQUIRED', 'This is the address of a WebSocket.');
}
