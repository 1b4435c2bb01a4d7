/**
 * A small fake of LINE's host: real HTTP on a free loopback port. It records requests unchanged and accepts sends like LINE,
 * with a request id for each and 409 for a repeated retry key. Tests can replace its responses.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { sendPaths } from '../../src/line/gateway/send-calls.ts';
import type { Scope } from './scope.ts';

export type Received = {
  method: string;
  url: string;
  /** Names and values in turn, as received. */
  rawHeaders: string[];
  headers: IncomingMessage['headers'];
  body: Buffer;
};
export type Answering = (received: Received, response: ServerResponse) => void | Promise<void>;
export type FakeLine = {
  address: string;
  requests: Received[];
  /** Replaces the responses; null restores LINE's. */
  answerWith(answering: Answering | null): void;
  close(): Promise<void>;
};

/** Starts the fake and closes it when its test or file ends. */
export async function fakeLine(t: Scope): Promise<FakeLine> {
  const requests: Received[] = [];
  const asLine = lineAnswering();
  let answering: Answering = asLine;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = '', url = '', rawHeaders, headers } = request;
      const received = { method, url, rawHeaders, headers, body: Buffer.concat(parts) };
      requests.push(received);
      void answering(received, response);
    });
  });
  const port = await listen(server);
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  t.after(close);
  return {
    address: `http://127.0.0.1:${port}`,
    requests,
    answerWith(next) {
      answering = next ?? asLine;
    },
    close,
  };
}

/** LINE's responses to the sends; other calls return their request. */
function lineAnswering(): Answering {
  const accepted = new Map<string, string>();
  let sends = 0;
  return ({ method, url, headers }, response) => {
    const requestId = `00000000-0000-4000-8000-${String(++sends).padStart(12, '0')}`;
    response.setHeader('x-line-request-id', requestId);
    response.setHeader('content-type', 'application/json');
    const kind = sendPaths.get(url);
    if (method !== 'POST' || kind === undefined) {
      response.end(JSON.stringify({ method, url }));
      return;
    }
    // LINE takes no retry key for pushes to telephone numbers.
    const retryKey = kind === 'pnp' ? undefined : headers['x-line-retry-key'];
    const before = typeof retryKey === 'string' ? accepted.get(retryKey) : undefined;
    if (before !== undefined) {
      response.statusCode = 409;
      response.setHeader('x-line-accepted-request-id', before);
      response.end('{"message":"The retry key is already accepted"}');
      return;
    }
    if (typeof retryKey === 'string') accepted.set(retryKey, requestId);
    response.statusCode = kind === 'narrowcast' || url.includes('/templated/') ? 202 : 200;
    const hasMessages = kind === 'push' || kind === 'reply';
    response.end(hasMessages ? `{"sentMessages":[{"id":"${sends}","quoteToken":"q"}]}` : '{}');
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
}
