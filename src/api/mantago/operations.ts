/**
 * The operations of the MantaGo contract that are built, by their ids: what each reads and what it answers. Messages are the
 * contract's, to the letter.
 */

import { findCredential, refreshPair } from '../../auth/api-pairs.ts';
import { shared } from '../../http/share.ts';
import { type PlatformName, platformNames } from '../../platforms/platform.ts';
import { readFigures } from '../../reports/totals.ts';
import { callbackOperations } from './callback.ts';
import { clientOperations } from './clients.ts';
import { toClientAnalysis, toMessageAnalysis } from './figures.ts';
import { type MantagoOperation, type Sources, success } from './operation.ts';
import { clearPoints, idsProblem, noneKnown, readAsked, readPoints, toPoints } from './points.ts';
import { tagOperations } from './tags.ts';

/** The operations, reading from the given sources. */
export function mantagoOperations(sources: Sources): Record<string, MantagoOperation> {
  const { sql, clock, random } = sources;
  const analysesOf = shared((botId) => readAnalyses(sources, botId));
  return {
    ...callbackOperations(sources),
    ...clientOperations(sources),
    ...tagOperations(sources),
    getClientAnalysis: {
      toContract: ({ platform, ...body }) => (platform === 'all' ? body : { platform, ...body }),
      async read({ botId }, { body }) {
        const platform = platformNames.find((name) => name === body.platform) ?? null;
        const analyses = await analysesOf(botId);
        if (analyses === null) return null;
        const { credential, clientAnalysisOf } = analyses;
        const answer = () => ({
          ...success('Get client analysis successfully'),
          clientAnalysis: clientAnalysisOf(platform),
        });
        return { credential, answer };
      },
    },
    getMessageAnalysis: {
      async read({ botId }) {
        const analyses = await analysesOf(botId);
        if (analyses === null) return null;
        const { credential, messageAnalysis } = analyses;
        const answer = () => ({
          ...success('Get Messages Analysis Successfully'),
          ...messageAnalysis,
        });
        return { credential, answer };
      },
    },
    getClientPoints: {
      problemOf: ({ body }) => idsProblem(body),
      async read({ botId }, { body }) {
        const asked = readAsked(body);
        const found = await readPoints(sql, { botId, ...asked, now: clock() });
        if (found === null) return null;
        const answer = () => {
          const points = toPoints(asked, found);
          if (points.length === 0) throw noneKnown();
          return { ...success('Get client points successfully'), points };
        };
        return { credential: found.credential, answer };
      },
    },
    clearClientPoints: {
      problemOf: ({ body }) => idsProblem(body),
      async read({ botId }, { body }) {
        const { platform, ...asked } = readAsked(body);
        const found = await readPoints(sql, { botId, platform, ...asked, now: clock() });
        if (found === null) return null;
        const answer = async () => {
          await clearPoints(sql, { botId, platform, found }, { now: clock(), random });
          return success('Clear client points successfully');
        };
        return { credential: found.credential, answer };
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

/** The figures of a bot, and the answers made of them: each once, for all callers who share the read. Null: no such bot. */
async function readAnalyses({ sql, clock }: Sources, botId: string) {
  const figures = await readFigures(sql, botId, clock());
  if (figures === null) return null;
  return {
    credential: figures.credential,
    clientAnalysisOf: once((platform: PlatformName | null) => toClientAnalysis(figures, platform)),
    messageAnalysis: toMessageAnalysis(figures),
  };
}

/** Makes each value when it is first asked for, and gives the same again. */
function once<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<Key, Value>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}
