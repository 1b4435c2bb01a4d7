/** The Meta simulator in the test's process, on a free port, with a stopped clock that only `run` advances. */
import {
  type MetaSimulator,
  type MetaSimulatorOptions,
  startMetaSimulator,
} from '../../simulator/meta/simulator.ts';
import type { Ends } from './ends.ts';

/** The start of the simulator's clock, after some weeks of simulated events. A Wednesday, 21:00 UTC. */
export const metaStart = Date.parse('2026-03-18T21:00:00.000Z');

/** Starts a simulator, by default with few people and seed 1. Closes it when the test ends. */
export async function testMetaSimulator(t: Ends, options: MetaSimulatorOptions = {}): Promise<MetaSimulator> {
  const simulator = await startMetaSimulator({
    clock: () => metaStart,
    seed: 1,
    people: 20,
    pastDays: 20,
    ...options,
  });
  t.after(() => simulator.close());
  return simulator;
}

/** An answer of the Graph API. */
export type GraphAnswer = { status: number; headers: Headers; body: Record<string, unknown> };

/** Calls the Graph API: a `GET`, or a `POST` when there is a body. */
export async function graph(
  { address }: Pick<MetaSimulator, 'address'>,
  path: string,
  { token, body }: { token?: string; body?: object } = {},
): Promise<GraphAnswer> {
  const response = await fetch(`${address}/v24.0${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: Object(await response.json()) };
}
