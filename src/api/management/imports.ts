/**
 * The operation that imports: a file as the body of a call, all of it or nothing.
 */
import { Refusal } from '../../errors.ts';
import { contactsPlan } from '../../imports/contacts.ts';
import { importLines } from '../../imports/import.ts';
import { pointsPlan } from '../../imports/points.ts';
import { bytesSource, type ImportFormat } from '../../imports/source.ts';
import type { ManagementCall, ManagementOperations, ManagementSources } from './call.ts';

/** The bot's folds wait while its import is written: this many take some seconds. Larger files go by the command. */
const linesMax = 20_000;

const formatOf: Readonly<Record<string, ImportFormat>> = {
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
};

export function importOperations({ sql, clock, random }: ManagementSources): ManagementOperations {
  const run = { sql, clock, random, linesMax };
  return {
    async importData({ bot: { botId }, params, query, upload }) {
      const source = toSource(upload);
      if (params.what === 'points') {
        const options = { botId, source, createContacts: query.createContacts === true };
        const { lines, counts } = await importLines(run, options, pointsPlan(botId));
        const { written = 0 } = counts;
        return { botId, lines, written, repeated: lines - written };
      }
      if (query.createContacts !== undefined) {
        throw new Refusal(
          'INPUT_INVALID',
          'createContacts in the query is for points; contacts are always added',
        );
      }
      const options = { botId, source, createContacts: true };
      const { lines, counts } = await importLines(run, options, contactsPlan(botId, { random }));
      const { added = 0, updated = 0, tagged = 0 } = counts;
      return { botId, lines, added, updated, tagged };
    },
  };
}

function toSource(upload: ManagementCall['upload']) {
  const format = upload && formatOf[upload.type];
  if (!upload || !format) throw new Error('a body of another type was let through');
  return bytesSource('The body', format, upload.bytes);
}
