/**
 * Headers of every answer: browsers do not guess the type of a body, and a browser that used https keeps using it.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';

const yearSeconds = 31_536_000;

/** For every route that is added later, and for calls without a route. */
export function addSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(securityHeaders(request));
    done();
  });
}

/** The protocol is that of the connection, or of a trusted proxy. The policy leaves out other hosts of the domain. */
export function securityHeaders({ protocol }: Pick<FastifyRequest, 'protocol'>): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    ...(protocol === 'https' ? { 'strict-transport-security': `max-age=${yearSeconds}` } : {}),
  };
}
