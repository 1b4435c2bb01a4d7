/** The reports by e-mail: what is sent, when, to whom, and the latest result. */
import { useState } from 'preact/hooks';
import { useAction, useKey } from '../../api/action.ts';
import { api, resource } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { PageFrame } from '../../components/page.tsx';
import { Empty, ErrorNote, Loaded } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime, days } from '../../format/format.ts';
import { type PageProps, useBots } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/mail-reports.ts';
import { bodyOfReport, type Report, ReportEditor } from './editor.tsx';

export default function MailReportsPage(props: PageProps) {
  if (may('write')) return <Reports {...props} />;
  return (
    <PageFrame title={frame('mail-reports')}>
      <Empty title={frame('notFound')} />
    </PageFrame>
  );
}

function Reports({ bot }: PageProps) {
  const [edited, setEdited] = useState<Report | 'new' | null>(null);
  const live = useLive(resource('/api/v1/mail-reports', {}));
  const newButton = (
    <button type="button" class="button button-main" onClick={() => setEdited('new')}>
      {t('newReport')}
    </button>
  );
  return (
    <PageFrame title={frame('mail-reports')} actions={newButton}>
      <Card title={frame('mail-reports')} note={t('listNote')}>
        <Loaded live={live}>
          {({ reports, isConfigured }) => (
            <>
              {!isConfigured && (
                <div class="note">
                  <p>{t('notConfigured')}</p>
                  <p>{t('notConfiguredHint')}</p>
                </div>
              )}
              <DataTable<Report>
                caption={frame('mail-reports')}
                rows={reports}
                keyOf={({ reportId }) => reportId}
                empty={<Empty title={t('noReports')}>{t('noReportsHint')}</Empty>}
                columns={columnsOf({ isConfigured, edit: setEdited, onChanged: live.reload })}
              />
            </>
          )}
        </Loaded>
      </Card>
      {edited !== null && (
        <ReportEditor
          bot={bot}
          report={edited === 'new' ? null : edited}
          onClose={() => setEdited(null)}
          onSaved={() => {
            setEdited(null);
            live.reload();
          }}
        />
      )}
    </PageFrame>
  );
}

type RowActions = { isConfigured: boolean; edit(report: Report): void; onChanged(): void };

function columnsOf(actions: RowActions): Column<Report>[] {
  return [
    { key: 'name', title: t('name'), cell: ({ name }) => name, sortBy: ({ name }) => name },
    { key: 'bots', title: t('bots'), cell: ({ botIds }) => <BotNames botIds={botIds} /> },
    {
      key: 'next',
      title: t('next'),
      cell: ({ frequency, dueAt, timeZone }) => (
        <>
          {dueAt === null ? t('paused') : dateTime(dueAt, timeZone)}
          <span class="below">{t(frequency)}</span>
        </>
      ),
      sortBy: ({ dueAt }) => dueAt,
    },
    { key: 'last', title: t('last'), cell: (report) => <LastRun report={report} /> },
    { key: 'recipients', title: t('recipients'), cell: (report) => <Recipients report={report} /> },
    { key: 'actions', title: t('actions'), cell: (report) => <Actions report={report} {...actions} /> },
  ];
}

function BotNames({ botIds }: Pick<Report, 'botIds'>) {
  const { bots } = useBots();
  return <>{botIds.map((id) => bots?.find(({ botId }) => botId === id)?.name ?? id).join(', ')}</>;
}

function LastRun({ report: { lastRun, timeZone, problem } }: { report: Report }) {
  return (
    <>
      {lastRun === null ? t('never') : days(lastRun.first, lastRun.last)}
      {lastRun !== null && <span class="below">{dateTime(lastRun.at, timeZone)}</span>}
      {problem !== null && <span class="below">{problem}</span>}
    </>
  );
}

const resultTexts = { sent: 'sent', waiting: 'waiting', 'given-up': 'givenUp' } as const;

function Recipients({ report: { recipients } }: { report: Report }) {
  return (
    <>
      {recipients.map(({ address, unsubscribedAt, result }) => (
        <div key={address}>
          {address}
          {unsubscribedAt !== null && <span class="below">{t('unsubscribed')}</span>}
          {result !== null && (
            <span class="below">
              {t(resultTexts[result.state])}
              {result.problem !== null && `: ${result.problem}`}
            </span>
          )}
        </div>
      ))}
    </>
  );
}

function Actions({ report, isConfigured, edit, onChanged }: RowActions & { report: Report }) {
  const { reportId, name, isPaused } = report;
  const path = { reportId };
  const pausing = useAction(async () => {
    const body = { ...bodyOfReport(report), isPaused: !isPaused };
    await api.PUT('/api/v1/mail-reports/{reportId}', { params: { path }, body });
    onChanged();
  });
  const remove = async (): Promise<void> => {
    await api.DELETE('/api/v1/mail-reports/{reportId}', { params: { path } });
    showToast(t('removed', { name }));
    onChanged();
  };
  return (
    <span class="row-actions">
      {isConfigured && (
        <>
          <a
            class="button"
            href={`/api/v1/mail-reports/${reportId}/preview`}
            target="_blank"
            rel="noopener"
            aria-label={t('previewNamed', { name })}
          >
            {t('preview')}
          </a>
          {/* Another run needs another key. */}
          <SendButton key={report.lastRun?.at ?? ''} report={report} onChanged={onChanged} />
        </>
      )}
      <button
        type="button"
        class="button"
        aria-label={t(isPaused ? 'resumeNamed' : 'pauseNamed', { name })}
        disabled={pausing.isBusy}
        onClick={() => void pausing.run()}
      >
        {t(isPaused ? 'resume' : 'pause')}
      </button>
      <button type="button" class="button" aria-label={t('editNamed', { name })} onClick={() => edit(report)}>
        {t('edit')}
      </button>
      <ConfirmButton
        title={t('removeNamed', { name })}
        text={t('removeHint')}
        actionTitle={t('remove')}
        act={remove}
        isDangerous
      >
        {t('remove')}
      </ConfirmButton>
      {pausing.error && <ErrorNote error={pausing.error} />}
    </span>
  );
}

function SendButton({ report: { reportId, name }, onChanged }: { report: Report; onChanged(): void }) {
  const key = useKey();
  const send = async (): Promise<void> => {
    await api.POST('/api/v1/mail-reports/{reportId}/send', {
      params: { path: { reportId }, header: { 'Idempotency-Key': key } },
    });
    showToast(t('sending'));
    onChanged();
  };
  return (
    <ConfirmButton
      title={t('sendNamed', { name })}
      text={t('sendHint')}
      actionTitle={t('sendNow')}
      act={send}
    >
      {t('sendNow')}
    </ConfirmButton>
  );
}
