/** The log of a bot's outgoing webhooks: state, attempts, and resending. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, bodyOf, resource, type Schema } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { useLive } from '../../api/live.ts';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Segments } from '../../components/segments.tsx';
import { Empty, ErrorNote, Loaded } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime, number, unknown } from '../../format/format.ts';
import { pageAddress } from '../../state/address.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/health.ts';

type Notice = Schema['Notice'];
type WebhookLogProps = {
  path: { botId: string };
  zone: string;
  /** Without an address, nothing can be sent again. */
  hasAddress: boolean;
  onChanged(): void;
};

const states = ['any', 'pending', 'given-up', 'told'] as const;
type StateFilter = (typeof states)[number];

export function WebhookLog({ path, zone, hasAddress, onChanged }: WebhookLogProps) {
  const [state, setState] = useState<StateFilter>('any');
  const [opened, setOpened] = useState<number | null>(null);
  const action = useAction();
  const pages = usePages(
    (cursor) =>
      resource('/api/v1/bots/{botId}/callback/deliveries', {
        path,
        query: { state: state === 'any' ? undefined : state, cursor },
      }),
    ({ notices }) => notices,
  );
  const canResend = may('write') && hasAddress;
  /** Sends one webhook again, or all that failed. */
  const replay = async (noticeId?: number): Promise<void> => {
    let replayed = 0;
    const isDone = await action.run(async () => {
      ({ replayed } = await bodyOf(
        noticeId === undefined
          ? api.POST('/api/v1/bots/{botId}/callback/deliveries/replay', { params: { path } })
          : api.POST('/api/v1/bots/{botId}/callback/deliveries/{noticeId}/replay', {
              params: { path: { ...path, noticeId } },
            }),
      ));
    });
    if (!isDone) return;
    showToast(t('noticesReplayed', { count: replayed }));
    onChanged();
    pages.reload();
  };
  return (
    <section class="log" aria-label={t('log')}>
      <header class="card-head">
        <h3>{t('log')}</h3>
        <div class="card-actions">
          <Segments
            label={t('shown')}
            value={state}
            onChange={(chosen) => setState(chosen)}
            choices={states.map((value) => ({ value, title: t(`notice-${value}`) }))}
          />
          {canResend && (
            <button type="button" class="button" disabled={action.isBusy} onClick={() => void replay()}>
              {t('replayGivenUp')}
            </button>
          )}
        </div>
      </header>
      {action.error && <ErrorNote error={action.error} />}
      <DataTable
        caption={t('log')}
        rows={pages.rows}
        pages={pages}
        keyOf={({ noticeId }) => String(noticeId)}
        empty={<Empty title={t('noNotices')} />}
        columns={columnsOf({ path, zone, canResend, isBusy: action.isBusy, openAttempts: setOpened, replay })}
      />
      {opened !== null && (
        <Attempts path={{ ...path, noticeId: opened }} zone={zone} onClose={() => setOpened(null)} />
      )}
    </section>
  );
}

type ColumnParts = {
  path: { botId: string };
  zone: string;
  canResend: boolean;
  isBusy: boolean;
  openAttempts(noticeId: number): void;
  replay(noticeId: number): Promise<void>;
};

function columnsOf({ path, zone, canResend, isBusy, openAttempts, replay }: ColumnParts): Column<Notice>[] {
  return [
    { key: 'at', title: t('happenedAt'), cell: ({ happenedAt }) => dateTime(happenedAt, zone) },
    { key: 'type', title: t('type'), cell: ({ type }) => <code>{type}</code> },
    {
      key: 'contact',
      title: t('contact'),
      cell: ({ contactId }) => <ContactLink botId={path.botId} contactId={contactId} />,
    },
    { key: 'state', title: t('state'), cell: (notice) => <State notice={notice} zone={zone} /> },
    { key: 'status', title: t('answer'), isNumber: true, cell: ({ status }) => status ?? unknown },
    {
      key: 'problem',
      title: t('why'),
      cell: ({ problem }) => <span class="detail">{problem ?? unknown}</span>,
    },
    {
      key: 'do',
      title: t('actions'),
      cell: ({ noticeId }) => (
        <span class="row-actions">
          <button
            type="button"
            class="button"
            aria-label={t('attemptsOf', { number: number(noticeId) })}
            onClick={() => openAttempts(noticeId)}
          >
            {t('attempts')}
          </button>
          {canResend && (
            <button
              type="button"
              class="button"
              aria-label={t('sendNumberAgain', { number: number(noticeId) })}
              disabled={isBusy}
              onClick={() => void replay(noticeId)}
            >
              {t('sendAgain')}
            </button>
          )}
        </span>
      ),
    },
  ];
}

const moods: Record<Schema['NoticeState'], string> = { pending: '', told: 'tag-good', 'given-up': 'tag-bad' };

function State({ notice: { state, dueAt }, zone }: { notice: Notice; zone: string }) {
  return (
    <>
      <span class={`tag ${moods[state]}`}>{t(`notice-${state}`)}</span>
      {dueAt !== null && <span class="note detail">{t('due', { at: dateTime(dueAt, zone) })}</span>}
    </>
  );
}

function ContactLink({ botId, contactId }: { botId: string; contactId: string }) {
  return (
    <a href={`${pageAddress(botId, 'contacts')}?contact=${contactId}`}>
      <code>{contactId}</code>
    </a>
  );
}

type AttemptsProps = { path: { botId: string; noticeId: number }; zone: string; onClose(): void };

function Attempts({ path, zone, onClose }: AttemptsProps) {
  const live = useLive(resource('/api/v1/bots/{botId}/callback/deliveries/{noticeId}', { path }));
  return (
    <Dialog title={t('attempts')} onClose={onClose}>
      <Loaded live={live}>
        {({ attempts, data }) => (
          <>
            <DataTable
              caption={t('attempts')}
              rows={attempts}
              keyOf={({ attemptedAt }) => attemptedAt}
              empty={<Empty title={t('noAttempts')} />}
              columns={[
                {
                  key: 'at',
                  title: t('happenedAt'),
                  cell: ({ attemptedAt }) => dateTime(attemptedAt, zone),
                },
                { key: 'ms', title: t('took'), isNumber: true, cell: ({ ms }) => number(ms) },
                {
                  key: 'status',
                  title: t('answer'),
                  isNumber: true,
                  cell: ({ status }) => status ?? unknown,
                },
                {
                  key: 'problem',
                  title: t('why'),
                  cell: ({ problem, excerpt }) => (
                    <span class="detail">{[problem, excerpt].filter(Boolean).join(' · ') || unknown}</span>
                  ),
                },
              ]}
            />
            <h3>{t('data')}</h3>
            <pre class="data">{JSON.stringify(data, null, 2)}</pre>
          </>
        )}
      </Loaded>
    </Dialog>
  );
}
