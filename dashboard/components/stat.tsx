/** One figure, large, with its change against the period before: an arrow and words, never a colour alone. */
import type { ComponentChildren } from 'preact';
import { number, roundPercent, signed } from '../format/format.ts';
import { daysWithin } from '../format/range.ts';
import { t } from '../texts/frame.ts';
import { Icon } from './icon.tsx';

type Written = (value: number | null) => string;
type Way = 'up' | 'down' | 'neither';

/** A figure's change against the period before: the amount, its share of the value before, and the length of the period. */
export type ChangeValues = { by: number | null; rate: number | null; days: number };

export type StatProps = {
  title: string;
  /** null: not known. */
  value: number | null;
  /** Left out: there is nothing to compare with. */
  change?: ChangeValues;
  /** Which way is good news. */
  good?: Way;
  /** How the value is written. */
  format?: Written;
  /** What else there is to say, below. */
  children?: ComponentChildren;
};

/** Figures side by side; `isTight`: more of them in a row. */
export function Stats({ isTight = false, children }: { isTight?: boolean; children: ComponentChildren }) {
  return <dl class={isTight ? 'stats stats-tight' : 'stats'}>{children}</dl>;
}

export function Stat({ title, value, change, good = 'up', format = number, children }: StatProps) {
  return (
    <div class="stat">
      <dt>{title}</dt>
      <dd>
        <span class="stat-value">{format(value)}</span>
        {change && <Change {...change} good={good} />}
        {children}
      </dd>
    </div>
  );
}

/** The change of a figure of an overview. */
export function changeOf(
  { change, changeRate }: { change: number | null; changeRate?: number | null },
  { before }: { before: { from: string; to: string } },
): ChangeValues {
  return { by: change, rate: changeRate ?? null, days: daysWithin(before.from, before.to) };
}

type ChangeProps = ChangeValues & {
  good: Way;
  /** How the amount is written when it `isShort`, with its sign. */
  format?: Written;
  /** Only the arrow and the amount, with the words for screen readers: in tables. */
  isShort?: boolean;
};

/**
 * A change as an arrow and its share of the value before. There is none when the change is not known, and none in words after
 * a value of 0: no share exists then.
 */
export function Change({ by, rate, days, good, format = signed, isShort = false }: ChangeProps) {
  if (by === null || (by !== 0 && rate === null && !isShort)) return null;
  const way = by > 0 ? 'up' : by < 0 ? 'down' : 'same';
  const mood = way === 'same' || good === 'neither' ? 'even' : way === good ? 'good' : 'bad';
  const words = comparison(
    way === 'same' ? t('noChange') : rate === null ? format(by) : roundPercent(Math.abs(rate)),
    days,
  );
  return (
    <span class={`change change-${mood}`}>
      <Icon name={way} />
      {isShort ? (
        <>
          <span aria-hidden="true">{format(by)}</span>
          <span class="hidden">{way === 'same' || rate === null ? words : `${t(way)} ${words}`}</span>
        </>
      ) : (
        <span>
          {way !== 'same' && <span class="hidden">{t(way)} </span>}
          {words}
        </span>
      )}
    </span>
  );
}

function comparison(change: string, days: number): string {
  return days === 1 ? t('vsDayBefore', { change }) : t('vsDaysBefore', { change, count: days });
}
