/** The dialog that selects a date range: usual ranges, a calendar, or two typed days. */
import { useState } from 'preact/hooks';
import { addDays, dayOf } from '../../src/time.ts';
import { useAction } from '../api/action.ts';
import { api, bodyOf } from '../api/client.ts';
import {
  daysMax,
  daysOf,
  isDay,
  namedRanges,
  problemOfRange,
  type Range,
  usualDays,
} from '../format/range.ts';
import type { Bot } from '../state/bots.ts';
import { t as frame } from '../texts/frame.ts';
import { t } from '../texts/range.ts';
import { Calendar } from './calendar.tsx';
import { Dialog } from './dialog.tsx';
import { TextField } from './field.tsx';
import { ErrorNote } from './states.tsx';

export type RangeDialogProps = {
  bot: Bot;
  zone: string;
  range: Range;
  onClose(): void;
  onChosen(range: Range): void;
};

export function RangeDialog({ bot, zone, range, onClose, onChosen }: RangeDialogProps) {
  return (
    <Dialog title={frame('range')} onClose={onClose}>
      <div class="range-dialog">
        <Presets bot={bot} zone={zone} range={range} onChosen={onChosen} />
        <CustomRange range={range} zone={zone} onChosen={onChosen} />
      </div>
    </Dialog>
  );
}

function Presets({ bot, zone, range, onChosen }: Omit<RangeDialogProps, 'onClose'>) {
  const today = dayOf(Date.now(), zone);
  const { run, isBusy, error } = useAction(async () => {
    const { firstDay } = await bodyOf(
      api.GET('/api/v1/bots/{botId}/figures', { params: { path: { botId: bot.botId } } }),
    );
    const earliest = addDays(today, 1 - daysMax);
    const from = firstDay === null || firstDay > today ? today : firstDay;
    onChosen({ from: from < earliest ? earliest : from, to: today, days: null, name: 'all' });
  });
  return (
    <div class="range-presets">
      {usualDays.map((days) => (
        <button
          key={days}
          type="button"
          aria-pressed={range.days === days}
          onClick={() => onChosen({ from: addDays(today, 1 - days), to: today, days, name: null })}
        >
          {days === 1 ? frame('today') : frame('lastDays', { count: days })}
        </button>
      ))}
      {namedRanges.map((name) => (
        <button
          key={name}
          type="button"
          aria-pressed={range.name === name}
          onClick={() => onChosen({ ...daysOf(name, today), days: null, name })}
        >
          {t(name)}
        </button>
      ))}
      <button type="button" aria-pressed={range.name === 'all'} disabled={isBusy} onClick={() => void run()}>
        {t('all')}
      </button>
      {error && <ErrorNote error={error} />}
    </div>
  );
}

function CustomRange({ range, zone, onChosen }: Pick<RangeDialogProps, 'zone' | 'range' | 'onChosen'>) {
  const [from, setFrom] = useState(range.from);
  const [to, setTo] = useState(range.to);
  /** The first chosen day, while the calendar waits for the second one. */
  const [start, setStart] = useState<string | null>(null);
  const [isTried, setTried] = useState(false);
  const problem = problemOfRange(from, to);
  const choose = (day: string): void => {
    setStart(start === null ? day : null);
    setFrom(start === null || day < start ? day : start);
    setTo(start === null || day > start ? day : start);
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    setTried(true);
    if (problem === null) onChosen({ from, to, days: null, name: null });
  };
  return (
    <form class="form" onSubmit={submit} noValidate>
      <Calendar
        from={from}
        to={to}
        shown={isDay(to) ? to : range.to}
        today={dayOf(Date.now(), zone)}
        onChosen={choose}
      />
      <div class="range-fields">
        <TextField label={frame('from')} type="date" value={from} onValue={setFrom} />
        <TextField
          label={frame('to')}
          type="date"
          value={to}
          error={isTried && problem !== null ? frame(problem) : null}
          onValue={setTo}
        />
      </div>
      <button type="submit" class="button button-main">
        {frame('apply')}
      </button>
    </form>
  );
}
