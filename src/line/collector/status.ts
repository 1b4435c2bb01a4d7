/**
 * How the collecting of a bot's LINE channel stands, for a person or a program to read. Nothing secret is in it.
 */
import { listChannels } from '../../bots/channels.ts';
import type { Queryable } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { secondMs } from '../../time.ts';
import { type CallLimit, durationOf } from './call-limit.ts';
import { type CollectionState, collectable, isAllowed } from './collections.ts';
import { isDayKind, type Kind, kinds, type Outcome } from './kinds.ts';
import { daysToAsk } from './schedule.ts';

/** `stopped`: LINE refuses the access token; `off`: there is nothing to collect with. */
export type CollectStatus = {
  botId: string;
  state: 'collecting' | 'stopped' | 'off';
  /** Why it does not collect, and what to do; null: it does. */
  problem: string | null;
  kinds: KindStatus[];
};

export type KindStatus = {
  kind: Kind;
  state: CollectionState;
  /** What is wrong, for a person to read; null: nothing. */
  problem: string | null;
  /** When LINE last answered; null: never. */
  answeredAt: Date | null;
  /** When LINE may be asked next; null: as soon as possible, or never while the channel does not collect. */
  nextAt: Date | null;
  /** Of days (UTC+9): the earliest wanted; null: as far back as LINE tells. */
  fromDay: string | null;
  /** Of days: the earliest and the latest that LINE has answered for. */
  earliestDay: string | null;
  latestDay: string | null;
  /** Days that are still to be asked for, at most: LINE may say before that it has none. Null: of other kinds. */
  daysLeft: number | null;
  /** How long the limit of calls makes that take, at least. */
  secondsLeft: number | null;
  /** Things asked for, by what LINE said last; `none`: it has not answered yet. */
  questions: Partial<Record<Outcome | 'none', number>>;
  /** Things that LINE could not be asked or whose answer could not be read. */
  failing: number;
  /** One of them. */
  failingSubject: string | null;
  failingProblem: string | null;
};

/** The status of a bot's channel; `limit` is the one that is set now. Throws Refusal BOT_NOT_FOUND, CHANNEL_NOT_FOUND. */
export async function readCollectStatus(
  sql: Queryable,
  botId: string,
  { now, limit }: { now: number; limit: CallLimit },
): Promise<CollectStatus> {
  const problem = await findObstacle(sql, botId, now);
  const rows = await selectKinds(sql, botId);
  const refused = rows.find(({ isRefused }) => isRefused);
  const stopped = problem === null && refused !== undefined;
  return {
    botId,
    state: problem !== null ? 'off' : stopped ? 'stopped' : 'collecting',
    problem: problem ?? (stopped ? refused.problem : null),
    kinds: kinds.map((kind) => {
      const row = rows.find((one) => one.kind === kind);
      return row ? kindStatus(row, { now, limit }) : notBegun(kind);
    }),
  };
}

/** The bots whose LINE channel can be collected from, but for a token that LINE refuses. */
export async function collectableBots(sql: Queryable): Promise<string[]> {
  const rows = await sql<{ botId: string }[]>`
    select channel.bot_id as "botId" from ${collectable(sql)} order by channel.bot_id`;
  return rows.map(({ botId }) => botId);
}

/** For the metrics: kinds that wait for the limit of calls, and channels that LINE refuses. */
export async function countWaiting(sql: Queryable): Promise<{ waiting: number; stopped: number }> {
  const [row] = await sql<{ waiting: number; stopped: number }[]>`
    select
      (select count(*) from ${collectable(sql)} join line_collections collection on collection.bot_id = channel.bot_id
        where collection.state in ('out-of-calls', 'limited') and ${isAllowed(sql)}) as waiting,
      (select count(*) from ${collectable(sql)} where not ${isAllowed(sql)}) as stopped`;
  return row ?? { waiting: 0, stopped: 0 };
}

async function findObstacle(sql: Queryable, botId: string, now: number): Promise<string | null> {
  const bots = await sql`select from bots where bot_id = ${botId}`;
  if (bots.length === 0) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${botId}.`);
  const channel = (await listChannels(sql, botId, now)).find(({ platform }) => platform === 'line');
  if (!channel) throw new Refusal('CHANNEL_NOT_FOUND', `Bot ${botId} has no line channel.`);
  if (!channel.enabled) return 'The channel is disabled.';
  const command = `shoal channel set ${botId} line --channel-access-token T`;
  if (!channel.accessTokenSet) return `The channel has no access token: ${command}`;
  const found = await sql`select from ${collectable(sql)} where channel.bot_id = ${botId}`;
  return found.length > 0 ? null : `The access token has to be set again, once: ${command}`;
}

type Row = Pick<
  KindStatus,
  'kind' | 'state' | 'problem' | 'answeredAt' | 'nextAt' | 'fromDay' | 'failing' | 'questions'
> &
  Pick<KindStatus, 'failingSubject' | 'failingProblem'> & {
    full_at: Date | null;
    earliestDay: string | null;
    latestDay: string | null;
    earliestAsked: string | null;
    latestAsked: string | null;
    earliestOutcome: Outcome | null;
    isRefused: boolean;
  };

async function selectKinds(sql: Queryable, botId: string): Promise<Row[]> {
  return sql<Row[]>`
    select collection.kind, state, problem, answered_at as "answeredAt", look_at as "nextAt",
      to_char(from_day, 'YYYY-MM-DD') as "fromDay", full_at, coalesce(questions, '{}') as questions,
      "earliestDay", "latestDay", "earliestAsked", "latestAsked", coalesce(failing, 0) as failing, failing_subject as "failingSubject",
      (select outcome from line_questions first where first.bot_id = collection.bot_id
        and first.kind = collection.kind and first.subject = "earliestAsked") as "earliestOutcome",
      (select failed.problem from line_questions failed where failed.bot_id = collection.bot_id
        and failed.kind = collection.kind and failed.subject = failing_subject) as "failingProblem",
      exists (select from line_tokens token where token.bot_id = collection.bot_id and token.kind = 'channel'
        and token.token_id = refused_token_id) as "isRefused"
    from line_collections collection
    left join line_call_limits used on used.bot_id = collection.bot_id and used.kind = collection.kind
    left join (
      select kind, json_object_agg(outcome, count) as questions, sum(failing)::bigint as failing,
        min(earliest) as "earliestAsked", max(latest) as "latestAsked",
        min(earliest) filter (where outcome <> 'none') as "earliestDay",
        max(latest) filter (where outcome <> 'none') as "latestDay", max(failing_subject) as failing_subject
      from (
        select kind, coalesce(outcome, 'none') as outcome, count(*) as count, min(subject) as earliest,
          max(subject) as latest, count(*) filter (where failures > 0) as failing,
          max(subject) filter (where failures > 0) as failing_subject
        from line_questions where bot_id = ${botId} group by kind, coalesce(outcome, 'none')
      ) by_outcome
      group by kind
    ) asked on asked.kind = collection.kind
    where collection.bot_id = ${botId}`;
}

function kindStatus(row: Row, { now, limit }: { now: number; limit: CallLimit }): KindStatus {
  const { full_at, isRefused: _isRefused, earliestOutcome, earliestAsked, latestAsked, ...others } = row;
  const { earliestDay, latestDay, ...told } = others;
  const { kind, fromDay } = told;
  if (!isDayKind(kind))
    return { ...told, earliestDay: null, latestDay: null, daysLeft: null, secondsLeft: null };
  const earliest = earliestAsked === null ? null : { day: earliestAsked, outcome: earliestOutcome };
  const daysLeft = daysToAsk({ kind, fromDay, earliest, latestDay: latestAsked }, now);
  const leftMs = durationOf(daysLeft, { fullAt: full_at?.getTime() ?? null, now, limit });
  return { ...told, earliestDay, latestDay, daysLeft, secondsLeft: Math.ceil(leftMs / secondMs) };
}

function notBegun(kind: Kind): KindStatus {
  return {
    kind,
    state: 'new',
    problem: null,
    answeredAt: null,
    nextAt: null,
    fromDay: null,
    earliestDay: null,
    latestDay: null,
    daysLeft: null,
    secondsLeft: null,
    questions: {},
    failing: 0,
    failingSubject: null,
    failingProblem: null,
  };
}
