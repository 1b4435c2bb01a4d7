/** A table whose cells are coloured by their number; readable without the colours. */
import { compact, number } from '../format/format.ts';

export type HeatMapProps = {
  caption: string;
  /** The title above the row titles. */
  corner: string;
  columns: readonly string[];
  rows: readonly { title: string; values: readonly number[] }[];
};

export function HeatMap({ caption, corner, columns, rows }: HeatMapProps) {
  const largest = Math.max(1, ...rows.flatMap(({ values }) => values));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
    // biome-ignore lint/a11y/useSemanticElements: this is not a group of fields
    <div class="table-scroll" role="group" tabIndex={0} aria-label={caption}>
      <table class="heat-map">
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{corner}</th>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ title, values }) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              {values.map((value, index) => (
                <td
                  key={columns[index]}
                  style={{ '--heat': String(value / largest) }}
                  title={`${title} ${columns[index] ?? ''}: ${number(value)}`}
                >
                  {value === 0 ? '·' : compact(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
