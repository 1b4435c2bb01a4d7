/**
 * The sandbox's own words: people, and what happens to them. Nothing here looks like a platform's body yet, and nothing
 * says what counts: bodies are made in the `…-bodies.ts` files, the counting stands in oracle.ts.
 */
import type { PlatformName } from '../src/platforms/platform.ts';

export type Person = {
  platform: PlatformName;
  /** The platform's id; on WhatsApp the telephone number. Null: known by the user id alone. */
  id: string | null;
  /** WhatsApp: the id of people who hide their number. */
  userId: string | null;
  /** LINE: a friend from before the channel was connected. */
  friendBefore: boolean;
};

/** LINE: whether the bot or a module channel has the chat. Only an active event can be replied to. */
export type Mode = 'active' | 'standby';

/** Which ids of a WhatsApp person a body shows. */
export type Shown = 'number' | 'user-id' | 'both';

/** What became of a message that the business sent on WhatsApp; `echo`: it came from the Business app. */
export type SentStatus = { status: 'sent' | 'delivered' | 'read' | 'played' | 'failed' | 'echo'; at: number };

export type What =
  /** The person writes, in a chat of two. */
  | 'message'
  /** Somebody writes in a group; `person` is null when the platform does not say who. */
  | 'group-message'
  /** The business writes to the person. */
  | 'answer'
  /** The business writes to a group (WhatsApp). */
  | 'group-answer'
  | 'follow'
  /** LINE: the person blocks the account. */
  | 'unfollow'
  | 'postback'
  | 'optin'
  | 'referral'
  /** What no figure counts: reads, reactions, deletions, joins, … `form` says which. */
  | 'aside';

export type Happening = {
  platform: PlatformName;
  what: What;
  /** The kind of its body: text, image, sticker, read, … */
  form: string;
  /** The platform's id of the event or message, as it stands in the body. */
  id: string;
  /** The platform's clock, ms; whole seconds on WhatsApp. */
  at: number;
  person: Person | null;
  /** The earlier message that this is about. */
  about?: string;
  /** What the account gave along, and gets back: a postback's data, a video's tracking id. */
  data?: string;
  group?: string;
  /** LINE: the mode of its event. Not said: that of its chat. */
  mode?: Mode;
  shown?: Shown;
  /** WhatsApp: what the platform tells of a sent message. */
  statuses?: SentStatus[];
};

/** One name for a person, whichever of its ids a body shows. */
export function personKey(person: Person): string {
  return `${person.platform} ${person.id ?? person.userId}`;
}

/** The id by which callers may ask for the person (`platformClientIds`). */
export function platformIdOf(person: Person): string {
  return person.id ?? person.userId ?? '';
}
