/**
 * Draining: before it closes, the server keeps answering for a while, and every answer ends its connection.
 *
 * A client or proxy with keep-alive connections then connects to another server, instead of losing a request on a connection that
 * closes. During the drain `/readyz` refuses, so load balancers choose another server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

const lookMs = 50;
/** A client that opens a connection for each call has none open for moments, and must first see that `/readyz` refuses. */
const quietLooks = 6;

export class Drain {
  readonly #servers = new Set<FastifyInstance['server']>();
  isDraining = false;

  add({ server }: FastifyInstance): void {
    this.#servers.add(server);
  }

  /** Resolves when no connection has been open for a while, at the latest after `ms`. */
  async run(ms: number): Promise<void> {
    this.isDraining = true;
    const endConnection = (_request: IncomingMessage, response: ServerResponse) => {
      response.shouldKeepAlive = false;
    };
    let looks = 0;
    const isUsed = () => {
      looks = 0;
    };
    for (const server of this.#servers)
      server.prependListener('request', endConnection).prependListener('connection', isUsed);
    const endsAt = performance.now() + ms;
    while (performance.now() < endsAt && looks < quietLooks) {
      await pause(lookMs);
      looks = (await this.#count()) > 0 ? 0 : looks + 1;
    }
  }

  async #count(): Promise<number> {
    const counts = [...this.#servers].map(
      (server) =>
        new Promise<number>((resolve) => {
          server.getConnections((error, count) => resolve(error ? 0 : count));
        }),
    );
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }
}
