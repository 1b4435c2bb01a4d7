/**
 * LINE's answers that are stored as snapshots, as pure code: their kinds, the fields that each must have, and the number of
 * messages of a delivery answer (LINE Messaging API reference: insight, message quota, number of sent messages).
 *
 * Answers are stored unchanged. Only fields that a figure reads are checked, because LINE adds fields without notice.
 */
import { Refusal } from '../errors.ts';
import { isObject, isStorable } from '../json.ts';
import { dayMs, dayOf, isDay, lineZone } from '../time.ts';

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

/** Far above any real account, and small enough for exact sums. */
const countMax = 1_000_000_000_000;

/**
 * Checks and returns a snapshot. `day` is written YYYY-MM-DD or YYYYMMDD and is at most one day after `now` (ms). Throws
 * INPUT_INVALID with the expected form.
 */
export function readSnapshot(
  { kind, day, value }: { kind: unknown; day: unknown; value: unknown },
  { now }: { now: number },
): Snapshot {
  const snapshotKind = snapshotKinds.find((name) => name === kind);
  if (!snapshotKind) refuse(`kind must be one of ${snapshotKinds.join(', ')}`, kind);
  if (!isObject(value)) refuse("value must be an object: LINE's unchanged answer", value);
  // PostgreSQL's jsonb cannot store other text.
  if (!isStorable(value)) refuse('value must contain valid Unicode without NUL', null);
  return { kind: snapshotKind, day: readDay(day, now), status: readers[snapshotKind](value), value };
}

/** The messages of a delivery answer: the sum of all its number fields, including later additions; 0 unless it is ready. */
export function deliveredMessages({ status, value }: Pick<Snapshot, 'status' | 'value'>): number {
  if (status !== 'ready') return 0;
  return Object.values(value).reduce<number>(
    (sum, field) => sum + (typeof field === 'number' ? field : 0),
    0,
  );
}

/** The number of recipients in LINE's statistics of a send; null: not reported yet. */
export function deliveredRecipients({ overview }: LineAnswer): number | null {
  const delivered = isObject(overview) ? overview.delivered : null;
  return typeof delivered === 'number' && Number.isSafeInteger(delivered) && delivered >= 0
    ? delivered
    : null;
}

function readDay(day: unknown, now: number): string {
  const text = typeof day === 'string' ? day.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3') : '';
  if (!isDay(text)) refuse('day must be a calendar day from 2000 to 2199, YYYYMMDD or YYYY-MM-DD', day);
  if (text > dayOf(now + dayMs, lineZone)) refuse('day must not be in the future', day);
  return text;
}

const readers: Record<SnapshotKind, (value: LineAnswer) => SnapshotStatus> = {
  'sent-reply': readCounter,
  'sent-push': readCounter,
  'sent-multicast': readCounter,
  'sent-broadcast': readCounter,
  followers(value) {
    const status = readStatus(value);
    if (status === 'ready') expectCounts(value, ['followers', 'blocks']);
    return status;
  },
  delivery(value) {
    const status = readStatus(value);
    if (status !== 'ready') return status;
    // LINE omits kinds that were not sent that day, or reports null.
    const names = Object.keys(value).filter((name) => value[name] !== null);
    expectCounts(
      value,
      names.filter((name) => deliveryNames.has(name) || typeof value[name] === 'number'),
    );
    return status;
  },
  demographic(value) {
    if (typeof value.available !== 'boolean')
      refuse('value.available must be true or false', value.available);
    for (const name of demographicNames) expectShares(name, value[name]);
    return 'ready';
  },
  quota(value) {
    if (typeof value.type !== 'string') refuse('value.type must be "none" or "limited"', value.type);
    expectCounts(value, value.type === 'limited' ? ['value', 'totalUsage'] : ['totalUsage']);
    return 'ready';
  },
};

/**
 * Checks the values of enumerations against LINE's contract. LINE may add values, so only imported files are checked. Throws
 * INPUT_INVALID.
 */
export function checkWords({ kind, value }: Snapshot): void {
  if (kind === 'quota') expectWord('value.type', value.type, quotaTypes);
  if (kind !== 'demographic') return;
  for (const [list, name] of shareNames) {
    const shares = value[list];
    if (!Array.isArray(shares)) continue;
    for (const [index, share] of shares.entries())
      expectWord(`value.${list}[${index}].${name}`, share[name], demographicWords[name]);
  }
}

const quotaTypes = ['none', 'limited'];
const shareNames = [
  ['genders', 'gender'],
  ['ages', 'age'],
  ['appTypes', 'appType'],
  ['subscriptionPeriods', 'subscriptionPeriod'],
] as const;
export const demographicWords = {
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
const demographicNames = ['genders', 'ages', 'areas', 'appTypes', 'subscriptionPeriods'] as const;

/** The daily count of one of LINE's send calls. */
function readCounter(value: LineAnswer): SnapshotStatus {
  const status = readStatus(value);
  if (status === 'ready') expectCounts(value, ['success']);
  return status;
}

function readStatus({ status }: LineAnswer): SnapshotStatus {
  const snapshotStatus = statuses.find((name) => name === status);
  return snapshotStatus ?? refuse(`value.status must be one of ${statuses.join(', ')}`, status);
}

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

const quotedLengthMax = 60;

function refuse(expectation: string, value: unknown): never {
  const quoted = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, quotedLengthMax);
  throw new Refusal('INPUT_INVALID', `${expectation}, not ${quoted}.`);
}
