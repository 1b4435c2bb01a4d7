/**
 * A small fake of Meta's Graph API: real HTTP on a free loopback port. It accepts messages, records them, and tests can replace its
 * answers.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scope } from './scope.ts';

export type GraphCall = { path: string; authorization: string | undefined; body: Record<string, unknown> };
/** The status and body of an answer; null: the connection ends without one. */
export type GraphAnswer = { status: number; body: object } | null;

/** Starts the fake and closes it when its test or file ends. */
export async function fakeGraph(t: Scope) {
  const calls: GraphCall[] = [];
  let answerTo: ((call: GraphCall) => GraphAnswer | undefined) | null = null;
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const { url = '', headers } = request;
    const body = JSON.parse(Buffer.concat(parts).toString());
    const call = { path: url, authorization: headers.authorization, body };
    calls.push(call);
    const answer = answerTo?.(call);
    if (answer === null) {
      response.destroy();
      return;
    }
    const { status, body: json } = answer ?? accepted(call, calls.length);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    /** Replaces answers; undefined: accepted. */
    answerWith(next: ((call: GraphCall) => GraphAnswer | undefined) | null) {
      answerTo = next;
    },
  };
}

export function graphError(code: number, subcode?: number): GraphAnswer {
  return { status: 400, body: { error: { message: 'refused', code, error_subcode: subcode } } };
}

function accepted({ body }: GraphCall, count: number): { status: number; body: object } {
  const answer =
    body.messaging_product === 'whatsapp'
      ? { messaging_product: 'whatsapp', messages: [{ id: `wamid.${count}` }] }
      : { recipient_id: '1', message_id: `m_${count}` };
  return { status: 200, body: answer };
}
