/** Meta as a source of figures: its channels, calls and answers. The figures of days are stored next to their question. */
import type { Keys } from '../auth/keys.ts';
import { findChannel } from '../bots/channels.ts';
import { findTokenId, metaPlatforms, putTokenCheck } from '../bots/meta-tokens.ts';
import { putQuestions } from '../collector/questions.ts';
import { newQuestion } from '../collector/schedule.ts';
import type { Answer, CollectionKey, FailedCall, OpenQuestion, Source } from '../collector/source.ts';
import type { Queryable, Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { Refusal } from '../errors.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import type { Clock } from '../time.ts';
import { dayOf } from '../time.ts';
import { askDays, askNumber, askTemplates, nextCursor, type PlatformDay } from './figures.ts';
import { type GraphAnswer, type GraphClient, GraphFailure } from './graph-client.ts';
import { historyBody, historyPath } from './history.ts';
import { isHistoryKind, isSpanKind, type MetaKind, metaKinds, type SpanKind, templateRule } from './kinds.ts';
import { daysOfSpan, daysOfTemplates, firstPage, latestDayAt, plan, transition } from './schedule.ts';
import { checkToken, hostOf, type MetaChannel } from './token-check.ts';

type Parts = {
  keys: Keys;
  graph: Pick<GraphClient, 'get' | 'close'>;
  clock: Clock;
  /** Called after each call to Meta. */
  onCall(kind: string, outcome: string): void;
};

type Question = CollectionKey<MetaKind> & { subject: string };
/** `next`: the following page. `isFirstPage`: of a list that is read again and again. */
type MetaAnswer = Answer & { next: OpenQuestion | null; isFirstPage: boolean };

/** The channels and kinds of Meta. */
export const metaChannels = { kinds: metaKinds, collectable: collectableOfMeta };

export function metaSource(parts: Parts): Source<MetaKind, MetaAnswer> {
  return {
    name: 'Meta',
    ...metaChannels,
    isByDay: isSpanKind,
    plan,
    transition,
    addQuestions: () => Promise.resolve(),
    ask: (tx, question) => askMeta(tx, parts, question),
    async checkAnswer(tx, key, { next, isFirstPage }) {
      // The answers of the last time would keep a page from being asked again.
      if (isFirstPage) await dropLaterPages(tx, key);
      if (next !== null) await putQuestions(tx, key, [next]);
      return null;
    },
    store: (tx, question, entry, now) => store(tx, question, entry, now),
    close: () => parts.graph.close(),
  };
}

/** For queries: the enabled Meta channels with an access token, `channel` with its `token`. */
function collectableOfMeta(sql: Queryable) {
  return sql`
    channels channel
    join access_tokens token on token.bot_id = channel.bot_id and token.platform = channel.platform
      and channel.enabled and channel.access_token_sealed is not null
      and channel.platform = any (${[...metaPlatforms]}::text[])`;
}

async function askMeta(
  tx: Transaction,
  { keys, graph, clock, onCall }: Parts,
  question: Question,
): Promise<MetaAnswer | FailedCall> {
  const now = clock();
  const channel = await openChannel(tx, keys, question, now);
  if ('failure' in channel) return channel;
  let calls = 0;
  let pauseMs = 0;
  const get = async (path: string): Promise<GraphAnswer> => {
    calls += 1;
    const answer = await graph.get({ host: hostOf(channel), path, token: channel.accessToken });
    pauseMs = Math.max(pauseMs, answer.pauseMs);
    return answer;
  };
  const usage = (pause = pauseMs) => ({ extraCalls: Math.max(0, calls - 1), pauseMs: pause });
  try {
    const answer = await answerOf(question, channel, { get, now });
    onCall(question.kind, 'answered');
    return { ...answer, usage: usage() };
  } catch (error) {
    if (!(error instanceof GraphFailure)) throw error;
    onCall(question.kind, error.failure);
    return { failure: error.failure, problem: error.message, usage: usage(error.pauseMs) };
  }
}

type CheckedChannel = MetaChannel & { tokenId: string };
type Asking = { get(path: string): Promise<GraphAnswer>; now: number };

async function answerOf(
  { kind, subject }: Question,
  channel: CheckedChannel,
  { get, now }: Asking,
): Promise<MetaAnswer> {
  if (isSpanKind(kind)) return answerOfSpan(kind, subject, channel, { get, now });
  if (isHistoryKind(kind)) {
    const platform = kind === 'facebook-history' ? 'facebook' : 'instagram';
    const { value } = await get(historyPath(platform, subject));
    const cursor = nextCursor(value);
    const next = cursor === null ? null : newQuestion(cursor, now, null);
    return answered(historyBody(platform, channel.accountId, value), { next });
  }
  if (kind === templateRule.kind) {
    const page = await askTemplates(channel, { cursor: subject, days: daysOfTemplates(now) }, get);
    const next = page.nextCursor === null ? null : newQuestion(page.nextCursor, now, null);
    return answered(toEntry(page.figures), { next, isFirstPage: subject === firstPage });
  }
  if (kind === 'whatsapp-number') {
    const days = [{ day: dayOf(now, 'UTC'), value: await askNumber(channel, get) }];
    return answered(JSON.stringify(days));
  }
  const check = await checkToken({ get: ({ path }) => get(path) }, channel, now);
  return answered(JSON.stringify({ tokenId: channel.tokenId, ...check }));
}

function answered(
  entry: string | null,
  { next = null, isFirstPage = false }: Partial<Pick<MetaAnswer, 'next' | 'isFirstPage'>> = {},
): MetaAnswer {
  return { outcome: 'ready', entry, next, isFirstPage };
}

function toEntry(figures: readonly PlatformDay[]): string | null {
  return figures.length === 0 ? null : JSON.stringify(figures);
}

async function answerOfSpan(
  kind: SpanKind,
  span: string,
  channel: MetaChannel,
  { get, now }: Asking,
): Promise<MetaAnswer> {
  const days = daysOfSpan(kind, span, now);
  const isLatest = days?.last === latestDayAt(kind, now);
  const figures = days === null ? [] : await askDays(kind, channel, { ...days, isLatest }, get);
  return figures === null ? { ...answered(null), outcome: 'withheld' } : answered(toEntry(figures));
}

async function openChannel(
  tx: Transaction,
  keys: Keys,
  { botId, kind }: Question,
  now: number,
): Promise<CheckedChannel | FailedCall> {
  const platform = metaKinds.find((one) => one.kind === kind)?.platform ?? 'facebook';
  try {
    const tokenId = await findTokenId(tx, { botId, platform });
    const channel = await findChannel(tx, keys, { botId, platform, now });
    const { accessToken, accountId, businessAccountId = null } = channel ?? {};
    if (accessToken && accountId && tokenId)
      return { platform, accessToken, accountId, businessAccountId, tokenId };
    return { failure: 'sealed', problem: 'The channel has no access token or no account id.' };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { failure: 'sealed', problem: error.message };
  }
}

async function dropLaterPages(tx: Transaction, { botId, kind }: CollectionKey): Promise<void> {
  await tx`
    delete from collection_questions where bot_id = ${botId} and kind = ${kind} and subject <> ${firstPage}`;
}

async function store(tx: Transaction, { botId, kind }: Question, entry: string, now: number): Promise<void> {
  const platform = metaKinds.find((one) => one.kind === kind)?.platform ?? 'facebook';
  if (isHistoryKind(kind)) {
    const body = Buffer.from(entry);
    await putDeliveries(tx, [{ botId, platform, source: 'history', body, receivedAt: now }]);
  } else if (isSpanKind(kind) || kind === templateRule.kind || kind === 'whatsapp-number') {
    await putDays(tx, { botId, kind }, JSON.parse(entry), now);
  } else {
    const { tokenId, ...check } = JSON.parse(entry);
    await putTokenCheck(tx, { botId, platform, tokenId, checkedAt: now }, check);
  }
}

/** Stores the figures of days. Members that a later answer lacks stay. Idempotent. */
async function putDays(
  tx: Transaction,
  { botId, kind }: { botId: string; kind: string },
  days: readonly PlatformDay[],
  now: number,
): Promise<void> {
  await tx`
    insert into platform_days as stored (bot_id, kind, day, value, received_at)
    select ${botId}, ${kind}, new.day, new.value::jsonb, ${new Date(now)}
    from ${rowTable(tx, 'new', days, {
      day: ['date', ({ day }) => day],
      value: ['text', ({ value }) => JSON.stringify(value)],
    })}
    on conflict (bot_id, kind, day) do update
      set value = stored.value || excluded.value, received_at = excluded.received_at`;
}
