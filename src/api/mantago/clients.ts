/**
 * MantaGo's calls about clients: the list, one client's profile and rewards, followers by day, and binding to customers. What
 * the published documents leave open is chosen in docs/mantago.md.
 */
import { findBot } from '../../bots/bots.ts';
import { findNamed, type NamedContact } from '../../contacts/contacts.ts';
import { type Cursor, listContacts, type ShownContact, showContact } from '../../contacts/list.ts';
import { bindCustomer, customerIdLengthMax, unbindCustomer } from '../../contacts/profiles.ts';
import { Refusal } from '../../errors.ts';
import { type PlatformName, platformNames } from '../../platforms/platform.ts';
import { type AudienceSeries, readAudienceSeries } from '../../reports/followers-by-day.ts';
import { addDays, dayOf } from '../../time.ts';
import { prefixes } from './figures.ts';
import { type MantagoOperation, proven, type Sent, type Sources, success } from './operation.ts';

/** The operations, reading from the given sources. */
export function clientOperations(sources: Sources): Record<string, MantagoOperation> {
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
          id: null,
          tag: null,
          blocked: null,
          customerId: textOf(query.customerId),
          platform: platformOf(query.platform),
          name: textOf(query.name),
          from: numberOf(query.startAt),
          to: numberOf(query.endAt),
          limit: Number(query.limit),
          offset: Number(query.offset),
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
        typeof startTime === 'string' && typeof endTime === 'string' && startTime > endTime
          ? 'startTime in the body must not be later than endTime'
          : null,
      async answer(botId, { body }) {
        const now = clock();
        const to = textOf(body.endTime) ?? dayOf(now, (await findBot(sql, botId)).timeZone);
        const from = later(textOf(body.startTime) ?? addDays(to, -daysDefault), addDays(to, -daysMax));
        const series = await readAudienceSeries(sql, { botId, from, to, now });
        return {
          ...success('Get client statistics successfully'),
          clientStatistics: toStatistics(series, platformOf(body.platform)),
        };
      },
    }),
    getClientGifts: proven(sources, {
      problemOf: clientProblem,
      async answer(botId, sent) {
        await findClient(sources, botId, sent);
        // Shoal keeps points only, so there is no reward that anybody could have.
        const none = { tickets: [], physicalGifts: [], virtualGifts: [] };
        return { ...success('Get client gifts successfully'), ...none };
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
  };
}

const daysDefault = 7;
const daysMax = 365;

/** What the contract asks in words only of a call that names a client; null: it is kept. */
export function clientProblem(sent: Sent): string | null {
  const { id, platform, platformClientId } = readClient(sent);
  if (platformClientId !== null && platform === null) {
    return 'platform is missing; platform and platformClientId go together';
  }
  if (id !== null || platformClientId !== null) return null;
  return platform === null
    ? 'clientId is missing; else platform and platformClientId are needed'
    : 'platformClientId is missing; platform and platformClientId go together';
}

/** The contact id of the client that is named. Throws CONTACT_NOT_FOUND. */
export async function findClient({ sql }: Sources, botId: string, sent: Sent): Promise<string> {
  const { id, platform, platformClientId } = readClient(sent);
  const onPlatform: NamedContact['onPlatform'] =
    platform !== null && platformClientId !== null ? { platform, id: platformClientId } : null;
  const contactId = await findNamed(sql, botId, { id, onPlatform });
  if (contactId === null) throw unknownClient();
  return contactId;
}

/** A client is named in the body, the query or the path, as the call has it. */
function readClient({ body, query, params }: Sent) {
  const member = (name: string) => textOf(body[name]) ?? textOf(query[name]) ?? textOf(params[name]);
  return {
    id: member('clientId'),
    platform: platformOf(member('platform')),
    platformClientId: member('platformClientId'),
  };
}

function unknownClient(): Refusal {
  return new Refusal('CONTACT_NOT_FOUND', 'The bot knows no such contact.');
}

function customerProblem({ body: { clientId, customerId } }: Sent): string | null {
  if (clientId === '') return 'clientId in the body is empty';
  const isFit =
    typeof customerId === 'string' &&
    /\S/.test(customerId) &&
    customerId.length <= customerIdLengthMax &&
    !/[\p{Cc}\p{Cs}]/u.test(customerId);
  return isFit
    ? null
    : `customerId in the body must have 1 to ${customerIdLengthMax} characters and no control characters`;
}

function readBinding({ clientId, customerId }: Sent['body']): { contact: string; customerId: string } {
  return { contact: String(clientId), customerId: String(customerId) };
}

/** A contact in MantaGo's fields; what is not known is left out. */
function toClient(contact: ShownContact): Record<string, unknown> {
  const tagsOf = (kind: ShownContact['tags'][number]['kind']) =>
    contact.tags
      .filter((tag) => tag.kind === kind)
      .map(({ name, createdAt }) => ({ name, createdAt: toTime(createdAt) }));
  return {
    clientId: contact.platformContactId,
    clientName: contact.name ?? undefined,
    clientHeadshot: contact.headshot ?? undefined,
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

function toStatistics(series: AudienceSeries, platform: PlatformName | null): Record<string, unknown> {
  const shown = platform === null ? platformNames : [platform];
  return Object.fromEntries(
    shown.map((name) => [
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

function toToken({ createdMicros, contactId }: Cursor): string {
  return Buffer.from(`${createdMicros} ${contactId}`).toString('base64url');
}

/** Null for what is no token of ours. */
function readCursor(token: unknown): Cursor | null {
  if (typeof token !== 'string') return null;
  const [, createdMicros, contactId] =
    /^(\d{1,16}) (\w{1,64})$/.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  return createdMicros === undefined || contactId === undefined ? null : { createdMicros, contactId };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function platformOf(value: unknown): PlatformName | null {
  return platformNames.find((name) => name === value) ?? null;
}
