/** MantaGo's figures and Shoal's, one comparison after the other. All numbers come from the answer of listMantagoComparisons. */
import { useState } from 'preact/hooks';
import { isGapReason } from '../../src/mantago/gap-reasons.ts';
import { useAction } from '../api/action.ts';
import { api, bodyOf, resource, type Schema } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import { Card } from '../components/card.tsx';
import { Chart } from '../components/chart.tsx';
import { DataTable } from '../components/data-table.tsx';
import { SelectField } from '../components/field.tsx';
import { Empty, ErrorNote, Loaded } from '../components/states.tsx';
import { showToast } from '../components/toast.tsx';
import { dateTime, number, signed, unknown } from '../format/format.ts';
import type { PageProps } from '../state/bots.ts';
import { may } from '../state/session.ts';
import { comparisonText as t } from '../texts/mantago-comparison.ts';

type Comparison = Schema['MantagoComparison'];
type Figure = Comparison['figures'][number];

const shownMax = 60;

export function MantagoReconciliation({ bot }: PageProps) {
  const path = { botId: bot.botId };
  const live = useLive(
    resource('/api/v1/bots/{botId}/mantago/comparisons', { path, query: { limit: shownMax } }),
    { everyMs: 30_000 },
  );
  const state = useLive(resource('/api/v1/bots/{botId}/mantago', { path }), { everyMs: 30_000 });
  return (
    <>
      {state.value && <Watching bot={bot} state={state.value} changed={state.reload} />}
      <Loaded live={live} shape="stats">
        {({ comparisons }) => {
          const [latest] = comparisons;
          return latest ? (
            <Content bot={bot} latest={latest} comparisons={comparisons} />
          ) : (
            <Card title="MantaGo">
              <Empty title={t('none')}>{t('noneHint')}</Empty>
            </Card>
          );
        }}
      </Loaded>
    </>
  );
}

function Watching({ bot, state, changed }: PageProps & { state: Schema['MantagoState']; changed(): void }) {
  const { watch } = state;
  const params = { path: { botId: bot.botId } };
  const switching = useAction(async () => {
    if (watch === null) await bodyOf(api.PUT('/api/v1/bots/{botId}/mantago/watch', { params, body: {} }));
    else await api.DELETE('/api/v1/bots/{botId}/mantago/watch', { params });
    showToast(t(watch === null ? 'watched' : 'unwatched'));
    changed();
  });
  if (!may('admin') || state.import === null) return null;
  return (
    <div class="reconciled">
      <button type="button" class="button" disabled={switching.isBusy} onClick={() => void switching.run()}>
        {t(watch === null ? 'watch' : 'unwatch')}
      </button>
      {watch && <span class="note">{t('next', { at: dateTime(watch.nextAt, bot.timeZone) })}</span>}
      {watch?.problem && <span class="note">{watch.problem}</span>}
      {switching.error && <ErrorNote error={switching.error} />}
    </div>
  );
}

type ContentProps = PageProps & { latest: Comparison; comparisons: readonly Comparison[] };

function Content({ bot, latest, comparisons }: ContentProps) {
  const numbers = latest.figures.filter(({ theirs }) => typeof theirs === 'number');
  const [chosen, setChosen] = useState('clients/analysis lineFollowers');
  const figure = numbers.find((one) => keyOf(one) === chosen) ?? numbers[0];
  const { beyond, tolerance, figures, comparedAt } = latest;
  const series = [...comparisons].reverse();
  const valuesOf = (side: 'ours' | 'theirs') =>
    series.map((one) => {
      const value = one.figures.find((other) => figure && keyOf(other) === keyOf(figure))?.[side];
      return typeof value === 'number' ? value : null;
    });
  return (
    <>
      <p class="note">
        {t('beyond', { beyond: number(beyond), all: number(figures.length), tolerance: number(tolerance) })}
      </p>
      {figure && (
        <>
          <SelectField
            label={t('figure')}
            value={keyOf(figure)}
            onValue={setChosen}
            choices={numbers.map((one) => ({ value: keyOf(one), title: keyOf(one) }))}
          />
          <Chart
            title={t('series', { figure: figure.figure })}
            kind="line"
            labels={series.map(({ comparedAt: key }) => ({ key, text: dateTime(key, bot.timeZone) }))}
            series={[
              { key: 'ours', title: t('ours'), colour: 'series-1', values: valuesOf('ours') },
              { key: 'theirs', title: t('theirs'), colour: 'series-2', values: valuesOf('theirs') },
            ]}
            fileName="mantago-comparison"
          />
        </>
      )}
      <Card title={t('latest')} note={dateTime(comparedAt, bot.timeZone)}>
        <DataTable
          caption={t('latest')}
          rows={figures}
          keyOf={keyOf}
          columns={[
            { key: 'call', title: t('call'), cell: ({ call }) => call, sortBy: ({ call }) => call },
            { key: 'figure', title: t('figure'), cell: (one) => one.figure, sortBy: (one) => one.figure },
            { key: 'ours', title: t('ours'), isNumber: true, cell: ({ ours }) => shown(ours) },
            { key: 'theirs', title: t('theirs'), isNumber: true, cell: ({ theirs }) => shown(theirs) },
            {
              key: 'gap',
              title: t('gap'),
              isNumber: true,
              cell: (one) => <Gap figure={one} />,
              sortBy: ({ percent }) => percent,
            },
            { key: 'reason', title: t('reason'), cell: ({ reason }) => nameOf(reason) },
          ]}
        />
      </Card>
    </>
  );
}

function Gap({ figure: { gap, isBeyond } }: { figure: Figure }) {
  return <span class={isBeyond ? 'gap-some' : 'gap-none'}>{gap === null ? unknown : signed(gap)}</span>;
}

function keyOf({ call, figure }: Figure): string {
  return `${call} ${figure}`;
}

function shown(value: Figure['ours']): string {
  if (value === null) return unknown;
  return typeof value === 'number' ? number(value) : String(value);
}

// A reason of a newer server keeps the server's word.
function nameOf(reason: string | null): string {
  return isGapReason(reason) ? t(reason) : (reason ?? '');
}
