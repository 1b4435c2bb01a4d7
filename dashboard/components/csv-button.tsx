/** Downloads the numbers of a card. */
import { type CsvField, toCsv } from '../format/csv.ts';
import { saveText } from '../format/save.ts';
import { useExported } from '../state/exported.ts';
import { t } from '../texts/frame.ts';
import { Icon } from './icon.tsx';

export type CsvButtonProps = {
  /** The card's title. */
  title: string;
  /** Without `.csv`. */
  fileName: string;
  /** The first row has the column names. */
  rows(): readonly (readonly CsvField[])[];
};

/** The page's export contains the same numbers. */
export function CsvButton({ title, fileName, rows }: CsvButtonProps) {
  useExported({ title, rows });
  return (
    <button
      type="button"
      class="button"
      aria-label={t('downloadCsv', { title })}
      onClick={() => saveText(`${fileName}.csv`, 'text/csv;charset=utf-8', toCsv(rows()))}
    >
      <Icon name="download" />
      {t('csv')}
    </button>
  );
}
