/**
 * The people of a batch: looked up, added where new, and merged where two ids prove to be one person.
 *
 * The events name people by their ids on a platform. The outcome is one contact for each person, whichever id named the person. The
 * caller holds the bot's lock, so no other transaction adds or merges contacts of the bot.
 */
import type { Queryable } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
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

/** Two stored contacts that are one person: `survivor` takes over everything of `absorbed`. */
export type Merge = { survivor: Contact; absorbed: Contact };

export type Id = { platform: PlatformName; platformContactId: string };
/** An id, and the time span (ms, inclusive) of the person's messages in the batch; null: no messages. */
export type PersonOfBatch = Id & { span: { from: number; to: number } | null };

/** The contact of an id. `rowId` is the contact id of the id's own row: another one for a second id of a contact. */
type FoundContact = Id & Omit<FollowerState, 'followedAt'> & { rowId: string; followedMs: number | null };

/** The people with these ids, and the sessions that their messages can touch. One statement finds both by id. */
export async function findPeople(
  sql: Queryable,
  botId: string,
  ids: readonly PersonOfBatch[],
  { gapMs, random }: { gapMs: number; random: Random },
): Promise<[people: People, sessions: SessionsByContact]> {
  const rows = await selectPeople(sql, botId, ids, gapMs);
  const people = new People(random);
  people.add(rows);
  // Every id of a person finds the same sessions.
  const sessions = new Map<string, FoundSession>();
  for (const row of rows) {
    if (row.first_seconds !== null) sessions.set(`${row.contactId} ${row.first_seconds}`, row);
  }
  return [people, groupSessions(sessions.values())];
}

/** Adds the people with further ids, without their sessions. */
export async function addPeople(
  sql: Queryable,
  botId: string,
  people: People,
  ids: readonly Id[],
): Promise<void> {
  const withoutSpans = ids.map((id) => ({ ...id, span: null }));
  people.add(await selectPeople(sql, botId, withoutSpans, 0));
}

async function selectPeople(
  sql: Queryable,
  botId: string,
  ids: readonly PersonOfBatch[],
  gapMs: number,
): Promise<(FoundContact & (FoundSession | { first_seconds: null }))[]> {
  if (ids.length === 0) return [];
  const ofPerson = (column: string) =>
    sql`case when survivor.contact_id is null then named.${sql(column)} else survivor.${sql(column)} end`;
  return sql`
    select id.platform, id.platform_contact_id as "platformContactId", named.contact_id as "rowId",
      span.contact_id as "contactId", 1000 * date_part('epoch', ${ofPerson('followed_at')}) as "followedMs",
      ${ofPerson('earlier_friend')} as "earlierFriend", ${ofPerson('blocked')} as blocked,
      ${ofPerson('ever_blocked')} as "everBlocked", session.*
    from ${rowTable(sql, 'id', ids, {
      platform: ['text', ({ platform }) => platform],
      platform_contact_id: ['text', ({ platformContactId }) => platformContactId],
      starts_at: ['timestamptz', ({ span }) => span?.from ?? null],
      ends_at: ['timestamptz', ({ span }) => (span ? span.to + gapMs : null)],
    })}
    -- Each limit keeps a look-up by key one, as in the store of events.
    cross join lateral (
      select * from contacts
      where contacts.bot_id = ${botId} and contacts.platform = id.platform
        and contacts.platform_contact_id = id.platform_contact_id limit 1
    ) named
    left join lateral (
      select * from contacts where contacts.bot_id = ${botId} and contacts.contact_id = named.merged_into limit 1
    ) survivor on true
    cross join lateral (
      select coalesce(named.merged_into, named.contact_id) as contact_id, starts_at, ends_at
    ) span
    left join lateral (${sessionsNear(sql, botId)}) session on true`;
}

export class People {
  readonly #random: Random;
  readonly #byId = new ByPlatform<Contact>();
  readonly #byContactId = new Map<string, Contact>();
  /** The contact ids of the rows of second ids. */
  readonly #secondRowIds = new ByPlatform<string>();
  readonly #newIds: (Id & { contactId: string; contact: Contact })[] = [];
  readonly #merges: Merge[] = [];
  /** Contact → the contact it was merged into. */
  readonly #mergedInto = new Map<Contact, Contact>();
  #hasMerged = false;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Adds contacts that were found; rows may repeat. Before any `contact` or `merge`. */
  add(rows: Iterable<FoundContact>): void {
    for (const row of rows) {
      const contact = this.#byContactId.get(row.contactId) ?? toContact(row);
      this.#byContactId.set(row.contactId, contact);
      this.#byId.set(row.platform, row.platformContactId, contact);
      if (row.rowId !== row.contactId) this.#secondRowIds.set(row.platform, row.platformContactId, row.rowId);
    }
  }

  /** The contact with the id, or null. */
  find(platform: PlatformName, platformContactId: string): Contact | null {
    const contact = this.#byId.get(platform, platformContactId);
    return contact ? this.#root(contact) : null;
  }

  /** The contact with the id; a new one when there is none. */
  contact(platform: PlatformName, platformContactId: string): Contact {
    const existing = this.find(platform, platformContactId);
    if (existing) return existing;
    const contactId = newId(this.#random);
    const contact: Contact = {
      ...{ contactId, platform, ...noState },
      ...{ isStored: false, isChanged: false, blockedAt: null },
      before: { isFollower: false, isBlocked: false },
    };
    this.#name({ platform, platformContactId }, contactId, contact);
    return contact;
  }

  /** Records that both ids name one person. Idempotent, in any order. */
  merge(platform: PlatformName, platformContactId: string, alias: string): void {
    const first = this.find(platform, platformContactId);
    const second = this.find(platform, alias);
    if (first && first === second) return;
    this.#hasMerged = true;
    if (!first && second) {
      this.#name({ platform, platformContactId }, newId(this.#random), second);
      return;
    }
    const contact = first ?? this.contact(platform, platformContactId);
    if (second) this.#absorb(contact, second);
    else this.#name({ platform, platformContactId: alias }, newId(this.#random), contact);
  }

  /** True when an id now names another contact than it did when it was found. */
  get hasMerged(): boolean {
    return this.#hasMerged;
  }

  /** The pairs of stored contacts that were merged, in order. */
  get merges(): readonly Merge[] {
    return this.#merges;
  }

  /** The contacts of this batch, each person once. */
  get contacts(): readonly Contact[] {
    return [...new Set(this.#byId.values())].filter((contact) => this.#root(contact) === contact);
  }

  /** The contact id of the id's own row, when that is not the person's contact id; else null. The id must be one of these. */
  namedAs(platform: PlatformName, platformContactId: string): string | null {
    const contact = this.#byId.get(platform, platformContactId);
    const rowId = this.#secondRowIds.get(platform, platformContactId) ?? contact?.contactId ?? null;
    return contact && this.#root(contact).contactId === rowId ? null : rowId;
  }

  /** Writes new ids and the changed states of stored contacts. Once, after everything is folded. */
  async write(sql: Queryable, botId: string, now: number): Promise<void> {
    const changed = this.contacts.filter(({ isStored, isChanged }) => isStored && isChanged);
    await Promise.all([this.#writeNewIds(sql, botId, now), writeFollowerStates(sql, botId, changed)]);
  }

  async #writeNewIds(sql: Queryable, botId: string, now: number): Promise<void> {
    if (this.#newIds.length === 0) return;
    const rows = this.#newIds.map(({ contact, ...id }) => {
      const person = this.#root(contact);
      const isPerson = person.contactId === id.contactId;
      return { ...(isPerson ? person : noState), ...id, mergedInto: isPerson ? null : person.contactId };
    });
    await sql`
      insert into contacts (bot_id, contact_id, platform, platform_contact_id, merged_into, followed_at, earlier_friend,
        blocked, ever_blocked, created_at)
      select ${botId}, contact_id, platform, platform_contact_id, merged_into, followed_at, earlier_friend, blocked,
        ever_blocked, ${new Date(now)}
      from ${rowTable(sql, 'new', rows, {
        ...stateColumns,
        platform: ['text', (row) => row.platform],
        platform_contact_id: ['text', (row) => row.platformContactId],
        merged_into: ['text', (row) => row.mergedInto],
      })}`;
  }

  #name(id: Id, contactId: string, contact: Contact): void {
    this.#byId.set(id.platform, id.platformContactId, contact);
    this.#newIds.push({ ...id, contactId, contact });
    if (contactId !== contact.contactId) this.#secondRowIds.set(id.platform, id.platformContactId, contactId);
  }

  #absorb(first: Contact, second: Contact): void {
    // A contact without a row has nothing to move: its id becomes another id of the stored contact.
    const [survivor, absorbed] = !first.isStored && second.isStored ? [second, first] : [first, second];
    this.#mergedInto.set(absorbed, survivor);
    survivor.before.isFollower ||= absorbed.before.isFollower;
    survivor.before.isBlocked ||= absorbed.before.isBlocked;
    if (absorbed.isStored) this.#merges.push({ survivor, absorbed });
  }

  #root(contact: Contact): Contact {
    let root = contact;
    for (let into = this.#mergedInto.get(root); into; into = this.#mergedInto.get(root)) root = into;
    return root;
  }
}

const noState = { followedAt: null, earlierFriend: null, blocked: false, everBlocked: false };

function toContact({
  platform,
  contactId,
  followedMs,
  earlierFriend,
  blocked,
  everBlocked,
}: FoundContact): Contact {
  const followedAt = followedMs === null ? null : Math.round(followedMs);
  return {
    ...{ contactId, platform, followedAt, earlierFriend, blocked, everBlocked },
    ...{ isStored: true, isChanged: false, blockedAt: null },
    before: { isFollower: followedAt !== null, isBlocked: blocked },
  };
}
