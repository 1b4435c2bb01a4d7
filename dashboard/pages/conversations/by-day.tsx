/** Conversations of the range with their averages, and by day and platform. */
import { Chart, periodLabels, periodTitle } from '../../components/chart.tsx';
import { platformSeries } from '../../components/platform-series.ts';
import { PlatformSummary } from '../../components/platform-summary.tsx';
import { duration, number } from '../../format/format.ts';
import type { Bot } from '../../state/bots.ts';
import type { Overview } from '../../state/overview.ts';
import { t } from '../../texts/conversations.ts';

const figures = ['conversations', 'averageConversationMessages', 'averageConversationSeconds'] as const;

export function Averages({ bot, overview }: { bot: Bot; overview: Overview }) {
  return (
    <PlatformSummary
      overview={overview}
      figures={figures}
      statOf={(name) => ({
        title: t(name),
        format: name === 'averageConversationSeconds' ? duration : number,
        good: name === 'conversations' ? 'up' : 'neither',
      })}
    >
      {' '}
      {t('gap', { gap: duration(bot.conversationGapSeconds) })}
    </PlatformSummary>
  );
}

export function ByDay({ overview }: { overview: Overview }) {
  return (
    <Chart
      title={t('byDay')}
      note={t('byDayNote')}
      kind="bars"
      labels={periodLabels(overview)}
      labelTitle={periodTitle(overview)}
      series={platformSeries(overview, 'conversations')}
      fileName={`conversations-${overview.from}-${overview.to}`}
    />
  );
}
