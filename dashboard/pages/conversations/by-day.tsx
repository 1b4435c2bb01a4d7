/** Conversations over the range with their averages, and by day and platform. */
import type { Bot } from '../../bots.ts';
import { Chart, dayLabels } from '../../components/chart.tsx';
import { changeOf, Stat, Stats } from '../../components/stat.tsx';
import { days, duration, number } from '../../format.ts';
import { findFigure, type Overview, seriesByPlatform } from '../../overview.ts';
import { platformColour, platformTitle } from '../../platforms.ts';
import { t } from '../../texts/conversations.ts';
import { t as frame } from '../../texts/frame.ts';
import { t as figureTexts } from '../../texts/overview.ts';

const figures = ['conversations', 'averageConversationMessages', 'averageConversationSeconds'] as const;

export function Together({ bot, overview }: { bot: Bot; overview: Overview }) {
  return (
    <section aria-label={frame('all')}>
      <Stats>
        {figures.map((name) => {
          const figure = findFigure(overview, name, 'all');
          return (
            figure && (
              <Stat
                key={name}
                title={t(name)}
                value={figure.now}
                format={name === 'averageConversationSeconds' ? duration : number}
                good={name === 'conversations' ? 'up' : 'neither'}
                change={changeOf(figure)}
              />
            )
          );
        })}
      </Stats>
      <p class="note compared">
        {figureTexts('compared', { days: days(overview.before.from, overview.before.to) })}{' '}
        {t('gap', { gap: duration(bot.conversationGapSeconds) })}
      </p>
    </section>
  );
}

export function ByDay({ overview }: { overview: Overview }) {
  return (
    <Chart
      title={t('byDay')}
      note={t('byDayNote')}
      kind="bars"
      labels={dayLabels(overview.days)}
      series={seriesByPlatform(overview, 'conversations').map(({ platform, values }) => ({
        key: platform,
        title: platformTitle(platform),
        colour: platformColour(platform),
        values,
      }))}
      fileName={`conversations-${overview.from}-${overview.to}`}
    />
  );
}
