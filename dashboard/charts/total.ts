/** The total of stacked bars, for their tooltip. */

type Stack = {
  kind: 'line' | 'bars' | 'doughnut';
  /** Grouped bars do not add up. */
  isBeside: boolean;
  series: readonly { values: readonly (number | null)[] }[];
  totalTitle: string;
  format: (value: number | null) => string;
};

/** The line of the total at one label; the total is unknown when a part is. Null: nothing is stacked there. */
export function totalAt({ kind, isBeside, series, totalTitle, format }: Stack, index: number): string | null {
  if (kind !== 'bars' || isBeside || series.length < 2) return null;
  const total = series
    .map(({ values }) => values[index] ?? null)
    .reduce((sum, value) => (sum === null || value === null ? null : sum + value), 0);
  return `${totalTitle}  ${format(total)}`;
}
