/** Buttons that export the whole page: its tables as one CSV file, or its print layout as PDF through the browser. */
import { type CsvField, toCsv } from '../format/csv.ts';
import { saveText } from '../format/save.ts';
import { exportedTables } from '../state/exported.ts';
import { t } from '../texts/export.ts';
import { Icon } from './icon.tsx';

export function PageExport({ title }: { title: string }) {
  const tables = exportedTables.value;
  if (tables.length === 0) return null;
  // A table has its title in a line above it, and an empty line below.
  const rows = (): CsvField[][] =>
    tables.flatMap((table) => [[table.title], ...table.rows().map((row) => [...row]), []]);
  return (
    <>
      <button
        type="button"
        class="button"
        title={t('csvOfPage')}
        aria-label={t('csvOfPage')}
        onClick={() => saveText(`${title}.csv`, 'text/csv;charset=utf-8', toCsv(rows()))}
      >
        <Icon name="download" />
      </button>
      <button type="button" class="button" title={t('print')} aria-label={t('print')} onClick={() => print()}>
        <Icon name="print" />
      </button>
    </>
  );
}
