/** The list of contacts. The address holds the search, the filters and the order. */
import { resource, urlOf } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { Choice } from '../../components/choice.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Icon } from '../../components/icon.tsx';
import { PageFrame } from '../../components/page.tsx';
import { PlatformName } from '../../components/platform-name.tsx';
import { Empty } from '../../components/states.tsx';
import { ago, number, unknown } from '../../format/format.ts';
import { pageAddress, useAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/contacts.ts';
import { t as frame } from '../../texts/frame.ts';
import { Initial, pictureOf, StateTag } from './badges.tsx';
import { type Contact, nameOf, nameOrNull } from './contact.ts';
import { Filters, filtersOf, orderOf, orders, type Query } from './filters.tsx';

const tagsShown = 3;

export function ContactList({ bot }: PageProps) {
  const { query, setQuery } = useAddress();
  const filters = filtersOf(query);
  const order = orderOf(query);
  const count = useLive(
    resource('/api/v1/bots/{botId}/contact-count', { path: { botId: bot.botId }, query: filters }),
    { everyMs: 0 },
  );
  const pages = usePages(
    (cursor) =>
      resource('/api/v1/bots/{botId}/contacts', {
        path: { botId: bot.botId },
        query: { ...filters, order, cursor },
      }),
    ({ contacts }) => contacts,
  );
  const isFiltered = Object.values(filters).some((value) => value !== undefined);
  return (
    <PageFrame title={frame('contacts')} note={t('listNote')}>
      <Card title={t('find')} isBusy={pages.isLoading && pages.rows.length > 0}>
        <search>
          <Filters botId={bot.botId} isFiltered={isFiltered} />
        </search>
        <div class="contact-list">
          <div class="contact-list-head">
            <p role="status">{t('count', { total: number(count.value?.contacts ?? null) })}</p>
            <Choice
              label={t('order')}
              value={order}
              onChange={(chosen) => setQuery({ order: chosen === 'newest' ? null : chosen })}
              choices={orders.map((value) => ({ value, title: t(`order-${value}`) }))}
            />
            {may('write') && (
              <a
                class="button"
                href={urlOf('/api/v1/bots/{botId}/exports/{what}', {
                  path: { botId: bot.botId, what: 'contacts' },
                  query: { ...filters, deleted: false, format: 'csv', bom: true },
                })}
                download="contacts.csv"
              >
                <Icon name="download" />
                {t('exportList')}
              </a>
            )}
          </div>
          <DataTable
            caption={frame('contacts')}
            columns={columnsOf(bot.botId, query)}
            rows={pages.rows}
            keyOf={({ contactId }) => contactId}
            pages={pages}
            empty={
              isFiltered ? (
                <Empty title={t('noneFound')}>{t('noneFoundHint')}</Empty>
              ) : (
                <Empty title={t('noContacts')}>{t('noContactsHint')}</Empty>
              )
            }
          />
        </div>
      </Card>
      {may('write') && <Exports botId={bot.botId} />}
    </PageFrame>
  );
}

function columnsOf(botId: string, query: Query): Column<Contact>[] {
  return [
    {
      key: 'name',
      title: t('contact'),
      cell: (contact) => (
        <span class="contact-name">
          <Initial name={nameOrNull(contact)} picture={pictureOf(botId, contact)} />
          <span>
            <a href={contactAddress(botId, contact.contactId, query)}>{nameOf(contact)}</a>
            <span class="note">{contact.customerId ?? contact.platformContactId}</span>
          </span>
        </span>
      ),
    },
    { key: 'platform', title: t('platform'), cell: ({ platform }) => <PlatformName platform={platform} /> },
    { key: 'state', title: t('state'), cell: (contact) => <StateTag contact={contact} /> },
    { key: 'tags', title: t('tags'), cell: ({ tags }) => <ShortTags names={tags.map(({ name }) => name)} /> },
    { key: 'points', title: t('points'), isNumber: true, cell: ({ points }) => number(points) },
    {
      key: 'seen',
      title: t('lastInteract'),
      isNumber: true,
      cell: ({ lastInteractAt }) => ago(lastInteractAt, Date.now()),
    },
  ];
}

function ShortTags({ names }: { names: readonly string[] }) {
  if (names.length === 0) return <>{unknown}</>;
  return (
    <span class="tags" title={names.join(', ')}>
      {names.slice(0, tagsShown).map((name) => (
        <span key={name} class="tag">
          {name}
        </span>
      ))}
      {names.length > tagsShown && <span class="note">+{number(names.length - tagsShown)}</span>}
    </span>
  );
}

const exported = ['contacts', 'events', 'conversations', 'points'] as const;

function Exports({ botId }: { botId: string }) {
  return (
    <Card title={t('exports')} note={t('exportsNote')}>
      <p class="export-links">
        {exported.map((what) => (
          <a
            key={what}
            class="button"
            href={urlOf('/api/v1/bots/{botId}/exports/{what}', {
              path: { botId, what },
              query: { format: 'csv', bom: true },
            })}
            download={`${what}.csv`}
          >
            <Icon name="download" />
            {t(`export-${what}`)}
          </a>
        ))}
      </p>
    </Card>
  );
}

/** The address of a contact's page; it keeps the search for the way back. */
function contactAddress(botId: string, contactId: string, query: Query): string {
  return `${pageAddress(botId, 'contacts')}?${new URLSearchParams({ ...query, contact: contactId })}`;
}
