/**
 * MantaGo as its documents describe it: Shoal's own server of the contract, behind a thin layer that differs where the documents do.
 *
 * - A listed client has an undocumented member with its encoded id (`id`), as the documents leave the end of a client out.
 * - The list may ignore the token of the next page, or the number.
 * - Calls may be slow, limited (429 with Retry-After), fail, or break off.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Sql } from '../../src/database/client.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import type { Scope } from './scope.ts';

export type MantagoCallSeen = { path: string; query: URLSearchParams; body: JsonObject };
type Failure = { status: number; retryAfter?: string; code?: number } | 'broken';

export type FakeMantago = {
  /** The base address, as typed: without `/openapi`. */
  address: string;
  calls: MantagoCallSeen[];
  behaviour: {
    /** The member of a listed client with its encoded id; null: none. */
    encodedMember: string | null;
    paging: 'both' | 'token' | 'number';
    delayMs: number;
    /** Paths that MantaGo does not know, such as lists whose path is inferred. */
    unknownPaths: string[];
    /** Called before each call; a failure replaces the answer. */
    before(call: MantagoCallSeen): Failure | undefined | Promise<Failure | undefined>;
    /** Changes an answer. */
    change(call: MantagoCallSeen, answer: JsonObject): void;
  };
};

/** Starts the layer on a free loopback port, and closes it when its test or file ends. `theirBotId`: the bot on the server. */
export async function fakeMantago(
  t: Scope,
  { app, sql, theirBotId }: { app: FastifyInstance; sql: Sql; theirBotId: string },
): Promise<FakeMantago> {
  const calls: MantagoCallSeen[] = [];
  const behaviour: FakeMantago['behaviour'] = {
    ...{ encodedMember: 'id', paging: 'both', delayMs: 0, unknownPaths: [] },
    before: () => undefined,
    change: () => undefined,
  };
  const encodedIds = async () => {
    const rows = await sql<{ key: string; id: string }[]>`
      select platform || ' ' || platform_contact_id as key, contact_id as id from contacts where bot_id = ${theirBotId}`;
    return new Map(rows.map(({ key, id }) => [key, id]));
  };
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const payload = Buffer.concat(parts).toString();
    const url = new URL(request.url ?? '', 'http://mantago.test');
    const call = { path: url.pathname, query: url.searchParams, body: JSON.parse(payload) };
    calls.push(call);
    if (behaviour.delayMs > 0) await pause(behaviour.delayMs);
    const failure = await behaviour.before(call);
    if (failure === 'broken') return void response.destroy();
    if (failure || behaviour.unknownPaths.some((path) => url.pathname.endsWith(path))) {
      const { status = 404, code = 404, retryAfter = undefined } = failure ?? {};
      const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify({ success: false, errResponse: { message: 'failed', code } }));
      return;
    }
    if (behaviour.paging === 'number') url.searchParams.delete('next');
    const answer = await app.inject({
      method: 'POST',
      url: `${url.pathname}${url.search}`,
      headers: { authorization: request.headers.authorization ?? '', 'content-type': 'application/json' },
      payload,
    });
    const json = answer.json();
    if (answer.statusCode === 200) {
      await dress(json);
      behaviour.change(call, json);
    }
    response.writeHead(answer.statusCode, { 'content-type': 'application/json' }).end(JSON.stringify(json));
  });
  const dress = async (json: JsonObject) => {
    const list = isObject(json.clientList) && Array.isArray(json.clientList.list) ? json.clientList.list : [];
    if (isObject(json.clientList) && behaviour.paging === 'number') json.clientList.next = '';
    const ids = await encodedIds();
    for (const client of [...list, json.client].filter(isObject)) {
      if (behaviour.encodedMember !== null)
        client[behaviour.encodedMember] = ids.get(`${client.platform} ${client.clientId}`);
      client.version = 'abc123';
    }
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls, behaviour };
}
