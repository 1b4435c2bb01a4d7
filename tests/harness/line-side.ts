/**
 * LINE's side for a test: in the test's process, on a free port, with a clock that stands still until it is run forward; and
 * somebody to receive its webhooks.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { LineBotClient, type webhook } from '@line/bot-sdk';
import { type LineSide, type LineSideOptions, startLineSide } from '../../simulator/line/line-side.ts';

/** The time at which a test's LINE side begins; some weeks of its people lie before. A Wednesday, 12:00 in UTC+9. */
export const lineSideStart = Date.parse('2026-03-18T03:00:00.000Z');

/** Starts one with few people and seed 1, unless told otherwise; it is closed when the test ends. */
export async function testLineSide(t: TestContext, options: LineSideOptions = {}): Promise<LineSide> {
  const side = await startLineSide({ clock: () => lineSideStart, seed: 1, people: 60, ...options });
  t.after(() => side.close());
  return side;
}

/** LINE's official client for it. */
export function lineClient({ address, credentials }: LineSide): LineBotClient {
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
  /** What it answers from now on; null: nothing at all. */
  status: number | null;
};

/** Receives webhooks until the test ends. */
export async function webhookReceiver(t: TestContext): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString();
    const signature = String(request.headers['x-line-signature']);
    // Whoever opens a link sends no body.
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
