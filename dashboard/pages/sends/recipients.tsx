/** The recipients of a send with their results: by state, page by page, and as CSV. */
import { resource, type Schema, urlOf } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { Card } from '../../components/card.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Icon } from '../../components/icon.tsx';
import { Segments } from '../../components/segments.tsx';
import { Empty } from '../../components/states.tsx';
import { dateTime, number } from '../../format/format.ts';
import { pageAddress, useAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/campaign.ts';
import { t as frame } from '../../texts/frame.ts';
import { reasonOf } from './reasons.ts';

type Send = Schema['Send'];
type State = Schema['RecipientState'];
type Recipient = Schema['SendRecipients']['recipients'][number];

const states = ['pending', 'accepted', 'refused', 'unknown', 'blocked'] as const satisfies readonly State[];

export function Recipients({ bot, send }: PageProps & { send: Send }) {
  const { query, setQuery } = useAddress();
  const state = states.find((one) => one === query.state);
  const { botId } = bot;
  const { sendId } = send;
  const pages = usePages(
    (cursor) =>
      resource('/api/v1/bots/{botId}/sends/{sendId}/recipients', {
        path: { botId, sendId },
        query: { state, cursor },
      }),
    ({ recipients }) => recipients,
  );
  return (
    <Card
      title={t('results')}
      note={t('resultsNote')}
      actions={
        <>
          <button type="button" class="button" onClick={pages.reload}>
            {t('refresh')}
          </button>
          {may('write') && (
            <a
              class="button"
              aria-label={frame('downloadCsv', { title: t('results') })}
              href={urlOf('/api/v1/bots/{botId}/exports/{what}', {
                path: { botId, what: 'recipients' },
                query: { format: 'csv', bom: true, sendId, state },
              })}
              download={`send-${sendId}.csv`}
            >
              <Icon name="download" />
              {frame('csv')}
            </a>
          )}
        </>
      }
    >
      <Segments
        label={t('shown')}
        value={state ?? 'all'}
        onChange={(chosen: State | 'all') => setQuery({ state: chosen === 'all' ? null : chosen })}
        choices={[
          { value: 'all', title: t('all') },
          ...states.map((value) => ({
            value,
            title: `${t(`state-${value}`)} ${number(send[value])}`,
          })),
        ]}
      />
      <DataTable<Recipient>
        caption={t('results')}
        rows={pages.rows}
        pages={pages}
        keyOf={({ position }) => String(position)}
        empty={<Empty title={t('none')}>{t('noneHint')}</Empty>}
        columns={columnsOf(botId, bot.timeZone)}
      />
    </Card>
  );
}

function columnsOf(botId: string, zone: string): Column<Recipient>[] {
  return [
    {
      key: 'contact',
      title: t('contact'),
      cell: ({ contactId, name }) => (
        <a href={`${pageAddress(botId, 'contacts')}?contact=${contactId}`}>
          {name ?? <code>{contactId}</code>}
        </a>
      ),
    },
    {
      key: 'result',
      title: t('result'),
      cell: ({ state, code }) => (
        <>
          <span class={`tag ${colours[state]}`}>{t(`state-${state}`)}</span>
          {code !== null && (
            <span class="below">
              {reasonOf(code)} <code>{code}</code>
            </span>
          )}
        </>
      ),
    },
    { key: 'at', title: t('at'), cell: ({ settledAt }) => dateTime(settledAt, zone) },
    { key: 'delivered', title: t('delivered'), cell: ({ deliveredAt }) => dateTime(deliveredAt, zone) },
    { key: 'read', title: t('read'), cell: ({ readAt }) => dateTime(readAt, zone) },
  ];
}

const colours: Readonly<Record<State, string>> = {
  pending: '',
  accepted: 'tag-good',
  refused: 'tag-bad',
  unknown: 'tag-warn',
  blocked: '',
};
