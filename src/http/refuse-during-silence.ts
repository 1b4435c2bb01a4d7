/**
 * Ends the calls of the APIs when the database stops answering, each with the error of its API.
 */
import type { FastifyInstance, FastifyReply, RouteOptions } from 'fastify';
import type { Heartbeat } from '../database/heartbeat.ts';

const paths = /^\/(?:api\/|openapi\/|live-chat\/v1\/|v2\/bot\/insight\/|readyz$)/;

/**
 * Call it before the routes are added. Webhooks and the gateway have time limits of their own. A hook `onRequest` that calls back must
 * not wait for the database.
 */
export function refuseDuringSilence(app: FastifyInstance, heartbeat: Heartbeat): void {
  app.addHook('onRoute', (route: RouteOptions) => {
    if (!paths.test(route.url)) return;
    const { handler, onRequest } = route;
    route.handler = function answer(request, reply) {
      heartbeat.check();
      const outcome = handler.call(this, request, reply);
      return outcome instanceof Promise ? heartbeat.answered(outcome, unlessStarted(reply)) : outcome;
    };
    if (typeof onRequest !== 'function') return;
    route.onRequest = function admit(request, reply, done) {
      heartbeat.check();
      const outcome: unknown = Reflect.apply(onRequest, this, [request, reply, done]);
      return outcome instanceof Promise ? heartbeat.answered(outcome) : undefined;
    };
  });
}

/** A started download ends by itself. */
function unlessStarted(reply: FastifyReply): (error: unknown) => unknown {
  return (error) => {
    if (reply.raw.headersSent) return reply;
    throw error;
  };
}
