/**
 * The calls for Meta's figures of days, and the reading of answers. Sources (developers.facebook.com): "Messaging Insights API"
 * (2026-03-27), "Page Insights" (2026-02-18), "Deprecated Facebook Page Insights Metrics" (2026-03-02: none of ours), "Instagram Account
 * Insights" (2026-06-16), "Analytics" of WhatsApp (2026-02-12), "Messaging Limits" of WhatsApp (2026-05); read 2026-12-01.
 */
import { isObject, type JsonObject } from '../json.ts';
import { addDays, dayOf, dayStart, secondMs } from '../time.ts';
import { type GraphAnswer, GraphFailure } from './graph-client.ts';
import type { SpanKind } from './kinds.ts';
import type { MetaChannel } from './token-check.ts';

/** The figures of one day. Templates: their counts by template id. */
export type PlatformDay = { day: string; value: JsonObject };
type Get = (path: string) => Promise<GraphAnswer>;
type Days = { first: string; last: string };
/** `isLatest`: the last day is the latest that Meta has. */
type Span = Days & { isLatest: boolean };

/** Meta withdraws metrics from time to time, so each one may be missing. */
export const pageMetrics = [
  'page_follows',
  'page_daily_follows_unique',
  'page_messages_total_messaging_connections',
  'page_messages_new_conversations_unique',
  'page_messages_blocked_conversations_unique',
  'page_messages_reported_conversations_unique',
] as const;

/** Templates whose figures one call returns. */
const templatesPerPage = 10;
/** "Insights data is not available": a page with fewer than 100 likes. */
const invalidRequest = 100;

/** Asks for the figures of the days. Null: the account is too small for figures. Throws GraphFailure. */
export function askDays(
  kind: SpanKind,
  { accountId, businessAccountId }: MetaChannel,
  days: Span,
  get: Get,
): Promise<PlatformDay[] | null> {
  switch (kind) {
    case 'page-insights':
      return askPage(accountId, days, get);
    case 'instagram-followers':
      return askInstagram(accountId, days, get);
    case 'whatsapp-analytics':
      return askAnalytics(accountId, businessAccountId ?? '', { days, get });
  }
}

/** The quality and the messaging limit of a WhatsApp number now. */
export async function askNumber({ accountId }: MetaChannel, get: Get): Promise<JsonObject> {
  const fields = 'quality_rating,whatsapp_business_manager_messaging_limit,verified_name';
  const { value } = await get(`/${accountId}?fields=${fields}`);
  const { quality_rating, whatsapp_business_manager_messaging_limit } = value;
  return {
    quality: quality_rating ?? null,
    messagingLimit: whatsapp_business_manager_messaging_limit ?? null,
  };
}

async function askPage(pageId: string, days: Days, get: Get): Promise<PlatformDay[] | null> {
  const ask = (metrics: readonly string[]) =>
    get(`/${pageId}/insights?metric=${metrics.join(',')}&period=day&${unixRange(days)}`);
  try {
    return readSeries((await ask(pageMetrics)).value);
  } catch (error) {
    if (!isInvalid(error)) throw error;
  }
  // One metric that Meta has withdrawn fails the whole call, so each is asked alone.
  const series: PlatformDay[][] = [];
  for (const metric of pageMetrics) {
    try {
      series.push(readSeries((await ask([metric])).value));
    } catch (error) {
      if (!isInvalid(error)) throw error;
    }
  }
  return series.length === 0 ? null : merged(series.flat());
}

async function askInstagram(accountId: string, days: Span, get: Get): Promise<PlatformDay[]> {
  // Meta gives the number of followers now, and of no earlier day.
  const followers = days.isLatest ? [await askFollowers(accountId, days.last, get)] : [];
  try {
    const insights = await get(`/${accountId}/insights?metric=follower_count&period=day&${unixRange(days)}`);
    return merged([...readSeries(insights.value), ...followers]);
  } catch (error) {
    // Fewer than 100 followers: there is only their number.
    if (!isInvalid(error)) throw error;
    return followers;
  }
}

async function askFollowers(accountId: string, day: string, get: Get): Promise<PlatformDay> {
  const { value } = await get(`/${accountId}?fields=followers_count`);
  return { day, value: { followers_count: value.followers_count ?? null } };
}

/** Without the number, Meta counts all numbers of the business account. */
async function askAnalytics(
  numberId: string,
  businessAccountId: string,
  { days, get }: { days: Days; get: Get },
): Promise<PlatformDay[]> {
  const { value: phone } = await get(`/${numberId}?fields=display_phone_number`);
  const number = String(phone.display_phone_number ?? '').replace(/\D/g, '');
  if (number === '') throw new GraphFailure('nonsense', 'Meta names no telephone number for this id.');
  const { start, end } = unixTimes(days);
  const field = `analytics.start(${start}).end(${end}).granularity(DAY).phone_numbers([${number}])`;
  const { value } = await get(`/${businessAccountId}?fields=${field}`);
  const analytics = isObject(value.analytics) ? value.analytics : {};
  return listOf(analytics.data_points).map(({ start, sent, delivered }) => ({
    day: dayOf(Number(start) * secondMs, 'UTC'),
    value: { sent, delivered },
  }));
}

/** Asks for the figures of a page of templates. Throws GraphFailure. */
export async function askTemplates(
  { businessAccountId }: MetaChannel,
  { cursor, days }: { cursor: string; days: Days },
  get: Get,
): Promise<{ figures: PlatformDay[]; nextCursor: string | null }> {
  const after = cursor === '' ? '' : `&after=${encodeURIComponent(cursor)}`;
  const path = `/${businessAccountId}/message_templates?fields=id,name&limit=${templatesPerPage}${after}`;
  const { value: page } = await get(path);
  const names = new Map(listOf(page.data).map(({ id, name }) => [String(id), name]));
  if (names.size === 0) return { figures: [], nextCursor: null };
  const { start, end } = unixTimes(days);
  const query = `start=${start}&end=${end}&granularity=daily&template_ids=[${[...names.keys()].join(',')}]`;
  const { value } = await get(`/${businessAccountId}/template_analytics?${query}`);
  const points = listOf(value.data).flatMap(({ data_points }) => listOf(data_points));
  return { figures: merged(points.map((point) => readTemplate(point, names))), nextCursor: nextCursor(page) };
}

function readTemplate(
  { template_id, start, sent, delivered, read, clicked }: JsonObject,
  names: ReadonlyMap<string, unknown>,
): PlatformDay {
  const id = String(template_id);
  // Meta has no clicks of some categories and countries.
  const clicks = Array.isArray(clicked)
    ? listOf(clicked).reduce((sum, { count }) => sum + (countOf(count) ?? 0), 0)
    : null;
  const counts = { sent: countOf(sent), delivered: countOf(delivered), read: countOf(read), clicked: clicks };
  return {
    day: dayOf(Number(start) * secondMs, 'UTC'),
    value: { [id]: { name: names.get(id) ?? id, ...counts } },
  };
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** The values of metrics by day. A value belongs to the day before its `end_time`. */
function readSeries({ data }: JsonObject): PlatformDay[] {
  return merged(
    listOf(data).flatMap(({ name, values }) =>
      listOf(values).flatMap(({ value, end_time }) => {
        const end = timeOf(String(end_time));
        if (Number.isNaN(end) || typeof name !== 'string') return [];
        return [{ day: addDays(dayOf(end, 'UTC'), -1), value: { [name]: Number(value) } }];
      }),
    ),
  );
}

/** ISO 8601, as Page Insights writes it, or seconds, as in the Messaging Insights API. NaN: neither. */
function timeOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) * secondMs : Date.parse(text.replace('+0000', 'Z'));
}

/** One entry for each day, with the members of all its entries. */
function merged(days: readonly PlatformDay[]): PlatformDay[] {
  return [...Map.groupBy(days, ({ day }) => day)]
    .map(([day, entries]) => ({ day, value: Object.assign({}, ...entries.map(({ value }) => value)) }))
    .sort((a, b) => (a.day < b.day ? -1 : 1));
}

/** The cursor of the next page; null: this is the last. */
export function nextCursor({ paging }: JsonObject): string | null {
  if (!isObject(paging) || paging.next === undefined || !isObject(paging.cursors)) return null;
  return typeof paging.cursors.after === 'string' ? paging.cursors.after : null;
}

function unixTimes({ first, last }: Days): { start: number; end: number } {
  return {
    start: dayStart(first, 'UTC') / secondMs,
    end: dayStart(addDays(last, 1), 'UTC') / secondMs,
  };
}

function unixRange(days: Days): string {
  const { start, end } = unixTimes(days);
  return `since=${start}&until=${end}`;
}

function isInvalid(error: unknown): boolean {
  return error instanceof GraphFailure && error.code === invalidRequest;
}

export function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
