/** The running alerts of a bot, on the health page. */
import type { Schema } from '../../api/client.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Empty } from '../../components/states.tsx';
import { ago } from '../../format/format.ts';
import { pageAddress } from '../../state/address.ts';
import { t } from '../../texts/alerts.ts';
import { inUnit, ruleTitle, Subject } from './alert.tsx';

export function RunningAlerts({
  botId,
  alerts,
}: {
  botId: string;
  alerts: readonly Schema['RunningAlert'][];
}) {
  const now = Date.now();
  return (
    <Card
      title={t('running')}
      note={t('note')}
      actions={
        <a class="button" href={pageAddress(botId, 'alerts')}>
          {t('toAlerts')}
        </a>
      }
    >
      <DataTable
        caption={t('running')}
        rows={alerts}
        keyOf={({ alertId }) => String(alertId)}
        empty={<Empty title={t('noneRunning')} />}
        columns={[
          {
            key: 'rule',
            title: t('rule'),
            cell: ({ rule }) => <span class="tag tag-bad">{ruleTitle(rule)}</span>,
          },
          { key: 'subject', title: t('channel'), cell: ({ subject }) => <Subject subject={subject} /> },
          { key: 'value', title: t('value'), isNumber: true, cell: ({ rule, value }) => inUnit(rule, value) },
          { key: 'began', title: t('began'), cell: ({ beganAt }) => ago(beganAt, now) },
        ]}
      />
    </Card>
  );
}
