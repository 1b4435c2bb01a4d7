/** Alerts of a bot: the log, the rules, and the targets. */
import { resource } from '../../api/client.ts';
import { type Live, useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { PageFrame } from '../../components/page.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { dateTime } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { t } from '../../texts/alerts.ts';
import { t as frame } from '../../texts/frame.ts';
import { type Alert, inUnit, ruleTitle, Subject } from './alert.tsx';
import { Rules } from './rules.tsx';
import { Targets } from './targets.tsx';

const shownMax = 50;

export default function AlertsPage({ bot: { botId, timeZone: zone } }: PageProps) {
  const log = useLive(
    resource('/api/v1/bots/{botId}/alerts', { path: { botId }, query: { limit: shownMax } }),
  );
  return (
    <PageFrame title={frame('alerts')} note={t('note')}>
      <Log live={log} zone={zone} />
      <Targets botId={botId} onTested={log.reload} />
      <Rules botId={botId} />
    </PageFrame>
  );
}

function Log({ live, zone }: { live: Live<{ alerts: Alert[] }>; zone: string }) {
  return (
    <Card title={t('log')} note={t('logNote')}>
      <Loaded live={live}>
        {({ alerts }) => (
          <DataTable
            caption={t('log')}
            rows={alerts}
            keyOf={({ alertId }) => String(alertId)}
            empty={<Empty title={t('noAlerts')} />}
            columns={[
              { key: 'rule', title: t('rule'), cell: ({ rule }) => ruleTitle(rule) },
              { key: 'subject', title: t('channel'), cell: ({ subject }) => <Subject subject={subject} /> },
              {
                key: 'value',
                title: t('value'),
                isNumber: true,
                cell: ({ rule, value }) => inUnit(rule, value),
              },
              { key: 'began', title: t('began'), cell: ({ beganAt }) => dateTime(beganAt, zone) },
              {
                key: 'ended',
                title: t('ended'),
                cell: ({ endedAt }) =>
                  endedAt === null ? <span class="tag tag-bad">{t('runs')}</span> : dateTime(endedAt, zone),
              },
              { key: 'reports', title: t('reports'), cell: ({ reports }) => <Reports reports={reports} /> },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

const reportTags = { pending: '', sent: 'tag-good', 'given-up': 'tag-bad' };

function Reports({ reports }: Pick<Alert, 'reports'>) {
  if (reports.length === 0) return <span class="note">{t('noReports')}</span>;
  return (
    <>
      {reports.map(({ targetId, phase, state, address, problem }) => (
        <span class="detail" key={`${targetId} ${phase}`}>
          {`${t(`phase-${phase}`)}: `}
          <span class={`tag ${reportTags[state]}`}>{t(`report-${state}`)}</span>
          <span class="note">{` ${[address, problem].filter(Boolean).join(' · ')}`}</span>
        </span>
      ))}
    </>
  );
}
