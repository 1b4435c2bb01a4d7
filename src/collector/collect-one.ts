/**
 * One step of collection: lock a kind of a channel, ask the platform the next question, store the answer and the new schedule state.
 *
 *     lock → plan → count the call → ask → store answer, question and state → commit
 *
 * A process that is killed before the commit stores nothing and releases the lock; the call stays counted. An answer is therefore
 * stored if and only if its question is updated.
 */
import { createHash } from 'node:crypto';
import type { Sql, Transaction } from '../database/client.ts';
import { toDate } from '../database/instants.ts';
import type { Random } from '../random.ts';
import type { Clock } from '../time.ts';
import type { CallLimit } from './call-limit.ts';
import { type ClaimedCollection, claimCollection, countCall, putFullAt, putState } from './collections.ts';
import { putOutcome, putQuestions } from './questions.ts';
import type { Answer, CollectionKey, FailedCall, Failure, Plan, Source } from './source.ts';

export type CollectParts<Kind extends string = string> = {
  sql: Sql;
  source: Source<Kind>;
  limit: CallLimit;
  clock: Clock;
  random: Random;
  /** Called after the commit of an answer that the source has stored. */
  onStored(botId: string): void;
};

/** The result of a step. `busy`: another process has the lock; `waiting`: no question was due. */
export type Step = 'busy' | 'waiting' | 'answered' | Failure;

/** Runs the next step of a collection. Safe to call at any time, from any number of processes. Throws Stopped. */
export async function collectOne<Kind extends string>(
  parts: CollectParts<Kind>,
  key: CollectionKey<Kind>,
): Promise<Step> {
  const { source, limit } = parts;
  let isStored = false;
  const step = (await parts.sql.begin(async (tx) => {
    const now = parts.clock();
    const collection = await claimCollection(tx, source, key, now);
    if (collection === null) return 'busy';
    const nextStep = source.plan(collection, { now, limit });
    if (nextStep.ask === null) {
      const { state, checkAt } = nextStep;
      await putState(tx, key, { look_at: new Date(checkAt), ...(state && { state }) });
      return 'waiting';
    }
    const isCounted = await countCall(parts.sql, key, { before: collection.fullAt, after: nextStep.fullAt });
    if (!isCounted) return 'busy';
    const answer = await source.ask(tx, { ...key, subject: nextStep.ask.subject });
    isStored = await putAnswer(tx, parts, { collection, nextStep, answer });
    return 'failure' in answer ? answer.failure : 'answered';
  })) as Step;
  if (isStored) parts.onStored(key.botId);
  return step;
}

type QuestionStep = Exclude<Plan, { ask: null }>;

/** Stores an answer and the new state. Returns true if the source has stored it. */
async function putAnswer<Kind extends string>(
  tx: Transaction,
  { source, clock, random, limit }: CollectParts<Kind>,
  {
    collection,
    nextStep,
    answer,
  }: { collection: ClaimedCollection<Kind>; nextStep: QuestionStep; answer: Answer | FailedCall },
): Promise<boolean> {
  const { botId, kind } = collection;
  const now = clock();
  const chance = Buffer.from(random(4)).readUInt32BE() / 2 ** 32;
  const { extraCalls, pauseMs } = answer.usage ?? { extraCalls: 0, pauseMs: 0 };
  const { question, ...next } = source.transition(
    { ...collection, question: nextStep.ask, fullAt: nextStep.fullAt + extraCalls * limit.intervalMs },
    answer,
    { now, chance, limit },
  );
  const pausedUntil = pauseMs === 0 ? next.pausedUntil : Math.max(next.pausedUntil ?? 0, now + pauseMs);
  const failure = 'failure' in answer ? answer : null;
  const entry = 'failure' in answer ? null : answer.entry;
  const problem =
    'failure' in answer ? answer.problem : await source.checkAnswer(tx, { botId, kind }, answer);
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
      look_at: toDate(pausedUntil),
      paused_until: toDate(pausedUntil),
      failures: next.failures,
      refused_token_id: failure?.failure === 'token-refused' ? collection.tokenId : null,
      ...(failure ? {} : { answered_at: new Date(now) }),
    }),
    next.fullAt === nextStep.fullAt ? null : putFullAt(tx, collection, next.fullAt),
  ]);
  if (!isNew || entry === null) return false;
  await source.store(tx, { botId, kind, subject: question.subject }, entry, now);
  return true;
}
