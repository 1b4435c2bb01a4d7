/**
 * What the send job needs from a platform: one call for one or several recipients, and the outcome of it.
 */
import type { Channel } from '../bots/channels.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Message } from './message.ts';

export type Recipient = {
  position: number;
  contactId: string;
  /** The contact's id on the platform. */
  id: string;
  /** The last message of the contact, ms; null: none, or not read. */
  lastInboundAt: number | null;
};

/** One request to the platform. `key` is the same for each attempt. */
export type SendCall = { recipients: readonly Recipient[]; message: Message; key: string };

export type Outcome =
  /** The platform has accepted the message. `id`: of the message, or of LINE's request. */
  | { kind: 'accepted'; id: string | null }
  /** The platform refuses the message for these recipients. `isBlock`: they count as blocking the account. */
  | { kind: 'refused'; code: string; isBlock?: boolean }
  /** The answer was lost, so the message may have arrived. */
  | { kind: 'unknown'; problem: string }
  /** The message certainly did not arrive; the channel can send it after a pause. */
  | { kind: 'later'; problem: string; afterMs: number }
  /** The message certainly did not arrive, and no call on the channel would succeed. */
  | { kind: 'halted'; problem: string };

export type Sender = {
  /** Recipients of one call, if all get the same message. */
  recipientsMax: number;
  /** A repeated call with the same key reaches its recipients once. For LINE: within 24 hours. */
  isRepeatable: boolean;
  /** The limit of the platform for each channel, for a call with one recipient and for one with several. */
  callsPerSecond: { single: number; multiple: number };
  /** False for an id that makes the platform refuse the whole call. */
  isRecipient(id: string): boolean;
  /** True: `lastInboundAt` of the recipients is needed. */
  needsLastInbound: boolean;
  send(channel: Channel, call: SendCall): Promise<Outcome>;
};

export type Senders = Readonly<Record<PlatformName, Sender>>;
