/**
 * Operations on moving in from MantaGo: the import, its report, and the comparison.
 */
import { listComparisons, sampleDefault, toleranceDefault } from '../../mantago/comparison.ts';
import { openConnection } from '../../mantago/connections.ts';
import { gapReasons } from '../../mantago/gap-reasons.ts';
import { findImport, startImport, stopImport } from '../../mantago/imports.ts';
import { readAddress } from '../../mantago/mantago-client.ts';
import { isProblemReason, neverCarried, problemReasons } from '../../mantago/names.ts';
import { countProblems, listProblems } from '../../mantago/problems.ts';
import { findWatch, putWatch, removeWatch, type Watch } from '../../mantago/watch-rows.ts';
import type { PlatformName } from '../../platforms/platform.ts';
import { platformNames } from '../../platforms/platform.ts';
import { isTime } from '../../time.ts';
import { withIsoDates } from '../iso.ts';
import { listBytesMax, type Operations, type Sources } from './operation.ts';
import { cursorPlace, readPage } from './paging.ts';

export function mantagoOperations({ sql, clock, keys, gate, mantagoCallsPerMinute }: Sources) {
  return {
    async getMantago({ bot: { botId } }) {
      const [found, problems, watch] = await Promise.all([
        findImport(sql, botId, clock()),
        countProblems(sql, botId),
        findWatch(sql, botId),
      ]);
      return {
        botId,
        import: found && withIsoDates(found),
        problems: problems.map((one) => ({ ...one, meaning: problemReasons[one.reason] })),
        neverCarried,
        watch: watch && withIsoDates(watch),
      };
    },
    startMantagoImport: {
      bodyBytesMax: listBytesMax,
      async answer({ bot: { botId }, body }) {
        const { address, callsPerMinute = mantagoCallsPerMinute, ...connection } = body;
        const checked = address === undefined ? undefined : await readAddress(address, gate);
        const start = { ...connection, botId, address: checked, callsPerMinute };
        return withIsoDates(await startImport(sql, start, { clock, keys }));
      },
    },
    stopMantagoImport: async ({ bot: { botId } }) => withIsoDates(await stopImport(sql, botId, { clock })),
    async listMantagoProblems({ bot: { botId }, query }) {
      const { rows, nextCursor } = await readPage(query, toProblemPlace, (page) =>
        listProblems(sql, botId, page),
      );
      const problems = rows.map((one) => ({ ...one, meaning: problemReasons[one.reason] }));
      return { problems, nextCursor };
    },
    async listMantagoComparisons({ bot: { botId }, query }) {
      const { rows, nextCursor } = await readPage(
        query,
        cursorPlace({ comparedAt: isTime }),
        ({ after, limit }) => listComparisons(sql, botId, { before: after?.comparedAt ?? null, limit }),
      );
      return { comparisons: rows.map(withIsoDates), reasons: gapReasons, nextCursor };
    },
    async setMantagoWatch({ bot: { botId }, body }) {
      const { tolerance = toleranceDefault, sample = sampleDefault } = body;
      await openConnection(sql, botId, keys);
      const now = clock();
      await sql.begin((tx) => putWatch(tx, botId, { tolerance, sample, firstAt: now, now }));
      const watch: Watch = { tolerance, sample, nextAt: new Date(now), problem: null };
      return withIsoDates(watch);
    },
    removeMantagoWatch: ({ bot: { botId } }) => sql.begin((tx) => removeWatch(tx, botId)),
  } satisfies Partial<Operations>;
}

const toProblemPlace = cursorPlace({ reason: isProblemReason, platform: isPlatformOrNone, subject: isText });

function isPlatformOrNone(value: unknown): value is PlatformName | '' {
  return value === '' || platformNames.some((name) => name === value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
