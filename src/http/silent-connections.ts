/**
 * Connections that would keep a closing server open for a minute: those without a request yet, because browsers open some ahead, and
 * those whose answer was being sent when the closing began.
 */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

const lookMs = 50;
const closeMsUsual = 30_000;

/** Closes such connections when the server closes: after their answers, and all of them after `closeMsMax`. Fastify closes other idle ones. */
export function closeSilentConnections(
  app: FastifyInstance,
  { closeMsMax = closeMsUsual }: { closeMsMax?: number } = {},
): void {
  const silent = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  for (const event of ['request', 'upgrade'])
    app.server.on(event, ({ socket }: { socket: Socket }) => silent.delete(socket));
  app.addHook('preClose', async () => {
    for (const socket of silent) socket.destroy();
    const looking = setInterval(() => app.server.closeIdleConnections(), lookMs);
    // Node no longer ends slow requests once the server closes.
    const late = setTimeout(() => app.server.closeAllConnections(), closeMsMax);
    app.server.once('close', () => {
      clearInterval(looking);
      clearTimeout(late);
    });
  });
}
