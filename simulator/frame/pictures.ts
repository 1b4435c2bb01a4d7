/** The pictures of all simulated people: one picture at many addresses. */
import type { FastifyInstance } from 'fastify';

/** A transparent picture of 1 × 1 pixel. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** Adds `GET /pictures/{person}.png`. */
export function addPictures(app: FastifyInstance): void {
  app.get('/pictures/:name', async (_request, reply) => reply.type('image/png').send(picture));
}
