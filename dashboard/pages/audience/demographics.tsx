/** LINE's demographics of the account's friends: shares in percent, without people. */
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

/** LINE updates it once a day. */
const everyMs = 60_000;

export function Demographics({ botId }: { botId: string }) {
  const live = useLive(resource('/api/v1/bots/{botId}/line/demographics', { path: { botId } }), { everyMs });
  return <Loaded live={live}>{(answer) => <Shares answer={answer} />}</Loaded>;
}

function Shares({ answer }: { answer: Schema['LineDemographics'] }) {
  if (answer.day === null) return <None title={t('notAsked')}>{t('notAskedHint')}</None>;
  if (!answer.available) return <None title={t('notAvailable')}>{t('notAvailableHint')}</None>;
  const sourceOf = (name: string): Pick<ChartProps, 'note' | 'fileName'> => ({
    note: t('lineAsOf', { day: day(answer.day ?? '') }),
    fileName: `line-${name}-${answer.day}`,
  });
  return (
    <>
      <div class="columns">
        <Ring
          title={t('gender')}
          shares={restLast(answer.genders ?? [])}
          titleOf={genderTitle}
          {...sourceOf('gender')}
        />
        <Ring
          title={t('app')}
          shares={restLast(answer.appTypes ?? [])}
          titleOf={appTitle}
          {...sourceOf('app')}
        />
        <Rows
          title={t('friendship')}
          shares={inOrder(answer.subscriptionPeriods ?? [])}
          titleOf={periodTitle}
          {...sourceOf('friendship')}
        />
        <Rows title={t('age')} shares={inOrder(answer.ages ?? [])} titleOf={ageTitle} {...sourceOf('age')} />
      </div>
      <Rows
        title={t('area')}
        shares={restLast(answer.areas ?? [])}
        titleOf={areaTitle}
        {...sourceOf('area')}
      />
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

/** True for the share without a specific value. */
function isRest(key: string): boolean {
  return key === 'unknown' || key === 'others';
}

/** Sorted by the years or days at which each share starts. */
function inOrder(shares: readonly Share[]): readonly Share[] {
  return [...shares].sort((one, other) => startOf(one.key) - startOf(other.key));
}

/** In LINE's order, with the rest last. */
function restLast(shares: readonly Share[]): readonly Share[] {
  return [...shares].sort((one, other) => Number(isRest(one.key)) - Number(isRest(other.key)));
}
