/**
 * LINE's stored answers, as pure code: their kinds, the fields that each must have, and the counts in them (LINE Messaging API
 * reference: insight, message quota, number of sent messages).
 *
 * Answers are stored unchanged. Only fields that a figure reads are checked, because LINE adds fields without notice.
 */
import { Refusal } from '../errors.ts';
import { isObject, isStorable, type JsonObject } from '../json.ts';
import { addDays, dayMs, dayOf, isDay, lineZone } from '../time.ts';
import { shareKeys } from './demographics.ts';
import {
  type RichMenuDays,
  type RichMenuKind,
  richMenuDaysMax,
  richMenuIdForm,
  richMenuKinds,
} from './rich-menus.ts';

export const snapshotKinds = [
  'followers',
  'delivery',
  'demographic',
  'quota',
  'sent-reply',
  'sent-push',
  'sent-multicast',
  'sent-broadcast',
] as const;
export type SnapshotKind = (typeof snapshotKinds)[number];
const statuses = ['ready', 'unready', 'out_of_service'] as const;
export type SnapshotStatus = (typeof statuses)[number];
export type LineAnswer = Record<string, unknown>;

export type Snapshot = {
  kind: SnapshotKind;
  /** In UTC+9: the day of the figures; for demographic and quota the day of the request. */
  day: string;
  status: SnapshotStatus;
  value: LineAnswer;
};

/** LINE's statistics of one send, or of a unit's sends or a rich menu on days in UTC+9, both included. */
export type Statistic =
  | { kind: 'message-event'; requestId: string; value: LineAnswer }
  | { kind: 'unit'; unit: string; from: string; to: string; value: LineAnswer }
  | ({ kind: RichMenuKind; value: LineAnswer } & RichMenuDays);

const answerKinds = [...snapshotKinds, 'message-event', 'unit', ...richMenuKinds] as const;
/** LINE's limit of the days from "from" to "to". */
export const unitDaysMax = 30;
export const unitForm = /^[a-zA-Z0-9_]{1,30}$/;
const requestIdLengthMax = 200;
/** Far above any real account, and small enough for exact sums. */
const countMax = 1_000_000_000_000;

/**
 * Checks and returns an answer with its subject: {kind, day, value}, {kind, requestId, value}, {kind, unit, from, to, value} or
 * {kind, richMenuId, from, to, value}. Days are written YYYY-MM-DD or YYYYMMDD, and that of a snapshot is at most one day after `now`
 * (ms). Throws INPUT_INVALID with the expected form.
 */
export function readAnswer(entry: unknown, { now }: { now: number }): Snapshot | Statistic {
  if (!isObject(entry)) refuse('an object with kind, day and value was expected', entry);
  const { value, requestId, unit } = entry;
  const kind = answerKinds.find((name) => name === entry.kind);
  if (!kind) refuse(`kind must be one of ${answerKinds.join(', ')}`, entry.kind);
  if (!isObject(value)) refuse("value must be an object: LINE's unchanged answer", value);
  // PostgreSQL's jsonb cannot store other text.
  if (!isStorable(value)) refuse('value must contain valid Unicode without NUL', null);
  if (kind === 'message-event') {
    if (!isRequestId(requestId)) refuse('requestId must be the X-Line-Request-Id of the send', requestId);
    expectStatistics(value);
    return { kind, requestId, value };
  }
  if (kind === 'unit') {
    if (typeof unit !== 'string' || !unitForm.test(unit)) refuse('unit must be the name of a unit', unit);
    const [from, to] = [readDay('from', entry.from), readDay('to', entry.to)];
    if (to < from || to > addDays(from, unitDaysMax))
      refuse(`to must be 0 to ${unitDaysMax} days after from`, to);
    expectStatistics(value);
    return { kind, unit, from, to, value };
  }
  if (kind === 'rich-menu-daily' || kind === 'rich-menu-summary') return readRichMenu(kind, entry, value);
  const day = readDay('day', entry.day);
  if (day > dayOf(now + dayMs, lineZone)) refuse('day must not be in the future', entry.day);
  return { kind, day, status: readStatus(kind, value), value };
}

export function isStatistic(answer: Snapshot | Statistic): answer is Statistic {
  return !('day' in answer);
}

function readRichMenu(kind: RichMenuKind, entry: JsonObject, value: LineAnswer): Statistic {
  const { richMenuId } = entry;
  if (typeof richMenuId !== 'string' || !richMenuIdForm.test(richMenuId))
    refuse('richMenuId must be the id of a rich menu', richMenuId);
  const [from, to] = [readDay('from', entry.from), readDay('to', entry.to)];
  const daysMax = richMenuDaysMax[kind];
  if (to < from || to > addDays(from, daysMax)) refuse(`to must be 0 to ${daysMax} days after from`, to);
  if (value.richMenuId !== richMenuId) refuse('value.richMenuId must be the same id', value.richMenuId);
  return { kind, richMenuId, from, to, value };
}

/** True for the X-Line-Request-Id of a send. */
export function isRequestId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= requestIdLengthMax && isStorable(value);
}

/** The JSON value of a text. Throws INPUT_INVALID. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal('INPUT_INVALID', 'JSON was expected.');
  }
}

/** The messages of a delivery answer: the sum of all its number fields, including later additions; 0 unless it is ready. */
export function deliveredMessages({ status, value }: Pick<Snapshot, 'status' | 'value'>): number {
  if (status !== 'ready') return 0;
  return Object.values(value).reduce<number>(
    (sum, field) => sum + (typeof field === 'number' ? field : 0),
    0,
  );
}

function readDay(name: string, day: unknown): string {
  const text = typeof day === 'string' ? day.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3') : '';
  if (isDay(text)) return text;
  return refuse(`${name} must be a calendar day from 2000 to 2199, YYYYMMDD or YYYY-MM-DD`, day);
}

/** Checks the fields of an answer that a figure reads. */
function readStatus(kind: SnapshotKind, value: LineAnswer): SnapshotStatus {
  if (kind === 'demographic') {
    if (typeof value.available !== 'boolean')
      refuse('value.available must be true or false', value.available);
    for (const name of Object.keys(shareKeys)) expectShares(name, value[name]);
    return 'ready';
  }
  if (kind === 'quota') {
    if (typeof value.type !== 'string') refuse('value.type must be "none" or "limited"', value.type);
    expectCounts(value, value.type === 'limited' ? ['value', 'totalUsage'] : ['totalUsage']);
    return 'ready';
  }
  const status = statuses.find((name) => name === value.status);
  if (!status) refuse(`value.status must be one of ${statuses.join(', ')}`, value.status);
  if (status === 'ready') expectCounts(value, countsOf(kind, value));
  return status;
}

/** The counts of a ready answer about a day. */
function countsOf(kind: SnapshotKind, value: LineAnswer): string[] {
  if (kind === 'followers') return ['followers', 'blocks'];
  if (kind !== 'delivery') return ['success'];
  // LINE omits kinds that were not sent that day, or reports null.
  const names = Object.keys(value).filter((name) => value[name] !== null);
  return names.filter((name) => deliveryNames.has(name) || typeof value[name] === 'number');
}

/**
 * Checks the values of enumerations against LINE's contract. LINE may add values, so only imported files are checked. Throws
 * INPUT_INVALID.
 */
export function checkWords({ kind, value }: Snapshot | Statistic): void {
  if (kind === 'quota') expectWord('value.type', value.type, ['none', 'limited']);
  if (kind !== 'demographic') return;
  for (const [list, name] of Object.entries(shareKeys)) {
    const [shares, words] = [value[list], demographicWords[name]];
    if (!Array.isArray(shares) || !words) continue;
    for (const [index, share] of shares.entries())
      expectWord(`value.${list}[${index}].${name}`, share[name], words);
  }
}

/** Areas depend on the country. */
export const demographicWords: Readonly<Record<string, readonly string[]>> = {
  gender: ['male', 'female', 'unknown'],
  age: [
    ...[
      'from0to14',
      'from15to19',
      'from20to24',
      'from25to29',
      'from30to34',
      'from35to39',
      'from40to44',
      'from45to49',
    ],
    ...['from50', 'from50to54', 'from55to59', 'from60to64', 'from65to69', 'from70', 'unknown'],
  ],
  appType: ['ios', 'android', 'others'],
  subscriptionPeriod: [
    ...[
      'within7days',
      'within30days',
      'within90days',
      'within180days',
      'within365days',
      'over365days',
      'unknown',
    ],
  ],
};

function expectWord(name: string, word: unknown, words: readonly string[]): void {
  if (typeof word !== 'string' || !words.includes(word))
    refuse(`${name} must be one of ${words.join(', ')}`, word);
}

const deliveryNames = new Set([
  'broadcast',
  'targeting',
  'autoResponse',
  'welcomeResponse',
  'chat',
  'apiBroadcast',
  'apiPush',
  'apiMulticast',
  'apiNarrowcast',
  'apiReply',
]);

function expectCounts(value: LineAnswer, names: readonly string[]): void {
  for (const name of names) {
    const count = value[name];
    const isCount = typeof count === 'number' && Number.isInteger(count) && count >= 0 && count <= countMax;
    if (!isCount) refuse(`value.${name} must be a whole number from 0`, count);
  }
}

function expectShares(name: string, shares: unknown): void {
  if (shares === undefined || shares === null) return;
  const isValid =
    Array.isArray(shares) && shares.every((share) => isObject(share) && typeof share.percentage === 'number');
  if (!isValid) refuse(`value.${name} must be an array of objects with a percentage`, shares);
}

/** The lists that Shoal's own answers continue. */
function expectStatistics(value: LineAnswer): void {
  if (!isObject(value.overview)) refuse('value.overview must be an object', value.overview);
  for (const name of ['messages', 'clicks']) {
    const list = value[name];
    if (!Array.isArray(list) || !list.every(isObject))
      refuse(`value.${name} must be an array of objects`, list);
  }
}

const quotedLengthMax = 60;

function refuse(expectation: string, value: unknown): never {
  const quoted = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, quotedLengthMax);
  throw new Refusal('INPUT_INVALID', `${expectation}, not ${quoted}.`);
}
