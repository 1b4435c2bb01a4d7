/** Bytes that live chat stored today, against the limits of the server. */
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { megabytes } from '../../format/format.ts';
import { t } from '../../texts/health.ts';
import type { ChatUsage } from './health.ts';

const kinds = ['bot', 'address', 'visitor'] as const;

export function ChatUsageCard({ usage }: { usage: ChatUsage }) {
  return (
    <Card title={t('chatUsage')} note={t('chatUsageNote')}>
      <DataTable
        caption={t('chatUsage')}
        rows={kinds.map((kind) => ({ kind, ...usage[kind] }))}
        keyOf={({ kind }) => kind}
        columns={[
          { key: 'kind', title: t('chatCounted'), cell: ({ kind }) => t(`chat-${kind}`) },
          { key: 'bytes', title: t('chatToday'), isNumber: true, cell: ({ bytes }) => megabytes(bytes) },
          {
            key: 'limit',
            title: t('chatLimit'),
            isNumber: true,
            cell: ({ limit }) => (limit === null ? t('chatNoLimit') : megabytes(limit)),
          },
        ]}
      />
    </Card>
  );
}
