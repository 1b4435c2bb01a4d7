/** What the management API tells of a bot's health. */
import type { PlatformName } from '../../format/platforms.ts';

export type Health = {
  channels: readonly {
    platform: PlatformName;
    enabled: boolean;
    credentialsReadable: boolean;
    lastDeliveryAt: string | null;
    wrongSignatures: { lastDay: number; lastAt: string | null };
  }[];
  inbox: { waiting: number; oldestAt: string | null; oldestSeconds: number | null; setAside: number };
  collector: Collector | null;
  callback: Callback | null;
  /** Null: there is no live chat. */
  liveChat: ChatUsage | null;
};

/** Bytes of today; `limit` null: there is none. */
export type ChatUsage = Record<'visitor' | 'address' | 'bot', { bytes: number; limit: number | null }>;

export type Collector = {
  state: 'collecting' | 'stopped' | 'off';
  problem: string | null;
  kinds: readonly CollectedKind[];
};

export type CollectedKind = {
  kind: string;
  state: string;
  problem: string | null;
  answeredAt: string | null;
  nextAt: string | null;
  earliestDay: string | null;
  latestDay: string | null;
  daysLeft: number | null;
  secondsLeft: number | null;
  failing: number;
  failingProblem: string | null;
};

export type Callback = {
  url: string;
  waiting: number;
  failingSince: string | null;
  disabledAt: string | null;
  previousSecretUntil: string | null;
};

export type Delivery = {
  deliveryId: number;
  platform: string;
  receivedAt: string;
  bytes: number;
  state: 'pending' | 'folded' | 'set-aside';
  reason: string | null;
};

export type NoticeState = 'pending' | 'told' | 'given-up';
export type Notice = {
  noticeId: number;
  type: string;
  contactId: string;
  happenedAt: string;
  state: NoticeState;
  dueAt: string | null;
  endedAt: string | null;
  status: number | null;
  problem: string | null;
};
export type Attempt = {
  attemptedAt: string;
  ms: number;
  status: number | null;
  problem: string | null;
  excerpt: string | null;
};
