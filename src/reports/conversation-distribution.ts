/**
 * How conversations spread: how many have how many messages, and last how long, with mean and median (figures.md, section 14).
 *
 * Counted from the conversations of the range, by the index in which they stand by time, in one query that gives each count
 * once; so the median is exact.
 */
import type { Queryable, Sql } from '../database/client.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { secondMs } from '../time.ts';
import { averageMessages, averageSeconds } from './rates.ts';
import { selectConnected } from './series.ts';
import { boundStatements, readAtOnce } from './timeouts.ts';

/** Conversations from `from` to `to` (both included; null: without end) messages, or seconds. */
export type SpreadStep = { from: number; to: number | null; conversations: number };
/** Null: there is no conversation. The median of an even number is the lower of the two in the middle. */
export type Spread = { mean: number | null; median: number | null; steps: SpreadStep[] };
export type ConversationSpread = {
  platform: PlatformName | 'all';
  conversations: number;
  messages: Spread;
  /** From first to last message, rounded half up to whole seconds. */
  seconds: Spread;
};

/** Where each step begins. */
const messageSteps = [1, 2, 3, 4, 5, 6, 11, 21, 51];
const secondSteps = [0, 1, 60, 300, 900, 1_800, 3_600, 7_200, 14_400];

type Range = { from: number; until: number; platforms: readonly PlatformName[] };

/**
 * Of each of the platforms that has a channel, and of all of them together: the conversations that began at `from` or later and
 * before `until` (ms). Throws Refusal READ_TOO_LONG.
 */
export async function readSpread(
  sql: Sql,
  botId: string,
  { from, until, platforms }: Range,
): Promise<ConversationSpread[]> {
  return readAtOnce(sql, async (tx) => {
    await boundStatements(tx);
    const connected = (await selectConnected(tx, botId)).filter((name) => platforms.includes(name));
    const rows = await selectCounts(tx, botId, { from, until, platforms: connected });
    return [...connected, 'all' as const].map((platform) =>
      toSpread(
        platform,
        rows.filter((row) => platform === 'all' || row.platform === platform),
      ),
    );
  });
}

/** So many conversations with so many messages, or seconds; the other is null. `ms`: their lengths together. */
type CountRow = {
  platform: PlatformName;
  messages: number | null;
  seconds: number | null;
  count: number;
  ms: number;
};

async function selectCounts(
  sql: Queryable,
  botId: string,
  { from, until, platforms }: Range,
): Promise<CountRow[]> {
  const utc = (at: number) => sql`${new Date(at)}::timestamptz at time zone 'UTC'`;
  return sql<CountRow[]>`
    with began as (
      select platform, inbound + outbound as messages, extract(epoch from last_at - first_at) * 1000 as ms
      from conversations
      where bot_id = ${botId} and inbound > 0 and platform = any (${platforms as PlatformName[]}::text[])
        and (first_at at time zone 'UTC') >= ${utc(from)} and (first_at at time zone 'UTC') < ${utc(until)}
    )
    select platform, messages, seconds::float8, count(*)::float8 as count, sum(ms)::float8 as ms
    from (select platform, messages, round(ms / ${secondMs}) as seconds, ms from began) rounded
    group by grouping sets ((platform, messages), (platform, rounded.seconds))`;
}

function toSpread(platform: PlatformName | 'all', rows: readonly CountRow[]): ConversationSpread {
  const messages = countsOf(rows, 'messages');
  const seconds = countsOf(rows, 'seconds');
  const conversations = total(messages.values());
  const sums = {
    conversations,
    conversationMessages: total([...messages].map(([value, count]) => value * count)),
    conversationMs: total(rows.map(({ seconds, ms }) => (seconds === null ? 0 : ms))),
  };
  const known = (mean: number) => (conversations === 0 ? null : mean);
  return {
    platform,
    conversations,
    messages: {
      mean: known(averageMessages(sums)),
      median: medianOf(messages, conversations),
      steps: stepsOf(messages, messageSteps),
    },
    seconds: {
      mean: known(averageSeconds(sums)),
      median: medianOf(seconds, conversations),
      steps: stepsOf(seconds, secondSteps),
    },
  };
}

/** How often each value comes, in order of the values. */
function countsOf(rows: readonly CountRow[], name: 'messages' | 'seconds'): Map<number, number> {
  const counts = new Map<number, number>();
  for (const row of rows) {
    const { [name]: value } = row;
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + row.count);
  }
  return new Map([...counts].sort(([a], [b]) => a - b));
}

function medianOf(counts: ReadonlyMap<number, number>, all: number): number | null {
  let seen = 0;
  for (const [value, count] of counts) {
    seen += count;
    if (2 * seen >= all) return value;
  }
  return null;
}

function stepsOf(counts: ReadonlyMap<number, number>, starts: readonly number[]): SpreadStep[] {
  return starts.map((from, index) => {
    const next = starts[index + 1];
    const within = [...counts].filter(([value]) => value >= from && (next === undefined || value < next));
    return { from, to: next === undefined ? null : next - 1, conversations: total(within.map(([, n]) => n)) };
  });
}

function total(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
