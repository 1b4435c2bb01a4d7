/**
 * Operations on contacts: search, read, change and delete them, and read their events.
 */
import { lockBot } from '../../bots/bots.ts';
import { findByAnyIds, findContact } from '../../contacts/contacts.ts';
import type { ContactOrder } from '../../contacts/filter.ts';
import { countContacts, listContacts, type ShownContact, showContact } from '../../contacts/list.ts';
import { bindCustomer, setAttributes, unbindCustomer } from '../../contacts/profiles.ts';
import type { Queryable, Transaction } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { type TimelineEvent, timelineOf } from '../../events/timeline.ts';
import { checkMatch } from '../../http/entity-tag.ts';
import { findJob, runJobWithinCall, startForgetting } from '../../jobs/jobs.ts';
import { availablePoints } from '../../points/balances.ts';
import { limitStatementTime, readSnapshot } from '../../reports/timeouts.ts';
import { isTime } from '../../time.ts';
import { isoOf, isoOrNull } from '../iso.ts';
import { filterOf } from './contact-filter.ts';
import { acceptedJob, shownJob } from './jobs.ts';
import type { Call, Operations, Sources } from './operation.ts';
import { cursorPlace, isDigits, isId, readCursor, readPage, toCursor } from './paging.ts';

type Change = (tx: Transaction, contact: { botId: string; contactId: string }) => Promise<void>;

export function contactOperations({ sql, clock, random, pictures }: Sources) {
  const change = ({ bot: { botId }, params }: Pick<Call<'updateContact'>, 'bot' | 'params'>, write: Change) =>
    sql.begin(async (tx) => {
      await lockBot(tx, botId);
      const { contactId } = await findContact(tx, botId, params.contactId);
      await write(tx, { botId, contactId });
      return readContact(tx, botId, contactId, clock());
    });
  return {
    async listContacts(call) {
      const { bot, query } = call;
      const now = clock();
      const { order } = query;
      const after = readCursor(query.cursor, toPlace(order));
      const page = { limit: query.limit, offset: 0, after, order };
      const filter = filterOf(call);
      const { contacts, next } = await readSnapshot(sql, async (tx) => {
        await limitStatementTime(tx);
        return listContacts(tx, { ...filter, ...page, botId: bot.botId, now });
      });
      const nextCursor = next && toCursor({ order, ...next });
      return { contacts: await withPoints(sql, bot.botId, contacts, now), nextCursor };
    },
    async countContacts(call) {
      const filter = filterOf(call);
      const contacts = await readSnapshot(sql, async (tx) => {
        await limitStatementTime(tx);
        return countContacts(tx, { ...filter, botId: call.bot.botId, now: clock() });
      });
      return { contacts };
    },
    async getContact({ bot: { botId }, params }) {
      const { contactId } = await findContact(sql, botId, params.contactId);
      return readContact(sql, botId, contactId, clock());
    },
    async getContactPicture({ bot: { botId }, params }) {
      const { contactId } = await findContact(sql, botId, params.contactId);
      const picture = await pictures.read(botId, contactId);
      if (picture === null) throw new Refusal('PICTURE_NOT_FOUND', 'The contact has no picture.');
      return { ...picture, fileName: contactId, hasTag: true };
    },
    async listContactEvents({ bot: { botId }, params, query }) {
      const { contactId } = await findContact(sql, botId, params.contactId);
      const { rows, nextCursor } = await readPage(query, toEventPlace, (page) =>
        timelineOf(sql, botId, { contactId, ...page }),
      );
      return { contactId, events: rows.map(toEvent), nextCursor };
    },
    updateContact: (call) =>
      change(call, async (tx, { botId, contactId }) => {
        checkMatch(call.headers, await readContact(tx, botId, contactId, clock()), 'The contact');
        await setAttributes(tx, { botId, contactId, attributes: call.body }, { now: clock() });
      }),
    setCustomer: (call) =>
      change(call, async (tx, { botId, contactId: contact }) => {
        const { customerId } = call.body;
        await bindCustomer(tx, { botId, contact, customerId }, { now: clock() });
      }),
    removeCustomer: (call) =>
      change(call, async (tx, { botId, contactId }) => {
        const customerId = (await showContact(tx, { botId, contactId, now: clock() }))?.customerId;
        if (customerId) await unbindCustomer(tx, { botId, contact: contactId, customerId }, { now: clock() });
      }),
    async forgetContact({ bot: { botId }, params: { contactId } }) {
      const job = await startForgetting(sql, { botId, contactId }, { clock, random });
      const { state } = await runJobWithinCall(sql, job, { clock, random });
      if (state === 'done') return undefined;
      const running = await findJob(sql, job);
      return acceptedJob(running, { job: shownJob(running) });
    },
  } satisfies Partial<Operations>;
}

/** The contact as answers have it. Throws Refusal CONTACT_NOT_FOUND. */
export async function readContact(sql: Queryable, botId: string, contactId: string, now: number) {
  const contact = await showContact(sql, { botId, contactId, now });
  const [shown] = contact === null ? [] : await withPoints(sql, botId, [contact], now);
  if (shown) return shown;
  throw new Refusal('CONTACT_NOT_FOUND', `The bot knows no contact ${contactId}.`);
}

const examplesMax = 5;

/** The contacts with these ids, in their order. Throws Refusal CONTACT_NOT_FOUND, naming some unknown or ambiguous ids. */
export async function findAllContacts(
  sql: Queryable,
  botId: string,
  ids: readonly string[],
): Promise<string[]> {
  const contacts = await findByAnyIds(sql, botId, [...new Set(ids)]);
  const unknown = ids.filter((id) => !contacts.has(id));
  if (unknown.length === 0) return ids.flatMap((id) => contacts.get(id) ?? []);
  const examples = unknown.slice(0, examplesMax).map((id) => JSON.stringify(id));
  const more = unknown.length > examplesMax ? ` and ${unknown.length - examplesMax} more` : '';
  throw new Refusal(
    'CONTACT_NOT_FOUND',
    `The bot knows no contact, or several, by ${examples.join(', ')}${more}. Nothing was changed.`,
  );
}

async function withPoints(sql: Queryable, botId: string, contacts: readonly ShownContact[], now: number) {
  const contactIds = contacts.map(({ contactId }) => contactId);
  const points = await availablePoints(sql, { botId, contactIds, now });
  return contacts.map((contact) => ({ ...toContact(contact), points: points.get(contact.contactId) ?? 0 }));
}

function toContact({ followedAt, createdAt, updatedAt, lastInteractAt, tags, ...contact }: ShownContact) {
  return {
    ...contact,
    followedAt: isoOrNull(followedAt),
    lastInteractAt: isoOrNull(lastInteractAt),
    createdAt: isoOf(createdAt),
    updatedAt: isoOf(updatedAt),
    tags: tags.map(({ createdAt: since, endsAt, ...tag }) => ({
      ...tag,
      since: isoOf(since),
      endsAt: isoOrNull(endsAt),
    })),
  };
}

function toEvent({ kind, detail, happenedAt, receivedAt }: TimelineEvent) {
  return { kind, detail, happenedAt: isoOf(happenedAt), receivedAt: isoOf(receivedAt) };
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

const toEventPlace = cursorPlace({ happenedAt: isTime, place: isHash });
/** The place in an order; the cursor of another order is invalid. */
const toPlace = (order: ContactOrder) =>
  cursorPlace({ order: (value): value is ContactOrder => value === order, key: isDigits, contactId: isId });
