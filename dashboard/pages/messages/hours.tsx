/** Messages by weekday and hour, of one platform or of all. */
import { useState } from 'preact/hooks';
import { resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { CsvButton } from '../../components/csv-button.tsx';
import { HeatMap } from '../../components/heat-map.tsx';
import { PlatformChoice } from '../../components/platform-choice.tsx';
import { Segments } from '../../components/segments.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { weekday as weekdayTitle, zoneName } from '../../format/format.ts';
import type { Range } from '../../format/range.ts';
import type { PlatformOrAll } from '../../state/overview.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/messages.ts';
import { t as figureTexts } from '../../texts/overview.ts';

type Direction = 'inbound' | 'outbound';
const weekdays = [1, 2, 3, 4, 5, 6, 7];
const hoursOfDay = Array.from({ length: 24 }, (_, hour) => hour);
/** Weekly patterns change slowly. */
const everyMs = 30_000;

export function Hours({ botId, range }: { botId: string; range: Range }) {
  const query = { from: range.from, to: range.to };
  const live = useLive(resource('/api/v1/bots/{botId}/messages/hours', { path: { botId }, query }), {
    everyMs,
  });
  return (
    <Loaded live={live} shape="chart">
      {(answer) => <Week answer={answer} />}
    </Loaded>
  );
}

function Week({ answer }: { answer: Schema['MessageHours'] }) {
  const [platform, setPlatform] = useState<PlatformOrAll>('all');
  const [direction, setDirection] = useState<Direction>('inbound');
  const platforms = [...new Set(answer.hours.map((hour) => hour.platform))];
  const platformHours = answer.hours.filter((hour) => hour.platform === platform);
  const rows = weekdays.map((weekday) => ({
    weekday,
    title: weekdayTitle(weekday),
    values: hoursOfDay.map(
      (hour) =>
        platformHours.find((one) => one.weekday === weekday && one.hour === hour)?.[direction] ?? null,
    ),
  }));
  const isUnknown = rows.every(({ values }) => values.every((value) => value === null));
  const isEmpty = rows.every(({ values }) => values.every((value) => value === null || value === 0));
  return (
    <Card
      title={t('hours')}
      note={
        <>
          {t(direction === 'outbound' && platform === 'all' ? 'hoursNoteWithoutLine' : 'hoursNote')}{' '}
          <span class="zone">{zoneName(answer.zone, Date.now())}</span>
        </>
      }
      actions={
        <>
          <PlatformChoice
            label={figureTexts('platform')}
            value={platform}
            onChange={(chosen: PlatformOrAll) => setPlatform(chosen)}
            platforms={platforms}
          />
          <Segments
            label={t('direction')}
            value={direction}
            onChange={(chosen: Direction) => setDirection(chosen)}
            choices={(['inbound', 'outbound'] as const).map((value) => ({ value, title: t(value) }))}
          />
          {!isUnknown && (
            <CsvButton
              title={t('hours')}
              fileName={`hours-${platform}-${direction}-${answer.from}-${answer.to}`}
              rows={() => [
                [t('weekday'), ...hoursOfDay],
                ...rows.map(({ title, values }) => [title, ...values]),
              ]}
            />
          )}
        </>
      }
    >
      {isUnknown ? (
        <Empty title={t('hoursUnknown')}>{t('hoursUnknownHint')}</Empty>
      ) : isEmpty ? (
        <Empty title={frame('noValues')} />
      ) : (
        <HeatMap
          caption={t('hours')}
          corner={frame('hour')}
          columns={hoursOfDay.map(String)}
          rows={rows.map(({ title, values }) => ({ title, values: values.map((value) => value ?? 0) }))}
        />
      )}
    </Card>
  );
}
