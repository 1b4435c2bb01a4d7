/** Messages sent, delivered, read and clicked by WhatsApp template, as Meta counts them. */
import { resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { ExportLink } from '../../components/export-link.tsx';
import { RangePicker, useRange } from '../../components/range-picker.tsx';
import { Empty } from '../../components/states.tsx';
import { dateTime, days, number } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { t } from '../../texts/platform-figures.ts';

type Figures = Schema['TemplateFigures']['templates'][number];

/** Nothing before Meta's first answer. */
export function WhatsAppFigures({ bot }: PageProps) {
  const { botId, timeZone } = bot;
  const { from, to } = useRange('UTC');
  const range = { from, to };
  const live = useLive(
    resource('/api/v1/bots/{botId}/whatsapp/template-figures', { path: { botId }, query: range }),
    { everyMs: 30_000 },
  );
  const { reportedAt = null, templates = [] } = live.value ?? {};
  if (reportedAt === null) return null;
  const title = t('templates');
  const counts = {
    sent: 'sentColumn',
    delivered: 'deliveredColumn',
    read: 'read',
    clicked: 'clicked',
  } as const;
  return (
    <Card
      title={title}
      note={t('templatesNote', { days: days(from, to), at: dateTime(reportedAt, timeZone) })}
      actions={<ExportLink title={title} botId={botId} what="template-figures" range={range} />}
    >
      <RangePicker bot={bot} zone="UTC" />
      <DataTable<Figures>
        caption={title}
        rows={templates}
        keyOf={({ templateId }) => templateId}
        empty={<Empty title={t('noTemplates')} />}
        columns={[
          { key: 'name', title: t('template'), cell: ({ name }) => name, sortBy: ({ name }) => name },
          ...(['sent', 'delivered', 'read', 'clicked'] as const).map((key) => ({
            key,
            title: t(counts[key]),
            isNumber: true,
            cell: (figures: Figures) => number(figures[key]),
            sortBy: (figures: Figures) => figures[key] ?? -1,
          })),
        ]}
      />
    </Card>
  );
}
