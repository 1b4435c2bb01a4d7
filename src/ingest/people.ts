/**
 * The people of a batch: looked up by their ids on a platform, and added where new.
 *
 * A person is one contact, whichever id names the person; merge-contacts.ts adds second ids and merges contacts. The caller holds the
 * bot's lock, so no other transaction adds or merges contacts of the bot.
 */
import { profileDue } from '../contacts/profile-queue.ts';
import type { Queryable } from '../database/client.ts';
import { botOf, rowsOfBots, rowTable } from '../database/row-table.ts';
import type { EventRecord } from '../events/store.ts';
import { ByPlatform } from '../platforms/by-platform.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { newId, type Random } from '../random.ts';
import {
  type FoundSession,
  groupSessions,
  type SessionsByContact,
  sessionsNear,
} from '../rollups/conversations.ts';
import {
  type FoldedContact,
  type FollowerState,
  stateColumns,
  writeFollowerStates,
} from '../rollups/followers.ts';

export type Contact = FoldedContact & {
  /** False for a contact that this batch adds. */
  isStored: boolean;
  /** The state before this batch; of merged contacts, true when it was true of either. */
  before: { isFollower: boolean; isBlocked: boolean };
};

/** An event with its contact. */
export type PersonEvent = EventRecord & { person: Contact | null };

export type Id = { botId: string; platform: PlatformName; platformContactId: string };
/** An id, and the time span (ms, inclusive) of the person's messages in the batch; null: no messages. */
export type PersonOfBatch = Id & { span: { from: number; to: number } | null };

/** The people and sessions that a bot's events can touch. */
export type FoundPeople = { people: People; sessions: SessionsByContact };

/** The contact of an id. `rowId`: for a second id of a contact, the contact id of its own row. */
type FoundContact = Id &
  Omit<FollowerState, 'followedAt'> & { rowId: string | null; followedMs: number | null };

/** The people with these ids of several bots, and the sessions that their messages can touch. One statement finds all of them. */
export async function findPeople(
  sql: Queryable,
  bots: readonly { botId: string; gapMs: number; ids: readonly PersonOfBatch[] }[],
  random: Random,
): Promise<ReadonlyMap<string, FoundPeople>> {
  const rows = await selectPeople(
    sql,
    bots.flatMap(({ gapMs, ids }) => ids.map((id) => ({ ...id, gapMs }))),
  );
  const rowsByBot = Map.groupBy(rows, (row) => row.botId);
  return new Map(bots.map(({ botId }) => [botId, toPeople(botId, rowsByBot.get(botId) ?? [], random)]));
}

function toPeople(botId: string, rows: readonly PersonRow[], random: Random): FoundPeople {
  const people = new People(botId, random);
  people.add(rows);
  // Every id of a person finds the same sessions.
  const sessions = new Map<string, FoundSession>();
  for (const row of rows) {
    if (row.first_seconds !== null) sessions.set(`${row.contactId} ${row.first_seconds}`, row);
  }
  return { people, sessions: groupSessions(sessions.values()) };
}

type PersonRow = FoundContact & (FoundSession | { first_seconds: null });

/** The rows of the people with these ids, with the sessions that messages in their spans can touch. */
export async function selectPeople(
  sql: Queryable,
  ids: readonly (PersonOfBatch & { gapMs: number })[],
): Promise<PersonRow[]> {
  if (ids.length === 0) return [];
  const bot = botOf(sql, 'id', ids);
  const ofPerson = (column: string) =>
    sql`case when survivor.contact_id is null then named.${sql(column)} else survivor.${sql(column)} end`;
  return sql`
    select id.bot_id as "botId", id.platform, id.platform_contact_id as "platformContactId",
      case when named.merged_into is not null then named.contact_id end as "rowId",
      span.contact_id as "contactId", 1000 * date_part('epoch', ${ofPerson('followed_at')}) as "followedMs",
      ${ofPerson('earlier_friend')} as "earlierFriend", ${ofPerson('blocked')} as blocked,
      ${ofPerson('ever_blocked')} as "everBlocked", session.*
    from ${rowTable(sql, 'id', ids, {
      bot_id: ['text', ({ botId }) => botId],
      platform: ['text', ({ platform }) => platform],
      platform_contact_id: ['text', ({ platformContactId }) => platformContactId],
      starts_at: ['timestamptz', ({ span }) => span?.from ?? null],
      ends_at: ['timestamptz', ({ span, gapMs }) => (span ? span.to + gapMs : null)],
    })}
    -- Each limit keeps a look-up by key one, as in the store of events.
    cross join lateral (
      select * from contacts
      where contacts.bot_id = ${bot} and contacts.platform = id.platform
        and contacts.platform_contact_id = id.platform_contact_id limit 1
    ) named
    left join lateral (
      select * from contacts where contacts.bot_id = ${bot} and contacts.contact_id = named.merged_into limit 1
    ) survivor on true
    cross join lateral (
      select coalesce(named.merged_into, named.contact_id) as contact_id, starts_at, ends_at
    ) span
    left join lateral (${sessionsNear(sql, bot)}) session on true`;
}

/** The people of one bot in a batch. */
export class People {
  readonly #botId: string;
  readonly #random: Random;
  readonly #byId = new ByPlatform<Contact>();
  readonly #byContactId = new Map<string, Contact>();
  /** The contact ids of the rows of second ids. */
  readonly #secondRowIds = new ByPlatform<string>();
  #newIds: NewId[] = [];

  constructor(botId: string, random: Random) {
    this.#botId = botId;
    this.#random = random;
  }

  /** Adds contacts that were found; rows may repeat. Before any other contact is added. */
  add(rows: Iterable<FoundContact>): void {
    for (const row of rows) {
      const contact = this.#byContactId.get(row.contactId) ?? toContact(row);
      this.#byContactId.set(row.contactId, contact);
      this.#byId.set(row.platform, row.platformContactId, contact);
      if (row.rowId !== null) this.#secondRowIds.set(row.platform, row.platformContactId, row.rowId);
    }
  }

  find(platform: PlatformName, platformContactId: string): Contact | undefined {
    return this.#byId.get(platform, platformContactId);
  }

  /** The contact with the id; a new one when there is none. */
  contact(platform: PlatformName, platformContactId: string): Contact {
    const existing = this.find(platform, platformContactId);
    if (existing) return existing;
    const contactId = newId(this.#random);
    const contact: Contact = {
      ...{ botId: this.#botId, contactId, platform, ...noState },
      ...{ isStored: false, isChanged: false, blockedAt: null, hasReturned: false },
      before: { isFollower: false, isBlocked: false },
    };
    this.#addNewId(platformContactId, contactId, contact);
    return contact;
  }

  /** Adds a second id of a contact. */
  addId(contact: Contact, platformContactId: string): void {
    const rowId = newId(this.#random);
    this.#secondRowIds.set(contact.platform, platformContactId, rowId);
    this.#addNewId(platformContactId, rowId, contact);
  }

  #addNewId(platformContactId: string, contactId: string, contact: Contact): void {
    const { botId, platform } = contact;
    this.#byId.set(platform, platformContactId, contact);
    this.#newIds.push({ botId, platform, platformContactId, contactId, contact });
  }

  /** Makes all ids of `absorbed` ids of `survivor`. */
  replace(absorbed: Contact, survivor: Contact): void {
    const { platform } = absorbed;
    for (const [platformContactId, contact] of this.#byId.entries(platform)) {
      if (contact !== absorbed) continue;
      const rowId = this.#secondRowIds.get(platform, platformContactId) ?? absorbed.contactId;
      this.#byId.set(platform, platformContactId, survivor);
      this.#secondRowIds.set(platform, platformContactId, rowId);
    }
    this.#newIds = this.#newIds.map((id) => (id.contact === absorbed ? { ...id, contact: survivor } : id));
  }

  /** The contacts of this batch, each person once. */
  get contacts(): readonly Contact[] {
    return [...new Set(this.#byId.values())];
  }

  /** The person of an event that names the contact by an id; null: the event names no person. */
  personOf(platform: PlatformName, id: string | null): Pick<PersonEvent, 'person' | 'contactId' | 'namedAs'> {
    if (id === null) return { person: null, contactId: null, namedAs: null };
    const person = this.contact(platform, id);
    return { person, contactId: person.contactId, namedAs: this.#secondRowIds.get(platform, id) ?? null };
  }

  /** The ids that this batch adds. */
  get newIds(): readonly NewId[] {
    return this.#newIds;
  }
}

type NewId = Id & { contactId: string; contact: Contact };

/** Writes new ids and the changed states of stored contacts. Once, after everything is folded. */
export async function writePeople(sql: Queryable, all: readonly People[], now: number): Promise<void> {
  const newIds = all.flatMap((people) => people.newIds);
  const changed = all.flatMap(({ contacts }) =>
    contacts.filter(({ isStored, isChanged }) => isStored && isChanged),
  );
  await Promise.all([writeNewIds(sql, newIds, now), writeFollowerStates(sql, changed)]);
}

async function writeNewIds(sql: Queryable, newIds: readonly NewId[], now: number): Promise<void> {
  if (newIds.length === 0) return;
  const rows = newIds.map(({ contact, ...id }) => {
    const isPerson = contact.contactId === id.contactId;
    return { ...(isPerson ? contact : noState), ...id, mergedInto: isPerson ? null : contact.contactId };
  });
  await sql`
    insert into contacts (bot_id, contact_id, followed_at, earlier_friend, blocked, ever_blocked, platform,
      platform_contact_id, merged_into, profile_due_at, created_at)
    select new.*, ${new Date(now)}
    from ${rowsOfBots(sql, 'new', rows, {
      ...stateColumns,
      platform: ['text', (row) => row.platform],
      platform_contact_id: ['text', (row) => row.platformContactId],
      merged_into: ['text', (row) => row.mergedInto],
      profile_due_at: ['timestamptz', (row) => profileDue(row.platform)],
    })}`;
}

const noState = { followedAt: null, earlierFriend: null, blocked: false, everBlocked: false };

function toContact(found: FoundContact): Contact {
  const { botId, platform, contactId, followedMs, earlierFriend, blocked, everBlocked } = found;
  const followedAt = followedMs === null ? null : Math.round(followedMs);
  return {
    ...{ botId, contactId, platform, followedAt, earlierFriend, blocked, everBlocked },
    ...{ isStored: true, isChanged: false, blockedAt: null, hasReturned: false },
    before: { isFollower: followedAt !== null, isBlocked: blocked },
  };
}
