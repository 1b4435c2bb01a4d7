/** One figure with its change from the previous period: an arrow and words, never a colour alone. */
import type { ComponentChildren } from 'preact';
import { number, roundPercent, signed, signedPercent } from '../format/format.ts';
import { daysWithin } from '../format/range.ts';
import { t } from '../texts/frame.ts';

type Format = (value: number | null) => string;
type Direction = 'up' | 'down' | 'neither';

/** A figure's change from the previous period of `days` days. `rate` is the share of the value before. */
export type ChangeValues = {
  now: number | null;
  before: number | null;
  by: number | null;
  rate: number | null;
  days: number;
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
  /** Notes below the value. */
  children?: ComponentChildren;
};

/** Figures side by side; `isTight` fits more of them in a row. */
export function Stats({ isTight = false, children }: { isTight?: boolean; children: ComponentChildren }) {
  return <dl class={isTight ? 'stats stats-tight' : 'stats'}>{children}</dl>;
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

/** The change of a figure of an overview. */
export function changeOf(
  {
    now,
    before,
    change,
    changeRate,
  }: Omit<ChangeValues, 'by' | 'rate' | 'days'> & {
    change: number | null;
    changeRate?: number | null;
  },
  { before: period }: { before: { from: string; to: string } },
): ChangeValues {
  return { now, before, by: change, rate: changeRate ?? null, days: daysWithin(period.from, period.to) };
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
    direction === 'same' ? t('noChange') : rate === null ? formatChange(by) : roundPercent(Math.abs(rate)),
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

function comparison(change: string, days: number): string {
  return days === 1 ? t('vsDayBefore', { change }) : t('vsDaysBefore', { change, count: days });
}
