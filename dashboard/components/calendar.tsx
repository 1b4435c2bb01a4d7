/**
 * A month of days to select from. The keys are those of the grid pattern: arrows move by a day or a week, Home and End within the
 * week, Page Up and Page Down by a month, Enter or Space selects.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { addDays, daysBetween } from '../../src/time.ts';
import { longDay, month as monthTitle, weekday } from '../format/format.ts';
import { monthOf } from '../format/range.ts';
import { t } from '../texts/range.ts';
import { Icon } from './icon.tsx';

export type CalendarProps = {
  /** The selected days, both included. */
  from: string;
  to: string;
  /** The day whose month is visible at first. */
  shown: string;
  today: string;
  onChosen(day: string): void;
};

export function Calendar({ from, to, shown, today, onChosen }: CalendarProps) {
  const [active, setActive] = useState(shown);
  const grid = useRef<HTMLTableElement>(null);
  /** The day of the next key. A key can be pressed before the focus has moved. */
  const place = useRef(shown);
  /** Set by keys: the active day then takes the focus. */
  const hasMoved = useRef(false);
  useEffect(() => {
    // After a later key, the next render moves the focus.
    if (!hasMoved.current || active !== place.current) return;
    hasMoved.current = false;
    grid.current?.querySelector<HTMLElement>('button[tabindex="0"]')?.focus();
  }, [active]);
  // A typed day moves the calendar.
  useEffect(() => setActive(shown), [shown]);
  const { from: first, to: last } = monthOf(active, 0);
  const start = addDays(first, 1 - weekdayOf(first));
  const weeks = Math.ceil(daysBetween(start, last).length / 7);
  const choose = (day: string): void => {
    place.current = day;
    hasMoved.current = true;
    setActive(day);
    onChosen(day);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const isChoice = event.key === 'Enter' || event.key === ' ';
    const target = isChoice ? place.current : targetOf(event.key, place.current);
    if (target === null) return;
    event.preventDefault();
    if (isChoice) choose(target);
    place.current = target;
    hasMoved.current = true;
    setActive(target);
  };
  const onFocus = ({ target }: FocusEvent): void => {
    if (target instanceof HTMLElement && target.dataset.day) place.current = target.dataset.day;
  };
  const classOf = (day: string): string =>
    [
      'calendar-day',
      ...(day >= from && day <= to ? ['calendar-within'] : []),
      ...(day === from || day === to ? ['calendar-end'] : []),
      ...(day < first || day > last ? ['calendar-other'] : []),
    ].join(' ');
  return (
    <div class="calendar">
      <div class="calendar-head">
        <MonthButton icon="left" label={t('monthBefore')} onClick={() => setActive(moved(active, -1))} />
        <span aria-live="polite">{monthTitle(first)}</span>
        <MonthButton icon="right" label={t('monthAfter')} onClick={() => setActive(moved(active, 1))} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a calendar is a grid */}
      <table ref={grid} role="grid" aria-label={monthTitle(first)} onKeyDown={onKeyDown} onFocusIn={onFocus}>
        <thead>
          <tr>
            {[1, 2, 3, 4, 5, 6, 7].map((number) => (
              <th key={number} scope="col">
                {weekday(number)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: weeks }, (_, week) => (
            <tr key={week}>
              {daysBetween(addDays(start, week * 7), addDays(start, week * 7 + 6)).map((day) => (
                // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a cell of the grid
                // biome-ignore lint/a11y/useFocusableInteractive: its button takes the focus
                <td key={day} role="gridcell" aria-selected={day >= from && day <= to}>
                  <button
                    type="button"
                    class={classOf(day)}
                    data-day={day}
                    tabIndex={day === active ? 0 : -1}
                    aria-label={longDay(day)}
                    aria-current={day === today ? 'date' : undefined}
                    onClick={() => choose(day)}
                  >
                    {Number(day.slice(8))}
                  </button>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function MonthButton({ icon, label, onClick }: { icon: 'left' | 'right'; label: string; onClick(): void }) {
  return (
    <button type="button" class="button button-quiet" aria-label={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

function targetOf(key: string, day: string): string | null {
  switch (key) {
    case 'ArrowLeft':
      return addDays(day, -1);
    case 'ArrowRight':
      return addDays(day, 1);
    case 'ArrowUp':
      return addDays(day, -7);
    case 'ArrowDown':
      return addDays(day, 7);
    case 'Home':
      return addDays(day, 1 - weekdayOf(day));
    case 'End':
      return addDays(day, 7 - weekdayOf(day));
    case 'PageUp':
      return moved(day, -1);
    case 'PageDown':
      return moved(day, 1);
    default:
      return null;
  }
}

/** The same date in another month, or its last day. */
function moved(day: string, months: number): string {
  const { from, to } = monthOf(day, months);
  const sameDate = addDays(from, Number(day.slice(8)) - 1);
  return sameDate < to ? sameDate : to;
}

/** 1 (Monday) to 7 (Sunday). */
function weekdayOf(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay() || 7;
}
