/** Measures the time of each answer, from the request's head to the end of the answer. */
import type { FastifyInstance, RouteOptions } from 'fastify';

/** Takes the time of an answer with this status. */
export type NoteAnswer = (status: number, seconds: number) => void;

/**
 * Calls `notesOf` once for each route that is registered after this, and its result for each answer. Requests without a route, and
 * sockets, have no answer time.
 */
export function measureAnswers(
  app: FastifyInstance,
  notesOf: (route: { method: string; route: string }) => NoteAnswer,
): void {
  app.addHook('onRoute', (options: RouteOptions) => {
    const note = notesOf({ method: String(options.method), route: options.url });
    options.onResponse = [
      ...[options.onResponse ?? []].flat(),
      (_request, reply, done) => {
        note(reply.statusCode, reply.elapsedTime / 1_000);
        done();
      },
    ];
  });
}
