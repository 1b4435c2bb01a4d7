/**
 * The control of the LINE simulator over HTTP, `/sandbox/…`. It requires no token, so the port must be reachable from loopback
 * only.
 */
import type { FastifyInstance } from 'fastify';
import { type Fault, type FaultKind, faultKinds } from '../frame/faults.ts';
import type { Act, Control, Interact, RunFor, Settings } from './control.ts';
import { actions } from './simulation.ts';

const nonNegative = { type: 'number', minimum: 0 } as const;
const share = { type: 'number', minimum: 0, maximum: 1 } as const;
const daysMax = 3_660;

const runBody = object({
  until: { type: 'string', format: 'date-time' },
  days: { type: 'number', minimum: 0, maximum: daysMax },
  hours: { type: 'number', minimum: 0, maximum: daysMax * 24 },
  minutes: nonNegative,
  seconds: nonNegative,
  stepMinutes: nonNegative,
});
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
  app.get('/sandbox/truth', async () => control.truth());
  app.get('/sandbox/calls', async () => ({ calls: control.calls }));

  app.post<{ Body: RunFor }>('/sandbox/run', { schema: { body: runBody } }, async ({ body }) => {
    await control.run(body);
    return { now: new Date(control.now()).toISOString() };
  });
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
  app.delete('/sandbox/faults', async () => {
    control.heal();
    return {};
  });
  app.patch<{ Body: Partial<Settings> }>(
    '/sandbox/settings',
    { schema: { body: settingsBody } },
    async ({ body }) => {
      control.set(body);
      return {};
    },
  );
}

function object(properties: Record<string, object>, required: readonly string[] = []): object {
  return { type: 'object', additionalProperties: false, properties, required };
}
