/** The first lines of a file to import, with the columns that the import reads. */
import { useEffect, useState } from 'preact/hooks';
import { readCsv } from '../format/csv.ts';
import { t } from '../texts/import.ts';
import { DataTable } from './data-table.tsx';
import { Empty } from './states.tsx';

export type FilePreviewProps = {
  file: File;
  /** The names of the columns; those in brackets are optional. */
  columns: string;
};

type Table = { names: string[]; rows: string[][] };

const linesShown = 5;
/** Enough for the first lines. The server reads the whole file. */
const bytesRead = 65_536;

export function FilePreview({ file, columns }: FilePreviewProps) {
  const [table, setTable] = useState<Table | null>(null);
  useEffect(() => {
    let isCurrent = true;
    setTable(null);
    void file
      .slice(0, bytesRead)
      .text()
      .then((text) => {
        if (isCurrent) setTable(tableOf(text, /\.(ndjson|jsonl)$/i.test(file.name)));
      });
    return () => {
      isCurrent = false;
    };
  }, [file]);
  if (table === null) return null;
  const [required = '', optional = ''] = columns.split('(');
  const matched = table.names.filter((name) => namesIn(columns).includes(name));
  const missing = namesIn(required).filter((name) => !table.names.includes(name));
  const others = table.names.filter((name) => !namesIn(required + optional).includes(name));
  if (table.names.length === 0) return <p role="status">{t('noColumns')}</p>;
  return (
    <section class="file-preview" aria-label={t('firstLines')}>
      {matched.length > 0 && <p>{t('matched', { names: matched.join(', ') })}</p>}
      {missing.length > 0 && <p class="notice">{t('missing', { names: missing.join(', ') })}</p>}
      {others.length > 0 && <p class="note">{t('others', { names: others.join(', ') })}</p>}
      <DataTable<string[]>
        caption={t('firstLines')}
        rows={table.rows}
        keyOf={(row) => String(table.rows.indexOf(row))}
        empty={<Empty title={t('noRows')} />}
        columns={table.names.map((name, index) => ({
          key: `${index}`,
          title: name,
          cell: (row: string[]) => row[index] ?? '',
        }))}
      />
    </section>
  );
}

function namesIn(columns: string): string[] {
  return columns.match(/\w+/g) ?? [];
}

function tableOf(text: string, isNdjson: boolean): Table {
  if (!isNdjson) {
    const [names = [], ...rows] = readCsv(text, linesShown + 1);
    return { names: names.map((name) => name.trim()), rows };
  }
  const objects = text.split('\n').slice(0, linesShown).flatMap(objectOf);
  const names = [...new Set(objects.flatMap(Object.keys))];
  return { names, rows: objects.map((object) => names.map((name) => String(object[name] ?? ''))) };
}

/** The object of a line; none for a line that is invalid or cut off, which the server reports. */
function objectOf(line: string): Record<string, unknown>[] {
  try {
    const value: unknown = JSON.parse(line);
    return value instanceof Object && !Array.isArray(value) ? [value as Record<string, unknown>] : [];
  } catch {
    return [];
  }
}
