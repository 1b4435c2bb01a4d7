/** Builds the calls of the fuzzer: valid by the documents, then changed. All choices come from the seed. */
import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import type { SeededRandom } from '../../simulator/events/random.ts';
import { createAdminToken } from '../../src/auth/admin-tokens.ts';
import { csrfTokenOf, openSession } from '../../src/auth/sessions.ts';
import { createBot } from '../../src/bots/bots.ts';
import { createLineToken } from '../../src/bots/line-tokens.ts';
import { Failure } from '../part.ts';
import type { World } from '../world/world.ts';
import { goodPerson } from './deliveries.ts';
import { mutated, withRepeatedName } from './mutations.ts';
import type { Operation } from './operations.ts';
import { addUser, makingOf, type Tenant } from './tenant.ts';
import { hostileCursor, hostileText, type Source, toText, validValue } from './values.ts';

/** One call, in parts that can be left out when it is reduced. */
export type Call = {
  operation: Operation;
  /** What was changed; empty for a valid call. */
  changes: string[];
  method: string;
  path: string;
  /** Percent-encoded. */
  query: [name: string, value: string][];
  headers: Record<string, string>;
  /** A JSON value, unless `bytes` replaces it. */
  body: unknown;
  bytes: Buffer | null;
  /** False if the method or path is not the operation's, so that its answers are not known. */
  isOperation: boolean;
  /** True if the caller may see the foreign bot. */
  maySeeForeign: boolean;
};

export type Fuzzed = { world: World; tenant: Tenant; random: SeededRandom };

const changedShare = 0.55;
const changesMax = 3;
/** Called with the spare bot: they change channels and credentials. */
const onSpare = new Set([
  ...['setChannel', 'enableChannel', 'disableChannel', 'renewApiPair', 'updateBot'],
  ...['setCallback', 'removeCallback', 'rotateCallbackSecret', 'setCustomerCallback'],
]);
/** For callers with access to all bots. */
const forAllBots = new Set([
  ...['createBot', 'createAdminToken', 'listAdminTokens', 'revokeAdminToken'],
  ...['listUsers', 'createUser', 'updateUser', 'removeUser'],
]);
const ofSession = new Set(['getSession', 'deleteSession', 'changeOwnPassword']);
const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const bodyBytesLarge = 4_000_000;

/** A call of the operation: valid in about half of the cases. */
export async function makeCall(operation: Operation, fuzzed: Fuzzed): Promise<Call> {
  const call = validCall(operation, fuzzed);
  await prepare(call, fuzzed);
  const { random } = fuzzed;
  if (!random.chance(changedShare)) {
    if (
      call.bytes === null &&
      operation.isValidBody &&
      call.body !== undefined &&
      !operation.isValidBody(call.body)
    )
      throw new Failure(`the fuzzer made an invalid body for ${operation.id}`, {
        body: call.body,
        errors: operation.isValidBody.errors,
      });
    return call;
  }
  const times = random.chance(0.7) ? 1 : random.integer(2, changesMax);
  for (let time = 0; time < times; time++) call.changes.push(change(call, fuzzed));
  return call;
}

function validCall(operation: Operation, { tenant, random }: Fuzzed): Call {
  const { contract, id, method, parameters, bodyTypes, body } = operation;
  const source: Source = { ...tenant, random, operationId: id };
  const botId = onSpare.has(id) ? tenant.spareId : tenant.botId;
  const fixed: Record<string, string> = { botId, widgetKey: tenant.widgetKey };
  const textFor = (name: string, schema: object) =>
    fixed[name] ?? String(validValue(schema as never, name, source));
  const call: Call = {
    ...{ operation, method, path: operation.path, query: [], headers: {}, bytes: null, changes: [] },
    ...{ isOperation: true, maySeeForeign: false },
    body:
      body && (operation.isBodyRequired || random.chance(0.8))
        ? validValue(body as never, 'body', source)
        : undefined,
  };
  for (const { name, in: place, required, schema } of parameters) {
    if (!required && !random.chance(0.35)) continue;
    const isCursor = name === 'cursor' || name === 'next';
    const cursor = tenant.pool.pickCursor(id, random);
    if (isCursor && cursor === null) continue;
    const value = isCursor ? (cursor ?? '') : textFor(name, schema);
    if (place === 'path') call.path = call.path.replace(`{${name}}`, encodeURIComponent(value));
    else if (place === 'query') call.query.push([name, encodeURIComponent(value)]);
    else if (name === 'Idempotency-Key') call.headers['idempotency-key'] = ulid();
  }
  if (isRecord(call.body) && 'botId' in call.body && call.body.botId !== null) call.body.botId = botId;
  if (isRecord(call.body) && Array.isArray(call.body.botIds)) call.body.botIds = [botId];
  if (contract === 'mantago' && isRecord(call.body)) call.body.secret = tenant.pair.apiSecret;
  if (bodyTypes.length > 0) call.headers['content-type'] = bodyTypes[0] ?? '';
  if (random.chance(0.1)) call.headers['accept-encoding'] = random.pick(['gzip', 'br', 'identity', '*;q=0']);
  authorize(call, { tenant, random });
  return call;
}

function authorize(
  { operation, headers }: Call,
  { tenant, random }: Pick<Fuzzed, 'tenant' | 'random'>,
): void {
  const { contract, id } = operation;
  const pick = (tokens: readonly string[]) => tokens[random.integer(0, tokens.length - 1)] ?? '';
  const token = {
    mantago: () => tenant.pair.apiToken,
    'line-insight': () => pick(tenant.lineTokens),
    management: () => (forAllBots.has(id) ? tenant.tokens.all : tenant.tokens.own),
    'live-chat': () => pick(tenant.visitorTokens),
  }[contract]();
  if (id === 'createSession' || (id === 'beginSession' && random.chance(0.5))) return;
  headers.authorization = `Bearer ${token}`;
}

/** What single operations need: things of their own that they end, and values with a relation that the schema cannot say. */
async function prepare(call: Call, { world, tenant, random }: Fuzzed): Promise<void> {
  const { id } = call.operation;
  const { sql } = world;
  const setPath = (name: string, value: string) => {
    const index = call.operation.path.split('/').indexOf(`{${name}}`);
    call.path = call.path.split('/').with(index, value).join('/');
  };
  if (forAllBots.has(id)) call.maySeeForeign = true;
  if (ofSession.has(id)) {
    const user = await addUser(world);
    const token = await openSession(sql, user, { now: Date.now(), random: randomBytes });
    delete call.headers.authorization;
    call.headers.cookie = `shoal_session=${token}`;
    call.headers['x-csrf-token'] = csrfTokenOf(token);
    if (id === 'changeOwnPassword' && isRecord(call.body)) call.body.currentPassword = user.password;
  }
  if (id === 'createSession') {
    call.headers['x-forwarded-for'] =
      `10.${random.integer(0, 255)}.${random.integer(0, 255)}.${random.integer(1, 254)}`;
    const { name, password } = tenant.user;
    call.body = random.chance(0.1) ? { userName: name, password } : { token: tenant.tokens.own };
  }
  if (id === 'revokeAdminToken') {
    const bots = [tenant.botId];
    const { tokenId } = await createAdminToken(
      sql,
      { name: 'short', scope: 'read', botIds: bots },
      await makingOf(world),
    );
    setPath('tokenId', tokenId);
  }
  if (id === 'updateUser' || id === 'removeUser') setPath('userId', (await addUser(world)).userId);
  if (id === 'updateUser' && isRecord(call.body) && 'botIds' in call.body) call.body.botIds = [tenant.botId];
  if (id === 'revokeLineToken' && random.chance(0.5)) {
    const { tokenId } = await createLineToken(sql, tenant.botId, {}, await makingOf(world));
    setPath('lineTokenId', tokenId);
  }
  if (id === 'refreshToken') {
    const pair = await createBot(sql, { name: 'short', timeZone: 'UTC' }, await makingOf(world));
    call.query = [['botId', pair.botId]];
    call.headers.authorization = `Bearer ${pair.apiToken}`;
    call.body = { secret: pair.apiSecret };
  }
  if (id === 'unbindCustomer' || id === 'removeCustomer')
    await useCustomer(call, { world, tenant, random }, setPath);
  if (id === 'setChannel' && isRecord(call.body)) {
    const { accountId: _account, retireSecret, ...body } = call.body;
    call.body = random.chance(0.5)
      ? { secret: random.text('abcdef', 20) }
      : { ...body, ...(retireSecret ? { retireSecret } : {}) };
  }
  if (id === 'sendImage' || id === 'sendChatImage') {
    call.bytes = gif;
    call.headers['content-type'] = 'image/gif';
  }
  if ((id === 'getImage' || id === 'getChatImage') && random.chance(0.8)) {
    const [image] = await sql<{ messageId: string; visitorId: string }[]>`
      select message_id as "messageId", visitor_id as "visitorId" from chat_images where bot_id = ${tenant.botId}
      order by sent_at desc limit 1 offset ${random.integer(0, 5)}`;
    if (image) setPath('messageId', image.messageId);
    if (image && id === 'getChatImage') setPath('visitorId', image.visitorId);
  }
  if (id === 'forgetContact') {
    const [contact] = await sql<{ contactId: string }[]>`
      select contact_id as "contactId" from contacts
      where bot_id = ${tenant.botId} and merged_into is null
        and not starts_with(platform_contact_id, ${goodPerson.line}) and not starts_with(platform_contact_id, ${goodPerson.number})
      limit 1 offset ${random.integer(0, 20)}`;
    setPath('contactId', contact?.contactId ?? random.text('abcdef', 14));
  }
  if (id === 'importData') call.bytes = importOf(call, tenant, random);
}

async function useCustomer(
  call: Call,
  { world, tenant, random }: Fuzzed,
  setPath: (name: string, value: string) => void,
): Promise<void> {
  const [bound] = await world.sql<{ contactId: string; customerId: string }[]>`
    select contact_id as "contactId", customer_id as "customerId" from contact_profiles
    where bot_id = ${tenant.botId} and customer_id is not null limit 1 offset ${random.integer(0, 3)}`;
  if (!bound) return;
  if (call.operation.id === 'removeCustomer') setPath('contactId', bound.contactId);
  else if (isRecord(call.body))
    Object.assign(call.body, { clientId: bound.contactId, customerId: bound.customerId });
}

function importOf(call: Call, { pool }: Tenant, random: SeededRandom): Buffer {
  const isPoints = call.path.endsWith('/points');
  const contact = pool.pick('contactId', random) ?? 'unknown';
  call.headers['content-type'] = 'text/csv';
  const lines = Array.from({ length: random.integer(1, 5) }, () =>
    isPoints
      ? `line,${contact},${random.integer(1, 50)},${ulid()}`
      : `line,U${random.text('0123456789abcdef', 32)}`,
  );
  const head = isPoints ? 'platform,contact,amount,key' : 'platform,platform_contact_id';
  return Buffer.from([head, ...lines].join('\n'));
}

type Change = (call: Call, fuzzed: Fuzzed) => string;

const changes: Record<string, { weight: number; change: Change }> = {
  body: {
    weight: 8,
    change: (call, { random }) => {
      if (call.body === undefined || call.bytes !== null) return changeQuery(call, random);
      const { value, what } = mutated(call.body, random);
      call.body = value;
      return `body: ${what}`;
    },
  },
  query: { weight: 4, change: (call, { random }) => changeQuery(call, random) },
  path: { weight: 3, change: changePath },
  headers: { weight: 4, change: changeHeaders },
  bytes: { weight: 2, change: changeBytes },
  method: {
    weight: 0.5,
    change: (call, { random }) => {
      call.method = random.pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const);
      call.isOperation &&= call.method === call.operation.method;
      // Another operation of the path may answer the foreign bot's list to this caller.
      call.maySeeForeign ||= forAllBots.has(call.operation.id);
      return `method ${call.method}`;
    },
  },
};

function change(call: Call, fuzzed: Fuzzed): string {
  const weights = Object.fromEntries(Object.entries(changes).map(([name, { weight }]) => [name, weight]));
  return changes[fuzzed.random.weighted(weights)]?.change(call, fuzzed) ?? '';
}

function changeQuery(call: Call, random: SeededRandom): string {
  const declared = call.operation.parameters.filter(({ in: place }) => place === 'query');
  const names = [...new Set([...declared.map(({ name }) => name), ...call.query.map(([name]) => name)])];
  const name = names[random.integer(0, Math.max(0, names.length - 1))] ?? 'extra';
  const kind = random.weighted({ hostile: 8, drop: 1, twice: 1, extra: 1, broken: 1, cursor: 2 });
  const others = call.query.filter(([other]) => other !== name);
  if (kind === 'drop') call.query = others;
  else if (kind === 'twice') call.query.push([name, encodeURIComponent(hostileWell(random))]);
  else if (kind === 'extra') call.query.push([random.pick(['extra', '__proto__', '', 'botId']), '1']);
  else if (kind === 'broken')
    call.query = [...others, [name, random.pick(['%', '%zz', '%00', '%ED%A0%80', '%FF', '+', '&&'])]];
  else if (kind === 'cursor' && names.some((one) => one === 'cursor' || one === 'next')) {
    const key = names.includes('cursor') ? 'cursor' : 'next';
    const cursor = call.query.find(([one]) => one === key)?.[1] ?? null;
    call.query = [
      ...call.query.filter(([one]) => one !== key),
      [key, encodeURIComponent(hostileCursor(cursor, random))],
    ];
  } else call.query = [...others, [name, encodeURIComponent(hostileWell(random))]];
  return `query: ${kind} ${name}`;
}

/** Well-formed, because encodeURIComponent throws for a lone surrogate. */
function hostileWell(random: SeededRandom): string {
  return hostileText(random).toWellFormed().slice(0, 6_000);
}

function changePath(call: Call, { tenant, random }: Fuzzed): string {
  const parts = call.operation.path.split('/');
  const places = parts.flatMap((part, index) => (part.startsWith('{') ? [index] : []));
  const index = places[random.integer(0, Math.max(0, places.length - 1))];
  if (index === undefined) return changeQuery(call, random);
  const name = parts[index]?.slice(1, -1) ?? '';
  const kind = random.weighted({ hostile: 4, foreign: 4, case: 2, broken: 1 });
  const current = call.path.split('/')[index] ?? '';
  // A caller of all bots must not change the foreign one, and the key of a live chat is public.
  const isForeign = kind === 'foreign' && !call.maySeeForeign && name !== 'widgetKey';
  const foreign = name === 'visitorId' || name === 'tagId' || name === 'contactId' || name === 'botId';
  const swapped = current === current.toLowerCase() ? current.toUpperCase() : current.toLowerCase();
  const value =
    isForeign && foreign
      ? (tenant.foreignIds[name] ?? '')
      : kind === 'case'
        ? swapped
        : kind === 'broken'
          ? random.pick(['%', '%00', '%zz', '%ED%A0%80', '%2F', '%2e%2e'])
          : encodeURIComponent(hostileWell(random).slice(0, 3_000));
  call.path = call.path.split('/').with(index, value).join('/');
  // Clients and proxies resolve dots and empty parts, so the path may be that of another operation.
  if (value === '' || /^(\.|%2e)*$/i.test(value)) call.isOperation = false;
  return `path: ${kind} ${name}`;
}

function changeHeaders(call: Call, { tenant, random }: Fuzzed): string {
  const { headers } = call;
  const kind = random.weighted({ auth: 4, type: 3, other: 4 });
  if (kind === 'auth') {
    const { foreign, read, own } = tenant.tokens;
    const tokens = [
      foreign,
      read,
      own,
      tenant.foreignPair.apiToken,
      tenant.pair.apiToken,
      'x',
      '',
      hostileAscii(random),
    ];
    const token = tokens[random.integer(0, tokens.length - 1)] ?? '';
    if (token === foreign || token === tenant.foreignPair.apiToken) call.maySeeForeign = true;
    if (random.chance(0.2)) delete headers.authorization;
    else headers.authorization = `${random.pick(['Bearer', 'bearer', 'Basic', 'Token', ''])} ${token}`.trim();
  } else if (kind === 'type') {
    const types = [
      'text/plain',
      'application/json; charset=utf-16',
      'application/json;',
      'x',
      'multipart/form-data',
      'image/png',
      'application/x-ndjson',
    ];
    if (random.chance(0.2)) delete headers['content-type'];
    else headers['content-type'] = types[random.integer(0, types.length - 1)] ?? '';
  } else {
    const name = random.pick([
      'idempotency-key',
      'if-match',
      'if-none-match',
      'x-forwarded-for',
      'x-forwarded-proto',
      'origin',
      'cookie',
      'accept',
      'content-encoding',
      'range',
      'x-http-method-override',
      'accept-language',
      'x-csrf-token',
      'x-long',
    ] as const);
    headers[name] =
      name === 'x-long'
        ? 'x'.repeat(random.pick([4_000, 12_000, 20_000]))
        : random.chance(0.3)
          ? 'gzip'
          : hostileAscii(random);
  }
  return `headers: ${kind}`;
}

function hostileAscii(random: SeededRandom): string {
  return hostileText(random)
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, 2_000)
    .trim();
}

function changeBytes(call: Call, { random }: Fuzzed): string {
  const text = call.bytes?.toString('latin1') ?? (call.body === undefined ? '' : toText(call.body));
  const whole = call.bytes ?? Buffer.from(text);
  const kind = random.weighted({
    cut: 3,
    repeatedName: 2,
    garbage: 2,
    bom: 1,
    large: 0.1,
    empty: 1,
    unneeded: 1,
  });
  const cut = whole.subarray(0, random.integer(0, whole.length));
  call.bytes = {
    cut: () => cut,
    repeatedName: () => Buffer.from(withRepeatedName(text)),
    garbage: () => Buffer.concat([cut, Buffer.from([0xff, 0xc3, 0x28, 0, 0xed, 0xa0, 0x80]), whole]),
    bom: () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), whole]),
    large: () => Buffer.alloc(bodyBytesLarge, ' '),
    empty: () => Buffer.alloc(0),
    unneeded: () => Buffer.from('{"a":1}'),
  }[kind]();
  return `bytes: ${kind}`;
}

/** The bytes that are sent; null without a body. */
export function bytesOf({ method, body, bytes }: Call): Buffer | null {
  if (method === 'GET' || method === 'HEAD') return null;
  return bytes ?? (body === undefined ? null : Buffer.from(toText(body)));
}

export function urlOf({ path, query }: Call): string {
  const search = query.map(([name, value]) => `${encodeURIComponent(name)}=${value}`).join('&');
  return search === '' ? path : `${path}?${search}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
