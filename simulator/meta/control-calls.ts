/** The control of the Meta simulator over HTTP, `/sandbox/…`. It needs no token, so the port must be reachable from loopback only. */
import type { FastifyInstance } from 'fastify';
import { faultKinds } from '../frame/faults.ts';
import type { MetaAct, MetaChange, MetaControl, MetaFault, MetaRun } from './control.ts';
import { metaPlatforms } from './people.ts';
import { metaActions } from './simulation.ts';

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
  { platform: { enum: metaPlatforms }, action: { enum: metaActions }, personId: { type: 'string' } },
  ['platform', 'action'],
);
const faultBody = object({
  path: { type: 'string' },
  count: { type: 'integer', minimum: 1 },
  code: { type: 'integer', minimum: 1 },
  subcode: { type: 'integer', minimum: 1 },
  status: { type: 'integer', minimum: 400, maximum: 599 },
  message: { type: 'string' },
  kind: { enum: faultKinds },
  when: { enum: ['before', 'after'] },
  delayMs: nonNegative,
});
const tokenChange = object({
  expiresAt: { type: 'string', format: 'date-time', nullable: true },
  isRevoked: { type: 'boolean' },
  scopes: { type: 'array', items: { type: 'string' } },
});
const settingsBody = object({
  callsPerHour: { type: 'integer', minimum: 1, nullable: true },
  readyAfterHours: nonNegative,
  pageLikes: { type: 'integer', minimum: 0 },
  quality: { enum: ['GREEN', 'YELLOW', 'RED', 'UNKNOWN'] },
  messagingLimit: { type: 'string' },
  webhook: object({
    batchMax: { type: 'integer', minimum: 1 },
    repeatShare: share,
    lateMinutesMax: nonNegative,
  }),
  tokens: object({ page: tokenChange, instagram: tokenChange, whatsapp: tokenChange }),
});

/** Adds the calls. */
export function addMetaControlCalls(app: FastifyInstance, control: MetaControl): void {
  app.get('/sandbox/truth', async () => control.truth());
  app.get('/sandbox/calls', async () => ({ calls: control.calls }));
  app.post<{ Body: MetaRun }>('/sandbox/run', { schema: { body: runBody } }, async ({ body }) => {
    await control.run(body);
    return { now: new Date(control.now()).toISOString() };
  });
  app.post<{ Body: MetaAct }>('/sandbox/act', { schema: { body: actBody } }, ({ body }) => control.act(body));
  app.post('/sandbox/history', async () => control.sendHistory());
  app.post<{ Body: MetaFault }>('/sandbox/faults', { schema: { body: faultBody } }, async ({ body }) => {
    control.fail(body);
    return {};
  });
  app.delete('/sandbox/faults', async () => {
    control.heal();
    return {};
  });
  app.patch<{ Body: MetaChange }>(
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
