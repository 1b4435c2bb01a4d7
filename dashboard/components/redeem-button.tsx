/** Redeems a granted gift after a confirmation. */
import { useKey } from '../api/action.ts';
import { api, type Schema } from '../api/client.ts';
import { may } from '../state/session.ts';
import { t } from '../texts/rewards.ts';
import { ConfirmButton } from './confirm.tsx';
import { showToast } from './toast.tsx';

type Props = {
  botId: string;
  contactId: string;
  grant: Schema['GiftGrant'];
  onRedeemed(): void;
};

/** Nothing for a gift that is redeemed or has expired, or for a reader. */
export function RedeemButton({ botId, contactId, grant, onRedeemed }: Props) {
  const key = useKey();
  const { grantId, name: gift, redeemedAt, expiresAt } = grant;
  if (!may('write') || redeemedAt !== null || hasExpired(expiresAt)) return null;
  return (
    <ConfirmButton
      title={t('redeemNamed', { gift })}
      text={t('redeemHint')}
      actionTitle={t('redeem')}
      act={async () => {
        await api.POST('/api/v1/bots/{botId}/contacts/{contactId}/gifts/{grantId}/redeem', {
          params: { path: { botId, contactId, grantId }, header: { 'Idempotency-Key': key } },
        });
        showToast(t('redeemedNow', { gift }));
        onRedeemed();
      }}
    >
      {t('redeem')}
    </ConfirmButton>
  );
}

export function hasExpired(expiresAt: string | null): boolean {
  return expiresAt !== null && Date.parse(expiresAt) <= Date.now();
}
