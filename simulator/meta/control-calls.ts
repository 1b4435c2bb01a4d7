/** The control of the Meta simulator over HTTP, `/sandbox/…`. It needs no token, so the port must be reachable from loopback only. */
import type { FastifyInstance } from 'fastify';
import { addCommonCalls, nonNegative, object, share } from '../frame/control-calls.ts';
import { faultKinds } from '../frame/faults.ts';
import type { MetaAct, MetaChange, MetaControl, MetaFault } from './control.ts';
import { metaPlatforms } from './people.ts';
import { metaActions } from './simulation.ts';

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
  addCommonCalls(app, control);
  app.post<{ Body: MetaAct }>('/sandbox/act', { schema: { body: actBody } }, ({ body }) => control.act(body));
  app.post('/sandbox/history', async () => control.sendHistory());
  app.post<{ Body: MetaFault }>('/sandbox/faults', { schema: { body: faultBody } }, async ({ body }) => {
    control.fail(body);
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
