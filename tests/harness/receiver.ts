/**
 * A business's own server for tests: real HTTP on loopback. It records every webhook and returns the test's responses.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isObject } from '../../src/json.ts';
import type { Ends } from './ends.ts';

export type Received = {
  path: string;
  /** webhook-id */
  id: string;
  headers: Record<string, string>;
  body: string;
  type: string;
  data: Record<string, unknown>;
};

export type Receiver = {
  url: string;
  /** In order of arrival. */
  received: Received[];
  /** The response from now on; default: 200. */
  answer: (webhook: Received, response: ServerResponse) => void;
};

/** Starts a receiver; closes it and its connections when the test ends. */
export async function receiver(t: Ends): Promise<Receiver> {
  const running: Receiver = { url: '', received: [], answer: status(200) };
  const server = createServer((request, response) => {
    void read(request).then((webhook) => {
      running.received.push(webhook);
      running.answer(webhook, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  running.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hook`;
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return running;
}

/** A response with a status, and optional headers and body. */
export function status(code: number, headers: Record<string, string> = {}, body = ''): Receiver['answer'] {
  return (_webhook, response) => void response.writeHead(code, headers).end(body);
}

async function read(request: IncomingMessage): Promise<Received> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  const payload: unknown = JSON.parse(body);
  const { type, data } = isObject(payload) ? payload : {};
  const id = headers['webhook-id'] ?? '';
  return {
    path: request.url ?? '',
    id,
    headers,
    body,
    type: String(type),
    data: isObject(data) ? data : {},
  };
}
