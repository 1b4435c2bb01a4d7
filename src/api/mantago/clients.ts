/**
 * MantaGo's calls about clients: the list, one client's profile and rewards, followers by day, and binding to customers.
 * docs/mantago.md has the choices where the published documents say nothing.
 */
import { findBot } from '../../bots/bots.ts';
import { findNamed, type NamedContact } from '../../contacts/contacts.ts';
import type { Cursor } from '../../contacts/filter.ts';
import { listContacts, type ShownContact, showContact } from '../../contacts/list.ts';
import { bindCustomer, customerIdLengthMax, unbindCustomer } from '../../contacts/profiles.ts';
import { Refusal } from '../../errors.ts';
import { type PlatformName, platformNames } from '../../platforms/platform.ts';
import { type FollowersByDay, readFollowersByDay } from '../../reports/followers-by-day.ts';
import { type Grant, unusedGrants } from '../../rewards/grants.ts';
import { addDays, dayOf } from '../../time.ts';
import { prefixes } from './figures.ts';
import { type Answer, type Operations, proven, type Sent, type Sources, success } from './operation.ts';

type Client = Answer<'getClient'>['client'];

export function clientOperations(sources: Sources) {
  const { sql, clock } = sources;
  return {
    listClients: proven(sources, {
      problemOf: ({ query: { next } }) =>
        next === undefined || readCursor(next)
          ? null
          : 'next in the query must be the token of a page before',
      async answer(botId, { query }) {
        const { contacts, next } = await listContacts(sql, {
          botId,
          customerId: query.customerId ?? null,
          platform: query.platform ?? null,
          name: query.name ?? null,
          from: query.startAt ?? null,
          to: query.endAt ?? null,
          limit: query.limit,
          offset: query.offset,
          after: readCursor(query.next),
          now: clock(),
        });
        const clientList = { list: contacts.map(toClient), next: next ? toToken(next) : '' };
        return { ...success('Operation completed successfully'), clientList };
      },
    }),
    getClient: proven(sources, {
      problemOf: clientProblem,
      async answer(botId, sent) {
        const contactId = await findClient(sources, botId, sent);
        const contact = await showContact(sql, { botId, contactId, now: clock() });
        if (contact === null) throw unknownClient();
        return { ...success('Operation completed successfully'), client: toClient(contact) };
      },
    }),
    getClientStatistics: proven(sources, {
      problemOf: ({ body: { startTime, endTime } }) =>
        startTime !== undefined && endTime !== undefined && startTime > endTime
          ? 'startTime in the body must not be later than endTime'
          : null,
      async answer(botId, { body }) {
        const now = clock();
        const to = body.endTime ?? dayOf(now, (await findBot(sql, botId)).timeZone);
        const from = later(body.startTime ?? addDays(to, -daysDefault), addDays(to, -daysMax));
        const series = await readFollowersByDay(sql, { botId, from, to, now });
        return {
          ...success('Get client statistics successfully'),
          clientStatistics: toStatistics(series, body.platform ?? null),
        };
      },
    }),
    getClientGifts: proven(sources, {
      problemOf: clientProblem,
      async answer(botId, sent) {
        const contactId = await findClient(sources, botId, sent);
        const grants = await unusedGrants(sql, { botId, contactId, now: clock() });
        return { ...success('Get client gifts successfully'), ...toGifts(grants) };
      },
    }),
    bindCustomer: proven(sources, {
      problemOf: customerProblem,
      async answer(botId, { body }) {
        await sql.begin((tx) => bindCustomer(tx, { botId, ...readBinding(body) }, { now: clock() }));
        return success('Bind customer successfully');
      },
    }),
    unbindCustomer: proven(sources, {
      problemOf: customerProblem,
      async answer(botId, { body }) {
        await sql.begin((tx) => unbindCustomer(tx, { botId, ...readBinding(body) }, { now: clock() }));
        return success('Unbind customer successfully');
      },
    }),
  } satisfies Partial<Operations>;
}

const daysDefault = 7;
const daysMax = 365;

/** A client's names in a call. They are in the body, the query or the path, depending on the operation. */
type ClientNames = { clientId?: string; platform?: PlatformName; platformClientId?: string };
export type ClientCall = {
  body: ClientNames & { secret: string };
  query: ClientNames & { botId: string };
  params: ClientNames;
};

/** The problem of a call that names a client, by rules that the contract has in prose only; null: it is valid. */
export function clientProblem(sent: ClientCall): string | null {
  const { id, platform, platformClientId } = readClient(sent);
  if (platformClientId !== null && platform === null) {
    return 'platform is missing; platform and platformClientId go together';
  }
  if (id !== null || platformClientId !== null) return null;
  return platform === null
    ? 'clientId is missing; else platform and platformClientId are needed'
    : 'platformClientId is missing; platform and platformClientId go together';
}

/** The contact id of the named client. Throws CONTACT_NOT_FOUND. */
export async function findClient({ sql }: Sources, botId: string, sent: ClientCall): Promise<string> {
  const { id, platform, platformClientId } = readClient(sent);
  const onPlatform: NamedContact['onPlatform'] =
    platform !== null && platformClientId !== null ? { platform, id: platformClientId } : null;
  const contactId = await findNamed(sql, botId, { id, onPlatform });
  if (contactId === null) throw unknownClient();
  return contactId;
}

function readClient({ body, query, params }: ClientCall) {
  return {
    id: body.clientId || query.clientId || params.clientId || null,
    platform: body.platform ?? query.platform ?? params.platform ?? null,
    platformClientId: body.platformClientId || query.platformClientId || params.platformClientId || null,
  };
}

function unknownClient(): Refusal {
  return new Refusal('CONTACT_NOT_FOUND', 'The bot knows no such contact.');
}

type Binding = Sent<'bindCustomer' | 'unbindCustomer'>;

function customerProblem({ body: { clientId, customerId } }: Binding): string | null {
  if (clientId === '') return 'clientId in the body is empty';
  const isFit =
    /\S/.test(customerId) && customerId.length <= customerIdLengthMax && !/[\p{Cc}\p{Cs}]/u.test(customerId);
  return isFit
    ? null
    : `customerId in the body must have 1 to ${customerIdLengthMax} characters and no control characters`;
}

function readBinding({ clientId, customerId }: Binding['body']) {
  return { contact: clientId, customerId };
}

/** A contact in MantaGo's fields. Unknown values are left out. */
function toClient(contact: ShownContact): Client {
  const tagsOf = (kind: ShownContact['tags'][number]['kind']) =>
    contact.tags
      .filter((tag) => tag.kind === kind)
      .map(({ name, createdAt }) => ({ name, createdAt: toTime(createdAt) }));
  return {
    clientId: contact.platformContactId,
    clientName: contact.name ?? undefined,
    clientHeadshot: contact.headshot ?? contact.pictureUrl ?? undefined,
    platform: contact.platform,
    remark: contact.remark ?? undefined,
    isBlock: contact.blocked,
    customerId: contact.customerId ?? undefined,
    userName: contact.userName ?? undefined,
    userEmail: contact.userEmail ?? undefined,
    userPhone: contact.userPhone ?? undefined,
    userBirthday: contact.userBirthday ?? undefined,
    userAddress: contact.userAddress ?? undefined,
    createdAt: toTime(contact.createdAt),
    updatedAt: toTime(contact.updatedAt),
    lastInteractAt: contact.lastInteractAt === null ? undefined : toTime(contact.lastInteractAt),
    autoTags: tagsOf('automatic'),
    tags: tagsOf('manual'),
    tourTags: [],
  };
}

/** The default gift of any kind gives tickets. Other tickets are virtual gifts. */
function toGifts(grants: readonly Grant[]) {
  const shown = (list: readonly Grant[]) =>
    list.map(({ name, resource, grantedAt }) => ({ name, resource, createdAt: grantedAt.toISOString() }));
  const others = grants.filter(({ isDefault }) => !isDefault);
  return {
    tickets: grants
      .filter(({ isDefault }) => isDefault)
      .map(({ grantedAt }) => ({ createdAt: grantedAt.toISOString() })),
    physicalGifts: shown(others.filter(({ kind }) => kind === 'physical')),
    virtualGifts: shown(others.filter(({ kind }) => kind !== 'physical')),
  };
}

function toStatistics(
  series: FollowersByDay,
  platform: PlatformName | null,
): Answer<'getClientStatistics'>['clientStatistics'] {
  const names = platform === null ? platformNames : [platform];
  return Object.fromEntries(
    names.map((name) => [
      `${prefixes[name]}Followers`,
      series[name].map(({ day, followers }) => ({ date: day, count: followers })),
    ]),
  );
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}

function later(day: string, other: string): string {
  return day > other ? day : other;
}

function toToken({ key, contactId }: Cursor): string {
  return Buffer.from(`${key} ${contactId}`).toString('base64url');
}

/** Null for a foreign token. */
function readCursor(token = ''): Cursor | null {
  const [, key, contactId] = /^(\d{1,16}) (\w{1,64})$/.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  return key === undefined || contactId === undefined ? null : { key, contactId };
}
