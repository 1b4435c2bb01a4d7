/**
 * The LINE simulator in the test's process, on a free port, with a stopped clock that only `run` advances. Also a receiver of its
 * webhooks.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LineBotClient, type webhook } from '@line/bot-sdk';
import {
  type LineSimulator,
  type LineSimulatorOptions,
  startLineSimulator,
} from '../../simulator/line/simulator.ts';
import type { Ends } from './ends.ts';

/** The start of the simulator's clock, after some weeks of simulated events. A Wednesday, 12:00 in UTC+9. */
export const simulatorStart = Date.parse('2026-03-18T03:00:00.000Z');

/** Starts a simulator, by default with few people and seed 1. Closes it when the test ends. */
export async function testLineSimulator(t: Ends, options: LineSimulatorOptions = {}): Promise<LineSimulator> {
  const simulator = await startLineSimulator({
    clock: () => simulatorStart,
    seed: 1,
    people: 60,
    ...options,
  });
  t.after(() => simulator.close());
  return simulator;
}

/** LINE's official client of the simulator. */
export function lineClient({ address, credentials }: LineSimulator): LineBotClient {
  return LineBotClient.fromChannelAccessToken({
    channelAccessToken: credentials.accessToken,
    apiBaseURL: address,
  });
}

export type Received = { body: string; signature: string; callback: webhook.CallbackRequest };
export type Receiver = {
  url: string;
  received: Received[];
  /** All events received, in order of arrival. */
  events(): webhook.Event[];
  /** The status of its answers; null: no answer. */
  status: number | null;
};

/** Receives webhooks until the test ends. */
export async function webhookReceiver(t: Ends): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString();
    const signature = String(request.headers['x-line-signature']);
    // A request that opens a link has no body.
    const callback = body === '' ? { destination: '', events: [] } : JSON.parse(body);
    received.push({ body, signature, callback });
    if (receiver.status !== null) response.writeHead(receiver.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/webhook`,
    received,
    events: () => received.flatMap(({ callback }) => callback.events),
    status: 200,
  };
  return receiver;
}
