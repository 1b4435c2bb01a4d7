/**
 * Headers of every answer: browsers do not guess the type of a body, and a browser that used https keeps using it.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';

const yearSeconds = 31_536_000;

/** The protocol is that of the connection, or of a trusted proxy. The policy leaves out other hosts of the domain. */
export function addSecurityHeaders(
  { protocol }: Pick<FastifyRequest, 'protocol'>,
  reply: FastifyReply,
): FastifyReply {
  reply.header('x-content-type-options', 'nosniff');
  return protocol === 'https' ? reply.header('strict-transport-security', `max-age=${yearSeconds}`) : reply;
}
