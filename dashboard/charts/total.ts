/** The total of stacked bars, for their tooltip. */

type Series = { values: readonly (number | null)[]; before?: readonly (number | null)[] | null };

type Stack = {
  kind: 'line' | 'bars' | 'doughnut';
  /** Grouped bars do not add up. */
  isGrouped: boolean;
  series: readonly Series[];
  totalTitle: string;
  format: (value: number | null) => string;
};

/** The sums of the compared values of stacked bars, unknown where a part is; null if nothing is stacked or compared. */
export function stackBefore({
  kind,
  isGrouped,
  series,
}: Pick<Stack, 'kind' | 'isGrouped' | 'series'>): (number | null)[] | null {
  if (kind !== 'bars' || isGrouped || series.length < 2) return null;
  // A series without any value, such as LINE's sent messages before LINE reports them, is no part of the sum.
  const lines = series.flatMap(({ before }) => (before?.some((value) => value !== null) ? [before] : []));
  if (lines.length === 0) return null;
  return (lines[0] ?? []).map((_, index) =>
    lines
      .map((line) => line[index] ?? null)
      .reduce((sum, value) => (sum === null || value === null ? null : sum + value), 0),
  );
}

/** The tooltip's total at one label, unknown if a part is unknown. Null if nothing is stacked. */
export function totalAt(
  { kind, isGrouped, series, totalTitle, format }: Stack,
  index: number,
): string | null {
  if (kind !== 'bars' || isGrouped || series.length < 2) return null;
  const total = series
    .map(({ values }) => values[index] ?? null)
    .reduce((sum, value) => (sum === null || value === null ? null : sum + value), 0);
  return `${totalTitle}  ${format(total)}`;
}
