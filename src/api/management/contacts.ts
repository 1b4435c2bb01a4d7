/**
 * Operations on contacts: searched, read, what the business knows of them, and forgotten.
 */
import { lockBot } from '../../bots/bots.ts';
import { findContact } from '../../contacts/contacts.ts';
import { type Cursor, listContacts, type ShownContact, showContact } from '../../contacts/list.ts';
import {
  type Attributes,
  attributeNames,
  bindCustomer,
  setAttributes,
  unbindCustomer,
} from '../../contacts/profiles.ts';
import type { Queryable, Transaction } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { findJob, runJobWithinCall, startForgetting } from '../../jobs/jobs.ts';
import type { JsonObject } from '../../json.ts';
import { textOf } from '../../json.ts';
import { availablePoints } from '../../points/balances.ts';
import { addDays, dayStart } from '../../time.ts';
import {
  checkMatch,
  contactIdOf,
  isoOf,
  isoOrNull,
  limitOf,
  type ManagementCall,
  type ManagementOperations,
  type ManagementSources,
  platformOf,
  readCursor,
  toCursor,
  zoneOf,
} from './call.ts';
import { acceptedJob } from './jobs.ts';

export function contactOperations({ sql, clock, random }: ManagementSources): ManagementOperations {
  const change = (call: ManagementCall, write: (tx: Transaction, contactId: string) => Promise<void>) =>
    sql.begin(async (tx) => {
      const { botId } = call.bot;
      await lockBot(tx, botId);
      const { contactId } = await findContact(tx, botId, contactIdOf(call));
      await write(tx, contactId);
      return readContact(tx, botId, contactId, clock());
    });
  return {
    async listContacts(call) {
      const { bot, query } = call;
      const now = clock();
      const { contacts, next } = await listContacts(sql, {
        botId: bot.botId,
        ...filterOf(call),
        limit: limitOf(query),
        offset: 0,
        after: readCursor(query, toPlace),
        now,
      });
      return {
        contacts: await withPoints(sql, bot.botId, contacts, now),
        nextCursor: next && toCursor(next),
      };
    },
    async getContact(call) {
      const { contactId } = await findContact(sql, call.bot.botId, contactIdOf(call));
      return readContact(sql, call.bot.botId, contactId, clock());
    },
    updateContact: (call) =>
      change(call, async (tx, contactId) => {
        const { botId } = call.bot;
        checkMatch(call, await readContact(tx, botId, contactId, clock()), 'The contact');
        await setAttributes(tx, { botId, contactId, attributes: toAttributes(call.body) }, { now: clock() });
      }),
    setCustomer: (call) =>
      change(call, (tx, contact) =>
        bindCustomer(
          tx,
          { botId: call.bot.botId, contact, customerId: String(call.body.customerId) },
          { now: clock() },
        ),
      ),
    removeCustomer: (call) =>
      change(call, async (tx, contact) => {
        const { botId } = call.bot;
        const customerId = (await showContact(tx, { botId, contactId: contact, now: clock() }))?.customerId;
        if (customerId) await unbindCustomer(tx, { botId, contact, customerId }, { now: clock() });
      }),
    async forgetContact(call) {
      const contact = { botId: call.bot.botId, contactId: contactIdOf(call) };
      const job = await startForgetting(sql, contact, { clock, random });
      const { state } = await runJobWithinCall(sql, job, { clock, random });
      return state === 'done' ? undefined : acceptedJob(await findJob(sql, job), {});
    },
  };
}

/** The contact as an answer has it. Throws Refusal CONTACT_NOT_FOUND. */
export async function readContact(sql: Queryable, botId: string, contactId: string, now: number) {
  const contact = await showContact(sql, { botId, contactId, now });
  const [shown] = contact === null ? [] : await withPoints(sql, botId, [contact], now);
  if (shown) return shown;
  throw new Refusal('CONTACT_NOT_FOUND', `The bot knows no contact ${contactId}.`);
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

/** The days of the range are the bot's, or those of the zone that is asked for. */
function filterOf(call: ManagementCall) {
  const { query } = call;
  const zone = zoneOf(call);
  const [from, to] = [textOf(query.createdFrom), textOf(query.createdTo)];
  if (from !== undefined && to !== undefined && from > to)
    throw new Refusal('INPUT_INVALID', `createdFrom must not lie after createdTo, ${to}.`);
  return {
    id: textOf(query.id) ?? null,
    name: textOf(query.name) ?? null,
    tag: textOf(query.tag) ?? null,
    customerId: textOf(query.customerId) ?? null,
    platform: platformOf(query.platform),
    blocked: typeof query.blocked === 'boolean' ? query.blocked : null,
    from: from === undefined ? null : dayStart(from, zone),
    to: to === undefined ? null : dayStart(addDays(to, 1), zone) - 1,
  };
}

function toPlace({ createdMicros, contactId }: JsonObject): Cursor | null {
  const isPlace =
    typeof createdMicros === 'string' &&
    /^\d{1,16}$/.test(createdMicros) &&
    typeof contactId === 'string' &&
    /^[A-Za-z]{1,64}$/.test(contactId);
  return isPlace ? { createdMicros, contactId } : null;
}

function toAttributes(body: JsonObject): Attributes {
  return Object.fromEntries(
    attributeNames.flatMap((name) => {
      const value = body[name];
      return typeof value === 'string' || value === null ? [[name, value]] : [];
    }),
  );
}
