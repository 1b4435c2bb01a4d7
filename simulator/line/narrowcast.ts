/**
 * Narrowcasts: recipients by attribute or by an earlier narrowcast, limits and progress (Messaging API reference, "Send
 * narrowcast message" and "Get narrowcast message status"). Audiences and filters by area are not supported: LINE's error.
 */
import { isObject, type JsonObject } from '../../src/json.ts';
import { dayMs, secondMs } from '../../src/time.ts';
import type { Account, Send } from './account.ts';
import { LineError } from './line-error.ts';
import { attributesOf } from './people.ts';

const waitingMs = 5 * secondMs;
const sendingMs = 30 * secondMs;
const reachMin = 100;
const filteredMin = 50;
const redeliveryMs = 14 * dayMs;
const tooFewRecipients = 2;
const cancelled = 5;

type Test = (userId: string) => boolean;
type LeafReader = (leaf: JsonObject) => Test;

/** The recipients of the request; `failure` when it fails after it was accepted. Throws LineError 400 or 403. */
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
  const passesFilter = testOf(demographic, (leaf) => attributeTest(leaf, account, at));
  const isRecipient = testOf(body.recipient, (leaf) => recipientTest(leaf, account, at));
  const matches = account.friendsAt(at).filter((userId) => passesFilter(userId) && isRecipient(userId));
  const failed = (failure: number) => ({ recipients: [], sentAt, failure });
  if (demographic !== undefined && matches.length < filteredMin) return failed(tooFewRecipients);
  const remaining = quota === null ? Number.POSITIVE_INFINITY : Math.max(0, quota - account.usageAt(at));
  if (limit.forbidPartialDelivery === true && matches.length > remaining) return failed(cancelled);
  const max = typeof limit.max === 'number' ? limit.max : Number.POSITIVE_INFINITY;
  const count = Math.min(matches.length, max, limit.upToRemainingQuota === true ? remaining : matches.length);
  return { recipients: matches.slice(0, count), sentAt, failure: null };
}

/** The answer of the status call; null: the status has expired. */
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
    failure === tooFewRecipients ? 'There are not enough recipients' : 'Message delivery has been canceled';
  return { phase: 'failed', failedDescription, errorCode: failure, ...completed };
}

// Filters and recipients are trees of the same form: leaves under `and`, `or` and `not`.
function testOf(node: unknown, readLeaf: LeafReader): Test {
  if (node === undefined) return () => true;
  if (!isObject(node)) throw invalidCondition();
  if (node.type !== 'operator') return readLeaf(node);
  const testsOf = (list: unknown) => {
    if (!Array.isArray(list) || list.length === 0) throw invalidCondition();
    return list.map((child) => testOf(child, readLeaf));
  };
  if (node.not !== undefined) {
    const test = testOf(node.not, readLeaf);
    return (userId) => !test(userId);
  }
  if (node.and !== undefined) {
    const tests = testsOf(node.and);
    return (userId) => tests.every((test) => test(userId));
  }
  const tests = testsOf(node.or);
  return (userId) => tests.some((test) => test(userId));
}

function attributeTest({ type, oneOf, gte, lt }: JsonObject, account: Account, at: number): Test {
  if (type === 'gender' || type === 'appType') {
    if (!Array.isArray(oneOf)) throw invalidCondition();
    return (userId) => oneOf.includes(attributesOf(userId)[type]);
  }
  if (type === 'age') {
    const isWithin = rangeTest(gte, lt, 'age');
    return (userId) => isWithin(Number(/\d+/.exec(attributesOf(userId).age)?.[0] ?? Number.NaN));
  }
  if (type === 'subscriptionPeriod') {
    const isWithin = rangeTest(gte, lt, 'day');
    return (userId) => isWithin(account.friendDays(userId, at));
  }
  throw invalidCondition();
}

function recipientTest({ type, requestId, audienceGroupId }: JsonObject, account: Account, at: number): Test {
  if (type === 'audience') throw new LineError(400, `Invalid audience group id: ${String(audienceGroupId)}`);
  const send = account.sends.find((one) => one.kind === 'narrowcast' && one.requestId === requestId);
  const isComplete = send !== undefined && at >= send.sentAt && send.failure === null;
  if (!isComplete || at - send.acceptedAt >= redeliveryMs) {
    throw new LineError(400, `Invalid request id: ${String(requestId)}`);
  }
  const recipients = new Set(send.recipients);
  return (userId) => recipients.has(userId);
}

function rangeTest(gte: unknown, lt: unknown, unit: 'age' | 'day'): (value: number) => boolean {
  const from = bound(gte, unit, 0);
  const below = bound(lt, unit, Number.POSITIVE_INFINITY);
  return (value) => value >= from && value < below;
}

function bound(text: unknown, unit: 'age' | 'day', fallback: number): number {
  if (text === undefined) return fallback;
  const [, number] = (typeof text === 'string' && new RegExp(`^${unit}_(\\d+)$`).exec(text)) || [];
  if (number === undefined) throw invalidCondition();
  return Number(number);
}

function invalidCondition(): LineError {
  return new LineError(400, 'The request body has 1 error(s)', {
    details: [{ message: 'Invalid condition', property: 'filter' }],
  });
}
