/** Points of all contacts: earned, spent, expired and outstanding by period, and the points that will expire. */
import { addDays, dayOf } from '../../src/time.ts';
import { resource, type Schema, urlOf } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import { Card } from '../components/card.tsx';
import { Chart, dayLabels, periodLabels, periodTitle } from '../components/chart.tsx';
import { Icon } from '../components/icon.tsx';
import { PageFrame } from '../components/page.tsx';
import { RangeNote, RangePicker, useRange } from '../components/range-picker.tsx';
import { Segments } from '../components/segments.tsx';
import { Stat, Stats } from '../components/stat.tsx';
import { Empty, Loaded } from '../components/states.tsx';
import { days, number, signed } from '../format/format.ts';
import type { Range } from '../format/range.ts';
import { useAddress } from '../state/address.ts';
import type { PageProps } from '../state/bots.ts';
import { may } from '../state/session.ts';
import { t as frame } from '../texts/frame.ts';
import { t } from '../texts/points.ts';

type PointSeries = Schema['PointSeries'];

export default function PointsPage({ bot }: PageProps) {
  const range = useRange(bot.timeZone);
  const { from, to, by } = range;
  const path = { botId: bot.botId };
  const live = useLive(resource('/api/v1/bots/{botId}/points/series', { path, query: { from, to, by } }));
  return (
    <PageFrame
      title={frame('points')}
      note={<RangeNote range={range} zone={bot.timeZone} />}
      actions={<RangePicker bot={bot} isGrouped />}
    >
      <Loaded live={live} shape="stats">
        {(answer) => (
          <>
            <Totals answer={answer} />
            <ByPeriod answer={answer} range={range} />
          </>
        )}
      </Loaded>
      <Expiring bot={bot} />
      {may('write') && (
        <Card title={t('entries')} note={t('entriesNote')}>
          <p>
            <a
              class="button"
              href={urlOf('/api/v1/bots/{botId}/exports/{what}', {
                path: { ...path, what: 'points' },
                query: { format: 'csv', bom: true, from, to },
              })}
              download="points.csv"
            >
              <Icon name="download" />
              {t('exportEntries')}
            </a>
          </p>
        </Card>
      )}
    </PageFrame>
  );
}

function Totals({ answer: { before, totals } }: { answer: PointSeries }) {
  return (
    <Stats shape="tight">
      <Stat title={t('outstanding')} value={totals.outstanding}>
        <span class="note">{t('before', { points: number(before) })}</span>
      </Stat>
      <Stat title={t('earned')} value={totals.earned} />
      <Stat title={t('spent')} value={totals.spent} />
      <Stat title={t('expired')} value={totals.expired} />
      <Stat title={t('corrected')} value={totals.corrected} format={signed}>
        <span class="note">{t('correctedNote')}</span>
      </Stat>
    </Stats>
  );
}

const movements = [
  { key: 'earned', colour: 'series-3' },
  { key: 'spent', colour: 'series-1' },
  { key: 'expired', colour: 'series-2' },
  { key: 'corrected', colour: 'series-6' },
] as const;

type ByPeriodProps = { answer: PointSeries; range: Range };

function ByPeriod({ answer, range }: ByPeriodProps) {
  const labels = periodLabels(answer);
  const labelTitle = periodTitle(answer);
  const isUnchanged = answer.periods.every((period) => movements.every(({ key }) => period[key] === 0));
  // Corrections are rare: the chart omits them if there are none.
  const visible = movements.filter(
    ({ key }) => key !== 'corrected' || answer.periods.some((one) => one[key] !== 0),
  );
  if (isUnchanged && answer.before === 0) {
    return (
      <Card title={t('moved')}>
        <Empty title={t('noPoints')}>{t('noPointsHint')}</Empty>
      </Card>
    );
  }
  return (
    <>
      <Chart
        title={t('moved')}
        kind="bars"
        isGrouped
        labels={labels}
        labelTitle={labelTitle}
        series={visible.map(({ key, colour }) => ({
          ...{ key, colour, title: t(key) },
          values: answer.periods.map((period) => period[key]),
        }))}
        fileName={`points-${range.from}-${range.to}`}
      />
      <Chart
        title={t('outstanding')}
        note={t('outstandingNote')}
        kind="line"
        labels={labels}
        labelTitle={labelTitle}
        series={[
          {
            ...{ key: 'outstanding', title: t('outstanding'), colour: 'accent' },
            values: answer.periods.map(({ outstanding }) => outstanding),
          },
        ]}
        fileName={`points-outstanding-${range.from}-${range.to}`}
      />
    </>
  );
}

const aheadChoices = [30, 90, 365] as const;

/** The points that expire from today on. */
function Expiring({ bot: { botId, timeZone } }: PageProps) {
  const address = useAddress();
  const ahead = aheadChoices.find((count) => String(count) === address.query.ahead) ?? 30;
  const today = dayOf(Date.now(), timeZone);
  const query = { from: today, to: addDays(today, ahead - 1) };
  const live = useLive(resource('/api/v1/bots/{botId}/points/expiring', { path: { botId }, query }), {
    everyMs: 60_000,
  });
  const choice = (
    <Segments
      label={t('ahead')}
      value={String(ahead)}
      onChange={(chosen) => address.setQuery({ ahead: chosen === '30' ? null : chosen })}
      choices={aheadChoices.map((count) => ({
        value: String(count),
        title: frame('lastDays', { count }),
      }))}
    />
  );
  return (
    <Loaded live={live} shape="chart">
      {({ from, to, expiring }) =>
        expiring.length === 0 ? (
          <Card title={t('expiring')} note={days(from, to)} actions={choice}>
            <Empty title={t('noneExpiring')} />
          </Card>
        ) : (
          <Chart
            title={t('expiring')}
            note={t('expiringNote', { days: days(from, to) })}
            kind="bars"
            isGrouped
            labels={dayLabels(expiring.map(({ day }) => day))}
            series={[
              {
                ...{ key: 'points', title: frame('points'), colour: 'series-2' },
                values: expiring.map(({ points }) => points),
              },
              {
                ...{ key: 'contacts', title: frame('contacts'), colour: 'series-5', isTableOnly: true },
                values: expiring.map(({ contacts }) => contacts),
              },
            ]}
            fileName={`points-expiring-${from}-${to}`}
            actions={choice}
          />
        )
      }
    </Loaded>
  );
}
