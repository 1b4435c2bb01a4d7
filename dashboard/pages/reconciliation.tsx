/**
 * Shoal's count of a LINE channel and LINE's own, by day in UTC+9, with the gap and its possible reasons. All numbers come from the
 * answer of getReconciliation.
 */
import { useState } from 'preact/hooks';
import { lineZone } from '../../src/time.ts';
import { resource, type Schema } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import { Card } from '../components/card.tsx';
import { Chart, dayLabels } from '../components/chart.tsx';
import { DataTable } from '../components/data-table.tsx';
import { PageFrame } from '../components/page.tsx';
import { RangeNote, RangePicker, useRange } from '../components/range-picker.tsx';
import { Segments } from '../components/segments.tsx';
import { Stat, Stats } from '../components/stat.tsx';
import { Empty, Loaded } from '../components/states.tsx';
import { day, number, signed, unknown } from '../format/format.ts';
import { platformTitle } from '../format/platforms.ts';
import type { PageProps } from '../state/bots.ts';
import { t as frame } from '../texts/frame.ts';
import { reasonNames, t } from '../texts/reconciliation.ts';
import { metaText } from '../texts/reconciliation-meta.ts';
import { ReconciliationCsv } from './reconciliation-csv.tsx';
import { MantagoReconciliation } from './reconciliation-mantago.tsx';
import { type MetaPlatform, MetaReconciliation } from './reconciliation-meta.tsx';
import './reconciliation.css';

const figures = ['followers', 'blocks', 'sends'] as const;
type FigureName = (typeof figures)[number];
const platforms = ['line', 'facebook', 'instagram', 'whatsapp'] as const;
type Counterpart = 'line' | MetaPlatform | 'mantago';

type Reconciliation = Schema['Reconciliation'];
type Day = Reconciliation['days'][number];

export default function ReconciliationPage({ bot }: PageProps) {
  const range = useRange(lineZone);
  const { from, to } = range;
  const live = useLive(
    resource('/api/v1/bots/{botId}/reconciliation', { path: { botId: bot.botId }, query: { from, to } }),
    { everyMs: 30_000 },
  );
  const [figure, setFigure] = useState<FigureName>('followers');
  const [platform, setPlatform] = useState<Counterpart>('line');
  const choice = (
    <Segments
      label={metaText('platform')}
      value={platform}
      onChange={(name) => setPlatform(name)}
      choices={[
        ...platforms.map((value) => ({ value, title: platformTitle(value) })),
        { value: 'mantago' as const, title: 'MantaGo' },
      ]}
    />
  );
  if (platform === 'mantago') {
    return (
      <PageFrame title={frame('reconciliation')}>
        <div class="reconciled">{choice}</div>
        <MantagoReconciliation bot={bot} />
      </PageFrame>
    );
  }
  if (platform !== 'line') {
    return (
      <PageFrame title={frame('reconciliation')} actions={<RangePicker bot={bot} zone={lineZone} />}>
        <div class="reconciled">{choice}</div>
        <MetaReconciliation {...{ botId: bot.botId, platform, from, to }} />
      </PageFrame>
    );
  }
  return (
    <PageFrame
      title={frame('reconciliation')}
      note={<RangeNote range={range} zone={lineZone} />}
      actions={<RangePicker bot={bot} zone={lineZone} />}
    >
      <div class="reconciled">
        {choice}
        <Segments
          label={t('figure')}
          value={figure}
          onChange={(name) => setFigure(name)}
          choices={figures.map((value) => ({ value, title: t(value) }))}
        />
      </div>
      <Loaded live={live} shape="stats">
        {(answer) => <Content answer={answer} figure={figure} />}
      </Loaded>
    </PageFrame>
  );
}

function Content({ answer, figure }: { answer: Reconciliation; figure: FigureName }) {
  const { days } = answer;
  const compared = days.findLast((one) => one[figure].gap !== null);
  const isEmpty = days.every((one) => one[figure].line === null);
  return (
    <>
      {compared && <Latest compared={compared} figure={figure} />}
      {isEmpty ? (
        <Card title={t(figure)}>
          <Empty title={t('noFigures')}>{t('noFiguresHint')}</Empty>
        </Card>
      ) : (
        <Chart
          title={t('bothByDay', { figure: t(figure) })}
          note={t(`${figure}Note`)}
          kind={figure === 'sends' ? 'bars' : 'line'}
          isGrouped
          labels={dayLabels(days.map((one) => one.day))}
          series={[
            {
              key: 'own',
              title: t('own'),
              colour: 'series-1',
              values: days.map((one) => one[figure].own),
            },
            {
              key: 'line',
              title: t('line'),
              colour: 'platform-line',
              values: days.map((one) => one[figure].line),
            },
          ]}
          fileName={`reconciliation-${figure}`}
        />
      )}
      <ByDay answer={answer} figure={figure} />
    </>
  );
}

/** The last day with both counts. */
function Latest({ compared, figure }: { compared: Day; figure: FigureName }) {
  const { own, line, gap } = compared[figure];
  return (
    <section aria-label={t('asOf', { day: day(compared.day) })}>
      <Stats>
        <Stat title={t('own')} value={own} />
        <Stat title={t('line')} value={line} />
        <Stat title={t('gap')} value={gap} format={signed}>
          <span class="note">{t('gapNote')}</span>
        </Stat>
      </Stats>
      <p class="note compared">{t('asOf', { day: day(compared.day) })}</p>
    </section>
  );
}

function ByDay({ answer, figure }: { answer: Reconciliation; figure: FigureName }) {
  const reasons = [...new Set(answer.days.flatMap((one) => one[figure].reasons))];
  return (
    <Card
      title={t('byDay', { figure: t(figure) })}
      note={t('byDayNote')}
      actions={
        <ReconciliationCsv
          title={t('byDay', { figure: t(figure) })}
          platform={t('line')}
          fileName={`reconciliation-${figure}-gaps`}
          days={answer.days.map((one) => ({
            ...one[figure],
            ...{ day: one.day, theirs: one[figure].line },
            ...(figure === 'followers' && { friendsBefore: one.friendsBefore }),
          }))}
        />
      }
    >
      <DataTable
        caption={t('byDay', { figure: t(figure) })}
        rows={[...answer.days].reverse()}
        keyOf={(one) => one.day}
        columns={[
          { key: 'day', title: frame('day'), cell: (one) => day(one.day), sortBy: (one) => one.day },
          {
            key: 'own',
            title: t('own'),
            isNumber: true,
            cell: (one) => number(one[figure].own),
            sortBy: (one) => one[figure].own,
          },
          {
            key: 'line',
            title: t('line'),
            isNumber: true,
            cell: (one) => number(one[figure].line),
            sortBy: (one) => one[figure].line,
          },
          {
            key: 'gap',
            title: t('gap'),
            isNumber: true,
            cell: (one) => <Gap gap={one[figure].gap} />,
            sortBy: (one) => one[figure].gap,
          },
          ...(figure === 'followers'
            ? [
                {
                  key: 'before',
                  title: t('friendsBefore'),
                  isNumber: true,
                  cell: (one: Day) => number(one.friendsBefore),
                  sortBy: (one: Day) => one.friendsBefore,
                },
              ]
            : []),
          {
            key: 'reasons',
            title: t('reasons'),
            cell: (one) => <Reasons reasons={one[figure].reasons} />,
          },
        ]}
      />
      {reasons.length > 0 && (
        <dl class="reasons">
          {reasons.map((reason) => (
            <div key={reason}>
              <dt>{nameOf(reason)}</dt>
              <dd class="note">{meaningOf(reason, answer)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Card>
  );
}

function Gap({ gap }: { gap: number | null }) {
  if (gap === null) return <>{unknown}</>;
  return <span class={gap === 0 ? 'gap-none' : 'gap-some'}>{signed(gap)}</span>;
}

function Reasons({ reasons }: { reasons: readonly string[] }) {
  return (
    <span class="reason-names">
      {reasons.map((reason) => (
        <span key={reason} class={`tag ${reason === 'unexplained' ? 'tag-warn' : ''}`}>
          {nameOf(reason)}
        </span>
      ))}
    </span>
  );
}

// A reason of a newer server keeps the server's words.
function nameOf(reason: string): string {
  const knownName = reasonNames.find((name) => name === reason);
  return knownName ? t(knownName) : reason;
}

function meaningOf(reason: string, { reasons }: Reconciliation): string {
  const knownName = reasonNames.find((name) => name === reason);
  return knownName ? t(`${knownName}-meaning`) : (reasons[reason] ?? '');
}
