/**
 * Connections that would keep a closing server open for a minute: those on which nothing was asked yet, as browsers open some
 * ahead, and those whose answer was under way when the closing began.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Closes such connections when the server closes, these behind their answers. Others that are idle it closes by itself. */
export function closeSilentConnections(app: FastifyInstance): void {
  const silent = new Set<Socket>();
  let isClosing = false;
  app.server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  for (const event of ['request', 'upgrade'])
    app.server.on(event, ({ socket }: { socket: Socket }) => silent.delete(socket));
  app.server.on('request', (_request, response: ServerResponse) => {
    response.once('close', () => {
      if (isClosing) setImmediate(() => app.server.closeIdleConnections());
    });
  });
  app.addHook('preClose', async () => {
    isClosing = true;
    for (const socket of silent) socket.destroy();
  });
}
