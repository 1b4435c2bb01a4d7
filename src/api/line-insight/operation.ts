/**
 * The types of a LINE Insight operation, by its id in the contract.
 */
import type { operations } from '../../../contracts/types/line-insight.ts';
import type { TokenBot } from '../../bots/line-tokens.ts';
import type { AnswerOf, QueryOf } from '../../http/operation.ts';
import type { JsonObject } from '../../json.ts';

type Id = keyof operations;
export type Query<I extends Id> = QueryOf<operations[I]>;
export type Answer<I extends Id> = AnswerOf<operations[I], 200>;

export type Operation<I extends Id> = {
  /** The body of a 400 answer, or null for a valid query. `isSound`: the query passed the contract's check. */
  problemOf(query: JsonObject, isSound: boolean): object | null;
  /** The answer of an earlier call with this query, if it is cached: then the query is valid. */
  cached?(bot: TokenBot, query: JsonObject): Answer<I> | undefined;
  /** Answers a valid query. Throws Refusal SEND_NOT_FOUND. */
  answer(bot: TokenBot, query: Query<I>): Promise<Answer<I>>;
};

/** A handler for every operation of the contract. */
export type Operations = { [I in Id]: Operation<I> };
