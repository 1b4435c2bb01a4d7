/** Who the friends on LINE are, as LINE tells it: shares in percent, never people. */
import type { ComponentChildren } from 'preact';
import { resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { Chart, type ChartProps } from '../../components/chart.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { day, share } from '../../format/format.ts';
import { t } from '../../texts/audience.ts';
import { ageTitle, appTitle, areaTitle, genderTitle, periodTitle, startOf } from './shares.ts';

type Share = Schema['Share'];

/** LINE tells it anew once a day. */
const everyMs = 60_000;

export function Demographics({ botId }: { botId: string }) {
  const live = useLive(resource('/api/v1/bots/{botId}/line/demographics', { path: { botId } }), { everyMs });
  return <Loaded live={live}>{(told) => <Told told={told} />}</Loaded>;
}

function Told({ told }: { told: Schema['LineDemographics'] }) {
  if (told.day === null) return <None title={t('notAsked')}>{t('notAskedHint')}</None>;
  if (!told.available) return <None title={t('notAvailable')}>{t('notAvailableHint')}</None>;
  const as = (name: string): Pick<ChartProps, 'note' | 'fileName'> => ({
    note: t('lineAsOf', { day: day(told.day ?? '') }),
    fileName: `line-${name}-${told.day}`,
  });
  return (
    <>
      <div class="columns">
        <Ring
          title={t('gender')}
          shares={restLast(told.genders ?? [])}
          titleOf={genderTitle}
          {...as('gender')}
        />
        <Ring title={t('app')} shares={restLast(told.appTypes ?? [])} titleOf={appTitle} {...as('app')} />
        <Rows
          title={t('friendship')}
          shares={inOrder(told.subscriptionPeriods ?? [])}
          titleOf={periodTitle}
          {...as('friendship')}
        />
        <Rows title={t('age')} shares={inOrder(told.ages ?? [])} titleOf={ageTitle} {...as('age')} />
      </div>
      <Rows title={t('area')} shares={restLast(told.areas ?? [])} titleOf={areaTitle} {...as('area')} />
    </>
  );
}

function None({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <Card title={t('lineFriends')}>
      <Empty title={title}>{children}</Empty>
    </Card>
  );
}

type Part = Pick<ChartProps, 'title' | 'note' | 'fileName'> & {
  shares: readonly Share[];
  titleOf: (key: string) => string;
};

function Ring({ shares, titleOf, ...chart }: Part) {
  return (
    <Chart
      {...chart}
      kind="doughnut"
      labels={[{ key: 'share', text: t('share') }]}
      series={shares.map(({ key, percentage }, index) => ({
        key,
        title: titleOf(key),
        colour: isRest(key) ? 'line-strong' : `series-${index + 1}`,
        values: [percentage],
      }))}
      format={share}
    />
  );
}

function Rows({ shares, titleOf, ...chart }: Part) {
  return (
    <Chart
      {...chart}
      kind="rows"
      labels={shares.map(({ key }) => ({ key: titleOf(key), text: titleOf(key) }))}
      labelTitle={chart.title}
      series={[
        {
          key: 'share',
          title: t('share'),
          colour: 'series-1',
          values: shares.map(({ percentage }) => percentage),
        },
      ]}
      format={share}
    />
  );
}

/** What is nobody's in particular. */
function isRest(key: string): boolean {
  return key === 'unknown' || key === 'others';
}

/** From the least years, or days, on. */
function inOrder(shares: readonly Share[]): readonly Share[] {
  return [...shares].sort((one, other) => startOf(one.key) - startOf(other.key));
}

/** As LINE has them, but for the rest. */
function restLast(shares: readonly Share[]): readonly Share[] {
  return [...shares].sort((one, other) => Number(isRest(one.key)) - Number(isRest(other.key)));
}
