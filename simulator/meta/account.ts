/**
 * The accounts as Meta's servers store them: people, messages, and the figures counted from them. It schedules and sends nothing.
 * Times are ms.
 */
import { addDays, dayMs, dayOf, dayStart } from '../../src/time.ts';
import { byTimeAndId, type Person, personKey, type SimulatedEvent } from '../events/event.ts';
import { stableNumber } from '../events/ids.ts';
import { randomOf } from '../events/random.ts';
import { type MetaPerson, type MetaPlatform, metaPlatforms } from './people.ts';

/** The zone of the days of Page and Instagram insights. */
export const insightsZone = 'America/Los_Angeles';

export const pageMetrics = [
  'page_follows',
  'page_daily_follows_unique',
  'page_messages_total_messaging_connections',
  'page_messages_new_conversations_unique',
  'page_messages_blocked_conversations_unique',
  'page_messages_reported_conversations_unique',
] as const;
export type PageMetric = (typeof pageMetrics)[number];

export const templates = [
  ...['spring_sale', 'summer_sale', 'autumn_sale', 'new_year', 'birthday', 'welcome'],
  ...['order_update', 'order_shipped', 'pickup', 'appointment', 'survey', 'stock_alert'],
] as const;

/** Conversations have details of the latest messages only. */
export const detailedMessages = 20;

export type Analytics = { sent: number; delivered: number };
export type TemplateAnalytics = Analytics & { read: number; clicked: number };

export class MetaAccount {
  readonly people = new Map<string, MetaPerson>();
  readonly events: SimulatedEvent[] = [];
  /** The first day, in UTC. */
  readonly firstDay: string;
  readonly #seed: number;
  /** At the end of a day, by platform and day. */
  readonly #followers = new Map<string, number>();

  constructor(openedAt: number, seed: number) {
    this.firstDay = dayOf(openedAt, 'UTC');
    this.#seed = seed;
  }

  record(event: SimulatedEvent): void {
    this.events.push(event);
    const { person, platform } = event;
    if (person === null || platform === 'line' || platform === 'liveChat') return;
    const known = this.find(platform, person) ?? this.#add(platform, person);
    if (event.kind !== 'message' && event.kind !== 'postback') return;
    known.firstAt ??= event.at;
    known.wroteAt = event.at;
    known.blockedAt = null;
  }

  block(person: Person, at: number): void {
    const known = this.people.get(personKey(person));
    if (known) known.blockedAt ??= at;
  }

  find(platform: MetaPlatform, person: Person): MetaPerson | undefined {
    return this.people.get(personKey({ ...person, platform }));
  }

  /** The person with the platform's id or WhatsApp number. */
  findById(platform: MetaPlatform, id: string): MetaPerson | undefined {
    return this.people.get(`${platform} ${id}`);
  }

  peopleOf(platform: MetaPlatform): MetaPerson[] {
    return [...this.people.values()].filter((one) => one.platform === platform);
  }

  /** Messages of the platform in one-to-one chats, oldest first. */
  messagesOf(platform: MetaPlatform): SimulatedEvent[] {
    const messages = this.events.filter(
      (event) => event.platform === platform && (event.kind === 'message' || event.kind === 'answer'),
    );
    return messages.sort(byTimeAndId);
  }

  /** A metric of the page on a day of its insights. */
  pageMetric(metric: PageMetric, day: string): number {
    const [start, end] = [dayStart(day, insightsZone), dayStart(addDays(day, 1), insightsZone)];
    const people = this.peopleOf('facebook');
    const within = (at: number | null) => at !== null && at >= start && at < end;
    switch (metric) {
      case 'page_follows':
        return this.#followersAtEndOf('facebook', day);
      case 'page_daily_follows_unique':
        return this.newFollowersOn('facebook', day);
      case 'page_messages_total_messaging_connections':
        return people.filter(({ firstAt }) => firstAt !== null && firstAt < end).length;
      case 'page_messages_new_conversations_unique':
        return people.filter(({ firstAt }) => within(firstAt)).length;
      case 'page_messages_blocked_conversations_unique':
        return people.filter(({ blockedAt }) => within(blockedAt)).length;
      case 'page_messages_reported_conversations_unique':
        return stableNumber(`reported ${day}`, 40) === 0 ? 1 : 0;
    }
  }

  /** People who began to follow the page or the Instagram account on the day. No one ever stops following. */
  newFollowersOn(platform: 'facebook' | 'instagram', day: string): number {
    return day < this.firstDay ? 0 : randomOf(this.#seed, 'followers', platform, day).integer(0, 9);
  }

  /** Followers of the page or the Instagram account at the instant. */
  followersAt(platform: 'facebook' | 'instagram', at: number): number {
    return this.#followersAtEndOf(platform, addDays(dayOf(at, insightsZone), -1));
  }

  /** Messages that the number sent on the day (UTC) with the API, and those of them that arrived. */
  analyticsOn(day: string): Analytics {
    const sends = this.#sendsOn(day);
    return { sent: sends.length, delivered: sends.filter(isDelivered).length };
  }

  templateAnalyticsOn(day: string, template: number): TemplateAnalytics {
    const sends = this.#sendsOn(day).filter(
      ({ form, id }) => form === 'template' && stableNumber(`template ${id}`, templates.length) === template,
    );
    const read = sends.filter(({ statuses = [] }) => statuses.some(({ status }) => status === 'read'));
    const clicked = read.filter(({ id }) => stableNumber(`click ${id}`, 3) === 0).length;
    return {
      ...{ sent: sends.length, delivered: sends.filter(isDelivered).length },
      ...{ read: read.length, clicked },
    };
  }

  /** The counts of the templates that were sent on the day (UTC), by id. */
  templatesOn(day: string): Record<string, TemplateAnalytics & { name: string }> {
    const all = templates.map((name, index) => ({ name, ...this.templateAnalyticsOn(day, index) }));
    return Object.fromEntries(
      all.flatMap((counts, index) => (counts.sent === 0 ? [] : [[templateId(index), counts]])),
    );
  }

  #sendsOn(day: string): SimulatedEvent[] {
    const start = dayStart(day, 'UTC');
    return this.events.filter((event) => {
      const at = sentAt(event);
      return at !== null && at >= start && at < start + dayMs;
    });
  }

  #followersAtEndOf(platform: 'facebook' | 'instagram', day: string): number {
    if (day < this.firstDay) return platform === 'facebook' ? 1_200 : 800;
    const key = `${platform} ${day}`;
    const followers =
      this.#followers.get(key) ??
      this.#followersAtEndOf(platform, addDays(day, -1)) + this.newFollowersOn(platform, day);
    this.#followers.set(key, followers);
    return followers;
  }

  #add(platform: MetaPlatform, person: Person): MetaPerson {
    const added: MetaPerson = {
      ...{ person: { ...person, platform }, platform, firstAt: null, wroteAt: null, blockedAt: null },
      isDeleted: stableNumber(`deleted ${personKey(person)}`, 50) === 0,
    };
    this.people.set(personKey(added.person), added);
    return added;
  }
}

export function templateId(index: number): string {
  return `1924084211297${10 + index}`;
}

/** The time of a message that the business sent with the API: the earliest of its statuses. Null: it failed, or is none. */
export function sentAt({ platform, kind, statuses = [] }: SimulatedEvent): number | null {
  if (platform !== 'whatsapp' || kind !== 'answer') return null;
  if (statuses.some(({ status }) => status === 'echo' || status === 'failed')) return null;
  return statuses.length === 0 ? null : Math.min(...statuses.map(({ at }) => at));
}

function isDelivered({ statuses = [] }: SimulatedEvent): boolean {
  return statuses.some(({ status }) => status === 'delivered' || status === 'read' || status === 'played');
}

export { metaPlatforms };
