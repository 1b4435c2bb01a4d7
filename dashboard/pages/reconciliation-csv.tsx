/** Downloads both counts of each day with their gap and its possible reasons. */
import { CsvButton } from '../components/csv-button.tsx';
import { t as frame } from '../texts/frame.ts';
import { t } from '../texts/reconciliation.ts';

export type ComparedDay = {
  day: string;
  own: number | null;
  theirs: number | null;
  gap: number | null;
  /** Their names in the API. */
  reasons: readonly string[];
  /** Undefined: not part of the figure. */
  friendsBefore?: number | null;
};

export type ReconciliationCsvProps = {
  title: string;
  platform: string;
  fileName: string;
  days: readonly ComparedDay[];
};

export function ReconciliationCsv({ title, platform, fileName, days }: ReconciliationCsvProps) {
  const hasFriends = days.some(({ friendsBefore }) => friendsBefore !== undefined);
  const head = [frame('day'), t('own'), platform, t('gap'), t('reasons')];
  const rows = () => [
    [...head, ...(hasFriends ? [t('friendsBefore')] : [])],
    ...days.map(({ day, own, theirs, gap, reasons, friendsBefore = null }) => [
      ...[day, own, theirs, gap, reasons.join('|')],
      ...(hasFriends ? [friendsBefore] : []),
    ]),
  ];
  return <CsvButton title={title} fileName={fileName} rows={rows} />;
}
