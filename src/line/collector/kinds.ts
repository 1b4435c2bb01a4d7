/**
 * The collected kinds of LINE's figures, as pure code: the calls of each kind and the parsing of answers (LINE Messaging API
 * reference: Insight, "Get number of sent messages", quota, bot information, rich menus).
 *
 * The entry for the inbox contains LINE's answer unchanged. The same parsers check it here and in the worker, so the worker never
 * sets a collected answer aside.
 */
import type { Answer } from '../../collector/source.ts';
import { Refusal } from '../../errors.ts';
import { isObject } from '../../json.ts';
import { addDays, dayOf, hourMs, lineZone } from '../../time.ts';
import { parseJson, readAnswer } from '../answers.ts';
import {
  daysOfMonth,
  type RichMenuDays,
  type RichMenuKind,
  richMenuIdForm,
  richMenuKinds,
} from '../rich-menus.ts';

/** Figures of a day, and the first day for which LINE has them. The subject is the day, YYYY-MM-DD in UTC+9. */
export const firstDays = {
  followers: '2016-11-01',
  delivery: '2017-03-01',
  'sent-reply': '2018-03-31',
  'sent-push': '2018-03-31',
  'sent-multicast': '2018-03-31',
  'sent-broadcast': '2018-03-31',
} as const;
export type DayKind = keyof typeof firstDays;
export const dayKinds = Object.keys(firstDays) as DayKind[];
/** Current values. The subject is empty. */
export const presentKinds = ['quota', 'demographic', 'info', 'rich-menus'] as const;
/** Statistics. The subject is a request id, a unit with its first and last day, or a rich menu with its month. */
const statisticKinds = ['message-event', 'unit', ...richMenuKinds] as const;
type StatisticKind = (typeof statisticKinds)[number];

export const kinds = [...dayKinds, ...presentKinds, ...statisticKinds] as const;
export type Kind = (typeof kinds)[number];

/** The entry is for the inbox. */
export type Reading = Answer & {
  /** The webhook's destination, from bot information. */
  accountId: string | null;
  /** From the list of rich menus. */
  richMenuIds?: string[];
};

export type Call = { endpoint: string; path: string };

/** The calls for one answer, made at `now` (ms). Each endpoint belongs to one kind, so the rate limit of a kind is that of each endpoint. */
export function callsOf(kind: Kind, subject: string, now: number): Call[] {
  const date = subject.replaceAll('-', '');
  const call = (path: string, endpoint: string = kind) => ({ endpoint, path: `/v2/bot/${path}` });
  switch (kind) {
    case 'followers':
      return [call(`insight/followers?date=${date}`)];
    case 'delivery':
      return [call(`insight/message/delivery?date=${date}`)];
    case 'sent-reply':
    case 'sent-push':
    case 'sent-multicast':
    case 'sent-broadcast':
      return [call(`message/delivery/${kind.slice('sent-'.length)}?date=${date}`)];
    case 'demographic':
      return [call('insight/demographic')];
    case 'quota':
      return [call('message/quota'), call('message/quota/consumption', 'consumption')];
    case 'info':
      return [call('info')];
    case 'rich-menus':
      return [call('richmenu/list')];
    case 'rich-menu-daily':
    case 'rich-menu-summary':
      return [call(richMenuPath(kind, richMenuOf(subject, now)))];
    case 'message-event':
      return [call(`insight/message/event?requestId=${encodeURIComponent(subject)}`)];
    case 'unit':
      return [call(`insight/message/event/aggregation?${unitQuery(subject)}`)];
  }
}

/** Parses the answers to a kind's calls, received at `now` (ms). Throws Refusal INPUT_INVALID with the expected form. */
export function readAnswers(
  { kind, subject }: { kind: Kind; subject: string },
  texts: readonly string[],
  now: number,
): Reading {
  const values = texts.map(parseJson);
  const [value] = values;
  if (kind === 'info') return { outcome: 'ready', entry: null, accountId: readAccountId(value) };
  if (kind === 'rich-menus') {
    return { outcome: 'ready', entry: null, accountId: null, richMenuIds: readRichMenuIds(value) };
  }
  // Fewer than 20 recipients that day. Only the counts of sent messages have this status.
  if (kind.startsWith('sent-') && isObject(value) && value.status === 'unavailable_for_privacy') {
    return { outcome: 'withheld', entry: null, accountId: null };
  }
  const text = values.length > 1 ? JSON.stringify(Object.assign({}, ...values)) : (texts[0] ?? '');
  const key = JSON.stringify({ kind, ...subjectOf(kind, subject, now) });
  const entry = `${key.slice(0, -1)},"value":${text}}`;
  const answer = readAnswer(JSON.parse(entry), { now });
  const outcome = 'status' in answer ? outcomes[answer.status] : 'ready';
  // A day that is not ready has no figures to store.
  return { outcome, entry: outcome === 'unready' ? null : entry, accountId: null };
}

/** The members of an entry that name its subject. */
function subjectOf(kind: Kind, subject: string, now: number) {
  if (kind === 'message-event') return { requestId: subject };
  if (kind === 'unit') return unitOf(subject);
  if (kind === 'rich-menu-daily' || kind === 'rich-menu-summary') return richMenuOf(subject, now);
  return { day: isDayKind(kind) ? subject : dayOf(now, lineZone) };
}

export function isDayKind(kind: Kind): kind is DayKind {
  return kind in firstDays;
}

export function isStatisticKind(kind: Kind): kind is StatisticKind {
  return statisticKinds.some((one) => one === kind);
}

/** The hour of the next day from which a day may be ready. */
export const dayHourMs = 10 * hourMs;

/** The latest day for which LINE may have figures at `now`. */
export function latestDayAt(now: number): string {
  return addDays(dayOf(now - dayHourMs, lineZone), -1);
}

/** A rich menu and the days of its month for which LINE may have figures at `now` (ms). */
function richMenuOf(subject: string, now: number): RichMenuDays {
  const [richMenuId = '', month = ''] = subject.split(' ');
  return { richMenuId, ...daysOfMonth(month, latestDayAt(now)) };
}

function richMenuPath(kind: RichMenuKind, { richMenuId, from, to }: RichMenuDays): string {
  const query = `from=${from.replaceAll('-', '')}&to=${to.replaceAll('-', '')}`;
  return `insight/richmenu/${richMenuId}/${kind.slice('rich-menu-'.length)}?${query}`;
}

function readRichMenuIds(value: unknown): string[] {
  const menus = isObject(value) ? value.richmenus : undefined;
  if (!Array.isArray(menus)) throw new Refusal('INPUT_INVALID', 'richmenus must be an array.');
  return [...new Set(menus.map(readRichMenuId))];
}

function readRichMenuId(menu: unknown): string {
  const id = isObject(menu) ? menu.richMenuId : undefined;
  if (typeof id === 'string' && richMenuIdForm.test(id)) return id;
  throw new Refusal('INPUT_INVALID', 'richMenuId must be the id of a rich menu.');
}

function unitOf(subject: string): { unit: string; from: string; to: string } {
  const [unit = '', from = '', to = ''] = subject.split(' ');
  return { unit, from, to };
}

function unitQuery(subject: string): URLSearchParams {
  const { unit, from, to } = unitOf(subject);
  return new URLSearchParams({
    customAggregationUnit: unit,
    from: from.replaceAll('-', ''),
    to: to.replaceAll('-', ''),
  });
}

const outcomes = { ready: 'ready', unready: 'unready', out_of_service: 'out-of-service' } as const;

function readAccountId(value: unknown): string {
  const accountId = isObject(value) ? value.userId : undefined;
  if (typeof accountId === 'string' && /^U[0-9a-f]{32}$/.test(accountId)) return accountId;
  throw new Refusal('INPUT_INVALID', 'userId must be U and 32 hexadecimal digits.');
}
