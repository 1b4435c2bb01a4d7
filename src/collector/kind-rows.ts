/** The stored state of a bot's collections, for their status. */
import type { Queryable } from '../database/client.ts';
import { msOf } from '../database/instants.ts';
import { rowTable } from '../database/row-table.ts';
import type { CollectionState } from './collections.ts';
import type { Outcome, Source } from './source.ts';

export type KindRow<Kind extends string = string> = {
  kind: Kind;
  state: CollectionState;
  problem: string | null;
  /** The time of the last answer; null: never. */
  answeredAt: Date | null;
  /** The time of the next check; null: as soon as possible. */
  nextAt: Date | null;
  fromDay: string | null;
  /** Questions by outcome. */
  questions: Record<string, number>;
  earliestDay: string | null;
  latestDay: string | null;
  failing: number;
  failingSubject: string | null;
  failingProblem: string | null;
  isAdded: boolean;
  fullAt: number | null;
  firstQuestionDay: string | null;
  lastQuestionDay: string | null;
  earliestOutcome: Outcome | null;
  /** The platform refuses the channel's current token. */
  isRefused: boolean;
};

/** The rows of the source's kinds, in their order. */
export async function selectKinds<Kind extends string>(
  sql: Queryable,
  botId: string,
  { kinds: kindsOfSource, collectable }: Pick<Source<Kind>, 'kinds' | 'collectable'>,
): Promise<KindRow<Kind>[]> {
  const kinds = kindsOfSource.map(({ kind }) => kind);
  return sql<KindRow<Kind>[]>`
    select collected.kind, collection.kind is not null as "isAdded", coalesce(state, 'new') as state, problem,
      answered_at as "answeredAt", look_at as "nextAt", to_char(from_day, 'YYYY-MM-DD') as "fromDay",
      ${msOf(sql, 'full_at')} as "fullAt", coalesce(questions, '{}') as questions,
      "earliestDay", "latestDay", "firstQuestionDay", "lastQuestionDay", coalesce(failing, 0) as failing,
      failing_subject as "failingSubject",
      (select outcome from collection_questions first where first.bot_id = ${botId}
        and first.kind = collection.kind and first.subject = "firstQuestionDay") as "earliestOutcome",
      (select failed.problem from collection_questions failed where failed.bot_id = ${botId}
        and failed.kind = collection.kind and failed.subject = failing_subject) as "failingProblem",
      exists (select from ${collectable(sql)} where channel.bot_id = ${botId}
        and token.token_id = refused_token_id) as "isRefused"
    from ${rowTable(sql, 'collected', kinds, { kind: ['text', (kind) => kind], place: ['integer', (_, index) => index] })}
    left join collections collection on collection.bot_id = ${botId} and collection.kind = collected.kind
    left join collection_call_limits used on used.bot_id = ${botId} and used.kind = collection.kind
    left join (
      select kind, json_object_agg(outcome, count) as questions, sum(failing)::bigint as failing,
        min(earliest) as "firstQuestionDay", max(latest) as "lastQuestionDay",
        min(earliest) filter (where outcome <> 'none') as "earliestDay",
        max(latest) filter (where outcome <> 'none') as "latestDay", max(failing_subject) as failing_subject
      from (
        select kind, coalesce(outcome, 'none') as outcome, count(*) as count, min(subject) as earliest,
          max(subject) as latest, count(*) filter (where failures > 0) as failing,
          max(subject) filter (where failures > 0) as failing_subject
        from collection_questions where bot_id = ${botId} group by kind, coalesce(outcome, 'none')
      ) by_outcome
      group by kind
    ) question_sums on question_sums.kind = collection.kind
    order by place`;
}
