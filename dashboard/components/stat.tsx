/** One figure, large, with its change against the period before: an arrow and words, never a colour alone. */
import type { ComponentChildren } from 'preact';
import { number, percent } from '../format.ts';
import { t } from '../texts/frame.ts';
import { Icon } from './icon.tsx';

type Written = (value: number | null) => string;
type Way = 'up' | 'down' | 'neither';

/** The figure before, how much more there is now, and that as a share of before; as the API tells them. */
export type ChangeValues = { before: number | null; by: number | null; rate: number | null };

export type StatProps = {
  title: string;
  /** null: not known. */
  value: number | null;
  /** Left out: there is nothing to compare with. */
  change?: ChangeValues;
  /** Which way is good news. */
  good?: Way;
  /** How value, before and change are written. */
  format?: Written;
  /** What else there is to say, below. */
  children?: ComponentChildren;
};

/** Figures side by side. */
export function Stats({ children }: { children: ComponentChildren }) {
  return <dl class="stats">{children}</dl>;
}

export function Stat({ title, value, change, good = 'up', format = number, children }: StatProps) {
  return (
    <div class="stat">
      <dt>{title}</dt>
      <dd>
        <span class="stat-value">{format(value)}</span>
        {change && <Change {...change} good={good} format={format} />}
        {children}
      </dd>
    </div>
  );
}

/** The change of a figure as the API's answers have it. */
export function changeOf(figure: {
  before: number | null;
  change: number | null;
  changeRate?: number | null;
}): ChangeValues {
  return { before: figure.before, by: figure.change, rate: figure.changeRate ?? null };
}

type ChangeProps = ChangeValues & {
  good: Way;
  format: Written;
  /** How the change alone is written when it `isShort`, with its sign. */
  formatChange?: Written;
  /** Only the arrow and the change, with the words for screen readers: in tables. */
  isShort?: boolean;
};

/** A change in words, with its arrow. Nothing when it is not known. */
export function Change({ before, by, rate, good, format, formatChange = format, isShort }: ChangeProps) {
  if (before === null || by === null) return null;
  const way = by > 0 ? 'up' : by < 0 ? 'down' : 'same';
  const mood = way === 'same' || good === 'neither' ? 'even' : way === good ? 'good' : 'bad';
  const share = rate === null || rate === 0 ? '' : ` (${percent(Math.abs(rate))})`;
  const words =
    way === 'same' ? t('same') : t(way, { change: format(Math.abs(by)) + share, before: format(before) });
  return (
    <span class={`change change-${mood}`}>
      <Icon name={way} />
      {isShort ? (
        <>
          <span aria-hidden="true">{formatChange(by)}</span>
          <span class="hidden">{words}</span>
        </>
      ) : (
        words
      )}
    </span>
  );
}
