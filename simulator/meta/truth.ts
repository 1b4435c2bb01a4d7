/** The true figures of the Meta simulator. `delivered` holds what a receiver of every delivered webhook must count. */
import { addDays, dayOf, daysBetween } from '../../src/time.ts';
import { personKey, type SimulatedEvent } from '../events/event.ts';
import {
  type Analytics,
  type MetaAccount,
  type PageMetric,
  pageMetrics,
  type TemplateAnalytics,
} from './account.ts';
import type { MetaOutbox } from './outbox.ts';
import { type MetaPlatform, metaPlatforms } from './people.ts';

export type MetaCounts = { followers: number; messagesIn: number; messagesOut: number };

type MetaDayTruth = {
  /** `YYYY-MM-DD`: UTC on WhatsApp; in Pacific time on the others. */
  day: string;
  page: Record<PageMetric, number>;
  newInstagramFollowers: number;
  whatsapp: Analytics;
  /** Of templates that were sent, by id. */
  templates: Record<string, TemplateAnalytics & { name: string }>;
};

export type MetaTruth = {
  now: number;
  firstDay: string;
  followers: { page: number; instagram: number };
  counts: Record<MetaPlatform, MetaCounts>;
  delivered: Record<MetaPlatform, MetaCounts>;
  days: MetaDayTruth[];
};

export function metaTruthOf(
  { account, outbox }: { account: MetaAccount; outbox: MetaOutbox },
  now: number,
): MetaTruth {
  const delivered = outbox.deliveredEvents();
  const byPlatform = (events: readonly SimulatedEvent[]) =>
    Object.fromEntries(
      metaPlatforms.map((platform) => [
        platform,
        countsOf(events.filter((one) => one.platform === platform)),
      ]),
    ) as Record<MetaPlatform, MetaCounts>;
  return {
    now,
    firstDay: account.firstDay,
    followers: {
      page: account.followersAt('facebook', now),
      instagram: account.followersAt('instagram', now),
    },
    counts: byPlatform(account.events),
    delivered: byPlatform(delivered),
    days: daysBetween(account.firstDay, addDays(dayOf(now, 'UTC'), -1)).map((day) => ({
      day,
      page: Object.fromEntries(
        pageMetrics.map((metric) => [metric, account.pageMetric(metric, day)]),
      ) as Record<PageMetric, number>,
      newInstagramFollowers: account.newFollowersOn('instagram', day),
      whatsapp: account.analyticsOn(day),
      templates: account.templatesOn(day),
    })),
  };
}

function countsOf(events: readonly SimulatedEvent[]): MetaCounts {
  const messages = events.filter(({ kind }) => kind === 'message');
  const answers = events.filter(
    ({ kind, platform, statuses = [] }) =>
      kind === 'answer' && (platform !== 'whatsapp' || statuses.some(({ status }) => status !== 'failed')),
  );
  const people = events.filter(({ kind }) => kind === 'message' || kind === 'postback');
  return {
    followers: new Set(people.flatMap(({ person }) => (person ? [personKey(person)] : []))).size,
    messagesIn: messages.length,
    messagesOut: answers.length,
  };
}
