/**
 * The collection status of a bot's LINE channel, for people and programs. It contains no secrets.
 */
import type { components } from '../../../contracts/types/management.ts';
import { findBot } from '../../bots/bots.ts';
import { listChannels } from '../../bots/channels.ts';
import { type CallLimit, durationOf } from '../../collector/call-limit.ts';
import { isAllowed } from '../../collector/collections.ts';
import { type KindRow, selectKinds } from '../../collector/kind-rows.ts';
import type { Queryable } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { secondMs } from '../../time.ts';
import { isDayKind, type Kind } from './kinds.ts';
import { collectable, lineChannels } from './line-source.ts';
import { daysToAsk } from './schedule.ts';

/** `stopped`: LINE refuses the access token; `off`: the channel cannot be collected from. */
export type CollectStatus = Omit<Collector, 'kinds'> & { botId: string; kinds: KindStatus[] };
type Collector = NonNullable<components['schemas']['Health']['collector']>;

export type KindStatus = Omit<components['schemas']['CollectedKind'], 'kind' | 'answeredAt' | 'nextAt'> & {
  kind: Kind;
  /** The time of LINE's last answer; null: never. */
  answeredAt: Date | null;
  /** The time of the next check; null: as soon as possible, or never while the channel does not collect. */
  nextAt: Date | null;
};

/** Returns the status of a bot's channel under the current rate limit. Throws Refusal BOT_NOT_FOUND, CHANNEL_NOT_FOUND. */
export async function readCollectStatus(
  sql: Queryable,
  botId: string,
  { now, limit }: { now: number; limit: CallLimit },
): Promise<CollectStatus> {
  const problem = await findObstacle(sql, botId, now);
  const rows = await selectKinds(sql, botId, lineChannels);
  const rejected = rows.find(({ isRefused }) => isRefused);
  return {
    botId,
    state: problem !== null ? 'off' : rejected ? 'stopped' : 'collecting',
    problem: problem ?? rejected?.problem ?? null,
    kinds: rows.map((row) => kindStatus(row, { now, limit })),
  };
}

/** Returns the bots with a collectable LINE channel, including those whose token LINE refuses. */
export async function collectableBots(sql: Queryable): Promise<string[]> {
  const rows = await sql<{ botId: string }[]>`
    select channel.bot_id as "botId" from ${collectable(sql)} order by channel.bot_id`;
  return rows.map(({ botId }) => botId);
}

/** For the metrics: kinds that wait for the rate limit, and channels whose token LINE refuses. */
export async function countWaiting(sql: Queryable): Promise<{ waiting: number; stopped: number }> {
  const [row] = await sql<{ waiting: number; stopped: number }[]>`
    select
      (select count(*) from ${collectable(sql)} join collections collection on collection.bot_id = channel.bot_id
        where collection.state in ('out-of-calls', 'limited') and ${isAllowed(sql)}) as waiting,
      (select count(*) from ${collectable(sql)} where not ${isAllowed(sql)}) as stopped`;
  return row ?? { waiting: 0, stopped: 0 };
}

async function findObstacle(sql: Queryable, botId: string, now: number): Promise<string | null> {
  await findBot(sql, botId);
  const channel = (await listChannels(sql, botId, now)).find(({ platform }) => platform === 'line');
  if (!channel) throw new Refusal('CHANNEL_NOT_FOUND', `Bot ${botId} has no line channel.`);
  if (!channel.enabled) return 'The channel is disabled.';
  const command = `shoal channel set ${botId} line --channel-access-token T`;
  if (!channel.accessTokenSet && channel.channelId === null)
    return `The channel has no access token: ${command}`;
  const rows = await sql`select from ${collectable(sql)} where channel.bot_id = ${botId}`;
  return rows.length > 0 ? null : `The access token must be set once more: ${command}`;
}

function kindStatus(row: KindRow<Kind>, { now, limit }: { now: number; limit: CallLimit }): KindStatus {
  const {
    isAdded,
    fullAt,
    firstQuestionDay,
    lastQuestionDay,
    earliestOutcome,
    isRefused: _,
    ...status
  } = row;
  const { kind, fromDay } = status;
  const unlimited = { daysLeft: null, secondsLeft: null };
  if (!isDayKind(kind)) return { ...status, earliestDay: null, latestDay: null, ...unlimited };
  if (!isAdded) return { ...status, ...unlimited };
  const earliest = firstQuestionDay === null ? null : { day: firstQuestionDay, outcome: earliestOutcome };
  const daysLeft = daysToAsk({ kind, fromDay, earliest, latestDay: lastQuestionDay }, now);
  const leftMs = durationOf(daysLeft, { fullAt, now, limit });
  return { ...status, daysLeft, secondsLeft: Math.ceil(leftMs / secondMs) };
}
