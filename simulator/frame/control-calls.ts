/**
 * The control over HTTP that the simulators share, `/sandbox/…`. It requires no token, so the port must be reachable from loopback
 * only.
 */
import type { FastifyInstance } from 'fastify';
import { dayMs, hourMs, minuteMs, secondMs } from '../../src/time.ts';

/** `until`: ISO 8601; the other fields count from there. `stepMinutes`: the clock advances in steps of this length. */
export type RunFor = {
  until?: string;
  days?: number;
  hours?: number;
  minutes?: number;
  seconds?: number;
  stepMinutes?: number;
};

/** What the control of each simulator can do. */
export type CommonControl = {
  calls: readonly object[];
  now(): number;
  truth(): object;
  run(run: RunFor): Promise<void>;
  heal(): void;
};

export const nonNegative = { type: 'number', minimum: 0 } as const;
export const share = { type: 'number', minimum: 0, maximum: 1 } as const;
const daysMax = 3_660;

const runBody = object({
  until: { type: 'string', format: 'date-time' },
  days: { type: 'number', minimum: 0, maximum: daysMax },
  hours: { type: 'number', minimum: 0, maximum: daysMax * 24 },
  minutes: nonNegative,
  seconds: nonNegative,
  stepMinutes: nonNegative,
});

/** Adds the calls that every simulator has. */
export function addCommonCalls(app: FastifyInstance, control: CommonControl): void {
  app.get('/sandbox/truth', async () => control.truth());
  app.get('/sandbox/calls', async () => ({ calls: control.calls }));
  app.post<{ Body: RunFor }>('/sandbox/run', { schema: { body: runBody } }, async ({ body }) => {
    await control.run(body);
    return { now: new Date(control.now()).toISOString() };
  });
  app.delete('/sandbox/faults', async () => {
    control.heal();
    return {};
  });
}

/** Advances the clock of a simulation. Resolves when all events of that time have happened and their webhooks are sent. */
export function runSimulation(
  simulation: { now(): number; run(ms: number, stepMs: number): Promise<void> },
  { until, days = 0, hours = 0, minutes = 0, seconds = 0, stepMinutes = 0 }: RunFor,
): Promise<void> {
  const untilMs = until === undefined ? 0 : Math.max(0, Date.parse(until) - simulation.now());
  const ms = untilMs + days * dayMs + hours * hourMs + minutes * minuteMs + seconds * secondMs;
  return simulation.run(Math.round(ms), stepMinutes * minuteMs);
}

/** The schema of an object with these fields and no others. */
export function object(properties: Record<string, object>, required: readonly string[] = []): object {
  return { type: 'object', additionalProperties: false, properties, required };
}
