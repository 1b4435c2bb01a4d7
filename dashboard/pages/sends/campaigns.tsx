/** Messages that Shoal sends to many contacts: their progress and results, and a form for a new one. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Empty, ErrorNote, Loaded } from '../../components/states.tsx';
import { dateTime, number } from '../../format/format.ts';
import { platformTitle } from '../../format/platforms.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/sends.ts';
import { Compose } from './compose.tsx';

type Send = Schema['Send'];

const shownMax = 50;
const everyMs = 2_000;

export function Campaigns({ bot }: PageProps) {
  const [isComposing, setComposing] = useState(false);
  const path = { botId: bot.botId };
  const live = useLive(resource('/api/v1/bots/{botId}/sends', { path, query: { limit: shownMax } }), {
    everyMs,
  });
  return (
    <Card
      title={t('campaigns')}
      note={t('campaignsNote')}
      actions={
        may('write') && (
          <button type="button" class="button button-main" onClick={() => setComposing(true)}>
            {t('newSend')}
          </button>
        )
      }
    >
      <Loaded live={live}>
        {({ sends }) => (
          <DataTable<Send>
            caption={t('campaigns')}
            rows={sends}
            keyOf={({ sendId }) => String(sendId)}
            empty={<Empty title={t('noCampaigns')} />}
            columns={columnsOf(bot, live.reload)}
          />
        )}
      </Loaded>
      {isComposing && (
        <Compose
          bot={bot}
          onClose={() => {
            setComposing(false);
            live.reload();
          }}
        />
      )}
    </Card>
  );
}

function columnsOf(bot: PageProps['bot'], changed: () => void): Column<Send>[] {
  const count = (key: string, title: string, of: (send: Send) => number): Column<Send> => ({
    ...{ key, title, isNumber: true },
    cell: (send) => number(of(send)),
  });
  const columns: Column<Send>[] = [
    {
      key: 'name',
      title: t('name'),
      cell: ({ name, platform, startsAt }) => (
        <>
          {name}
          <span class="below">
            {platformTitle(platform)} · {dateTime(startsAt, bot.timeZone)}
          </span>
        </>
      ),
    },
    {
      key: 'state',
      title: t('state'),
      cell: ({ state, failure }) => (
        <>
          {t(state)}
          {failure !== null && <span class="below">{failure}</span>}
        </>
      ),
    },
    count('recipients', t('recipients'), ({ recipients }) => recipients),
    count('accepted', t('accepted'), ({ accepted }) => accepted),
    count('refused', t('refused'), ({ refused }) => refused),
    count('unknown', t('answerLost'), (send) => send.unknown),
    count('blocked', t('leftOut'), ({ blocked }) => blocked),
    count('delivered', t('delivered'), ({ delivered }) => delivered),
    count('read', t('wasRead'), ({ read }) => read),
  ];
  const actions: Column<Send> = {
    key: 'actions',
    title: t('actions'),
    cell: (send) => <Actions bot={bot} send={send} changed={changed} />,
  };
  return may('write') ? [...columns, actions] : columns;
}

function Actions({ bot, send, changed }: PageProps & { send: Send; changed(): void }) {
  const action = useAction();
  const params = { path: { botId: bot.botId, sendId: send.sendId } };
  const run = async (call: () => Promise<unknown>): Promise<void> => {
    if (await action.run(call)) changed();
  };
  if (send.state === 'done' || send.state === 'stopped') return null;
  return (
    <span class="row-actions">
      {send.state === 'paused' ? (
        <button
          type="button"
          class="button"
          disabled={action.isBusy}
          onClick={() => void run(() => api.POST('/api/v1/bots/{botId}/sends/{sendId}/resume', { params }))}
        >
          {t('resume')}
        </button>
      ) : (
        <button
          type="button"
          class="button"
          disabled={action.isBusy}
          onClick={() => void run(() => api.POST('/api/v1/bots/{botId}/sends/{sendId}/pause', { params }))}
        >
          {t('pause')}
        </button>
      )}
      <button
        type="button"
        class="button button-danger"
        disabled={action.isBusy}
        onClick={() => void run(() => api.POST('/api/v1/bots/{botId}/sends/{sendId}/stop', { params }))}
      >
        {t('stop')}
      </button>
      {action.error && <ErrorNote error={action.error} />}
    </span>
  );
}
