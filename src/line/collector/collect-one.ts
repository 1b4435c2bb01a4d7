/**
 * One step of collecting: claim a kind of a channel, ask LINE the next thing, store the answer and what follows from it.
 *
 *     claim → plan → count the call → ask → read → answer into the inbox, question and standing → commit
 *
 * Killed anywhere: before the commit nothing was stored and the claim is free again; the call stays counted. So an answer is
 * stored exactly when its question is settled.
 */
import { createHash } from 'node:crypto';
import type { Keys } from '../../auth/keys.ts';
import { findChannel, recordAccount } from '../../bots/channels.ts';
import type { Sql, Transaction } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { putDeliveries } from '../../inbox/inbox.ts';
import type { Random } from '../../random.ts';
import type { Clock } from '../../time.ts';
import type { CallLimit } from './call-limit.ts';
import { type Claimed, claimCollection, countCall, putLook, putStanding } from './collections.ts';
import { callsOf, type Reading, readAnswers } from './kinds.ts';
import type { LineClient } from './line-client.ts';
import { type CollectionKey, putOutcome, putQuestions } from './questions.ts';
import { type Failure, follow, type OpenQuestion, plan } from './schedule.ts';

export type CollectParts = {
  sql: Sql;
  keys: Keys;
  line: LineClient;
  limit: CallLimit;
  clock: Clock;
  random: Random;
  /** Told of each call to LINE and what it brought. */
  called(endpoint: string, outcome: string): void;
  /** Told when an answer is in the inbox. */
  stored(botId: string): void;
};

/** What a step did. `busy`: another process has the collection; `waiting`: there was nothing to ask. */
export type Step = 'busy' | 'waiting' | 'answered' | Failure;

/** Does the next step of a collection. Safe to call at any time, from any number of processes. Throws Stopped. */
export async function collectOne(parts: CollectParts, key: CollectionKey): Promise<Step> {
  let stored = false;
  const step = (await parts.sql.begin(async (tx) => {
    const now = parts.clock();
    const standing = await claimCollection(tx, key, now);
    if (standing === null) return 'busy';
    const asked = plan(standing, { now, limit: parts.limit });
    if (asked.ask === null) {
      await putLook(tx, key, asked);
      return 'waiting';
    }
    if (!(await countCall(parts.sql, key, { before: standing.fullAt, after: asked.fullAt }))) return 'busy';
    const answer = await askLine(tx, parts, { ...key, subject: asked.ask.subject });
    stored = await putAnswer(tx, parts, { key, standing, asked, answer });
    return 'failure' in answer ? answer.failure : 'answered';
  })) as Step;
  if (stored) parts.stored(key.botId);
  return step;
}

type Asked = { ask: OpenQuestion; opened: OpenQuestion[]; fullAt: number };
type Answer = Reading | { failure: Failure; problem: string };

async function askLine(
  tx: Transaction,
  { keys, line, clock, called }: CollectParts,
  { botId, kind, subject }: CollectionKey & { subject: string },
): Promise<Answer> {
  const token = await openToken(tx, keys, botId, clock());
  if (typeof token !== 'string') return token;
  const texts: string[] = [];
  for (const { endpoint, path } of callsOf(kind, subject)) {
    const reply = await line.get(path, token);
    called(endpoint, reply.outcome);
    if (reply.outcome === 'answered') texts.push(reply.text);
    else if (reply.outcome !== 'unknown') return { failure: reply.outcome, problem: reply.problem };
    else if (kind === 'message-event') return { outcome: 'unknown', entry: null, accountId: null };
    else return { failure: 'nonsense', problem: 'What answers in the place of LINE has no such call (404).' };
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

/** Stores an answer and what follows from it. True: something new went into the inbox. */
async function putAnswer(
  tx: Transaction,
  { clock, random, limit }: CollectParts,
  { key, standing, asked, answer }: { key: CollectionKey; standing: Claimed; asked: Asked; answer: Answer },
): Promise<boolean> {
  const now = clock();
  const chance = Buffer.from(random(4)).readUInt32BE() / 2 ** 32;
  const { failures, kind } = standing;
  const turn = follow({ kind, failures, question: asked.ask, fullAt: asked.fullAt }, answer, {
    now,
    chance,
    limit,
  });
  const failed = 'failure' in answer ? answer : null;
  const entry = 'failure' in answer ? null : answer.entry;
  const problem = failed?.problem ?? (await checkAccount(tx, key.botId, answer, now));
  const written = [
    putQuestions(tx, key, asked.opened),
    putOutcome(tx, key, turn.question, {
      problem: turn.question.failures > 0 ? problem : null,
      entryHash: entry === null ? null : createHash('sha256').update(entry).digest('hex'),
      answeredAt: failed ? null : now,
    }),
    putStanding(tx, key, {
      state: failed?.failure ?? 'resting',
      problem,
      lookAt: turn.pausedUntil,
      pausedUntil: turn.pausedUntil,
      failures: turn.failures,
      refusedTokenId: failed?.failure === 'token-refused' ? standing.tokenId : null,
      answeredAt: failed ? null : now,
      fullAt: turn.fullAt === asked.fullAt ? null : turn.fullAt,
    }),
  ] as const;
  const [, isNew] = await Promise.all(written);
  if (!isNew || entry === null) return false;
  const body = Buffer.from(entry);
  await putDeliveries(tx, [
    { botId: key.botId, platform: 'line', source: 'line-answer', body, receivedAt: now },
  ]);
  return true;
}

/** The channel's destination becomes the account that LINE tells, when there is none; another one is a problem to be shown. */
async function checkAccount(
  tx: Transaction,
  botId: string,
  answer: Answer,
  now: number,
): Promise<string | null> {
  if ('failure' in answer || answer.accountId === null) return null;
  const { accountId } = answer;
  const kept = await recordAccount(tx, { botId, platform: 'line', accountId, now });
  if (kept === accountId) return null;
  return (
    `The access token is of the account ${accountId}, but the channel's destination is ${kept}, so what LINE delivers ` +
    `for ${accountId} is ignored. Set the one or the other anew.`
  );
}
