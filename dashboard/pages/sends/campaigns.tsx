/** Messages that Shoal sends to many contacts: their progress and numbers, and a form for a new one. */
import { useState } from 'preact/hooks';
import { resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Barred } from '../../components/bar-list.tsx';
import { Card } from '../../components/card.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { dateTime, number, percent } from '../../format/format.ts';
import { platformTitle } from '../../format/platforms.ts';
import { pageAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/sends.ts';
import { Compose } from './compose.tsx';
import { receiptsOf } from './receipts.ts';
import { SendActions } from './send-actions.tsx';

type Send = Schema['Send'];

const shownFirst = 20;
/** The limit of the API. */
const shownMax = 200;
const everyMs = 2_000;

export function Campaigns({ bot }: PageProps) {
  const [isComposing, setComposing] = useState(false);
  const [limit, setLimit] = useState(shownFirst);
  const path = { botId: bot.botId };
  const live = useLive(resource('/api/v1/bots/{botId}/sends', { path, query: { limit } }), { everyMs });
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
        {({ sends, nextCursor }) => (
          <DataTable<Send>
            caption={t('campaigns')}
            rows={sends}
            keyOf={({ sendId }) => String(sendId)}
            pages={{
              hasMore: nextCursor !== null && limit < shownMax,
              isLoading: live.isBefore,
              error: null,
              more: () => setLimit(shownMax),
            }}
            empty={<Empty title={t('noCampaigns')}>{t('noCampaignsHint')}</Empty>}
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

function columnsOf(bot: PageProps['bot'], onChanged: () => void): Column<Send>[] {
  const count = (key: string, title: string, of: (send: Send) => number | null): Column<Send> => ({
    ...{ key, title, isNumber: true },
    cell: (send) => number(of(send)),
  });
  const columns: Column<Send>[] = [
    {
      key: 'name',
      title: t('name'),
      cell: ({ sendId, name, platform, startsAt }) => (
        <>
          <a href={`${pageAddress(bot.botId, 'sends')}?send=${sendId}`}>{name}</a>
          <span class="below">
            {platformTitle(platform)} · {dateTime(startsAt, bot.timeZone)}
          </span>
        </>
      ),
    },
    { key: 'state', title: t('state'), cell: (send) => <State send={send} /> },
    count('recipients', t('recipients'), ({ recipients }) => recipients),
    count('accepted', t('accepted'), ({ accepted }) => accepted),
    count('refused', t('refused'), ({ refused }) => refused),
    count('unknown', t('answerLost'), (send) => send.unknown),
    count('blocked', t('leftOut'), ({ blocked }) => blocked),
    count('delivered', t('delivered'), (send) => receiptsOf(send).delivered),
    count('read', t('wasRead'), (send) => receiptsOf(send).read),
  ];
  const actions: Column<Send> = {
    key: 'actions',
    title: t('actions'),
    cell: (send) => <SendActions bot={bot} send={send} onChanged={onChanged} />,
  };
  return may('write') ? [...columns, actions] : columns;
}

function State({ send: { state, failure, recipients, pending } }: { send: Send }) {
  const share = recipients === 0 ? 0 : (recipients - pending) / recipients;
  return (
    <>
      {t(state)}
      {(state === 'running' || state === 'paused') && (
        <span class="below">
          <Barred share={share}>{percent(share)}</Barred>
        </span>
      )}
      {failure !== null && <span class="below">{failure}</span>}
    </>
  );
}
