/** Named numbers as horizontal bars, in columns if there is room. */
import type { ComponentChildren } from 'preact';
import { number } from '../format/format.ts';

export type BarListProps = {
  /** Names the list for screen readers. */
  label: string;
  rows: readonly { key: string; title: string; value: number | null }[];
  format?: (value: number | null) => string;
};

export function BarList({ label, rows, format = number }: BarListProps) {
  const largest = Math.max(0, ...rows.map(({ value }) => value ?? 0));
  return (
    <ul class="bar-list" aria-label={label}>
      {rows.map(({ key, title, value }) => (
        <li key={key}>
          <span>{title}</span>
          <span class="bar-value">{format(value)}</span>
          <Bar share={largest === 0 ? 0 : (value ?? 0) / largest} />
        </li>
      ))}
    </ul>
  );
}

/** A number with its bar, for table cells. */
export function Barred({ share, children }: { share: number; children: ComponentChildren }) {
  return (
    <span class="barred">
      <Bar share={share} />
      <span>{children}</span>
    </span>
  );
}

/** A bar of a share (0 to 1) of the available width. Screen readers skip it; the number is next to it. */
export function Bar({ share }: { share: number }) {
  return (
    <span class="bar" aria-hidden="true">
      <span style={{ inlineSize: `${Math.min(1, share) * 100}%` }} />
    </span>
  );
}
