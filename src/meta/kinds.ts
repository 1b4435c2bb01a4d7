/**
 * The collected kinds of Meta's figures, as pure code: their spans of days and how far Meta has figures. One call covers a span; the
 * current span is asked again every day, which also brings corrections.
 *
 * Sources (developers.facebook.com): "Page Insights" (90 days in a call, two years; 2026-02-18), "Instagram Account Insights"
 * (follower_count for the last 30 days; 2026-06-16), "Analytics" of WhatsApp (a year; templates 90 days; 2026-02-12).
 */
import type { MetaPlatform } from '../bots/meta-tokens.ts';

type SpanRule = {
  platform: MetaPlatform;
  /** Days of one call. */
  spanDays: number;
  /** Days before today for which Meta has figures. */
  lookbackDays: number;
  /** Hours after the end of a day (UTC) at which its figures may be ready. */
  readyHours: number;
};

/** Figures of days. The subject is the first day of a span. */
export const spanRules = {
  'page-insights': { platform: 'facebook', spanDays: 90, lookbackDays: 729, readyHours: 20 },
  'instagram-followers': { platform: 'instagram', spanDays: 30, lookbackDays: 29, readyHours: 20 },
  'whatsapp-analytics': { platform: 'whatsapp', spanDays: 90, lookbackDays: 364, readyHours: 6 },
} as const satisfies Record<string, SpanRule>;
export type SpanKind = keyof typeof spanRules;
export const spanKinds = Object.keys(spanRules) as SpanKind[];

/** Current values, asked once a day. The subject is empty. */
const presentRules = {
  'facebook-token': 'facebook',
  'instagram-token': 'instagram',
  'whatsapp-token': 'whatsapp',
  'whatsapp-number': 'whatsapp',
} as const;
type PresentKind = keyof typeof presentRules;
export const presentKinds = Object.keys(presentRules) as PresentKind[];

/** Figures of templates, a page of templates after the other, once a day. The subject is the cursor of a page; empty: the first page. */
export const templateRule = {
  kind: 'whatsapp-templates',
  platform: 'whatsapp',
  lookbackDays: 89,
  readyHours: spanRules['whatsapp-analytics'].readyHours,
} as const;

/** Messages of earlier conversations, asked on request. The subject is the cursor of a page; empty: the first page. */
const historyRules = { 'facebook-history': 'facebook', 'instagram-history': 'instagram' } as const;
type HistoryKind = keyof typeof historyRules;
export const historyKinds = Object.keys(historyRules) as HistoryKind[];

export type MetaKind = SpanKind | PresentKind | HistoryKind | typeof templateRule.kind;
export const metaKinds: readonly { kind: MetaKind; platform: MetaPlatform }[] = [
  ...spanKinds.map((kind) => ({ kind, platform: spanRules[kind].platform })),
  { kind: templateRule.kind, platform: templateRule.platform },
  ...presentKinds.map((kind) => ({ kind, platform: presentRules[kind] })),
  ...historyKinds.map((kind) => ({ kind, platform: historyRules[kind] })),
];

export function isSpanKind(kind: MetaKind): kind is SpanKind {
  return kind in spanRules;
}

/** Kinds whose answers name the next page. */
export function isPagedKind(kind: MetaKind): boolean {
  return isHistoryKind(kind) || kind === templateRule.kind;
}

export function isHistoryKind(kind: MetaKind): kind is HistoryKind {
  return kind in historyRules;
}
