/**
 * The distribution of conversations by number of messages and by duration, with mean and median (figures.md, section 14).
 *
 * One query counts the conversations of the range by each exact value, through the index by time. The median is therefore exact.
 */
import type { components } from '../../contracts/types/management.ts';
import type { Queryable, Sql } from '../database/client.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { secondMs } from '../time.ts';
import { averageMessages, averageSeconds, type ConversationSums } from './rates.ts';
import { selectConnected } from './series.ts';
import { limitStatementTime, readSnapshot } from './timeouts.ts';

/** By messages, and by seconds from first to last message, rounded half up to whole seconds. */
export type ConversationDistribution = components['schemas']['ConversationSpreads']['spread'][number];
type Step = components['schemas']['Spread']['steps'][number];

/** The first value of each step. */
const messageSteps = [1, 2, 3, 4, 5, 6, 11, 21, 51];
const secondSteps = [0, 1, 60, 300, 900, 1_800, 3_600, 7_200, 14_400];

type Range = { from: number; until: number; platforms: readonly PlatformName[] };

/**
 * Returns the distribution of the conversations that began from `from` to before `until` (ms): one for each platform that has a
 * channel, then one for all of them. Throws Refusal READ_TOO_LONG.
 */
export async function readConversationDistribution(
  sql: Sql,
  botId: string,
  { from, until, platforms }: Range,
): Promise<ConversationDistribution[]> {
  return readSnapshot(sql, async (tx) => {
    await limitStatementTime(tx);
    const connected = (await selectConnected(tx, botId)).filter((name) => platforms.includes(name));
    const rows = await selectCounts(tx, botId, { from, until, platforms: connected });
    return [...connected, 'all' as const].map((platform) =>
      toDistribution(
        platform,
        rows.filter((row) => platform === 'all' || row.platform === platform),
      ),
    );
  });
}

/** `count` conversations of that many messages or seconds; the other of the two is null. `ms`: the sum of their durations. */
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

function toDistribution(platform: PlatformName | 'all', rows: readonly CountRow[]): ConversationDistribution {
  const messages = countsOf(rows, 'messages');
  const seconds = countsOf(rows, 'seconds');
  const conversations = total(messages.values());
  const sums = {
    conversations,
    conversationMessages: total([...messages].map(([value, count]) => value * count)),
    conversationMs: total(rows.map(({ seconds, ms }) => (seconds === null ? 0 : ms))),
  };
  const spreadOf = (counts: typeof messages, starts: number[], mean: (of: ConversationSums) => number) => ({
    mean: conversations === 0 ? null : mean(sums),
    median: medianOf(counts, conversations),
    steps: stepsOf(counts, starts),
  });
  return {
    ...{ platform, conversations },
    messages: spreadOf(messages, messageSteps, averageMessages),
    seconds: spreadOf(seconds, secondSteps, averageSeconds),
  };
}

/** The number of conversations by value, in ascending order of the values. */
function countsOf(rows: readonly CountRow[], name: 'messages' | 'seconds'): Map<number, number> {
  const counts = new Map<number, number>();
  for (const row of rows) {
    const { [name]: value } = row;
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + row.count);
  }
  return new Map([...counts].sort(([a], [b]) => a - b));
}

function medianOf(counts: ReadonlyMap<number, number>, all: number): number | null {
  let countUpToValue = 0;
  for (const [value, count] of counts) {
    countUpToValue += count;
    if (2 * countUpToValue >= all) return value;
  }
  return null;
}

function stepsOf(counts: ReadonlyMap<number, number>, starts: readonly number[]): Step[] {
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
