/** The number of messages and the length of conversations: averages by platform, and distributions. */
import { addDays } from '../../../src/time.ts';
import { resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { Chart, type ChartLabel } from '../../components/chart.tsx';
import { CsvButton } from '../../components/csv-button.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { PlatformName } from '../../components/platform-name.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { duration, number } from '../../format/format.ts';
import { platformColour, platformTitle } from '../../format/platforms.ts';
import type { Range } from '../../format/range.ts';
import { t } from '../../texts/conversations.ts';
import { t as figureTexts } from '../../texts/overview.ts';

type Answer = Schema['ConversationSpreads'];
type PlatformSpread = Answer['spread'][number];
type Step = Schema['Spread']['steps'][number];

/** The longest range that the API accepts, in days. */
const daysMax = 366;
/** The server computes it from single conversations, so it polls less often. */
const everyMs = 60_000;

export function Distribution({ botId, range: { from, to } }: { botId: string; range: Range }) {
  const isTooLong = addDays(from, daysMax - 1) < to;
  const live = useLive(
    isTooLong
      ? null
      : resource('/api/v1/bots/{botId}/conversations/spread', { path: { botId }, query: { from, to } }),
    { everyMs },
  );
  if (isTooLong) {
    return (
      <Card title={t('distribution')}>
        <Empty title={t('distributionTooLong', { count: daysMax })} />
      </Card>
    );
  }
  return (
    <Loaded live={live} shape="chart">
      {(answer) => (
        <>
          <ByPlatform answer={answer} />
          <div class="cards">
            <Steps answer={answer} of="messages" />
            <Steps answer={answer} of="seconds" />
          </div>
        </>
      )}
    </Loaded>
  );
}

function ByPlatform({ answer: { from, to, spread } }: { answer: Answer }) {
  return (
    <Card
      title={figureTexts('byPlatform')}
      note={t('byPlatformNote')}
      actions={
        <CsvButton
          title={figureTexts('byPlatform')}
          fileName={`conversation-spread-${from}-${to}`}
          rows={() => [csvHead(), ...spread.map(csvRow)]}
        />
      }
    >
      <DataTable<PlatformSpread>
        caption={figureTexts('byPlatform')}
        rows={spread}
        keyOf={({ platform }) => platform}
        columns={[
          {
            key: 'platform',
            title: figureTexts('platform'),
            cell: ({ platform }) => <PlatformName platform={platform} />,
          },
          numberColumn('conversations', figureTexts('conversations'), (row) => row.conversations),
          numberColumn('messagesMean', t('messagesMean'), (row) => row.messages.mean),
          numberColumn('messagesMedian', t('messagesMedian'), (row) => row.messages.median),
          numberColumn('secondsMean', t('secondsMean'), (row) => row.seconds.mean, duration),
          numberColumn('secondsMedian', t('secondsMedian'), (row) => row.seconds.median, duration),
        ]}
      />
    </Card>
  );
}

function numberColumn(
  key: string,
  title: string,
  read: (row: PlatformSpread) => number | null,
  format = number,
) {
  return { key, title, isNumber: true, cell: (row: PlatformSpread) => format(read(row)), sortBy: read };
}

function csvHead(): string[] {
  return [
    figureTexts('platform'),
    figureTexts('conversations'),
    t('messagesMean'),
    t('messagesMedian'),
    `${t('secondsMean')} (s)`,
    `${t('secondsMedian')} (s)`,
  ];
}

function csvRow({ platform, conversations, messages, seconds }: PlatformSpread): (string | number | null)[] {
  return [
    platformTitle(platform),
    conversations,
    messages.mean,
    messages.median,
    seconds.mean,
    seconds.median,
  ];
}

type StepsProps = { answer: Answer; of: 'messages' | 'seconds' };

/** The conversations of each step, stacked by platform. */
function Steps({ answer: { from, to, spread }, of }: StepsProps) {
  const steps = spread[0]?.[of].steps ?? [];
  const isEmpty = spread.every(({ conversations }) => conversations === 0);
  return (
    <Chart
      title={t(`${of}Steps`)}
      kind="bars"
      labels={isEmpty ? [] : steps.map((step) => labelOf(step, of))}
      labelTitle={t(`${of}Step`)}
      series={spread
        .filter(({ platform }) => platform !== 'all')
        .map((one) => ({
          key: one.platform,
          title: platformTitle(one.platform),
          colour: platformColour(one.platform),
          values: one[of].steps.map(({ conversations }) => conversations),
        }))}
      fileName={`conversation-${of}-${from}-${to}`}
    />
  );
}

function labelOf({ from, to }: Step, of: 'messages' | 'seconds'): ChartLabel {
  const key = to === null ? `${from}-` : to === from ? String(from) : `${from}-${to}`;
  if (of === 'messages') {
    if (to === null)
      return { key, text: t('messagesFrom', { from: number(from) }), short: `≥ ${number(from)}` };
    return { key, text: to === from ? number(from) : `${number(from)}–${number(to)}` };
  }
  if (to === null) {
    return { key, text: t('secondsFrom', { from: duration(from) }), short: `≥ ${duration(from)}` };
  }
  // Steps are adjacent: 60 to 299 s is shown as less than 5 min.
  if (to === 0) return { key, text: duration(0) };
  const below = duration(to + 1);
  return { key, text: t('secondsBelow', { below }), short: `< ${below}` };
}
