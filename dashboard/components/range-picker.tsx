/** Selects the date range of a page and keeps it in the address. */
import { useState } from 'preact/hooks';
import * as format from '../format/format.ts';
import {
  problemOfQuery,
  problemOfRange,
  queryOfRange,
  type Range,
  rangeOf,
  usualDays,
} from '../format/range.ts';
import { useAddress } from '../state/address.ts';
import { t } from '../texts/frame.ts';
import { Dialog } from './dialog.tsx';
import { TextField } from './field.tsx';
import { Icon } from './icon.tsx';

/** The range of the address, in days of the zone. */
export function useRange(zone: string): Range {
  return rangeOf(useAddress().query, zone, Date.now());
}

/** The range with its zone, for the note below a page's title. */
export function RangeNote({ range, zone }: { range: Pick<Range, 'from' | 'to'>; zone: string }) {
  return (
    <>
      {format.days(range.from, range.to)} <span class="zone">{format.zoneName(zone, Date.now())}</span>
    </>
  );
}

export function RangePicker({ zone }: { zone: string }) {
  const { query, setQuery } = useAddress();
  const range = useRange(zone);
  const problem = problemOfQuery(query);
  const [isOpen, setOpen] = useState(false);
  const choose = (days: number): void => setQuery(queryOfRange({ ...range, days }), { push: true });
  return (
    <>
      <fieldset class="segments range-picker">
        <legend class="hidden">{t('range')}</legend>
        {usualDays.map((days) => (
          <button key={days} type="button" aria-pressed={range.days === days} onClick={() => choose(days)}>
            {days === 1 ? t('today') : t('lastDays', { count: days })}
          </button>
        ))}
        <button type="button" aria-pressed={range.days === null} onClick={() => setOpen(true)}>
          {t('customRange')}
        </button>
        {isOpen && (
          <CustomRange
            range={range}
            onClose={() => setOpen(false)}
            onChosen={(from, to) => {
              setOpen(false);
              setQuery(queryOfRange({ from, to, days: null }), { push: true });
            }}
          />
        )}
      </fieldset>
      {problem !== null && (
        <p class="notice range-problem" role="status">
          <Icon name="warning" />
          {problem === 'unreadable' ? t('rangeUnreadable') : t(problem)}{' '}
          {t('rangeShown', { count: range.days ?? 0 })}
        </p>
      )}
    </>
  );
}

type CustomRangeProps = { range: Range; onClose(): void; onChosen(from: string, to: string): void };

function CustomRange({ range, onClose, onChosen }: CustomRangeProps) {
  const [from, setFrom] = useState(range.from);
  const [to, setTo] = useState(range.to);
  const [isTried, setTried] = useState(false);
  const problem = problemOfRange(from, to);
  const submit = (event: Event): void => {
    event.preventDefault();
    setTried(true);
    if (problem === null) onChosen(from, to);
  };
  return (
    <Dialog title={t('range')} onClose={onClose}>
      <form class="form" onSubmit={submit} noValidate>
        <TextField label={t('from')} type="date" value={from} onValue={setFrom} />
        <TextField
          label={t('to')}
          type="date"
          value={to}
          error={isTried && problem !== null ? t(problem) : null}
          onValue={setTo}
        />
        <button type="submit" class="button button-main">
          {t('apply')}
        </button>
      </form>
    </Dialog>
  );
}
