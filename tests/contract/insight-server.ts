/**
 * The LINE Insight API alone, on the test's own database: a bot with a LINE channel, calls, and responses checked against
 * the contract.
 */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import Fastify, { type FastifyInstance } from 'fastify';
import { registerLineInsight } from '../../src/api/line-insight/router.ts';
import { openKeys } from '../../src/auth/keys.ts';
import { createBot } from '../../src/bots/bots.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import type { Sql } from '../../src/database/client.ts';
import { readContract } from '../../src/http/contract.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import { testDatabase } from '../harness/database.ts';
import { seededBytes } from '../harness/random.ts';
import { parseYaml } from '../harness/yaml.ts';

const contractFile = new URL('../../contracts/line-insight.yaml', import.meta.url);
export const contract = await readContract(contractFile);

export type Answer = { status: number; body: JsonObject; headers: Record<string, unknown> };
export type InsightServer = {
  app: FastifyInstance;
  sql: Sql;
  botId: string;
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

/** The channel's own access token. */
export const accessToken = 'channel-access-token-of-the-first-bot';

/** Starts the API and closes everything when the test ends. The channel is connected on 2026-01-01 (UTC+9). */
export async function insightServer(t: TestContext, { rateLimit = 0 } = {}): Promise<InsightServer> {
  const { sql } = await testDatabase(t);
  const random = seededBytes(1);
  const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });
  const app = Fastify();
  t.after(() => app.close());
  const logged: unknown[] = [];
  const log = { error: (...entries: unknown[]) => void logged.push(...entries) };
  const connectedAt = Date.parse('2026-01-01T00:00:00+09:00');
  const setToken = (botId: string, accessToken: string, now = server.now) =>
    setChannel(sql, { botId, platform: 'line', secret: 'secret', accessToken }, { now, random, keys });
  const addBot = async (accessToken: string) => {
    const { botId } = await createBot(
      sql,
      { name: 'Shop', timeZone: 'Asia/Taipei' },
      { now: connectedAt, random, keys },
    );
    await setToken(botId, accessToken, connectedAt);
    return botId;
  };
  const server: InsightServer = {
    app,
    sql,
    botId: '',
    now: Date.parse('2026-03-15T12:00:00+09:00'),
    logged,
    addBot,
    setToken,
    call: (operationId, query = {}, token = accessToken) => send(app, operationId, query, token),
  };
  server.botId = await addBot(accessToken);
  await registerLineInsight(app, { sql, random, clock: () => server.now, rateLimit, log, cacheMs: 0 });
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

const ajv = new Ajv({ strict: false });
addFormats.default(ajv);
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
  const check = ajv.compile(closed(status === 200 ? (operation?.answers['200'] ?? {}) : errorSchema));
  assert.ok(check(body), `${operationId} ${status}: ${JSON.stringify(body)} ${ajv.errorsText(check.errors)}`);
}

const errorSchema = {
  type: 'object',
  properties: { message: { type: 'string' }, details: { type: 'array' } },
  required: ['message'],
};

/** The schema, with additional properties forbidden in every object. */
function closed(schema: unknown): JsonObject {
  if (!isObject(schema)) return {};
  if (schema.type === 'array') return { ...schema, items: closed(schema.items) };
  if (!isObject(schema.properties)) return schema;
  const properties = Object.entries(schema.properties).map(([name, property]) => [name, closed(property)]);
  return { ...schema, properties: Object.fromEntries(properties), additionalProperties: false };
}

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
