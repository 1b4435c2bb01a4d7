/**
 * Reads of Meta's own figures as they were collected: of a channel by day, the latest of each, and of WhatsApp templates. Figures
 * that Meta has not reported are null.
 */
import type { MetaPlatform } from '../bots/meta-tokens.ts';
import type { Queryable } from '../database/client.ts';
import { invalidInput } from '../errors.ts';
import { readDay } from '../periods.ts';
import { addDays, dayOf } from '../time.ts';
import { pageMetrics } from './figures.ts';
import { type MetaKind, templateRule } from './kinds.ts';
import { pacific } from './reconciliation.ts';

/** The figures of a platform by Meta's names, the zone of their days, and the kinds that collect them. */
export const reportedBy: Readonly<
  Record<MetaPlatform, { zone: string; figures: readonly string[]; kinds: readonly MetaKind[] }>
> = {
  facebook: { zone: pacific, figures: pageMetrics, kinds: ['page-insights'] },
  instagram: {
    zone: pacific,
    figures: ['followers_count', 'follower_count'],
    kinds: ['instagram-followers'],
  },
  whatsapp: {
    zone: 'UTC',
    figures: ['sent', 'delivered', 'quality', 'messagingLimit'],
    kinds: ['whatsapp-analytics', 'whatsapp-number'],
  },
};

type Range = { from?: string | undefined; to?: string | undefined; now: number };
/** Days as YYYY-MM-DD, both included. */
type Days = { from: string; to: string };
type Value = number | string | null;
export type ReportedDay = { day: string; reportedAt: Date; figures: Record<string, Value> };
export type LatestFigure = { figure: string; value: Value; day: string | null; reportedAt: Date | null };
export type PlatformFigures = Days & { zone: string; latest: LatestFigure[]; days: ReportedDay[] };
type TemplateFigures = {
  templateId: string;
  name: string;
  sent: number | null;
  delivered: number | null;
  read: number | null;
  clicked: number | null;
};
export type TemplateReport = Days & {
  zone: string;
  /** The time of Meta's last answer; null: none. */
  reportedAt: Date | null;
  templates: TemplateFigures[];
};

const defaultDays = 30;
const daysMax = 1_100;

/**
 * Returns the days from `from` to `to` that Meta has reported (default: the 30 days up to today), and the latest value of each figure,
 * whatever its day. Throws Refusal INPUT_INVALID.
 */
export async function readPlatformFigures(
  sql: Queryable,
  botId: string,
  { platform, ...range }: Range & { platform: MetaPlatform },
): Promise<PlatformFigures> {
  const { zone } = reportedBy[platform];
  const days = daysOf(range, zone);
  const [latest, reported] = await Promise.all([
    selectLatest(sql, botId, platform),
    selectDays(sql, botId, platform, days),
  ]);
  return { zone, ...days, latest, days: reported };
}

/**
 * Returns the sums of the days by WhatsApp template, the most sent first. A sum is null if Meta reports the figure on no day. Range
 * and errors as above.
 */
export async function readTemplateReport(
  sql: Queryable,
  botId: string,
  range: Range,
): Promise<TemplateReport> {
  const { zone } = reportedBy.whatsapp;
  const days = daysOf(range, zone);
  const [templates, [answered]] = await Promise.all([
    selectTemplates(sql, botId, days),
    sql<{ at: Date | null }[]>`
      select answered_at as at from collections where bot_id = ${botId} and kind = ${templateRule.kind}`,
  ]);
  return { zone, ...days, reportedAt: answered?.at ?? null, templates };
}

function daysOf({ from, to, now }: Range, zone: string): Days {
  const last = readDay('to', to ?? dayOf(now, zone));
  const first = readDay('from', from ?? addDays(last, 1 - defaultDays));
  if (first > last || addDays(first, daysMax) <= last)
    throw invalidInput(`from must be 0 to ${daysMax - 1} days before to (${last}).`);
  return { from: first, to: last };
}

async function selectDays(
  sql: Queryable,
  botId: string,
  platform: MetaPlatform,
  { from, to }: Days,
): Promise<ReportedDay[]> {
  const { figures, kinds } = reportedBy[platform];
  const rows = await sql<{ day: string; value: Record<string, Value>; reportedAt: Date }[]>`
    select to_char(day, 'YYYY-MM-DD') as day, value, received_at as "reportedAt" from platform_days
    where bot_id = ${botId} and kind = any(${[...kinds]}) and day between ${from} and ${to}
    order by platform_days.day, received_at`;
  return [...Map.groupBy(rows, ({ day }) => day)].flatMap(([day, ofDay]) => {
    const values: Record<string, Value> = Object.assign({}, ...ofDay.map(({ value }) => value));
    const last = ofDay.at(-1);
    if (!last) return [];
    const named = figures.map((name) => [name, values[name] ?? null] as const);
    return { day, reportedAt: last.reportedAt, figures: Object.fromEntries(named) };
  });
}

async function selectLatest(sql: Queryable, botId: string, platform: MetaPlatform): Promise<LatestFigure[]> {
  const { figures, kinds } = reportedBy[platform];
  const rows = await sql<LatestFigure[]>`
    select distinct on (figure) figure, reported.value, to_char(day, 'YYYY-MM-DD') as day, received_at as "reportedAt"
    from platform_days cross join lateral jsonb_each(platform_days.value) as reported(figure, value)
    where bot_id = ${botId} and kind = any(${[...kinds]}) and reported.value <> 'null'
    order by figure, platform_days.day desc`;
  const latest = new Map(rows.map((row) => [row.figure, row]));
  return figures.map((figure) => latest.get(figure) ?? { figure, value: null, day: null, reportedAt: null });
}

async function selectTemplates(
  sql: Queryable,
  botId: string,
  { from, to }: Days,
): Promise<TemplateFigures[]> {
  const sum = (name: string) => sql`sum((counts->>${name})::float8)`;
  return sql<TemplateFigures[]>`
    select template_id as "templateId", (array_agg(counts->>'name' order by day desc))[1] as name, ${sum('sent')} as sent,
      ${sum('delivered')} as delivered, ${sum('read')} as read, ${sum('clicked')} as clicked
    from platform_days cross join lateral jsonb_each(value) as template(template_id, counts)
    where bot_id = ${botId} and kind = ${templateRule.kind} and day between ${from} and ${to}
    group by template_id order by sent desc nulls last, name, template_id`;
}
