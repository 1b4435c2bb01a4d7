/** The total of stacked bars, for their tooltip. */

type Stack = {
  kind: 'line' | 'bars' | 'doughnut';
  /** Grouped bars do not add up. */
  isGrouped: boolean;
  series: readonly { values: readonly (number | null)[] }[];
  totalTitle: string;
  format: (value: number | null) => string;
};

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
