/**
 * Whom a narrowcast reaches, and how it fares: filters by attribute, redelivery to an earlier one's recipients, limits
 * (Messaging API reference, "Send narrowcast message" and "Get narrowcast message status").
 *
 * Audiences and filters by area do not exist in the sandbox: a request that names one is refused.
 */
import { dayMs, dayOf, lineZone, secondMs } from '../../src/time.ts';
import { isObject, type JsonObject } from '../caller.ts';
import type { Account, Send } from './account.ts';
import { LineError } from './line-error.ts';
import { attributesOf } from './people.ts';

const waitingMs = 5 * secondMs;
const sendingMs = 30 * secondMs;
const reachMin = 100;
const filteredMin = 50;
const redeliveryMs = 14 * dayMs;
const tooFew = 2;
const cancelled = 5;

type Test = (userId: string) => boolean;
type Reading = (leaf: JsonObject) => Test;

/** The recipients of the request; `failure` when it will fail after having been accepted. Throws LineError 400 or 403. */
export function narrowcastOf(
  body: JsonObject,
  { account, at, quota }: { account: Account; at: number; quota: number | null },
): Pick<Send, 'recipients' | 'sentAt' | 'failure'> {
  const sentAt = at + waitingMs + sendingMs;
  const limit = isObject(body.limit) ? body.limit : {};
  if (limit.forbidPartialDelivery === true && limit.upToRemainingQuota !== true) {
    throw new LineError(400, 'The option forbidPartialDelivery must be used with upToRemainingQuota.');
  }
  const demographic = isObject(body.filter) ? body.filter.demographic : undefined;
  if (demographic !== undefined && account.audienceAt(at).targetedReaches < reachMin) {
    throw new LineError(403, 'Your account does not have enough friends');
  }
  const isWanted = testOf(demographic, (leaf) => attributeTest(leaf, account, at));
  const isAudience = testOf(body.recipient, (leaf) => audienceTest(leaf, account, at));
  const all = account.friendsAt(at).filter((userId) => isWanted(userId) && isAudience(userId));
  const failed = (failure: number) => ({ recipients: [], sentAt, failure });
  if (demographic !== undefined && all.length < filteredMin) return failed(tooFew);
  const left = quota === null ? Number.POSITIVE_INFINITY : Math.max(0, quota - account.usageAt(at));
  if (limit.forbidPartialDelivery === true && all.length > left) return failed(cancelled);
  const max = typeof limit.max === 'number' ? limit.max : Number.POSITIVE_INFINITY;
  const count = Math.min(all.length, max, limit.upToRemainingQuota === true ? left : all.length);
  return { recipients: all.slice(0, count), sentAt, failure: null };
}

/** The answer of the status call; null: LINE does not tell any more. */
export function progressOf(send: Send, now: number): object | null {
  const { acceptedAt, sentAt, recipients, failure } = send;
  if (now - acceptedAt > redeliveryMs) return null;
  const acceptedTime = new Date(acceptedAt).toISOString();
  const completed = { acceptedTime, completedTime: new Date(sentAt).toISOString() };
  const targetCount = recipients.length;
  if (now - acceptedAt < waitingMs) return { phase: 'waiting', acceptedTime };
  if (now < sentAt) return { phase: 'sending', successCount: 0, failureCount: 0, targetCount, acceptedTime };
  if (failure === null) {
    return { phase: 'succeeded', successCount: targetCount, failureCount: 0, targetCount, ...completed };
  }
  const failedDescription =
    failure === tooFew ? 'There are not enough recipients' : 'Message delivery has been canceled';
  return { phase: 'failed', failedDescription, errorCode: failure, ...completed };
}

// Filters and recipients are trees of one form: leaves under `and`, `or` and `not`.
function testOf(node: unknown, read: Reading): Test {
  if (node === undefined) return () => true;
  if (!isObject(node)) throw badTree();
  if (node.type !== 'operator') return read(node);
  const tests = (list: unknown) => {
    if (!Array.isArray(list) || list.length === 0) throw badTree();
    return list.map((inner) => testOf(inner, read));
  };
  if (node.not !== undefined) {
    const test = testOf(node.not, read);
    return (userId) => !test(userId);
  }
  if (node.and !== undefined) {
    const all = tests(node.and);
    return (userId) => all.every((test) => test(userId));
  }
  const any = tests(node.or);
  return (userId) => any.some((test) => test(userId));
}

function attributeTest({ type, oneOf, gte, lt }: JsonObject, account: Account, at: number): Test {
  if (type === 'gender' || type === 'appType') {
    if (!Array.isArray(oneOf)) throw badTree();
    return (userId) => oneOf.includes(attributesOf(userId)[type]);
  }
  if (type === 'age') {
    const [from, below] = [bound(gte, 'age', 0), bound(lt, 'age', Number.POSITIVE_INFINITY)];
    return (userId) => isWithin(Number(/\d+/.exec(attributesOf(userId).age)?.[0] ?? Number.NaN), from, below);
  }
  if (type === 'subscriptionPeriod') {
    const [from, below] = [bound(gte, 'day', 0), bound(lt, 'day', Number.POSITIVE_INFINITY)];
    return (userId) => isWithin(friendDays(account, userId, at), from, below);
  }
  throw badTree();
}

function audienceTest({ type, requestId, audienceGroupId }: JsonObject, account: Account, at: number): Test {
  if (type === 'audience') throw new LineError(400, `Invalid audience group id: ${String(audienceGroupId)}`);
  const send = account.sends.find((one) => one.kind === 'narrowcast' && one.requestId === requestId);
  const isDone = send !== undefined && at >= send.sentAt && send.failure === null;
  if (!isDone || at - send.acceptedAt >= redeliveryMs) {
    throw new LineError(400, `Invalid request id: ${String(requestId)}`);
  }
  const recipients = new Set(send.recipients);
  return (userId) => recipients.has(userId);
}

/** Days since the day after the person became a friend. */
export function friendDays(account: Account, userId: string, at: number): number {
  const since = account.people.get(userId)?.turns[0]?.at ?? at;
  const days = Date.parse(dayOf(at, lineZone)) - Date.parse(dayOf(since, lineZone));
  return Math.max(0, days / dayMs - 1);
}

function bound(text: unknown, unit: string, fallback: number): number {
  if (text === undefined) return fallback;
  const [, number] = typeof text === 'string' ? (/^(?:age|day)_(\d+)$/.exec(text) ?? []) : [];
  if (number === undefined || !String(text).startsWith(unit)) throw badTree();
  return Number(number);
}

function isWithin(value: number, from: number, below: number): boolean {
  return value >= from && value < below;
}

function badTree(): LineError {
  return new LineError(400, 'The request body has 1 error(s)', {
    details: [{ message: 'Invalid condition', property: 'filter' }],
  });
}
