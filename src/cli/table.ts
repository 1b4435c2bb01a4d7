/**
 * Tables of text.
 */

/** Aligns the cells of the rows. The columns `rightAligned` (from, up to but without) hold numbers. */
export function renderTable(
  rows: readonly (readonly string[])[],
  { rightAligned: [from, end] = [0, 0] }: { rightAligned?: [from: number, end: number] } = {},
): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  return rows.map((cells) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column >= from && column < end ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
