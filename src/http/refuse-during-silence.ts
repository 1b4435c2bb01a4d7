/**
 * Ends the calls of the APIs when the database stops answering, each with the error of its API.
 */
import type { FastifyInstance, RouteOptions } from 'fastify';
import type { Heartbeat } from '../database/heartbeat.ts';

const paths = /^\/(?:api\/|openapi\/|live-chat\/v1\/|v2\/bot\/insight\/|readyz$)/;

/** Call it before the routes are added. Webhooks and the gateway have time limits of their own. */
export function refuseDuringSilence(app: FastifyInstance, heartbeat: Heartbeat): void {
  app.addHook('onRoute', (route: RouteOptions) => {
    if (!paths.test(route.url)) return;
    const { handler, onRequest } = route;
    route.handler = function answer(request, reply) {
      return heartbeat
        .answered(() => handler.call(this, request, reply))
        .catch((error: unknown) => {
          // A started download ends by itself.
          if (!reply.raw.headersSent) throw error;
          return reply;
        });
    };
    if (typeof onRequest !== 'function') return;
    route.onRequest = function admit(request, reply) {
      return heartbeat.answered(() => Reflect.apply(onRequest, this, [request, reply]));
    };
  });
}
