/** One figure with its change from the compared period: an arrow and words, never a colour alone. */
import type { ComponentChildren } from 'preact';
import { countDays } from '../../src/time.ts';
import { number, signed, signedPercent, wholePercent } from '../format/format.ts';
import { t } from '../texts/frame.ts';
import { t as range } from '../texts/range.ts';
import { Sparkline } from './sparkline.tsx';

type Format = (value: number | null) => string;
type Direction = 'up' | 'down' | 'neither';

/** A figure's change from the compared period. `rate` is the share of the value before. */
export type ChangeValues = {
  now: number | null;
  before: number | null;
  by: number | null;
  rate: number | null;
  /** The length of the previous period; null: it is compared with the last year. */
  days: number | null;
};

export type StatProps = {
  title: string;
  /** null: not known. */
  value: number | null;
  /** Omitted if there is nothing to compare with. */
  change?: ChangeValues;
  /** The direction that is good news. */
  good?: Direction;
  format?: Format;
  /** The page with more about it. */
  href?: string;
  /** Its values over time, as a small line. */
  spark?: readonly (number | null)[];
  /** Notes below the value. */
  children?: ComponentChildren;
};

/** Figures side by side; `tight` fits more of them in a row, `row` all of them on a desktop. */
export function Stats({ shape, children }: { shape?: 'tight' | 'row'; children: ComponentChildren }) {
  return <dl class={shape ? `stats stats-${shape}` : 'stats'}>{children}</dl>;
}

export function Stat({
  title,
  value,
  change,
  good = 'up',
  format = number,
  href,
  spark,
  children,
}: StatProps) {
  return (
    <div class="stat">
      <dt>{href ? <a href={href}>{title}</a> : title}</dt>
      <dd>
        <span class="stat-value">{format(value)}</span>
        {change && <Change {...change} good={good} format={format} />}
        {spark && <Sparkline values={spark} />}
        {children}
      </dd>
    </div>
  );
}

type Compared = { comparison: string; before: { from: string; to: string } | null };

/** The change of a figure of an overview. */
export function changeOf(
  {
    now,
    before,
    change,
    changeRate,
  }: Pick<ChangeValues, 'now' | 'before'> & { change: number | null; changeRate?: number | null },
  { comparison, before: period }: Compared,
): ChangeValues {
  const days = comparison === 'previous-period' && period ? countDays(period.from, period.to) : null;
  return { now, before, by: change, rate: changeRate ?? null, days };
}

type ChangeProps = ChangeValues & {
  good: Direction;
  /** Formats the values before and now. */
  format: Format;
  /** Shows only the arrow and the amount in this format, with the words for screen readers: in tables. */
  shortFormat?: Format;
};

const arrows = { up: '▲', down: '▼', same: '–' };

/**
 * A change as an arrow and its share of the value before; the title has the exact values. Shows nothing if the change is not
 * known, and no words after a value of 0, because no share exists then.
 */
export function Change({ now, before, by, rate, days, good, format, shortFormat }: ChangeProps) {
  if (by === null || (by !== 0 && rate === null && !shortFormat)) return null;
  const direction = by > 0 ? 'up' : by < 0 ? 'down' : 'same';
  const mood = direction === 'same' || good === 'neither' ? 'even' : direction === good ? 'good' : 'bad';
  const formatChange = shortFormat ?? signed;
  const words = comparison(
    direction === 'same' ? t('noChange') : rate === null ? formatChange(by) : wholePercent(Math.abs(rate)),
    days,
  );
  const exactRate = rate === null ? '' : ` (${signedPercent(rate)})`;
  return (
    <span
      class={`change change-${mood}`}
      title={direction === 'same' ? undefined : `${format(before)} → ${format(now)}${exactRate}`}
    >
      <span class="change-arrow" aria-hidden="true">
        {arrows[direction]}{' '}
      </span>
      {shortFormat ? (
        <>
          <span aria-hidden="true">{shortFormat(by)}</span>
          <span class="hidden">
            {direction === 'same' || rate === null ? words : `${t(direction)} ${words}`}
          </span>
        </>
      ) : (
        <span>
          {direction !== 'same' && <span class="hidden">{t(direction)} </span>}
          {words}
        </span>
      )}
    </span>
  );
}

function comparison(change: string, days: number | null): string {
  if (days === null) return range('vsLastYear', { change });
  return days === 1 ? t('vsDayBefore', { change }) : t('vsDaysBefore', { change, count: days });
}
