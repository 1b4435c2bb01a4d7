/** Messages sent on LINE, by LINE's days and kinds. */
import { resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { Chart, dayLabels } from '../../components/chart.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { kindColour, kindTitle, lineKinds } from '../../format/line-kinds.ts';
import type { Range } from '../../format/range.ts';
import { t } from '../../texts/messages.ts';

type LineDeliveries = Schema['LineDeliveries'];

export function ByKind({ botId, range }: { botId: string; range: Range }) {
  const query = { from: range.from, to: range.to };
  const live = useLive(resource('/api/v1/bots/{botId}/line/deliveries', { path: { botId }, query }));
  return (
    <Loaded live={live} shape="chart">
      {(answer) => <Kinds answer={answer} />}
    </Loaded>
  );
}

function Kinds({ answer: { from, to, days } }: { answer: LineDeliveries }) {
  const kinds = inOrder([...new Set(days.flatMap((day) => day.kinds.map(({ kind }) => kind)))]);
  const byGateway = days.filter(({ source }) => source === 'gateway').length;
  const withoutData = days.filter(({ source }) => source === null).length;
  const note = [
    t('byKindNote'),
    ...(byGateway > 0 ? [t('byGateway', { count: byGateway })] : []),
    ...(withoutData > 0 && withoutData < days.length ? [t('withoutData', { count: withoutData })] : []),
  ].join(' ');
  if (kinds.length === 0) {
    return (
      <Card title={t('byKind')} note={t('byKindNote')}>
        <Empty title={t('noKinds')}>{t('noKindsHint')}</Empty>
      </Card>
    );
  }
  return (
    <Chart
      title={t('byKind')}
      note={note}
      kind="bars"
      labels={dayLabels(days.map(({ day }) => day))}
      series={kinds.map((kind) => ({
        key: kind,
        title: kindTitle(kind),
        colour: kindColour(kinds.indexOf(kind)),
        values: days.map((day) => countOf(day, kind)),
      }))}
      fileName={`line-kinds-${from}-${to}`}
    />
  );
}

/** A kind that a day with data does not list is 0; a day without data is unknown. */
function countOf({ source, kinds }: LineDeliveries['days'][number], name: string): number | null {
  const match = kinds.find(({ kind }) => kind === name);
  if (match) return match.messages;
  return source === null ? null : 0;
}

function inOrder(kinds: readonly string[]): readonly string[] {
  const position = (kind: string): number => lineKinds.indexOf(kind) + 1 || lineKinds.length + 1;
  return [...kinds].sort((one, other) => position(one) - position(other) || one.localeCompare(other));
}
