/**
 * The operations of the MantaGo contract that are built, by their ids: what each reads and what it answers. Messages are the
 * contract's, to the letter.
 */
import type { Keys } from '../bots/keys.ts';
import { type Credential, findCredential, refreshPair, type TokenClaims } from '../bots/pairs.ts';
import type { Sql } from '../database/database.ts';
import { Refusal } from '../errors.ts';
import { platformNames } from '../platforms/platform.ts';
import type { Random } from '../random.ts';
import { readFigures } from '../rollups/figures.ts';
import type { Clock } from '../time.ts';
import type { JsonObject } from './json.ts';
import { toClientAnalysis, toMessageAnalysis } from './mantago-figures.ts';
import { idsProblem, readAsked, readPoints, toPoints } from './mantago-points.ts';
import { shared } from './share.ts';

export type Sources = { sql: Sql; keys: Keys; clock: Clock; random: Random };

/** What a call has found: its bot's valid credential, and the answer to a caller who proves to have it. */
export type Found = { credential: Credential | null; answer(): unknown };

export type MantagoOperation = {
  /** True: the token may have expired. */
  expiredToo?: boolean;
  /** Leads what is taken beyond the contract back to it. */
  toContract?(body: JsonObject): JsonObject;
  /** What the contract asks of a body in words only; null: it is kept. */
  problemOf?(body: JsonObject): string | null;
  /** Reads for a body in which nothing is wrong; null: there is no such bot. */
  read(caller: TokenClaims, body: JsonObject): Promise<Found | null>;
};

/** The operations, reading from the given sources. */
export function mantagoOperations(sources: Sources): Record<string, MantagoOperation> {
  const { sql, clock } = sources;
  const figuresOf = shared((botId) => readFigures(sql, botId, clock()));
  return {
    getClientAnalysis: {
      toContract: ({ platform, ...body }) => (platform === 'all' ? body : { platform, ...body }),
      async read({ botId }, body) {
        const platform = platformNames.find((name) => name === body.platform) ?? null;
        const figures = await figuresOf(botId);
        return (
          figures && {
            credential: figures.credential,
            answer: () => ({
              ...success('Get client analysis successfully'),
              clientAnalysis: toClientAnalysis(figures, platform),
            }),
          }
        );
      },
    },
    getMessageAnalysis: {
      async read({ botId }) {
        const figures = await figuresOf(botId);
        return (
          figures && {
            credential: figures.credential,
            answer: () => ({
              ...success('Get Messages Analysis Successfully'),
              ...toMessageAnalysis(figures),
            }),
          }
        );
      },
    },
    getClientPoints: {
      problemOf: idsProblem,
      async read({ botId }, body) {
        const asked = readAsked(body);
        const found = await readPoints(sql, { botId, ...asked, now: clock() });
        return (
          found && {
            credential: found.credential,
            answer() {
              const points = toPoints(asked, found);
              if (points.length === 0)
                throw new Refusal('CONTACT_NOT_FOUND', 'None of the contacts is known.');
              return { ...success('Get client points successfully'), points };
            },
          }
        );
      },
    },
    refreshToken: {
      expiredToo: true,
      async read(caller) {
        const found = await findCredential(sql, caller.botId);
        return (
          found && {
            credential: found.credential,
            answer: async () => ({
              ...success('Operation completed successfully'),
              ...(await refreshPair(sql, caller, { ...sources, now: clock() })),
            }),
          }
        );
      },
    },
  };
}

function success(message: string) {
  return { success: true, message };
}
