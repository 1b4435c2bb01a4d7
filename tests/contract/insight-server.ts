/**
 * The LINE Insight API alone, once for each test file: a bot of the test with a LINE channel, calls, and responses checked
 * against the contract.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import { registerLineInsight } from '../../src/api/line-insight/router.ts';
import { type Keys, openKeys } from '../../src/auth/keys.ts';
import { createBot } from '../../src/bots/bots.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import type { Sql } from '../../src/database/client.ts';
import { readContract } from '../../src/http/contract.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import { VerifiedTokens } from '../../src/line/verified-tokens.ts';
import { newId } from '../../src/random.ts';
import { testDatabase } from '../harness/database.ts';
import { oncePerFile, type Scope } from '../harness/scope.ts';
import { parseYaml } from '../harness/yaml.ts';
import { differenceOf } from './contract-check.ts';

/** LINE refuses every token that Shoal does not know. */
const noLine = { askForToken: async () => ({ outcome: 'refused' as const }) };
const contractFile = new URL('../../contracts/line-insight.yaml', import.meta.url);
export const contract = await readContract(contractFile);

export type Answer = { status: number; body: JsonObject; headers: Record<string, unknown> };
export type InsightServer = {
  app: FastifyInstance;
  sql: Sql;
  botId: string;
  /** The access token of the bot's channel. */
  accessToken: string;
  /** The server's clock, in ms. */
  now: number;
  /** The logged errors. */
  logged: unknown[];
  /** Adds a bot with a LINE channel that has this access token. */
  addBot(accessToken: string): Promise<string>;
  /** Replaces the access token of a bot's channel. */
  setToken(botId: string, accessToken: string): Promise<void>;
  /** Calls an operation, by default with the channel's own token. */
  call(operationId: string, query?: Record<string, string>, token?: string | null): Promise<Answer>;
};

type Api = Pick<InsightServer, 'app' | 'sql'> & {
  keys: Keys;
  /** The server of the running test: its clock and its log. */
  current: InsightServer | null;
};

const now = Date.parse('2026-03-15T12:00:00+09:00');
const connectedAt = Date.parse('2026-01-01T00:00:00+09:00');
const apiOfFile = oncePerFile((scope) => startApi(scope, { rateLimit: 0 }));

/** The file's API with a bot, a clock and a log of this test. The bot's channel is connected on 2026-01-01 (UTC+9). */
export async function insightServer(): Promise<InsightServer> {
  return addTest(await apiOfFile());
}

/** An API for this test alone, on its own database. */
export async function ownInsightServer(t: Scope, { rateLimit = 0 } = {}): Promise<InsightServer> {
  return addTest(await startApi(t, { rateLimit }));
}

async function startApi(scope: Scope, { rateLimit }: { rateLimit: number }): Promise<Api> {
  const { sql } = await testDatabase(scope);
  const random = randomBytes;
  const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });
  const app = Fastify();
  scope.after(() => app.close());
  const api: Api = { app, sql, keys, current: null };
  const log = { error: (...entries: unknown[]) => void api.current?.logged.push(...entries) };
  const clock = () => api.current?.now ?? now;
  await registerLineInsight(app, {
    ...{ sql, random, clock, rateLimit, log, cacheMs: 0 },
    verified: new VerifiedTokens(noLine, { monotonic: clock, onCall: () => undefined }),
  });
  return api;
}

async function addTest(api: Api): Promise<InsightServer> {
  const { app, sql, keys } = api;
  const random = randomBytes;
  const setToken = (botId: string, accessToken: string, at = server.now) =>
    setChannel(sql, { botId, platform: 'line', secret: 'secret', accessToken }, { now: at, random, keys });
  const addBot = async (accessToken: string) => {
    const bot = { name: 'Shop', timeZone: 'Asia/Taipei' };
    const { botId } = await createBot(sql, bot, { now: connectedAt, random, keys });
    await setToken(botId, accessToken, connectedAt);
    return botId;
  };
  const accessToken = `channel-access-token-${newId(random)}`;
  const server: InsightServer = {
    ...{ app, sql, now, accessToken, addBot, setToken },
    botId: await addBot(accessToken),
    logged: [],
    call: (operationId, query = {}, token = accessToken) => send(app, operationId, query, token),
  };
  api.current = server;
  return server;
}

async function send(
  app: FastifyInstance,
  operationId: string,
  query: Record<string, string>,
  token: string | null,
): Promise<Answer> {
  const operation = contract.operations.find(({ id }) => id === operationId);
  assert.ok(operation, operationId);
  const response = await app.inject({
    method: 'GET',
    url: operation.path,
    query,
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
  });
  const answer = { status: response.statusCode, body: response.json(), headers: response.headers };
  expectContract(operationId, answer);
  return answer;
}

const requestIdForm = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * A successful response has exactly the properties of the contract. A failed one has LINE's error format, or LINE's four
 * nulls for statistics per unit. Each response has a request id.
 */
export function expectContract(operationId: string, { status, body, headers }: Answer): void {
  assert.match(String(headers['x-line-request-id']), requestIdForm);
  if (status === 400 && body.message === null) {
    assert.equal(operationId, 'getStatisticsPerUnit');
    assert.deepEqual(body, { message: null, key: null, stacktrace: null, code: null });
    return;
  }
  const operation = contract.operations.find(({ id }) => id === operationId);
  const difference = differenceOf(body, status === 200 ? (operation?.answers['200'] ?? {}) : errorSchema);
  assert.equal(difference, null, `${operationId} ${status}: ${JSON.stringify(body)} ${difference}`);
}

const errorSchema = {
  type: 'object',
  properties: { message: { type: 'string' }, details: { type: 'array' } },
  required: ['message'],
};

/** The example response of each operation in the document. */
export async function exampleAnswers(): Promise<Map<string, JsonObject>> {
  const examples = new Map<string, JsonObject>();
  collect(parseYaml(await readFile(contractFile, 'utf8')), examples);
  return examples;
}

function collect(node: unknown, examples: Map<string, JsonObject>): void {
  if (!isObject(node)) return;
  const { operationId, responses } = node;
  if (typeof operationId === 'string') {
    const example = ['200', 'content', 'application/json', 'example'].reduce<unknown>(
      (part, name) => (isObject(part) ? part[name] : undefined),
      responses,
    );
    if (isObject(example)) examples.set(operationId, example);
  }
  for (const child of Object.values(node)) collect(child, examples);
}
