/** The catalogue of gifts with their stock: create, edit, import and export. */
import { useEffect, useState } from 'preact/hooks';
import { resource, type Schema, urlOf } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { Card } from '../../components/card.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Icon } from '../../components/icon.tsx';
import { ImportDialog } from '../../components/import-dialog.tsx';
import { hasExpired } from '../../components/redeem-button.tsx';
import { Empty } from '../../components/states.tsx';
import { dateTime, number } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t as imports } from '../../texts/import.ts';
import { t } from '../../texts/rewards.ts';
import { GiftDialog } from './gift-dialog.tsx';

type Gift = Schema['Gift'];

/** `changes`: increases when grants have changed the stock. */
export function Catalogue({ bot, changes }: PageProps & { changes: number }) {
  const [edited, setEdited] = useState<Gift | 'new' | null>(null);
  const [isImporting, setImporting] = useState(false);
  const { botId } = bot;
  const pages = usePages(
    (cursor) => resource('/api/v1/bots/{botId}/gifts', { path: { botId }, query: { cursor } }),
    ({ gifts }) => gifts,
  );
  useEffect(() => {
    if (changes > 0) pages.reload();
  }, [changes]);
  return (
    <Card
      title={t('catalogue')}
      note={t('catalogueNote')}
      actions={
        <>
          <a
            class="button"
            aria-label={t('exportOf', { what: t('catalogue') })}
            href={urlOf('/api/v1/bots/{botId}/exports/{what}', {
              path: { botId, what: 'catalogue' },
              query: { format: 'csv', bom: true },
            })}
            download="catalogue.csv"
          >
            <Icon name="download" />
            {t('export')}
          </a>
          {may('write') && (
            <>
              <button
                type="button"
                class="button"
                aria-label={t('importOf', { what: t('catalogue') })}
                onClick={() => setImporting(true)}
              >
                {imports('import')}
              </button>
              <button type="button" class="button button-main" onClick={() => setEdited('new')}>
                {t('newGift')}
              </button>
            </>
          )}
        </>
      }
    >
      <DataTable<Gift>
        caption={t('catalogue')}
        rows={pages.rows}
        pages={pages}
        keyOf={({ giftId }) => giftId}
        empty={<Empty title={t('noGifts')}>{t('noGiftsHint')}</Empty>}
        columns={columnsOf(bot.timeZone, setEdited)}
      />
      {edited !== null && (
        <GiftDialog
          bot={bot}
          gift={edited === 'new' ? null : edited}
          onClose={() => setEdited(null)}
          onSaved={() => {
            setEdited(null);
            pages.reload();
          }}
        />
      )}
      {isImporting && (
        <ImportDialog
          botId={botId}
          what="catalogue"
          title={t('importOf', { what: t('catalogue') })}
          columns="name, kind, resource (stock, expires_at, is_default)"
          onImported={pages.reload}
          onClose={() => setImporting(false)}
        />
      )}
    </Card>
  );
}

function columnsOf(zone: string, edit: (gift: Gift) => void): Column<Gift>[] {
  const columns: Column<Gift>[] = [
    {
      key: 'name',
      title: t('name'),
      cell: ({ name, isDefault }) => (
        <>
          {name} {isDefault && <span class="tag tag-good">{t('default')}</span>}
        </>
      ),
      sortBy: ({ name }) => name,
    },
    { key: 'kind', title: t('kind'), cell: ({ kind }) => t(kind), sortBy: ({ kind }) => t(kind) },
    { key: 'resource', title: t('resource'), cell: ({ resource: source }) => source },
    {
      key: 'stock',
      title: t('stock'),
      isNumber: true,
      cell: ({ stock }) => (stock === null ? t('unlimited') : number(stock)),
      sortBy: ({ stock }) => stock,
    },
    {
      key: 'granted',
      title: t('granted'),
      isNumber: true,
      cell: ({ granted }) => number(granted),
      sortBy: ({ granted }) => granted,
    },
    {
      key: 'left',
      title: t('left'),
      isNumber: true,
      cell: ({ available }) => (available === null ? t('unlimited') : number(available)),
      sortBy: ({ available }) => available,
    },
    {
      key: 'expires',
      title: t('expires'),
      cell: ({ expiresAt }) => <Expiry expiresAt={expiresAt} zone={zone} />,
      sortBy: ({ expiresAt }) => expiresAt,
    },
  ];
  const actions: Column<Gift> = {
    key: 'actions',
    title: t('actions'),
    cell: (gift) => (
      <button
        type="button"
        class="button"
        aria-label={t('editNamed', { name: gift.name })}
        onClick={() => edit(gift)}
      >
        {t('edit')}
      </button>
    ),
  };
  return may('write') ? [...columns, actions] : columns;
}

function Expiry({ expiresAt, zone }: { expiresAt: string | null; zone: string }) {
  if (expiresAt === null) return <>{t('never')}</>;
  return (
    <>
      {dateTime(expiresAt, zone)}
      {hasExpired(expiresAt) && <span class="below">{t('hasExpired')}</span>}
    </>
  );
}
