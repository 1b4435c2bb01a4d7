/**
 * The operation that imports a file: all of it or nothing.
 */
import { Refusal } from '../../errors.ts';
import { Slots } from '../../http/slots.ts';
import { contactsPlan } from '../../imports/contacts.ts';
import { cataloguePlan, giftsPlan, redemptionsPlan } from '../../imports/gifts.ts';
import { type Imported, type ImportOptions, type ImportRun, importLines } from '../../imports/import.ts';
import { pointsPlan } from '../../imports/points.ts';
import { bytesSource, type ImportFormat } from '../../imports/source.ts';
import type { Call, Operations, Sources } from './operation.ts';

/** The bot's folds wait while an import is written. This many lines take some seconds; the command imports larger files. */
const linesMax = 20_000;
/** Their lines are written one by one. */
const linesMaxOf: Readonly<Record<string, number>> = { catalogue: 5_000, gifts: 5_000, redemptions: 5_000 };
const fileBytesMax = 8 * 1024 * 1024;
const filesAtOnceMax = 6;
const filesEachMax = 2;

const formatOf: Readonly<Record<Call<'importData'>['upload']['type'], ImportFormat>> = {
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
};
export const importTypes = Object.keys(formatOf);

export function importOperations({ sql, clock, random }: Sources) {
  return {
    importData: {
      bodyBytesMax: fileBytesMax,
      uploads: new Slots({ max: filesAtOnceMax, maxEach: filesEachMax }),
      async answer({ bot: { botId }, params: { what }, query, upload: { type, bytes } }) {
        const { createContacts, preview: isPreview } = query;
        if (createContacts !== undefined && what !== 'points' && what !== 'gifts') {
          throw new Refusal(
            'INPUT_INVALID',
            `createContacts in the query is for points and gifts, not for ${what}`,
          );
        }
        const source = bytesSource('The body', formatOf[type], bytes);
        const options = { botId, source, createContacts: what === 'contacts' || (createContacts ?? false) };
        const run = { sql, clock, random, isPreview, linesMax: linesMaxOf[what] ?? linesMax };
        const { lines, counts } = await importOne(what, run, options);
        if (what === 'contacts') return { botId, lines, ...{ added: 0, updated: 0, tagged: 0 }, ...counts };
        if (what === 'catalogue') return { botId, lines, ...{ added: 0, updated: 0 }, ...counts };
        const { written = 0 } = counts;
        return { botId, lines, written, repeated: lines - written };
      },
    },
  } satisfies Partial<Operations>;
}

function importOne(
  what: Call<'importData'>['params']['what'],
  run: ImportRun,
  options: ImportOptions,
): Promise<Imported> {
  const { botId } = options;
  switch (what) {
    case 'contacts':
      return importLines(run, options, contactsPlan(botId, run));
    case 'points':
      return importLines(run, options, pointsPlan(botId));
    case 'catalogue':
      return importLines(run, options, cataloguePlan(botId, run));
    case 'gifts':
      return importLines(run, options, giftsPlan(botId));
    case 'redemptions':
      return importLines(run, options, redemptionsPlan(botId));
  }
}
