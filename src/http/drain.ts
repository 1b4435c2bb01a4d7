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

export class Drain {
  readonly #servers = new Set<FastifyInstance['server']>();
  isDraining = false;

  add({ server }: FastifyInstance): void {
    this.#servers.add(server);
  }

  /** Resolves when no connection is open, at the latest after `ms`. */
  async run(ms: number): Promise<void> {
    this.isDraining = true;
    const endConnection = (_request: IncomingMessage, response: ServerResponse) => {
      response.shouldKeepAlive = false;
    };
    for (const server of this.#servers) server.prependListener('request', endConnection);
    const endsAt = performance.now() + ms;
    while (performance.now() < endsAt && (await this.#count()) > 0) await pause(lookMs);
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
