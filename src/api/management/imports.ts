/**
 * The operation that imports a file: all of it or nothing.
 */
import { Slots } from '../../http/slots.ts';
import { importKind } from '../../imports/kinds.ts';
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
        const source = bytesSource('The body', formatOf[type], bytes);
        const run = { sql, clock, random, isPreview, linesMax: linesMaxOf[what] ?? linesMax };
        return importKind(what, run, { botId, source, createContacts });
      },
    },
  } satisfies Partial<Operations>;
}
