/**
 * The contacts that a batch of events touches: found, added where new, and joined where two ids prove to be one person.
 *
 * In: ids on their platform, and pairs of ids that belong together. Out: one Contact for each person, whichever id named
 * them. The caller holds the bot's lock, so nobody else adds or joins contacts meanwhile.
 */
import type { Queryable } from '../database/client.ts';
import { type Column, rowTable } from '../database/row-table.ts';
import { ByPlatform } from '../platforms/by-platform.ts';
import type { EarlierFriend } from '../platforms/event.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { newId, type Random } from '../random.ts';

export type Contact = {
  contactId: string;
  platform: PlatformName;
  /** ms; null: no follower. */
  followedAt: number | null;
  /** Before `followedAt`, as the event of that time shows. */
  earlierFriend: EarlierFriend | null;
  blocked: boolean;
  everBlocked: boolean;
  /** False for a contact that this batch adds. */
  stored: boolean;
  /** True when followedAt, earlierFriend, blocked or everBlocked differ from the row. */
  changed: boolean;
  /** As it was before this batch; of joined contacts, when it was so of either. */
  before: { followed: boolean; blocked: boolean };
  /** ms; the event that decides `blocked`, when this batch looked at that. */
  blockedAt: number | null;
};

/** Two stored contacts that are one person: `absorbed` ends, `survivor` takes over what it had. */
export type Joining = { survivor: Contact; absorbed: Contact };

export type Id = { platform: PlatformName; platformContactId: string };
/** What is kept of the contact that an id names. */
export type ContactRow = {
  platform: PlatformName;
  platform_contact_id: string;
  /** The contact id of the id's own row. Differs from `contact_id` for a second id of a contact. */
  row_id: string;
  contact_id: string;
  followed_ms: number | null;
  earlier_friend: EarlierFriend | null;
  blocked: boolean;
  ever_blocked: boolean;
};

export class People {
  readonly #random: Random;
  readonly #byId = new ByPlatform<Contact>();
  readonly #byContactId = new Map<string, Contact>();
  /** Contact ids of the rows of second ids. */
  readonly #secondRows = new ByPlatform<string>();
  readonly #newIds: (Id & { contactId: string; contact: Contact })[] = [];
  readonly #joinings: Joining[] = [];
  /** Contact → the one it was joined into; followed to its end when asked. */
  readonly #joinedInto = new Map<Contact, Contact>();
  #hasJoined = false;

  private constructor(random: Random) {
    this.#random = random;
  }

  /** The people behind the rows, which may repeat; ids of which there is none are added by `contact` and `join`. */
  static of(rows: Iterable<ContactRow>, { random }: { random: Random }): People {
    const people = new People(random);
    people.add(rows);
    return people;
  }

  /** Adds people that were looked up later. Before any `contact` or `join`. */
  add(rows: Iterable<ContactRow>): void {
    for (const row of rows) {
      const contact = this.#byContactId.get(row.contact_id) ?? toContact(row);
      this.#byContactId.set(row.contact_id, contact);
      this.#byId.set(row.platform, row.platform_contact_id, contact);
      if (row.row_id !== row.contact_id)
        this.#secondRows.set(row.platform, row.platform_contact_id, row.row_id);
    }
  }

  /** The contact that the id names; null when nobody has the id. */
  find(platform: PlatformName, platformContactId: string): Contact | null {
    const contact = this.#byId.get(platform, platformContactId);
    return contact ? this.#root(contact) : null;
  }

  /** The contact that the id names; a new one when nobody has the id yet. */
  contact(platform: PlatformName, platformContactId: string): Contact {
    const known = this.find(platform, platformContactId);
    if (known) return known;
    const contact: Contact = {
      contactId: newId(this.#random),
      platform,
      followedAt: null,
      earlierFriend: null,
      blocked: false,
      everBlocked: false,
      stored: false,
      changed: false,
      before: { followed: false, blocked: false },
      blockedAt: null,
    };
    this.#name({ platform, platformContactId }, contact.contactId, contact);
    return contact;
  }

  /** Records that both ids name one person. Safe to repeat, in any order. */
  join(platform: PlatformName, platformContactId: string, alias: string): void {
    const first = this.find(platform, platformContactId);
    const second = this.find(platform, alias);
    if (first && first === second) return;
    this.#hasJoined = true;
    if (!first && second) {
      this.#name({ platform, platformContactId }, newId(this.#random), second);
      return;
    }
    const contact = first ?? this.contact(platform, platformContactId);
    if (!second) {
      this.#name({ platform, platformContactId: alias }, newId(this.#random), contact);
    } else {
      this.#absorb(contact, second);
    }
  }

  /** True when an id has become another contact's than the one it was loaded with, or of one that it did not name before. */
  get hasJoined(): boolean {
    return this.#hasJoined;
  }

  /** The pairs of stored contacts that were joined, in order. */
  get joinings(): readonly Joining[] {
    return this.#joinings;
  }

  /** The contacts of this batch, each person once. */
  get contacts(): readonly Contact[] {
    return [...new Set(this.#byId.values())].filter((contact) => this.#root(contact) === contact);
  }

  /** The contact id of the id's own row when that is not its person's contact id; else null. The id must be known. */
  namedAs(platform: PlatformName, platformContactId: string): string | null {
    const contact = this.#byId.get(platform, platformContactId);
    const rowId = this.#secondRows.get(platform, platformContactId) ?? contact?.contactId ?? null;
    return contact && this.#root(contact).contactId === rowId ? null : rowId;
  }

  /** Writes new ids and what changed of known contacts. Once, after everything is folded. */
  async store(sql: Queryable, botId: string, now: number): Promise<void> {
    const { contacts } = this;
    await Promise.all([
      this.#newIds.length > 0 ? this.#storeNew(sql, botId, now) : undefined,
      storeStates(
        sql,
        botId,
        contacts.filter(({ stored, changed }) => stored && changed),
      ),
    ]);
  }

  async #storeNew(sql: Queryable, botId: string, now: number): Promise<void> {
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
    if (contactId !== contact.contactId) this.#secondRows.set(id.platform, id.platformContactId, contactId);
  }

  #absorb(first: Contact, second: Contact): void {
    // A contact that has no row yet has nothing to hand over: it just becomes another id of the stored one.
    const [survivor, absorbed] = !first.stored && second.stored ? [second, first] : [first, second];
    this.#joinedInto.set(absorbed, survivor);
    survivor.before.followed ||= absorbed.before.followed;
    survivor.before.blocked ||= absorbed.before.blocked;
    if (absorbed.stored) this.#joinings.push({ survivor, absorbed });
  }

  #root(contact: Contact): Contact {
    let root = contact;
    for (let into = this.#joinedInto.get(root); into; into = this.#joinedInto.get(root)) root = into;
    return root;
  }
}

const noState = { followedAt: null, earlierFriend: null, blocked: false, everBlocked: false };

type State = Pick<Contact, 'contactId' | 'followedAt' | 'earlierFriend' | 'blocked' | 'everBlocked'>;

const stateColumns: Record<string, Column<State>> = {
  contact_id: ['text', ({ contactId }) => contactId],
  followed_at: ['timestamptz', ({ followedAt }) => followedAt],
  earlier_friend: ['text', ({ earlierFriend }) => earlierFriend],
  blocked: ['boolean', ({ blocked }) => blocked],
  ever_blocked: ['boolean', ({ everBlocked }) => everBlocked],
};

/** Writes when contacts became followers and whether they are blocked. Safe to repeat. */
export async function storeStates(sql: Queryable, botId: string, contacts: readonly State[]): Promise<void> {
  if (contacts.length === 0) return;
  await sql`
    update contacts
    set followed_at = new.followed_at, earlier_friend = new.earlier_friend, blocked = new.blocked,
      ever_blocked = new.ever_blocked
    from ${rowTable(sql, 'new', contacts, stateColumns)}
    where contacts.bot_id = ${botId} and contacts.contact_id = new.contact_id`;
}

function toContact(row: ContactRow): Contact {
  return {
    contactId: row.contact_id,
    platform: row.platform,
    followedAt: row.followed_ms === null ? null : Math.round(row.followed_ms),
    earlierFriend: row.earlier_friend,
    blocked: row.blocked,
    everBlocked: row.ever_blocked,
    stored: true,
    changed: false,
    before: { followed: row.followed_ms !== null, blocked: row.blocked },
    blockedAt: null,
  };
}
