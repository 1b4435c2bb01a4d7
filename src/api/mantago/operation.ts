/**
 * The types of a MantaGo operation, by its id in the contract.
 */
import type { operations, queryDefaults } from '../../../contracts/types/mantago.ts';
import { type Credential, findCredential, type TokenClaims } from '../../auth/api-pairs.ts';
import type { Keys } from '../../auth/keys.ts';
import type { Sql } from '../../database/client.ts';
import type { AnswerOf, BodyOf, PathOf, QueryOf } from '../../http/operation.ts';
import type { JsonObject } from '../../json.ts';
import type { Random } from '../../random.ts';
import type { Clock } from '../../time.ts';
import type { Gate } from '../../webhooks-out/addresses.ts';

export type Sources = {
  sql: Sql;
  keys: Keys;
  clock: Clock;
  random: Random;
  /** Decides which callback addresses are allowed. */
  gate: Gate;
};

type Id = keyof operations;
type Default<I extends Id> = I extends keyof queryDefaults ? queryDefaults[I] : never;

/** The input of a call, checked against the contract. */
export type Sent<I extends Id> = {
  body: BodyOf<operations[I]>;
  query: QueryOf<operations[I], Default<I>>;
  params: PathOf<operations[I]>;
};
export type Answer<I extends Id> = AnswerOf<operations[I], 200>;

/**
 * An operation reads before its caller has proved to own the bot: the credential then comes from the same read as the figures. Only
 * `answer` runs after the proof.
 */
export type Operation<I extends Id> = {
  /** The token may have expired. */
  expiredToo?: boolean;
  /** Programs repeat the same call every few seconds, so checked calls are cached. Its checks must not depend on the time. */
  isRepeated?: boolean;
  /** Rewrites input that Shoal accepts beyond the contract. */
  toContract?(body: JsonObject): JsonObject;
  /** Checks what the contract demands in prose only. Null if the call is valid. */
  problemOf?(sent: Sent<I>): string | null;
  /** Reads for a valid call. Null if there is no such bot. */
  read(caller: TokenClaims, sent: Sent<I>): Promise<Read<Answer<I>, Sent<I>> | null>;
};

/** The bot's valid credential, and the answer for a caller who proves to own it. */
export type Read<Answer, Sent> = {
  credential: Credential | null;
  answer(sent: Sent): Answer | Promise<Answer>;
};

/** A handler for every operation of the contract. */
export type Operations = { [I in Id]: Operation<I> };

/** An operation that reads and changes nothing before its caller has proved to own the bot. */
export function proven<Sent, Answer>(
  { sql }: Sources,
  {
    answer,
    ...rest
  }: { problemOf?(sent: Sent): string | null; answer(botId: string, sent: Sent): Promise<Answer> },
): {
  problemOf?(sent: Sent): string | null;
  read(caller: TokenClaims, sent: Sent): Promise<Read<Answer, Sent> | null>;
} {
  return {
    ...rest,
    async read({ botId }, sent) {
      const credential = await findCredential(sql, botId);
      return credential && { ...credential, answer: () => answer(botId, sent) };
    },
  };
}

export function success(message: string): { success: true; message: string } {
  return { success: true, message };
}
