/** Names with a number each, as bars one below the other: a real table, readable without them. */
import type { ComponentChildren } from 'preact';
import { number } from '../format.ts';

export type BarListProps = {
  caption: string;
  rows: readonly { key: string; title: ComponentChildren; value: number | null }[];
  format?: (value: number | null) => string;
};

export function BarList({ caption, rows, format = number }: BarListProps) {
  const largest = Math.max(0, ...rows.map(({ value }) => value ?? 0));
  return (
    <table class="bar-list">
      <caption class="hidden">{caption}</caption>
      <tbody>
        {rows.map(({ key, title, value }) => (
          <tr key={key}>
            <th scope="row">{title}</th>
            <td class="number">{format(value)}</td>
            <td class="bar-cell">
              <Bar share={largest === 0 ? 0 : (value ?? 0) / largest} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A number beside its bar: in the cells of other tables. */
export function Barred({ share, children }: { share: number; children: ComponentChildren }) {
  return (
    <span class="barred">
      <Bar share={share} />
      <span>{children}</span>
    </span>
  );
}

/** A bar of so much (0 to 1) of the room that there is; says nothing that does not stand beside it. */
function Bar({ share }: { share: number }) {
  return (
    <span class="bar" aria-hidden="true">
      <span style={{ inlineSize: `${Math.min(1, share) * 100}%` }} />
    </span>
  );
}
