/**
 * What an operation of the MantaGo contract is to the one who serves it (mantago.ts): what it asks of a call beyond the
 * contract's schemas, what it reads, and what it answers to a caller who has proved to be entitled to it.
 */

import { type Credential, findCredential, type TokenClaims } from '../../auth/api-pairs.ts';
import type { Keys } from '../../auth/keys.ts';
import type { Sql } from '../../database/client.ts';
import type { JsonObject } from '../../json.ts';
import type { Random } from '../../random.ts';
import type { Clock } from '../../time.ts';
import type { Gate } from '../../webhooks-out/addresses.ts';

export type Sources = {
  sql: Sql;
  keys: Keys;
  clock: Clock;
  random: Random;
  /** Which callback addresses may be set. */
  gate: Gate;
};

/** What came with a call; parameters have the types and defaults of the contract. */
export type Sent = { body: JsonObject; query: JsonObject; params: JsonObject };

/** What a call has found: its bot's valid credential, and the answer to a caller who proves to have it. */
export type Found = { credential: Credential | null; answer(): unknown };

export type MantagoOperation = {
  /** True: the token may have expired. */
  expiredToo?: boolean;
  /** Leads what is taken beyond the contract back to it. */
  toContract?(body: JsonObject): JsonObject;
  /** What the contract asks of a call in words only; null: it is kept. */
  problemOf?(sent: Sent): string | null;
  /** Reads for a call in which nothing is wrong; null: there is no such bot. */
  read(caller: TokenClaims, sent: Sent): Promise<Found | null>;
};

/** An operation that looks at nothing and changes nothing before its caller has proved to be entitled. */
export function proven(
  { sql }: Sources,
  {
    answer,
    ...asked
  }: Pick<MantagoOperation, 'problemOf'> & {
    answer(botId: string, sent: Sent): Promise<unknown>;
  },
): MantagoOperation {
  return {
    ...asked,
    async read({ botId }, sent) {
      const found = await findCredential(sql, botId);
      return found && { ...found, answer: () => answer(botId, sent) };
    },
  };
}

export function success(message: string): { success: true; message: string } {
  return { success: true, message };
}
