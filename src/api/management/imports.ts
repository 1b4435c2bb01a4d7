/**
 * The operation that imports a file: all of it or nothing.
 */
import { Refusal } from '../../errors.ts';
import { Slots } from '../../http/slots.ts';
import { contactsPlan } from '../../imports/contacts.ts';
import { importLines } from '../../imports/import.ts';
import { pointsPlan } from '../../imports/points.ts';
import { bytesSource, type ImportFormat } from '../../imports/source.ts';
import type { Call, Operations, Sources } from './operation.ts';

/** The bot's folds wait while an import is written. This many lines take some seconds; the command imports larger files. */
const linesMax = 20_000;
const fileBytesMax = 8 * 1024 * 1024;
const filesAtOnceMax = 6;
const filesEachMax = 2;

const formatOf: Readonly<Record<Call<'importData'>['upload']['type'], ImportFormat>> = {
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
};
export const importTypes = Object.keys(formatOf);

export function importOperations({ sql, clock, random }: Sources) {
  const run = { sql, clock, random, linesMax };
  return {
    importData: {
      bodyBytesMax: fileBytesMax,
      uploads: new Slots({ max: filesAtOnceMax, maxEach: filesEachMax }),
      async answer({ bot: { botId }, params, query: { createContacts }, upload: { type, bytes } }) {
        const source = bytesSource('The body', formatOf[type], bytes);
        if (params.what === 'points') {
          const options = { botId, source, createContacts: createContacts ?? false };
          const { lines, counts } = await importLines(run, options, pointsPlan(botId));
          const { written = 0 } = counts;
          return { botId, lines, written, repeated: lines - written };
        }
        if (createContacts !== undefined) {
          throw new Refusal(
            'INPUT_INVALID',
            'createContacts in the query is for points; an import of contacts always adds them',
          );
        }
        const options = { botId, source, createContacts: true };
        const { lines, counts } = await importLines(run, options, contactsPlan(botId, { random }));
        const { added = 0, updated = 0, tagged = 0 } = counts;
        return { botId, lines, added, updated, tagged };
      },
    },
  } satisfies Partial<Operations>;
}
