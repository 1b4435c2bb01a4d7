/** All granted gifts with their redemptions: grant, redeem, import and export. */
import { useState } from 'preact/hooks';
import { resource, type Schema, urlOf } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { Choice } from '../../components/choice.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { GrantDialog } from '../../components/grant-dialog.tsx';
import { Icon } from '../../components/icon.tsx';
import { ImportDialog } from '../../components/import-dialog.tsx';
import { RedeemButton } from '../../components/redeem-button.tsx';
import { Empty } from '../../components/states.tsx';
import { dateTime } from '../../format/format.ts';
import { platformTitle } from '../../format/platforms.ts';
import { pageAddress, useAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/rewards.ts';

type Grant = Schema['ContactGrant'];
type Props = PageProps & {
  /** Called after grants and redemptions. */
  onChanged(): void;
};

const giftsShown = 200;
const imported = { gifts: 'grants', redemptions: 'redemptions' } as const;
const columnsOfFile = {
  gifts: 'platform, contact, gift (key)',
  redemptions: 'platform, contact, gift (grant_id, key)',
};

export function Grants({ bot, onChanged }: Props) {
  const [open, setOpen] = useState<'grant' | 'gifts' | 'redemptions' | null>(null);
  const { query } = useAddress();
  const { botId } = bot;
  const pages = usePages(
    (cursor) =>
      resource('/api/v1/bots/{botId}/gifts/grants', {
        path: { botId },
        query: { giftId: query.gift, cursor },
      }),
    ({ grants }) => grants,
  );
  const changed = (): void => {
    pages.reload();
    onChanged();
  };
  return (
    <Card
      title={t('grants')}
      note={t('grantsNote')}
      actions={
        may('write') && (
          <>
            <a
              class="button"
              aria-label={t('exportOf', { what: t('grants') })}
              href={urlOf('/api/v1/bots/{botId}/exports/{what}', {
                path: { botId, what: 'gifts' },
                query: { format: 'csv', bom: true },
              })}
              download="gifts.csv"
            >
              <Icon name="download" />
              {t('export')}
            </a>
            {(['gifts', 'redemptions'] as const).map((what) => (
              <button key={what} type="button" class="button" onClick={() => setOpen(what)}>
                {t('importOf', { what: t(imported[what]) })}
              </button>
            ))}
            <button type="button" class="button button-main" onClick={() => setOpen('grant')}>
              {t('grantGift')}
            </button>
          </>
        )
      }
    >
      <GiftChoice botId={botId} />
      <DataTable<Grant>
        caption={t('grants')}
        rows={pages.rows}
        pages={pages}
        keyOf={({ grantId }) => String(grantId)}
        empty={<Empty title={t('noGrants')}>{t('noGrantsHint')}</Empty>}
        columns={columnsOf(bot, changed)}
      />
      {open === 'grant' && (
        <GrantDialog botId={botId} contactId={null} onGranted={changed} onClose={() => setOpen(null)} />
      )}
      {(open === 'gifts' || open === 'redemptions') && (
        <ImportDialog
          botId={botId}
          what={open}
          title={t('importOf', { what: t(imported[open]) })}
          columns={columnsOfFile[open]}
          onImported={changed}
          onClose={() => setOpen(null)}
        />
      )}
    </Card>
  );
}

/** Limits the list to one gift. */
function GiftChoice({ botId }: { botId: string }) {
  const { query, setQuery } = useAddress();
  const live = useLive(
    resource('/api/v1/bots/{botId}/gifts', { path: { botId }, query: { limit: giftsShown } }),
    { everyMs: 60_000 },
  );
  const gifts = live.value?.gifts ?? [];
  if (gifts.length === 0) return null;
  return (
    <Choice
      label={t('ofGift')}
      value={query.gift ?? ''}
      onChange={(giftId: string) => setQuery({ gift: giftId === '' ? null : giftId })}
      choices={[
        { value: '', title: t('allGifts') },
        ...gifts.map(({ giftId, name }) => ({ value: giftId, title: name })),
      ]}
    />
  );
}

function columnsOf({ botId, timeZone }: PageProps['bot'], onChanged: () => void): Column<Grant>[] {
  return [
    {
      key: 'contact',
      title: t('contact'),
      cell: ({ contactId, contactName, platform, platformContactId }) => (
        <>
          <a href={`${pageAddress(botId, 'contacts')}?contact=${contactId}`}>
            {contactName ?? <code>{platformContactId}</code>}
          </a>
          <span class="below">{platformTitle(platform)}</span>
        </>
      ),
    },
    {
      key: 'gift',
      title: t('ofGift'),
      cell: ({ name, kind }) => (
        <>
          {name}
          <span class="below">{t(kind)}</span>
        </>
      ),
    },
    {
      key: 'granted',
      title: t('grantedAt'),
      cell: ({ grantedAt, grantedBy }) => <Moment at={grantedAt} by={grantedBy} zone={timeZone} />,
    },
    {
      key: 'redeemed',
      title: t('redeemedAt'),
      cell: (grant) =>
        grant.redeemedAt === null ? (
          <RedeemButton botId={botId} contactId={grant.contactId} grant={grant} onRedeemed={onChanged} />
        ) : (
          <Moment at={grant.redeemedAt} by={grant.redeemedBy} zone={timeZone} />
        ),
    },
  ];
}

function Moment({ at, by, zone }: { at: string; by: string | null; zone: string }) {
  return (
    <>
      {dateTime(at, zone)}
      {by !== null && <span class="below">{t('by', { name: by })}</span>}
    </>
  );
}
