/**
 * One step of collection: lock a kind of a channel, ask LINE the next question, store the answer and the new schedule state.
 *
 *     lock → plan → count the call → ask → read → store answer (inbox), question and state → commit
 *
 * A process that is killed before the commit stores nothing and releases the lock; the call stays counted. An answer is therefore
 * stored if and only if its question is updated.
 */
import { createHash } from 'node:crypto';
import type { Keys } from '../../auth/keys.ts';
import { findChannel, recordAccount } from '../../bots/channels.ts';
import type { Sql, Transaction } from '../../database/client.ts';
import { toDate } from '../../database/instants.ts';
import { Refusal } from '../../errors.ts';
import { putDeliveries } from '../../inbox/inbox.ts';
import type { Random } from '../../random.ts';
import type { Clock } from '../../time.ts';
import type { CallLimit } from './call-limit.ts';
import { type ClaimedCollection, claimCollection, countCall, putFullAt, putState } from './collections.ts';
import { callsOf, type Reading, readAnswers } from './kinds.ts';
import type { LineClient } from './line-client.ts';
import { type CollectionKey, putOutcome, putQuestions } from './questions.ts';
import { type Failure, type Plan, plan, transition } from './schedule.ts';

export type CollectParts = {
  sql: Sql;
  keys: Keys;
  line: LineClient;
  limit: CallLimit;
  clock: Clock;
  random: Random;
  /** Called after each call to LINE. */
  onCall(endpoint: string, outcome: string): void;
  /** Called after the commit of an answer in the inbox. */
  onStored(botId: string): void;
};

/** The result of a step. `busy`: another process has the lock; `waiting`: no question was due. */
export type Step = 'busy' | 'waiting' | 'answered' | Failure;

/** Runs the next step of a collection. Safe to call at any time, from any number of processes. Throws Stopped. */
export async function collectOne(parts: CollectParts, key: CollectionKey): Promise<Step> {
  let isStored = false;
  const step = (await parts.sql.begin(async (tx) => {
    const now = parts.clock();
    const collection = await claimCollection(tx, key, now);
    if (collection === null) return 'busy';
    const nextStep = plan(collection, { now, limit: parts.limit });
    if (nextStep.ask === null) {
      const { state, checkAt } = nextStep;
      await putState(tx, key, { look_at: new Date(checkAt), ...(state && { state }) });
      return 'waiting';
    }
    const isCounted = await countCall(parts.sql, key, { before: collection.fullAt, after: nextStep.fullAt });
    if (!isCounted) return 'busy';
    const answer = await askLine(tx, parts, { ...key, subject: nextStep.ask.subject });
    isStored = await putAnswer(tx, parts, { collection, nextStep, answer });
    return 'failure' in answer ? answer.failure : 'answered';
  })) as Step;
  if (isStored) parts.onStored(key.botId);
  return step;
}

type QuestionStep = Exclude<Plan, { ask: null }>;
type Answer = Reading | { failure: Failure; problem: string };

async function askLine(
  tx: Transaction,
  { keys, line, clock, onCall }: CollectParts,
  { botId, kind, subject }: CollectionKey & { subject: string },
): Promise<Answer> {
  const token = await openToken(tx, keys, botId, clock());
  if (typeof token !== 'string') return token;
  const texts: string[] = [];
  for (const { endpoint, path } of callsOf(kind, subject)) {
    const reply = await line.get(path, token);
    onCall(endpoint, reply.outcome);
    if (reply.outcome === 'answered') texts.push(reply.text);
    else if (reply.outcome !== 'unknown') return { failure: reply.outcome, problem: reply.problem };
    else if (kind === 'message-event') return { outcome: 'unknown', entry: null, accountId: null };
    else
      return { failure: 'nonsense', problem: 'The server does not know this call (404), so it is not LINE.' };
  }
  try {
    return readAnswers({ kind, subject }, texts, clock());
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { failure: 'nonsense', problem: `LINE's answer cannot be read: ${error.message}` };
  }
}

async function openToken(
  tx: Transaction,
  keys: Keys,
  botId: string,
  now: number,
): Promise<string | { failure: Failure; problem: string }> {
  try {
    const channel = await findChannel(tx, keys, { botId, platform: 'line', now });
    if (channel?.accessToken) return channel.accessToken;
    return { failure: 'sealed', problem: 'The channel has no access token.' };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { failure: 'sealed', problem: error.message };
  }
}

/** Stores an answer and the new state. Returns true if the inbox has a new delivery. */
async function putAnswer(
  tx: Transaction,
  { clock, random, limit }: CollectParts,
  { collection, nextStep, answer }: { collection: ClaimedCollection; nextStep: QuestionStep; answer: Answer },
): Promise<boolean> {
  const { botId } = collection;
  const now = clock();
  const chance = Buffer.from(random(4)).readUInt32BE() / 2 ** 32;
  const { question, ...next } = transition(
    { ...collection, question: nextStep.ask, fullAt: nextStep.fullAt },
    answer,
    { now, chance, limit },
  );
  const failure = 'failure' in answer ? answer : null;
  const entry = 'failure' in answer ? null : answer.entry;
  const problem = failure?.problem ?? (await checkAccount(tx, botId, answer, now));
  const [, isNew] = await Promise.all([
    putQuestions(tx, collection, nextStep.opened),
    putOutcome(tx, collection, question, {
      problem: question.failures > 0 ? problem : null,
      entryHash: entry === null ? null : createHash('sha256').update(entry).digest('hex'),
      answeredAt: failure ? null : now,
    }),
    putState(tx, collection, {
      state: failure?.failure ?? 'resting',
      problem,
      look_at: toDate(next.pausedUntil),
      paused_until: toDate(next.pausedUntil),
      failures: next.failures,
      refused_token_id: failure?.failure === 'token-refused' ? collection.tokenId : null,
      ...(failure ? {} : { answered_at: new Date(now) }),
    }),
    next.fullAt === nextStep.fullAt ? null : putFullAt(tx, collection, next.fullAt),
  ]);
  if (!isNew || entry === null) return false;
  const body = Buffer.from(entry);
  await putDeliveries(tx, [{ botId, platform: 'line', source: 'line-answer', body, receivedAt: now }]);
  return true;
}

/** Sets the channel's destination to LINE's account id if there is none. Returns a problem if there is another one. */
async function checkAccount(
  tx: Transaction,
  botId: string,
  answer: Answer,
  now: number,
): Promise<string | null> {
  if ('failure' in answer || answer.accountId === null) return null;
  const { accountId } = answer;
  const destination = await recordAccount(tx, { botId, platform: 'line', accountId, now });
  if (destination === accountId) return null;
  return (
    `The access token belongs to the account ${accountId}, but the channel's destination is ${destination}, so webhooks ` +
    `for ${accountId} are ignored. Set the matching token or destination.`
  );
}
