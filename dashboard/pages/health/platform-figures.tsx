/** The latest of the figures that Meta reports about a channel, each with its day and time. */
import { resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { ExportLink } from '../../components/export-link.tsx';
import { dateTime, day, number, unknown } from '../../format/format.ts';
import { platformTitle } from '../../format/platforms.ts';
import type { PageProps } from '../../state/bots.ts';
import { t as frame } from '../../texts/frame.ts';
import { reportedFigureNames, reportedWords, t } from '../../texts/platform-figures.ts';

type Platform = Schema['ReportedFigures']['platform'];
type Value = Schema['ReportedValue'];

/** Nothing before Meta's first report. */
export function PlatformFiguresCard({ bot, platform }: PageProps & { platform: Platform }) {
  const { botId, timeZone } = bot;
  const path = { botId, metaPlatform: platform };
  const live = useLive(resource('/api/v1/bots/{botId}/platform-figures/{metaPlatform}', { path }), {
    everyMs: 30_000,
  });
  const latest = live.value?.latest ?? [];
  if (latest.every(({ reportedAt }) => reportedAt === null)) return null;
  const title = t('title', { platform: platformTitle(platform) });
  return (
    <Card
      title={title}
      note={t('titleNote')}
      actions={<ExportLink title={title} botId={botId} what="platform-figures" />}
    >
      <DataTable
        caption={title}
        rows={latest}
        keyOf={({ figure }) => figure}
        columns={[
          { key: 'figure', title: t('figure'), cell: ({ figure }) => nameOf(figure) },
          { key: 'latest', title: t('latest'), isNumber: true, cell: ({ value }) => textOf(value) },
          { key: 'day', title: frame('day'), cell: (row) => (row.day === null ? unknown : day(row.day)) },
          {
            key: 'reported',
            title: t('reported'),
            cell: ({ reportedAt }) => (reportedAt === null ? unknown : dateTime(reportedAt, timeZone)),
          },
        ]}
      />
    </Card>
  );
}

// A figure or word of a newer server keeps the server's name.
function nameOf(figure: string): string {
  const known = reportedFigureNames.find((name) => name === figure);
  return known ? t(known) : figure;
}

/** TIER_2K is a limit of 2,000 people. */
function textOf(value: Value): string {
  if (typeof value !== 'string') return number(value);
  const [, tier, thousands] = /^TIER_(\d+)(K?)$/.exec(value) ?? [];
  if (tier !== undefined) return number(Number(tier) * (thousands ? 1_000 : 1));
  const known = reportedWords.find((word) => word === value);
  return known ? t(known) : value;
}
