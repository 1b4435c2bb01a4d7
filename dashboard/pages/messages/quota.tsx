/** LINE's monthly quota: the used part, and the expected use at the end of the month. */
import { addDays, daysBetween, lineZone } from '../../../src/time.ts';
import { resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Bar } from '../../components/bar-list.tsx';
import { Card } from '../../components/card.tsx';
import { Chart, type ChartSeries, dayLabels } from '../../components/chart.tsx';
import { Icon } from '../../components/icon.tsx';
import { Stat, Stats } from '../../components/stat.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { day as formatDay, number, percent, zoneName } from '../../format/format.ts';
import { t } from '../../texts/messages.ts';

type LineQuota = Schema['LineQuota'];

/** LINE updates it once a day. */
const everyMs = 60_000;

export function Quota({ botId }: { botId: string }) {
  const live = useLive(resource('/api/v1/bots/{botId}/line/quota', { path: { botId } }), { everyMs });
  return (
    <Loaded live={live} shape="chart">
      {(quota) => (quota.used === null ? <NoQuota /> : <Usage quota={quota} />)}
    </Loaded>
  );
}

function NoQuota() {
  return (
    <Card title={t('quota')}>
      <Empty title={t('quotaNotAsked')}>{t('quotaNotAskedHint')}</Empty>
    </Card>
  );
}

function Usage({ quota: answer }: { quota: LineQuota }) {
  const { quota, used, day, month, expectedAtMonthEnd } = answer;
  const note = [
    ...(day === null ? [] : [t('quotaAsOf', { day: formatDay(day) })]),
    zoneName(lineZone, Date.now()),
  ].join(' · ');
  return (
    <div class="stats-with-chart">
      <section aria-label={t('quota')}>
        <Stats>
          <Stat title={t('used')} value={used}>
            {quota !== null && used !== null && quota > 0 && (
              <>
                <Bar share={used / quota} />
                <span class="note">
                  {t('ofQuota', { share: percent(used / quota), quota: number(quota) })}
                </span>
              </>
            )}
            {quota === null && <span class="note">{t('noLimit')}</span>}
          </Stat>
          <Stat title={t('expected')} value={expectedAtMonthEnd}>
            <Forecast expected={expectedAtMonthEnd} quota={quota} />
          </Stat>
        </Stats>
      </section>
      <Chart
        title={t('usedByDay')}
        note={note}
        kind="line"
        fromZero
        labels={dayLabels(daysOf(month))}
        series={linesOf(answer)}
        fileName={`line-quota-${month}`}
      />
    </div>
  );
}

function Forecast({ expected, quota }: { expected: number | null; quota: number | null }) {
  if (expected === null) return <span class="note">{t('expectedUnknown')}</span>;
  if (quota === null) return <span class="note">{t('expectedNote')}</span>;
  const isOver = expected > quota;
  return (
    <span class={`change change-${isOver ? 'bad' : 'good'}`}>
      <Icon name={isOver ? 'warning' : 'check'} />
      {isOver ? t('over', { count: expected - quota }) : t('within', { quota: number(quota) })}
    </span>
  );
}

function linesOf({ quota, days, month, expectedAtMonthEnd }: LineQuota): ChartSeries[] {
  const all = daysOf(month);
  const used = new Map(days.map((day) => [day.day, day.used]));
  const lastReportedDay = days.findLast((day) => day.used !== null)?.day;
  const expected = all.map((day, index) => {
    if (day === lastReportedDay) return used.get(day) ?? null;
    return index === all.length - 1 ? expectedAtMonthEnd : null;
  });
  return [
    {
      key: 'used',
      title: t('used'),
      colour: 'platform-line',
      values: all.map((day) => used.get(day) ?? null),
    },
    ...(expectedAtMonthEnd === null
      ? []
      : [{ key: 'expected', title: t('expected'), colour: 'series-2', values: expected, isDashed: true }]),
    ...(quota === null
      ? []
      : [{ key: 'quota', title: t('quotaOfMonth'), colour: 'series-5', values: all.map(() => quota) }]),
  ];
}

/** All days of a month, `2026-03`. */
function daysOf(month: string): string[] {
  const next = addDays(`${month}-28`, 4).slice(0, 7);
  return daysBetween(`${month}-01`, addDays(`${next}-01`, -1));
}
