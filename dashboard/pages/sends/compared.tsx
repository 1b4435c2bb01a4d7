/** Compares the sends with figures from LINE, from the oldest to the newest. */
import { dayOf } from '../../../src/time.ts';
import { Chart } from '../../components/chart.tsx';
import { dateTime, shortDay } from '../../format/format.ts';
import { kindTitle } from '../../format/line-kinds.ts';
import { t } from '../../texts/sends.ts';
import type { Send } from './send.ts';

type ComparedProps = { sends: readonly Send[]; zone: string; fileName: string };

const figures = ['delivered', 'opened', 'clicked'] as const;

export function Compared({ sends, zone, fileName }: ComparedProps) {
  const oldestFirst = [...sends].reverse();
  return (
    <Chart
      title={t('compared')}
      note={t('comparedNote')}
      kind="bars"
      isGrouped
      labels={oldestFirst.map(({ requestId, sentAt, kind }) => ({
        key: `${sentAt} ${requestId}`,
        text: `${dateTime(sentAt, zone)} ${kindTitle(kind)}`,
        short: shortDay(dayOf(Date.parse(sentAt), zone)),
      }))}
      labelTitle={t('send')}
      series={figures.map((figure, index) => ({
        key: figure,
        title: t(figure),
        colour: `series-${index + 1}`,
        values: oldestFirst.map((send) => send[figure]),
      }))}
      fileName={fileName}
    />
  );
}
