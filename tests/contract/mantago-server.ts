/**
 * The MantaGo API alone, once for each test file: a bot of the test with its API pair, calls, and responses checked against
 * the contract.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import { readMantagoContract, registerMantago } from '../../src/api/mantago/router.ts';
import { type Keys, openKeys } from '../../src/auth/keys.ts';
import { createBot } from '../../src/bots/bots.ts';
import type { Sql } from '../../src/database/client.ts';
import { isObject } from '../../src/json.ts';
import type { Gate } from '../../src/webhooks-out/addresses.ts';
import { testDatabase } from '../harness/database.ts';
import { oncePerFile, type Scope } from '../harness/scope.ts';
import { differenceOf } from './contract-check.ts';

export const contract = await readMantagoContract();

export type Bot = { botId: string; apiToken: string; apiSecret: string };
export type Answer = { status: number; body: Record<string, unknown>; headers: Record<string, unknown> };
export type MantagoServer = {
  app: FastifyInstance;
  sql: Sql;
  /** Of the database. */
  url: string;
  keys: Keys;
  gate: Gate;
  bot: Bot;
  /** The server's clock, in ms. */
  now: number;
  /** The logged errors. */
  logged: unknown[];
  addBot(): Promise<Bot>;
  /** Calls an operation, by default with the bot's own token, bot id and secret. */
  call(operationId: string, call?: Call): Promise<Answer>;
};
export type Call = {
  base?: string;
  token?: string | null;
  botId?: string | null;
  /** Path parameters; missing ones are VolejRejN. */
  params?: Record<string, string>;
  /** Query parameters besides the bot id. */
  query?: Record<string, string>;
  /** Body fields besides the secret; a null secret omits it. */
  body?: Record<string, unknown>;
  secret?: unknown;
  /** A raw payload, sent instead of the body. */
  raw?: { payload: string; contentType: string };
};

const names: Record<string, string> = { 'example.com': '93.184.215.14', 'inside.example': '10.0.0.7' };
/** The test's own name resolution, so that no lookup leaves the machine. */
const gate: Gate = {
  allowPrivate: false,
  lookup: async (name) => {
    const address = names[name];
    if (address === undefined) throw new Error(`no address for ${name}`);
    return [{ address, family: 4 }];
  },
};

type Api = Pick<MantagoServer, 'app' | 'sql' | 'url' | 'keys'> & {
  /** The server of the running test: its clock and its log. */
  current: MantagoServer | null;
};

export const secretKey = 'a secret key for tests, long enough';
const now = Date.parse('2026-03-15T04:00:00Z');
const apiOfFile = oncePerFile((scope) => startApi(scope, { rateLimit: 0 }));

/** The file's API with a bot, a clock and a log of this test. */
export async function mantagoServer(): Promise<MantagoServer> {
  return addTest(await apiOfFile());
}

/** An API for this test alone, on its own database. */
export async function ownMantagoServer(t: Scope, { rateLimit = 0 } = {}): Promise<MantagoServer> {
  return addTest(await startApi(t, { rateLimit }));
}

async function startApi(scope: Scope, { rateLimit }: { rateLimit: number }): Promise<Api> {
  const { sql, url } = await testDatabase(scope);
  const random = randomBytes;
  const keys = await openKeys({ secretKey, dataFolder: '', random });
  const app = Fastify();
  scope.after(() => app.close());
  const api: Api = { app, sql, url, keys, current: null };
  const log = { error: (...entries: unknown[]) => void api.current?.logged.push(...entries) };
  const clock = () => api.current?.now ?? now;
  await registerMantago(app, { sql, keys, random, gate, clock, rateLimit, log });
  return api;
}

async function addTest(api: Api): Promise<MantagoServer> {
  const { app, sql, url, keys } = api;
  const addBot = (at: number) =>
    createBot(sql, { name: 'Shop', timeZone: 'Asia/Taipei' }, { now: at, random: randomBytes, keys });
  const server: MantagoServer = {
    ...{ app, sql, url, keys, gate, now },
    bot: await addBot(now),
    logged: [],
    addBot: () => addBot(server.now),
    call: (operationId, call = {}) => send(server, operationId, call),
  };
  api.current = server;
  return server;
}

async function send({ app, bot }: MantagoServer, operationId: string, call: Call): Promise<Answer> {
  const {
    base = '/api',
    token = bot.apiToken,
    botId = bot.botId,
    params = {},
    query = {},
    body = {},
    secret = bot.apiSecret,
    raw,
  } = call;
  const operation = contract.operations.find(({ id }) => id === operationId);
  assert.ok(operation, operationId);
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(params[name] ?? 'VolejRejN'),
  );
  const search = new URLSearchParams({ ...(botId === null ? {} : { botId }), ...query });
  const payload = raw?.payload ?? JSON.stringify(secret === null ? body : { secret, ...body });
  const response = await app.inject({
    method: operation.method === 'DELETE' ? 'DELETE' : 'POST',
    url: `${base}${path}?${search}`,
    payload,
    headers: {
      'content-type': raw?.contentType ?? 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
  });
  const answer = { status: response.statusCode, body: response.json(), headers: response.headers };
  expectContract(operationId, answer);
  return answer;
}

const errorSchema = contract.operations[0]?.answers['500'] ?? {};

/** The response has exactly the properties of the contract for its status; an undocumented status has the error format. */
export function expectContract(operationId: string, { status, body }: Answer): void {
  const operation = contract.operations.find(({ id }) => id === operationId);
  const difference = differenceOf(body, operation?.answers[status] ?? errorSchema);
  assert.equal(difference, null, `${operationId} ${status}: ${JSON.stringify(body)} ${difference}`);
}

/** Status, code and message of an error response. */
export function errorOf({ status, body }: Answer): { status: number; code: unknown; message: string } {
  assert.equal(body.success, false, JSON.stringify(body));
  assert.ok(isObject(body.errResponse));
  return { status, code: body.errResponse.code, message: String(body.errResponse.message) };
}
