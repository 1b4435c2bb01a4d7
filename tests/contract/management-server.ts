/**
 * The management API alone, once for each test file: a bot and tokens of the test, calls, and responses checked against the
 * contract.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { registerManagement } from '../../src/api/management/router.ts';
import { type AdminScope, createAdminToken, findAdminCaller } from '../../src/auth/admin-tokens.ts';
import { type Keys, openKeys } from '../../src/auth/keys.ts';
import { Passwords } from '../../src/auth/passwords.ts';
import { csrfTokenOf, type Holder, openSession } from '../../src/auth/sessions.ts';
import { nameKeyOf } from '../../src/auth/users.ts';
import { createBot } from '../../src/bots/bots.ts';
import { callLimit } from '../../src/collector/call-limit.ts';
import { readConfig } from '../../src/config.ts';
import { openClient, type Sql } from '../../src/database/client.ts';
import { readContract } from '../../src/http/contract.ts';
import { addSecurityHeaders } from '../../src/http/security-headers.ts';
import { startLiveChat } from '../../src/live-chat/live-chat.ts';
import { readMailSettings } from '../../src/mail/settings.ts';
import { GraphFailure } from '../../src/meta/graph-client.ts';
import { proxiesOf } from '../../src/network.ts';
import { Pictures } from '../../src/profiles/pictures.ts';
import { newId } from '../../src/random.ts';
import { testDatabase } from '../harness/database.ts';
import { oncePerFile, type Scope } from '../harness/scope.ts';
import { differenceOf } from './contract-check.ts';

const contractFile = new URL('../../contracts/management.yaml', import.meta.url);
export const contract = await readContract(contractFile, { closedQuery: true });

export type Answer = {
  status: number;
  body: Record<string, unknown>;
  text: string;
  headers: Record<string, unknown>;
};
export type Call = {
  token?: string | null;
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  headers?: Record<string, string>;
};
export type ManagementServer = {
  app: FastifyInstance;
  sql: Sql;
  keys: Keys;
  botId: string;
  /** A token for all bots with the scope admin. */
  token: string;
  /** The server's clock, in ms. */
  now: number;
  /** The logged errors. */
  logged: unknown[];
  /** The logged changes and rejections. */
  infos: unknown[];
  addBot(timeZone?: string): Promise<string>;
  addToken(scope: AdminScope, botIds?: string[] | null): Promise<{ token: string; tokenId: string }>;
  /** Adds a user with the password of all test users, hashed at the lowest cost. */
  addUser(user?: {
    name?: string;
    scope?: AdminScope;
    botId?: string | null;
  }): Promise<{ userId: string; name: string }>;
  /** The headers of a new session's calls. */
  session(holder: Holder): Promise<{ cookie: string; 'x-csrf-token': string }>;
  /**
   * Calls an operation. Defaults: the token for all bots, the bot, and `unknown` or 1 for other ids. An operation on sessions
   * is called with a new session of the token, or of a user with the scope of the token.
   */
  call(operationId: string, call?: Call): Promise<Answer>;
};

type Api = Pick<ManagementServer, 'app' | 'sql' | 'keys'> & {
  /** The server of the running test: its clock and its log. */
  current: ManagementServer | null;
};
type Settings = { rateLimit?: number; passwordCost?: typeof cheap; smtpUrl?: string | null };

const now = Date.parse('2026-03-15T04:00:00Z');
const apiOfFile = oncePerFile((scope) => startApi(scope));

/** The file's API with a bot, a token, a clock and a log of this test. */
export async function managementServer(): Promise<ManagementServer> {
  return addTest(await apiOfFile());
}

/** An API for this test alone, on its own database. */
export async function ownManagementServer(t: Scope, settings: Settings = {}): Promise<ManagementServer> {
  return addTest(await startApi(t, settings));
}

async function startApi(
  scope: Scope,
  { rateLimit = 0, passwordCost = cheap, smtpUrl = 'smtp://mail.example' }: Settings = {},
): Promise<Api> {
  const { sql, url } = await testDatabase(scope);
  const random = randomBytes;
  const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });
  const app = Fastify({ trustProxy: proxiesOf('loopback') });
  app.addHook('onRequest', async (request, reply) => void addSecurityHeaders(request, reply));
  scope.after(() => app.close());
  const api: Api = { app, sql, keys, current: null };
  const clock = () => api.current?.now ?? now;
  const liveChat = await startLiveChat({
    config: readConfig({}, {}),
    ...{ sql, postSql: sql, random, log: pino({ level: 'silent' }), clock },
    openListener: (lost) => openClient(url, { max: 1, applicationName: 'listening', lost }),
    stored: () => undefined,
  });
  scope.after(() => liveChat.close());
  const gate = { allowPrivate: true, lookup: async () => [] };
  const pictures = new Pictures({ sql, clock, gate, trustedOrigins: [] });
  scope.after(() => pictures.close());
  await registerManagement(app, {
    ...{ sql, liveChat, pictures, gate, keys, random, clock, rateLimit, passwordCost },
    exportSql: sql,
    dataFolder: null,
    publicUrl: smtpUrl === null ? null : 'https://shoal.example',
    // Reports are queued, and no worker sends them.
    mail: readMailSettings({ smtpUrl, mailFrom: 'shoal@shop.example' }),
    mantagoCallsPerMinute: 60,
    collectLimit: callLimit(60),
    metaLimit: callLimit(60),
    // No Meta: tokens are stored unchecked.
    graph: { get: () => Promise.reject(new GraphFailure('unreachable', 'there is no Meta')) },
    access: { tokenOf: async () => ({ failure: 'unreachable', problem: 'There is no LINE.' }) },
    log: {
      error: (...line: unknown[]) => void api.current?.logged.push(...line),
      info: (...line: unknown[]) => void api.current?.infos.push(...line),
    },
  });
  return api;
}

async function addTest(api: Api): Promise<ManagementServer> {
  const { app, sql, keys } = api;
  const random = randomBytes;
  const server: ManagementServer = {
    ...{ app, sql, keys, now, botId: '', token: '', logged: [], infos: [] },
    addBot: async (timeZone = 'Asia/Taipei') =>
      (await createBot(sql, { name: 'Shop', timeZone }, { now: server.now, random, keys })).botId,
    addToken: (scope, botIds = null) =>
      createAdminToken(sql, { name: `${scope} of a test`, scope, botIds }, { now: server.now, random }),
    addUser: (user = {}) => addUser(server, user),
    session: (holder) => sessionHeaders(server, holder),
    call: (operationId, call = {}) => send(server, operationId, call),
  };
  server.botId = await server.addBot();
  server.token = (await server.addToken('admin')).token;
  api.current = server;
  return server;
}

/** A low cost, so that tests do not spend most of their time on passwords. */
const cheap = { ln: 10, r: 8, p: 1 };
export const password = 'correct horse battery staple';
const passwordHash = new Passwords({ random: randomBytes, cost: cheap }).hash(password);

async function addUser(
  { sql, now }: ManagementServer,
  {
    name = newId(randomBytes),
    scope = 'read',
    botId = null,
  }: Parameters<ManagementServer['addUser']>[0] & object,
): Promise<{ userId: string; name: string }> {
  const userId = newId(randomBytes);
  await sql`
    insert into users (user_id, name, name_key, scope, bot_ids, password_hash, created_at)
    values (${userId}, ${name}, ${nameKeyOf(name)}, ${scope}, ${botId && [botId]}::text[], ${await passwordHash}, ${new Date(now)})`;
  return { userId, name };
}

async function sessionHeaders({ sql, now }: ManagementServer, holder: Holder) {
  const token = await openSession(sql, holder, { now, random: randomBytes });
  return { cookie: `shoal_session=${token}`, 'x-csrf-token': csrfTokenOf(token) };
}

/** The headers that authenticate a call. */
async function credentialsOf(server: ManagementServer, id: string, { token = server.token, headers }: Call) {
  const bearer: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  if (token === null || headers?.cookie !== undefined || !sessionOnly.includes(id)) return bearer;
  const caller = await findAdminCaller(server.sql, token, { now: server.now });
  if (caller === null) return bearer;
  if (!userOnly.includes(id)) return sessionHeaders(server, caller);
  const name = `of ${caller.tokenId}`;
  const [existingUser] = await server.sql<
    { userId: string }[]
  >`select user_id as "userId" from users where name = ${name}`;
  return sessionHeaders(server, existingUser ?? (await server.addUser({ name, scope: caller.scope })));
}

/** Operations that only a session may call. */
export const sessionOnly = ['getSession', 'deleteSession'];
/** Of these, the operations on the account of a user. */
export const userOnly = [
  'changeOwnPassword',
  'updateOwnAccount',
  'listOwnSessions',
  'endOtherSessions',
  'endOwnSession',
];
sessionOnly.push(...userOnly);

/** The statuses returned in this process, by operation id. */
export const answered = new Map<string, Set<number>>();

async function send(server: ManagementServer, operationId: string, call: Call): Promise<Answer> {
  const { params = {}, query = {}, body, headers = {} } = call;
  const operation = operationOf(operationId);
  const fallback: Record<string, string> = {
    botId: server.botId,
    deliveryId: '1',
    platform: 'line',
    rule: 'webhook-given-up',
    metaPlatform: 'facebook',
    what: operationId === 'exportData' ? 'figures' : 'contacts',
  };
  const url = operation.path.replace(
    /\{(\w+)\}/g,
    (_, name: string) => params[name] ?? fallback[name] ?? 'unknown',
  );
  const response = await server.app.inject({
    method: operation.method as 'GET',
    url,
    query,
    ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(await credentialsOf(server, operationId, call)),
      ...headers,
    },
  });
  const { statusCode: status, body: text } = response;
  const isJson = String(response.headers['content-type']).includes('json');
  const answer = { status, body: isJson ? JSON.parse(text) : {}, text, headers: response.headers };
  expectContract(operationId, answer);
  return answer;
}

export function operationOf(operationId: string) {
  const operation = contract.operations.find(({ id }) => id === operationId);
  assert.ok(operation, operationId);
  return operation;
}

/** The status is documented, and the response has exactly the properties of the contract. */
function expectContract(operationId: string, { status, body, headers }: Answer): void {
  const statuses = answered.get(operationId) ?? new Set();
  answered.set(operationId, statuses.add(status));
  const { answers } = operationOf(operationId);
  const schema = answers[status];
  if (schema === undefined) return;
  const difference = differenceOf(body, schema);
  assert.equal(difference, null, `${operationId} ${status}: ${JSON.stringify(body)} ${difference}`);
  const type = status < 400 ? 'application/json; charset=utf-8' : 'application/problem+json; charset=utf-8';
  assert.equal(headers['content-type'], type, operationId);
  if (status >= 400) assert.equal(body.status, status);
}

/** Status, code and detail of a rejected call. */
export function problemOf({ status, body }: Answer): [status: number, code: unknown, detail: unknown] {
  assert.equal(body.type, `/docs/errors#${body.code}`);
  return [status, body.code, body.detail];
}
