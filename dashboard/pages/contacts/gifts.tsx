/** A contact's gifts: granted, redeemed, and a form to grant another one. */
import { useState } from 'preact/hooks';
import { resource, type Schema } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { GrantDialog } from '../../components/grant-dialog.tsx';
import { hasExpired, RedeemButton } from '../../components/redeem-button.tsx';
import { Empty } from '../../components/states.tsx';
import { dateTime } from '../../format/format.ts';
import { may } from '../../state/session.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/rewards.ts';
import type { ContactCardProps } from './contact.ts';

type Grant = Schema['GiftGrant'];

export function GiftsCard({ bot, path }: ContactCardProps) {
  const [isGranting, setGranting] = useState(false);
  const zone = bot.timeZone;
  const pages = usePages(
    (cursor) => resource('/api/v1/bots/{botId}/contacts/{contactId}/gifts', { path, query: { cursor } }),
    ({ grants }) => grants,
  );
  return (
    <Card
      title={frame('rewards')}
      actions={
        may('write') && (
          <button type="button" class="button" onClick={() => setGranting(true)}>
            {t('grantGift')}
          </button>
        )
      }
    >
      <DataTable<Grant>
        caption={frame('rewards')}
        rows={pages.rows}
        pages={pages}
        keyOf={({ grantId }) => String(grantId)}
        empty={<Empty title={t('noGrants')}>{t('noGrantsHint')}</Empty>}
        columns={[
          { key: 'gift', title: t('ofGift'), cell: ({ name }) => name },
          { key: 'kind', title: t('kind'), cell: ({ kind }) => t(kind) },
          { key: 'granted', title: t('grantedAt'), cell: ({ grantedAt }) => dateTime(grantedAt, zone) },
          {
            key: 'expires',
            title: t('expires'),
            cell: ({ expiresAt }) => (expiresAt === null ? t('never') : dateTime(expiresAt, zone)),
          },
          {
            key: 'redeemed',
            title: t('redeemedAt'),
            cell: (grant) => <Redemption grant={grant} {...{ path, zone }} onRedeemed={pages.reload} />,
          },
        ]}
      />
      {isGranting && <GrantDialog {...path} onGranted={pages.reload} onClose={() => setGranting(false)} />}
    </Card>
  );
}

type RedemptionProps = Pick<ContactCardProps, 'path'> & { grant: Grant; zone: string; onRedeemed(): void };

function Redemption({ grant, path, zone, onRedeemed }: RedemptionProps) {
  const { redeemedAt, expiresAt } = grant;
  if (redeemedAt !== null) return <>{dateTime(redeemedAt, zone)}</>;
  if (hasExpired(expiresAt)) return <>{t('hasExpired')}</>;
  if (!may('write')) return <>{t('unused')}</>;
  return <RedeemButton {...path} grant={grant} onRedeemed={onRedeemed} />;
}
