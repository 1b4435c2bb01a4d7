/**
 * Simulated events: what people and the business do on a channel, before it becomes a platform's webhook body. Nothing here
 * says which events count (expected-figures.ts).
 */
import type { PlatformName } from '../../src/platforms/platform.ts';

export type Person = {
  platform: PlatformName;
  /** The platform's id; on WhatsApp the telephone number. Null: the platform shows the user id only. */
  id: string | null;
  /** WhatsApp: the id that stays when a person hides the number. */
  userId: string | null;
};

/** LINE: whether this channel has control of the chat. Only an active event has a reply token. */
export type Mode = 'active' | 'standby';

/** Which ids of a WhatsApp person a body contains. */
export type VisibleIds = 'number' | 'user-id' | 'both';

/** A status of a message that the business sent on WhatsApp; `echo`: sent from the Business app. */
export type MessageStatus = {
  status: 'sent' | 'delivered' | 'read' | 'played' | 'failed' | 'echo';
  at: number;
  /** The platform's code of a failure. */
  code?: number;
};

export type EventKind =
  /** The person writes in a one-to-one chat. */
  | 'message'
  /** A member writes in a group; `person` is null when the platform hides the writer. */
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
  /** An event that no figure counts: read, reaction, deletion … */
  | 'aside';

export type SimulatedEvent = {
  platform: PlatformName;
  kind: EventKind;
  /** The form of its body: text, image, sticker, read … */
  form: string;
  /** The platform's id of the event or message. */
  id: string;
  /** The platform's time, ms; whole seconds on WhatsApp. */
  at: number;
  person: Person | null;
  /** The id of the earlier message that this event refers to. */
  aboutId?: string;
  /** A value that the account set and gets back: a postback's data, a video's tracking id. */
  data?: string;
  groupId?: string;
  /** LINE: overrides the mode of the chat. */
  mode?: Mode;
  visibleIds?: VisibleIds;
  /** WhatsApp: the statuses of a sent message. */
  statuses?: MessageStatus[];
};

/** A key of the person that is the same whichever ids a body contains. */
export function personKey(person: Person): string {
  return `${person.platform} ${person.id ?? person.userId}`;
}

/** The id of the person in API calls (`platformClientIds`). */
export function platformIdOf(person: Person): string {
  return person.id ?? person.userId ?? '';
}

/** Sort order of events: by time, then by id. */
export function byTimeAndId(a: { at: number; id: string }, b: { at: number; id: string }): number {
  return a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
