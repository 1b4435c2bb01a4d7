/** The tables that the current page can export together: its figures, charts and lists. */
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { CsvField } from '../format/csv.ts';

export type ExportedTable = {
  title: string;
  /** The first row has the column names. */
  rows(): readonly (readonly CsvField[])[];
};

/** In the order in which they appeared. */
export const exportedTables = signal<readonly ExportedTable[]>([]);

/** Adds a table to the export of the page while its component is visible. */
export function useExported(table: ExportedTable): void {
  const latest = useRef(table);
  latest.current = table;
  const { title } = table;
  useEffect(() => {
    const entry = { title, rows: () => latest.current.rows() };
    exportedTables.value = [...exportedTables.value, entry];
    return () => {
      exportedTables.value = exportedTables.value.filter((other) => other !== entry);
    };
  }, [title]);
}
