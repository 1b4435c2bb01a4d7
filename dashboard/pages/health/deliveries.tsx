/** Deliveries of platforms, by state and contact: why some could not be read, their bytes, and a replay. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, bodyOf, resource, type Schema, urlOf } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { Card } from '../../components/card.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { TextField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { PlatformName } from '../../components/platform-name.tsx';
import { Segments } from '../../components/segments.tsx';
import { Empty, ErrorNote } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime, number, unknown } from '../../format/format.ts';
import { isPlatformName } from '../../format/platforms.ts';
import { useAddress, useTypedFilters } from '../../state/address.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/health.ts';

type Delivery = Schema['Delivery'];
type DeliveriesProps = { path: { botId: string }; zone: string; setAside: number; onChanged(): void };

const states = ['set-aside', 'pending', 'any'] as const;
type StateFilter = (typeof states)[number];

export function DeliveriesCard({ path, zone, setAside, onChanged }: DeliveriesProps) {
  const { contact } = useAddress().query;
  const [chosenState, setChosenState] = useState<StateFilter | null>(null);
  const state = chosenState ?? (contact === undefined ? 'set-aside' : 'any');
  const action = useAction();
  const pages = usePages(
    (cursor) =>
      resource('/api/v1/bots/{botId}/deliveries', {
        path,
        query: { state: state === 'any' ? undefined : state, contactId: contact, cursor },
      }),
    ({ deliveries }) => deliveries,
  );
  /** Replays one delivery, or all that are set aside. */
  const replay = async (deliveryId?: number): Promise<void> => {
    // With a job, the server replays more deliveries after its answer.
    let answer: Schema['Replaying'] = { replayed: 0 };
    const isDone = await action.run(async () => {
      answer = await bodyOf(
        deliveryId === undefined
          ? api.POST('/api/v1/bots/{botId}/deliveries/replay', { params: { path } })
          : api.POST('/api/v1/bots/{botId}/deliveries/{deliveryId}/replay', {
              params: { path: { ...path, deliveryId } },
            }),
      );
    });
    if (!isDone) return;
    showToast(
      t(answer.job === undefined ? 'replayed' : 'replaying', { count: answer.job?.total ?? answer.replayed }),
    );
    onChanged();
    pages.reload();
  };
  return (
    <Card
      title={t('deliveries')}
      note={t('deliveriesNote')}
      actions={
        <>
          <Segments
            label={t('shown')}
            value={state}
            onChange={(name) => setChosenState(name)}
            choices={states.map((value) => ({ value, title: t(`delivery-${value}`) }))}
          />
          {may('write') && setAside > 0 && (
            <button type="button" class="button" disabled={action.isBusy} onClick={() => void replay()}>
              {t('replayAll')}
            </button>
          )}
        </>
      }
    >
      <ContactFilter />
      {action.error && <ErrorNote error={action.error} />}
      <DataTable
        caption={t('deliveries')}
        rows={pages.rows}
        pages={pages}
        keyOf={({ deliveryId }) => String(deliveryId)}
        empty={<Empty title={state === 'set-aside' ? t('noneSetAside') : t('noDeliveries')} />}
        columns={columnsOf({ path, zone, isBusy: action.isBusy, replay })}
      />
    </Card>
  );
}

type ColumnParts = {
  path: { botId: string };
  zone: string;
  isBusy: boolean;
  replay(deliveryId: number): Promise<void>;
};

function columnsOf({ path, zone, isBusy, replay }: ColumnParts): Column<Delivery>[] {
  return [
    { key: 'id', title: t('number'), isNumber: true, cell: ({ deliveryId }) => number(deliveryId) },
    {
      key: 'platform',
      title: t('channel'),
      cell: ({ platform }) => (isPlatformName(platform) ? <PlatformName platform={platform} /> : platform),
    },
    { key: 'at', title: t('receivedAt'), cell: ({ receivedAt }) => dateTime(receivedAt, zone) },
    {
      key: 'state',
      title: t('state'),
      cell: ({ state }) => (
        <span class={`tag ${state === 'set-aside' ? 'tag-warn' : ''}`}>{t(`delivery-${state}`)}</span>
      ),
    },
    {
      key: 'reason',
      title: t('why'),
      cell: ({ reason }) => <span class="detail">{reason ?? unknown}</span>,
    },
    { key: 'bytes', title: t('bytes'), isNumber: true, cell: ({ bytes }) => number(bytes) },
    ...(may('write')
      ? [
          {
            key: 'do',
            title: t('actions'),
            cell: ({ deliveryId }: Delivery) => (
              <span class="row-actions">
                <button
                  type="button"
                  class="button"
                  aria-label={t('replayNumber', { number: number(deliveryId) })}
                  disabled={isBusy}
                  onClick={() => void replay(deliveryId)}
                >
                  {t('replay')}
                </button>
                <a
                  class="button"
                  href={urlOf('/api/v1/bots/{botId}/deliveries/{deliveryId}/body', {
                    path: { ...path, deliveryId },
                  })}
                  download={`delivery-${deliveryId}`}
                  aria-label={t('downloadNumber', { number: number(deliveryId) })}
                >
                  <Icon name="download" />
                  {t('body')}
                </a>
              </span>
            ),
          },
        ]
      : []),
  ];
}

/** Keeps the contact in the address, so that pages of contacts can link to their deliveries. */
function ContactFilter() {
  const { query } = useAddress();
  const [text, setText] = useState(query.contact ?? '');
  const apply = useTypedFilters({ contact: text.trim() || null });
  return (
    <search>
      <form
        class="delivery-filter"
        onSubmit={(event) => {
          event.preventDefault();
          apply();
        }}
      >
        <TextField
          type="search"
          label={t('contactId')}
          hint={t('contactIdHint')}
          value={text}
          onValue={setText}
          maxLength={64}
          spellcheck={false}
          autoComplete="off"
        />
      </form>
    </search>
  );
}
