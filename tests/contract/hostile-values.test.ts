/**
 * Calls every operation of the four API documents with dates, cursors, numbers and texts that no column can store. Each
 * response arrives within 5 seconds and has a documented status below 500.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { ulid } from 'ulid';
import { createLineToken } from '../../src/bots/line-tokens.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import { addLiveChat, visit } from '../harness/live-chat.ts';
import { testServer } from '../harness/server.ts';
import { parseYaml } from '../harness/yaml.ts';

type Parameter = { name: string; in: string; required?: boolean; schema: JsonObject };
type Operation = {
  id: string;
  method: string;
  path: string;
  statuses: string[];
  parameters: Parameter[];
  body: JsonObject | null;
};

const answerMsMax = 5_000;
const atOnce = 4;
const farMs = 8.64e15;
const sockets = ['openVisitorSocket', 'openChatSocket'];
/** Operations that take a file, or that only a session may call. */
const withoutJson = ['sendImage', 'sendChatImage', 'importData'];

const days = ['0000-01-01', '1999-12-31', '2200-01-01', '9999-12-31', '10000-01-01', '-000001-01-01'];
const compactDays = ['00000101', '99991231', '100000101'];
const instants = [...days.map((day) => `${day}T00:00:00Z`), '2016-12-31T23:59:60Z'];
const numbers = ['-1', '9007199254740993', '1e308', '9'.repeat(30), 'NaN'];
// The last value is a lone surrogate, encoded as UTF-8 would.
const texts = ['a%00b', '%00', '%ED%A0%80'];
const jsonTexts = ['a\0b', '\ud800', 'a\udc00'];
const numberFields = ['at', 'firstAt', 'sentAt', 'happenedAt', 'deliveryId', 'noticeId'];
const textFields = ['createdMicros', 'botId', 'contactId', 'visitorId', 'requestId', 'tagId', 'entryId'];
const cursors = [farMs, -farMs, -1, 1e300, '9'.repeat(16), '9'.repeat(18), 'a\0b', '\ud800'].flatMap(
  (value) => [base64url(JSON.stringify(cursorWith(value))), base64url(`${value} abc`)],
);

/** The cursor fields of every list, with the value in each field of its type. */
function cursorWith(value: number | string): JsonObject {
  const cursorFields = {
    contactId: 'abc',
    visitorId: 'v_abc',
    requestId: 'abc',
    tagId: 'abc',
    place: '0'.repeat(64),
  };
  const fields = typeof value === 'number' ? numberFields : textFields;
  return { ...cursorFields, createdMicros: '1', ...Object.fromEntries(fields.map((name) => [name, value])) };
}

test('no hostile value makes an operation fail, hang, or answer with an undocumented status', async (t) => {
  const server = await testServer(t, { adminRateLimit: 0, chatVisitorLimit: 0, chatAddressLimit: 0 });
  const { botId, apiToken, apiSecret } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret: 'secret' });
  const making = { now: Date.now(), random: randomBytes };
  const adminToken = await server.addToken();
  const line = await createLineToken(server.sql, botId, {}, making);
  const chat = await addLiveChat(server);
  const visitor = await visit(server.address, chat.widgetKey);
  await visitor.send('hello');
  await server.folded();
  const [contact] = await server.sql<{ contactId: string }[]>`
    select contact_id as "contactId" from contacts where bot_id = ${chat.botId}`;
  const [tag] = await server.sql<{ tagId: string }[]>`
    insert into tags (bot_id, tag_id, kind, name, created_at, updated_at)
    values (${chat.botId}, 'abcdefgh', 'manual', 'VIP', now(), now()) returning tag_id as "tagId"`;
  const ids: Record<string, string> = {
    botId: chat.botId,
    contactId: contact?.contactId ?? '',
    tagId: tag?.tagId ?? '',
    visitorId: visitor.visitorId,
    widgetKey: chat.widgetKey,
    messageId: ulid(),
    platform: 'line',
    what: 'figures',
    deliveryId: '1',
    noticeId: '1',
  };
  const apis: Record<string, Api> = {
    management: { base: '', ids, query: {}, secret: {}, token: adminToken },
    mantago: {
      base: '/api',
      ids: { ...ids, botId },
      query: { botId },
      secret: { secret: apiSecret },
      token: apiToken,
    },
    'line-insight': { base: '', ids, query: {}, secret: {}, token: line.token },
    'live-chat': { base: '', ids, query: {}, secret: {}, token: visitor.token },
  };
  const failures: string[] = [];
  let calls = 0;
  for (const [name, api] of Object.entries(apis)) {
    const attacks = (await readOperations(name)).flatMap((operation) => attacksOn(operation, api));
    calls += attacks.length;
    const next = attacks.values();
    const run = async () => {
      for (const attack of next)
        failures.push(...(await problemsOf(`${server.address}${api.base}`, attack, api)));
    };
    await Promise.all(Array.from({ length: atOnce }, run));
  }
  assert.deepEqual(failures, []);
  assert.ok(calls > 1_500, `${calls} calls`);
});

type Api = {
  base: string;
  ids: Record<string, string>;
  query: Record<string, string>;
  secret: JsonObject;
  token: string;
};
type Attack = { operation: Operation; what: string; url: string; body: JsonObject | null };

/** One call for each parameter or body field and each value of its type; all other fields are valid. */
function attacksOn(operation: Operation, api: Api): Attack[] {
  const { parameters, body } = operation;
  const needed = Object.fromEntries(
    parameters
      .filter((parameter) => parameter.in === 'query' && parameter.required)
      .map(({ name, schema }) => [name, api.query[name] ?? api.ids[name] ?? String(sampleOf(schema))]),
  );
  const query = { ...needed, ...api.query };
  const sound = body && { ...objectOf(sampleOf(body)), ...api.secret };
  const toAttack = (
    what: string,
    values: { path?: string; query?: Record<string, string>; body?: JsonObject | null },
  ) => ({
    operation,
    what,
    url: `${values.path ?? pathOf(operation, api.ids)}?${search({ ...query, ...values.query })}`,
    body: values.body ?? sound,
  });
  const ofParameters = parameters.flatMap(({ name, in: cursorFields, schema }) =>
    cursorFields === 'header'
      ? []
      : valuesFor(name, schema).map((value) =>
          toAttack(
            `${name}=${value}`,
            cursorFields === 'query'
              ? { query: { [name]: value } }
              : { path: pathOf(operation, { ...api.ids, [name]: value }) },
          ),
        ),
  );
  const ofBody = Object.entries(objectOf(body?.properties)).flatMap(([name, schema]) =>
    jsonValuesFor(objectOf(schema)).map((value) =>
      toAttack(`${name}: ${JSON.stringify(value)}`, { body: { ...sound, [name]: value } }),
    ),
  );
  return [...ofParameters, ...ofBody];
}

/** Values of a parameter, percent-encoded where necessary. */
function valuesFor(name: string, { type, format, pattern }: JsonObject): string[] {
  if (name === 'cursor' || name === 'next') return [...cursors, ...texts];
  if (format === 'date' || /time$/i.test(name)) return [...days, ...texts];
  if (pattern === '^[0-9]{8}$') return [...compactDays, ...texts];
  if (format === 'date-time') return [...instants, ...texts];
  return [...texts, ...(type === 'integer' || type === 'number' ? numbers : days.slice(0, 1))];
}

function jsonValuesFor(schema: JsonObject): unknown[] {
  const { type, format, items } = schema;
  const types = [type].flat();
  if (format === 'date') return [...days, ...jsonTexts];
  if (format === 'date-time') return [...instants, ...jsonTexts];
  if (types.includes('string')) return jsonTexts;
  if (types.includes('integer') || types.includes('number')) return [-1, 1e308, Number.MAX_SAFE_INTEGER, 0.5];
  if (types.includes('array')) return jsonValuesFor(objectOf(items)).map((value) => [value]);
  const members = Object.entries(objectOf(schema.properties));
  return members.flatMap(([name, member]) =>
    jsonValuesFor(objectOf(member)).map((value) => ({ ...objectOf(sampleOf(schema)), [name]: value })),
  );
}

/** A small value that the schema allows. */
function sampleOf(schema: JsonObject): unknown {
  const {
    type,
    example,
    enum: choices,
    format,
    pattern,
    minimum,
    properties,
    required,
    items,
    minLength,
  } = schema;
  const [kind] = [type].flat();
  if (Array.isArray(choices)) return choices[0];
  if (example !== undefined) return example;
  if (kind === 'object' || properties !== undefined) {
    const names = Array.isArray(required) ? required : [];
    return Object.fromEntries(names.map((name) => [name, sampleOf(objectOf(objectOf(properties)[name]))]));
  }
  if (kind === 'array') return [sampleOf(objectOf(items))];
  if (kind === 'integer' || kind === 'number') return minimum ?? 1;
  if (kind === 'boolean') return true;
  if (format === 'date') return '2026-03-01';
  if (format === 'date-time') return '2026-03-01T10:00:00Z';
  if (pattern === '^[0-9]{8}$') return '20260301';
  if (String(pattern).startsWith('^[0-7]')) return ulid();
  return 'a'.repeat(Math.max(1, Number(minLength ?? 1)));
}

async function problemsOf(
  base: string,
  { operation, what, url, body }: Attack,
  { token }: Api,
): Promise<string[]> {
  const { id, method, statuses } = operation;
  const call = `${id} ${what}`;
  try {
    const response = await fetch(`${base}${url}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        'idempotency-key': ulid(),
        ...(body === null ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === null ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(answerMsMax),
    });
    const text = await response.text();
    const isFine =
      statuses.includes(String(response.status)) && (response.status < 500 || response.status === 501);
    return isFine ? [] : [`${call}: ${response.status} ${text.slice(0, 200)}`];
  } catch (error) {
    return [`${call}: ${error}`];
  }
}

async function readOperations(name: string): Promise<Operation[]> {
  const files = name === 'mantago' ? ['mantago', 'mantago-partial'] : [name];
  const documents = await Promise.all(
    files.map(async (file) =>
      objectOf(parseYaml(await readFile(new URL(`../../contracts/${file}.yaml`, import.meta.url), 'utf8'))),
    ),
  );
  const components: JsonObject = {};
  for (const document of documents) {
    for (const [section, members] of Object.entries(objectOf(document.components)))
      components[section] = { ...objectOf(components[section]), ...objectOf(members) };
  }
  return documents.flatMap(({ paths }) =>
    Object.entries(objectOf(resolve(paths, { components }))).flatMap(([path, item]) =>
      Object.entries(objectOf(item)).flatMap(([method, operation]) => {
        const { operationId: id, parameters, requestBody, responses } = objectOf(operation);
        if (typeof id !== 'string' || sockets.includes(id)) return [];
        const shared = objectOf(item).parameters;
        const json = objectOf(objectOf(objectOf(requestBody).content)['application/json']).schema;
        return {
          ...{ id, method: method.toUpperCase(), path, statuses: Object.keys(objectOf(responses)) },
          parameters: [...listOf(shared), ...listOf(parameters)] as Parameter[],
          body: json === undefined || withoutJson.includes(id) ? null : objectOf(json),
        };
      }),
    ),
  );
}

function resolve(node: unknown, root: JsonObject): unknown {
  if (Array.isArray(node)) return node.map((item) => resolve(item, root));
  if (!isObject(node)) return node;
  if (typeof node.$ref !== 'string')
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, resolve(value, root)]));
  const target = node.$ref
    .split('/')
    .slice(1)
    .reduce<unknown>((part, name) => objectOf(part)[name], root);
  return resolve(target, root);
}

function pathOf({ path }: Operation, ids: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? 'unknown');
}

function search(query: Record<string, string>): string {
  return Object.entries(query)
    .map(([name, value]) => `${name}=${value.includes('%') ? value : encodeURIComponent(value)}`)
    .join('&');
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
