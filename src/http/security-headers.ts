/**
 * Headers that every answer has: no browser guesses the type of a body, and one that came by https comes by https again.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';

const yearSeconds = 31_536_000;

/** For every route that is added after it, and for answers of no route. */
export function addSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(securityHeaders(request));
    done();
  });
}

/** The protocol is the one of the connection, or of a trusted proxy. Other hosts of the domain are not this server's concern. */
export function securityHeaders({ protocol }: Pick<FastifyRequest, 'protocol'>): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    ...(protocol === 'https' ? { 'strict-transport-security': `max-age=${yearSeconds}` } : {}),
  };
}
