/**
 * The operations of the MantaGo contract by their ids. Messages are the contract's, to the letter.
 */

import { findCredential, refreshPair } from '../../auth/api-pairs.ts';
import { coalesced } from '../../http/coalesce.ts';
import type { PlatformName } from '../../platforms/platform.ts';
import { type BotFigures, readFigures } from '../../reports/totals.ts';
import { broadcastOperations } from './broadcast.ts';
import { callbackOperations } from './callback.ts';
import { clientOperations } from './clients.ts';
import { toClientAnalysis, toMessageAnalysis } from './figures.ts';
import { type Answer, type Operations, type Read, type Sent, type Sources, success } from './operation.ts';
import { batchedPoints, clearPoints, idsProblem, noneKnown, readIds, toPoints } from './points.ts';
import { tagOperations } from './tags.ts';

export function mantagoOperations(sources: Sources): Operations {
  const { sql, clock, random } = sources;
  const pointsOf = batchedPoints(sql);
  const analysesOf = coalesced((botId) => readAnalyses(sources, botId));
  return {
    ...callbackOperations(sources),
    ...clientOperations(sources),
    ...tagOperations(sources),
    ...broadcastOperations(sources),
    getClientAnalysis: {
      isRepeated: true,
      toContract: ({ platform, ...body }) => (platform === 'all' ? body : { platform, ...body }),
      read: ({ botId }) => analysesOf(botId).then((analyses) => analyses?.ofClients ?? null),
    },
    getMessageAnalysis: {
      isRepeated: true,
      read: ({ botId }) => analysesOf(botId).then((analyses) => analyses?.ofMessages ?? null),
    },
    getClientPoints: {
      problemOf: ({ body }) => idsProblem(body),
      async read({ botId }, { body }) {
        const ids = readIds(body);
        const pointsById = await pointsOf({ botId, ...ids, now: clock() });
        if (pointsById === null) return null;
        const answer = () => {
          const points = toPoints(ids, pointsById);
          if (points.length === 0) throw noneKnown();
          return { ...success('Get client points successfully'), points };
        };
        return { credential: pointsById.credential, answer };
      },
    },
    clearClientPoints: {
      problemOf: ({ body }) => idsProblem(body),
      async read({ botId }, { body }) {
        const ids = readIds(body);
        const pointsById = await pointsOf({ botId, ...ids, now: clock() });
        if (pointsById === null) return null;
        const answer = async () => {
          const cleared = { botId, platform: ids.platform, pointsById };
          await clearPoints(sql, cleared, { now: clock(), random });
          return success('Clear client points successfully');
        };
        return { credential: pointsById.credential, answer };
      },
    },
    refreshToken: {
      expiredToo: true,
      async read(caller) {
        const found = await findCredential(sql, caller.botId);
        if (found === null) return null;
        const answer = async () => ({
          ...success('Operation completed successfully'),
          ...(await refreshPair(sql, caller, { ...sources, now: clock() })),
        });
        return { ...found, answer };
      },
    },
  };
}

type Analyses = {
  ofClients: Read<Answer<'getClientAnalysis'>, Sent<'getClientAnalysis'>>;
  ofMessages: Read<Answer<'getMessageAnalysis'>, unknown>;
};

/** By the figures: a read that returns the same figures again has the same answers. */
const analysesOfFigures = new WeakMap<BotFigures, Analyses>();

/** The answers of a bot's figures, each computed once. Null if there is no such bot. */
async function readAnalyses({ sql, clock }: Sources, botId: string): Promise<Analyses | null> {
  const figures = await readFigures(sql, botId, clock());
  if (figures === null) return null;
  const analyses = analysesOfFigures.get(figures) ?? toAnalyses(figures);
  analysesOfFigures.set(figures, analyses);
  return analyses;
}

function toAnalyses(figures: BotFigures): Analyses {
  const { credential } = figures;
  const clientAnalysisOf = computedOnce((platform: PlatformName | null) => ({
    ...success('Get client analysis successfully'),
    clientAnalysis: toClientAnalysis(figures, platform),
  }));
  const messageAnalysisOf = computedOnce((_all: null) => ({
    ...success('Get Messages Analysis Successfully'),
    ...toMessageAnalysis(figures),
  }));
  return {
    ofClients: { credential, answer: ({ body }) => clientAnalysisOf(body.platform ?? null) },
    ofMessages: { credential, answer: () => messageAnalysisOf(null) },
  };
}

/** Computes the value of each key once. */
function computedOnce<Key, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const values = new Map<Key, Value>();
  return (key) => {
    const value = values.get(key) ?? compute(key);
    values.set(key, value);
    return value;
  };
}
