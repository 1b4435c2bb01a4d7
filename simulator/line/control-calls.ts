/**
 * The control of the LINE simulator over HTTP, `/sandbox/…`. It requires no token, so the port must be reachable from loopback
 * only.
 */
import type { FastifyInstance } from 'fastify';
import { addCommonCalls, nonNegative, object, share } from '../frame/control-calls.ts';
import { type Fault, type FaultKind, faultKinds } from '../frame/faults.ts';
import type { Act, Control, Interact, Settings } from './control.ts';
import { actions } from './simulation.ts';

const actBody = object(
  { action: { enum: Object.keys(actions) }, userId: { type: 'string' }, data: { type: 'string' } },
  ['action'],
);
const interactBody = object(
  {
    requestId: { type: 'string' },
    userId: { type: 'string' },
    kind: { enum: ['impression', 'click', 'play'] },
    seq: { type: 'integer', minimum: 1 },
    url: { type: 'string' },
    percent: { enum: [0, 25, 50, 75, 100] },
  },
  ['requestId', 'userId', 'kind'],
);
const faultBody = object(
  {
    kind: { enum: faultKinds },
    path: { type: 'string' },
    count: { type: 'integer', minimum: 1 },
    when: { enum: ['before', 'after'] },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    delayMs: nonNegative,
  },
  ['kind'],
);
const settingsBody = object({
  callsPerHour: { type: 'integer', minimum: 1, nullable: true },
  quota: { type: 'integer', minimum: 0, nullable: true },
  readyAfterHours: nonNegative,
  isVerified: { type: 'boolean' },
  webhook: object({
    endpoint: { type: 'string', format: 'uri', pattern: '^https?://', nullable: true },
    active: { type: 'boolean' },
    redelivery: { type: 'boolean' },
    batchMax: { type: 'integer', minimum: 1 },
    repeatShare: share,
    lateMinutesMax: nonNegative,
  }),
});

/** Adds the calls. */
export function addControlCalls(app: FastifyInstance, control: Control): void {
  addCommonCalls(app, control);
  app.post<{ Body: Act }>('/sandbox/act', { schema: { body: actBody } }, ({ body }) => control.act(body));
  app.post<{ Body: Interact }>('/sandbox/interact', { schema: { body: interactBody } }, async ({ body }) => {
    await control.interact(body);
    return {};
  });
  app.post<{ Body: { text: string } }>(
    '/sandbox/broadcast-by-hand',
    { schema: { body: object({ text: { type: 'string', minLength: 1 } }, ['text']) } },
    async ({ body }) => control.broadcastByHand(body.text),
  );
  app.post<{ Body: Partial<Fault> & { kind: FaultKind } }>(
    '/sandbox/faults',
    { schema: { body: faultBody } },
    async ({ body }) => {
      control.fail(body);
      return {};
    },
  );
  app.patch<{ Body: Partial<Settings> }>(
    '/sandbox/settings',
    { schema: { body: settingsBody } },
    async ({ body }) => {
      control.set(body);
      return {};
    },
  );
}
