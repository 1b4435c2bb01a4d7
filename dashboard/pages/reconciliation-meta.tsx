/** Shoal's count of a Meta channel and Meta's own, by day. All numbers come from the answer of getPlatformReconciliation. */
import { useState } from 'preact/hooks';
import { resource, type Schema } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import { Card } from '../components/card.tsx';
import { Chart, dayLabels } from '../components/chart.tsx';
import { DataTable } from '../components/data-table.tsx';
import { Segments } from '../components/segments.tsx';
import { Empty, Loaded } from '../components/states.tsx';
import { day, number, signed } from '../format/format.ts';
import { platformColour, platformTitle } from '../format/platforms.ts';
import { t as frame } from '../texts/frame.ts';
import { metaReasonNames, metaText as t } from '../texts/reconciliation-meta.ts';
import { ReconciliationCsv } from './reconciliation-csv.tsx';

export type MetaPlatform = 'facebook' | 'instagram' | 'whatsapp';
type Answer = Schema['PlatformReconciliation'];
const figureNames = ['contacts', 'newContacts', 'blocks', 'sends', 'delivered'] as const;
type FigureName = (typeof figureNames)[number];

export function MetaReconciliation({
  botId,
  platform,
  from,
  to,
}: {
  botId: string;
  platform: MetaPlatform;
  from: string;
  to: string;
}) {
  const live = useLive(
    resource('/api/v1/bots/{botId}/reconciliation/{metaPlatform}', {
      path: { botId, metaPlatform: platform },
      query: { from, to },
    }),
    { everyMs: 30_000 },
  );
  return (
    <Loaded live={live} shape="stats">
      {(answer) => <Content answer={answer} platform={platform} />}
    </Loaded>
  );
}

function Content({ answer, platform }: { answer: Answer; platform: MetaPlatform }) {
  const figures = figureNames.filter((name) => answer.figures.includes(name));
  const [chosen, setChosen] = useState<FigureName>('contacts');
  const figure = figures.find((name) => name === chosen) ?? figures[0] ?? 'contacts';
  const days = answer.days.flatMap(({ day: name, figures: counts }) => {
    const compared = counts[figure];
    return compared ? [{ day: name, ...compared }] : [];
  });
  const isEmpty = days.every(({ theirs }) => theirs === null);
  const title = t('bothByDay', { figure: t(figure), platform: platformTitle(platform) });
  return (
    <>
      <Segments
        label={t('figure')}
        value={figure}
        onChange={(name) => setChosen(name)}
        choices={figures.map((value) => ({ value, title: t(value) }))}
      />
      {isEmpty ? (
        <Card title={t(figure)}>
          <Empty title={t('noFigures')}>{t('noFiguresHint')}</Empty>
        </Card>
      ) : (
        <Chart
          title={title}
          note={t('zoneNote', { zone: answer.zone })}
          kind={figure === 'contacts' ? 'line' : 'bars'}
          isGrouped
          labels={dayLabels(days.map((one) => one.day))}
          series={[
            { key: 'own', title: t('own'), colour: 'series-1', values: days.map(({ own }) => own) },
            {
              key: 'theirs',
              title: platformTitle(platform),
              colour: platformColour(platform),
              values: days.map(({ theirs }) => theirs),
            },
          ]}
          fileName={`reconciliation-${platform}-${figure}`}
        />
      )}
      <Card
        title={t('byDay', { figure: t(figure) })}
        actions={
          <ReconciliationCsv
            title={t('byDay', { figure: t(figure) })}
            platform={platformTitle(platform)}
            fileName={`reconciliation-${platform}-${figure}-gaps`}
            days={days}
          />
        }
      >
        <DataTable
          caption={t('byDay', { figure: t(figure) })}
          rows={[...days].reverse()}
          keyOf={(one) => one.day}
          columns={[
            { key: 'day', title: frame('day'), cell: (one) => day(one.day), sortBy: (one) => one.day },
            { key: 'own', title: t('own'), isNumber: true, cell: ({ own }) => number(own) },
            {
              key: 'theirs',
              title: platformTitle(platform),
              isNumber: true,
              cell: ({ theirs }) => number(theirs),
            },
            {
              key: 'gap',
              title: t('gap'),
              isNumber: true,
              cell: ({ gap }) => (gap === null ? number(null) : signed(gap)),
            },
            {
              key: 'reasons',
              title: t('reasons'),
              cell: ({ reasons }) => (
                <span class="reason-names">
                  {reasons.map((reason) => (
                    <span key={reason} class="tag">
                      {nameOf(reason)}
                    </span>
                  ))}
                </span>
              ),
            },
          ]}
        />
      </Card>
    </>
  );
}

// A reason of a newer server keeps the server's words.
function nameOf(reason: string): string {
  const knownName = metaReasonNames.find((name) => name === reason);
  return knownName ? t(knownName) : reason;
}
