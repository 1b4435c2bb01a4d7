/** Selects the date range of a page, its comparison and its grouping, and keeps them in the address. */
import { useState } from 'preact/hooks';
import { dayOf } from '../../src/time.ts';
import * as format from '../format/format.ts';
import {
  comparisonQueries,
  daysDefault,
  problemOfQuery,
  queryOfRange,
  type Range,
  rangeOf,
  shortestUnit,
  stepRange,
  units,
  type View,
  viewOf,
} from '../format/range.ts';
import { useAddress } from '../state/address.ts';
import type { Bot } from '../state/bots.ts';
import { t as frame } from '../texts/frame.ts';
import { t } from '../texts/range.ts';
import { Choice } from './choice.tsx';
import { Icon } from './icon.tsx';
import { RangeDialog } from './range-dialog.tsx';

/** The range of the address, in days of the zone, with its grouping and comparison. */
export function useRange(zone: string): View {
  return viewOf(useAddress().query, zone, Date.now());
}

/** The range with its zone, for the note below a page's title. */
export function RangeNote({ range, zone }: { range: Pick<Range, 'from' | 'to'>; zone: string }) {
  return (
    <>
      {format.days(range.from, range.to)} <span class="zone">{format.zoneName(zone, Date.now())}</span>
    </>
  );
}

export type RangePickerProps = {
  bot: Bot;
  /** The zone of the days. Default: the bot's. */
  zone?: string;
  /** The charts of the page can be compared and grouped. */
  isCompared?: boolean;
  /** The charts can be grouped. */
  isGrouped?: boolean;
};

export function RangePicker({
  bot,
  zone = bot.timeZone,
  isCompared = false,
  isGrouped = isCompared,
}: RangePickerProps) {
  const { query, setQuery } = useAddress();
  const { by, comparison, ...range } = viewOf(query, zone, Date.now());
  const today = dayOf(Date.now(), zone);
  const problem = problemOfQuery(query);
  const [isOpen, setOpen] = useState(false);
  const show = (chosen: Range): void => setQuery(queryOfRange(chosen), { push: true });
  const next = stepRange(range, 1, today);
  return (
    <>
      <fieldset class="range-picker">
        <legend class="hidden">{frame('range')}</legend>
        <button
          type="button"
          class="button button-quiet"
          aria-label={t('earlier')}
          title={t('earlier')}
          onClick={() => show(stepRange(range, -1, today))}
        >
          <Icon name="left" />
        </button>
        <button
          type="button"
          class="button range-button"
          aria-haspopup="dialog"
          onClick={() => setOpen(true)}
        >
          <Icon name="calendar" />
          {rangeTitle(range)}
        </button>
        <button
          type="button"
          class="button button-quiet"
          aria-label={t('later')}
          title={t('later')}
          disabled={next.from > today}
          onClick={() => show(next)}
        >
          <Icon name="right" />
        </button>
      </fieldset>
      {isCompared && (
        <Choice
          label={t('compare')}
          value={comparison}
          onChange={(chosen) => setQuery({ compare: comparisonQueries[chosen] }, { push: true })}
          choices={(['previous-period', 'same-period-last-year', 'none'] as const).map((value) => ({
            value,
            title: t(value),
          }))}
        />
      )}
      {isGrouped && (
        <Choice
          label={t('groupBy')}
          value={by}
          onChange={(chosen) => setQuery({ by: chosen === 'day' ? null : chosen }, { push: true })}
          choices={units
            .slice(units.indexOf(shortestUnit(range)))
            .map((value) => ({ value, title: t(value) }))}
        />
      )}
      {isOpen && (
        <RangeDialog
          bot={bot}
          zone={zone}
          range={range}
          onClose={() => setOpen(false)}
          onChosen={(chosen) => {
            setOpen(false);
            show(chosen);
          }}
        />
      )}
      {problem !== null && (
        <p class="notice range-problem" role="status">
          <Icon name="warning" />
          {problem === 'unreadable' ? frame('rangeUnreadable') : frame(problem)}{' '}
          {frame('rangeShown', { count: rangeOf(query, zone, Date.now()).days ?? daysDefault })}
        </p>
      )}
    </>
  );
}

/** The name of a range, or its days. */
function rangeTitle({ from, to, days, name }: Range): string {
  if (name !== null) return t(name);
  if (days === null) return format.days(from, to);
  return days === 1 ? frame('today') : frame('lastDays', { count: days });
}
