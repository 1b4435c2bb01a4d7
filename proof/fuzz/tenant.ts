/**
 * The bots of one round of the fuzzer: one that it calls, a spare one for changes of channels and credentials, and a foreign one,
 * whose data must never appear in an answer and must never change.
 */
import { randomBytes } from 'node:crypto';
import { createAdminToken } from '../../src/auth/admin-tokens.ts';
import { type Keys, openKeys } from '../../src/auth/keys.ts';
import { Passwords } from '../../src/auth/passwords.ts';
import { nameKeyOf } from '../../src/auth/users.ts';
import { createBot } from '../../src/bots/bots.ts';
import { createLineToken } from '../../src/bots/line-tokens.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import { newId } from '../../src/random.ts';
import { openGate } from '../../src/webhooks-out/addresses.ts';
import { setCallback } from '../../src/webhooks-out/endpoints.ts';
import {
  lineDestination,
  lineSecret,
  lineUser,
  metaSecret,
  whatsappNumberId,
} from '../../tests/harness/webhooks.ts';
import { Failure } from '../part.ts';
import type { World } from '../world/world.ts';
import { Pool } from './pool.ts';

/** The accounts of the webhook fixtures. */
export const accounts = {
  line: lineDestination,
  facebook: '144792899659708',
  instagram: '17841165216900097',
  whatsapp: whatsappNumberId,
} as const;
export type Platform = keyof typeof accounts;
export const metaPlatforms = ['facebook', 'instagram', 'whatsapp'] as const;

export type Pair = { botId: string; apiToken: string; apiSecret: string };
export type Tenant = {
  botId: string;
  spareId: string;
  pair: Pair;
  foreignPair: Pair;
  /** In every text of the foreign bot. */
  marker: string;
  foreignIds: Readonly<Record<string, string>>;
  /** Admin tokens: of this bot and the spare one, of all bots, with the scope read, of the foreign bot with the scope read. */
  tokens: Readonly<Record<'own' | 'all' | 'read' | 'foreign', string>>;
  widgetKey: string;
  visitorTokens: string[];
  lineTokens: string[];
  user: { name: string; password: string };
  pool: Pool;
  callbackUrl: string;
};

type Making = { now: number; random: typeof randomBytes; keys: Keys };

const people = 30;
const cheap = { ln: 10, r: 8, p: 1 };
export const usualPassword = 'correct horse battery staple';
const passwordHash = new Passwords({ random: randomBytes, cost: cheap }).hash(usualPassword);

let keys: Promise<Keys> | undefined;

/** The source of times, ids and keys for things that are added to the world's database. */
export async function makingOf({ secretKey }: World): Promise<Making> {
  keys ??= openKeys({ secretKey, dataFolder: '', random: randomBytes });
  return { now: Date.now(), random: randomBytes, keys: await keys };
}

/** Adds the bots of a round, with contacts, tags, chats and credentials. */
export async function openTenant(world: World, round: number): Promise<Tenant> {
  const making = await makingOf(world);
  const marker = `foreign-${newId(randomBytes)}`;
  const own = await addBot(world, `fuzz ${round}`, making);
  const spare = await addBot(world, `spare ${round}`, making);
  const foreign = await addBot(world, marker, making);
  const token = async (scope: 'read' | 'admin', botIds: string[] | null) =>
    createAdminToken(world.sql, { name: 'fuzz', scope, botIds }, making);
  const tokens = {
    own: await token('admin', [own.botId, spare.botId]),
    all: await token('admin', null),
    read: await token('read', [own.botId]),
    foreign: await token('read', [foreign.botId]),
  };
  const pool = new Pool();
  const user = await addUser(world);
  pool.protect(user.userId, ...Object.values(tokens).map(({ tokenId }) => tokenId));
  const insight = await createLineToken(world.sql, own.botId, { scope: 'all' }, making);
  const tenant: Tenant = {
    ...{ botId: own.botId, spareId: spare.botId, pair: own, foreignPair: foreign, marker, pool, user },
    foreignIds: await fillForeign(world, foreign, { marker, token: tokens.all.token }),
    tokens: {
      own: tokens.own.token,
      all: tokens.all.token,
      read: tokens.read.token,
      foreign: tokens.foreign.token,
    },
    widgetKey: `widget-${own.botId}`,
    visitorTokens: [],
    lineTokens: [insight.token, world.line.credentials.accessToken],
    callbackUrl: world.shop.url,
  };
  await fill(world, tenant);
  return tenant;
}

/** A user that a call may change or delete. */
export async function addUser({ sql }: World): Promise<{ userId: string; name: string; password: string }> {
  const [userId, name] = [newId(randomBytes), newId(randomBytes)];
  await sql`
    insert into users (user_id, name, name_key, scope, bot_ids, password_hash, created_at)
    values (${userId}, ${name}, ${nameKeyOf(name)}, 'read', null, ${await passwordHash}, now())`;
  return { userId, name, password: usualPassword };
}

async function addBot({ sql, shop }: World, name: string, making: Making): Promise<Pair> {
  const pair = await createBot(sql, { name, timeZone: 'Asia/Taipei' }, making);
  const { botId } = pair;
  await setChannel(sql, { botId, platform: 'line', secret: lineSecret, accountId: accounts.line }, making);
  for (const platform of metaPlatforms) {
    const settings = { secret: metaSecret, accountId: accounts[platform], verifyToken: 'v' };
    await setChannel(sql, { botId, platform, ...settings }, making);
  }
  await setChannel(sql, { botId, platform: 'liveChat', secret: `widget-${botId}` }, making);
  const gate = openGate({ allowPrivate: true });
  await setCallback(sql, { botId, url: `${shop.url}/${name.replaceAll(' ', '-')}` }, { ...making, gate });
  return pair;
}

async function fill(world: World, { botId, pool, tokens, widgetKey, visitorTokens }: Tenant): Promise<void> {
  const api = apiOf(world, tokens.all);
  await api(`/api/v1/bots/${botId}/imports/contacts`, contactsCsv(botId));
  const rows = await world.sql<{ contactId: string }[]>`
    select contact_id as "contactId" from contacts where bot_id = ${botId}`;
  for (const { contactId } of rows) pool.add('contactId', contactId);
  for (const kind of ['manual', 'personal', 'automatic'])
    for (let number = 0; number < 3; number++)
      pool.learn('createTag', await api(`/api/v1/bots/${botId}/tags`, { kind, name: `${kind} ${number}` }));
  for (let number = 0; number < 5; number++) {
    const session = await api(`/live-chat/v1/${widgetKey}/session`, {}, null);
    pool.learn('beginSession', session);
    visitorTokens.push(String(JSON.parse(session).visitorToken));
  }
  const sent = await fetch(`${world.address}/v2/bot/message/broadcast`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${world.line.credentials.accessToken}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ messages: [{ type: 'text', text: 'hello' }] }),
  });
  pool.add('requestId', sent.headers.get('x-line-request-id') ?? '');
}

async function fillForeign(
  world: World,
  { botId }: Pair,
  { marker, token }: { marker: string; token: string },
): Promise<Record<string, string>> {
  const api = apiOf(world, token);
  await api(`/api/v1/bots/${botId}/imports/contacts`, contactsCsv(botId));
  const [row] = await world.sql<{ contactId: string }[]>`
    select contact_id as "contactId" from contacts where bot_id = ${botId} limit 1`;
  const contactId = row?.contactId ?? '';
  const contact = `/api/v1/bots/${botId}/contacts/${contactId}`;
  await api(contact, { name: marker, remark: marker }, token, 'PATCH');
  await api(`${contact}/customer`, { customerId: marker }, token, 'PUT');
  await api(`${contact}/points/earn`, { amount: 5 });
  const tag = JSON.parse(await api(`/api/v1/bots/${botId}/tags`, { kind: 'manual', name: marker }));
  await api(`/api/v1/bots/${botId}/tags/${tag.tagId}/assign`, { contacts: [contactId] });
  const session = JSON.parse(await api(`/live-chat/v1/widget-${botId}/session`, { name: marker }, null));
  await api(
    `/live-chat/v1/widget-${botId}/messages`,
    { messageId: '01KJPS05CJHW7EFBRYYCYAVDF5', text: marker },
    session.visitorToken,
  );
  return { botId, contactId, tagId: tag.tagId, visitorId: session.visitorId, widgetKey: `widget-${botId}` };
}

function contactsCsv(botId: string): string {
  const lines = Array.from({ length: people }, (_, index) => `line,${lineUser(`${botId}-${index}`)}`);
  return ['platform,platform_contact_id', ...lines].join('\n');
}

type Api = (path: string, body: unknown, token?: string | null, method?: string) => Promise<string>;

function apiOf(world: World, adminToken: string): Api {
  return async (path, body, token = adminToken, method = 'POST') => {
    const isText = typeof body === 'string';
    const response = await fetch(world.address + path, {
      method,
      headers: {
        'content-type': isText ? 'text/csv' : 'application/json',
        'idempotency-key': newId(randomBytes),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: isText ? body : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Failure(`${method} ${path} answered ${response.status}`, text);
    return text;
  };
}
