/** Grants a gift of the catalogue to a contact: to the one of the page, or to one that is named by an id. */
import { useState } from 'preact/hooks';
import { useAction, useKey } from '../api/action.ts';
import { api, bodyOf, resource } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import { number } from '../format/format.ts';
import { t } from '../texts/rewards.ts';
import { SelectField, TextField } from './field.tsx';
import { FormDialog } from './form-dialog.tsx';
import { hasExpired } from './redeem-button.tsx';
import { Loaded } from './states.tsx';
import { showToast } from './toast.tsx';

type Props = {
  botId: string;
  /** Null: the form asks for it. */
  contactId: string | null;
  onGranted(): void;
  onClose(): void;
};

const giftsShown = 200;

export function GrantDialog({ botId, contactId, onGranted, onClose }: Props) {
  const [chosen, setChosen] = useState('');
  const [typed, setTyped] = useState('');
  const [isUnknown, setUnknown] = useState(false);
  const key = useKey();
  const action = useAction();
  const live = useLive(
    resource('/api/v1/bots/{botId}/gifts', { path: { botId }, query: { limit: giftsShown } }),
    { everyMs: 0 },
  );
  const gifts = (live.value?.gifts ?? []).filter(
    ({ available, expiresAt }) => available !== 0 && !hasExpired(expiresAt),
  );
  const gift = gifts.find(({ giftId }) => giftId === chosen) ?? gifts[0];
  const submit = async (): Promise<void> => {
    if (!gift) return;
    await action.run(async () => {
      const to = contactId ?? (await findContact(botId, typed.trim()));
      setUnknown(to === null);
      if (to === null) return;
      await api.POST('/api/v1/bots/{botId}/contacts/{contactId}/gifts', {
        params: { path: { botId, contactId: to }, header: { 'Idempotency-Key': key } },
        body: { giftId: gift.giftId },
      });
      showToast(t('grantedNow', { gift: gift.name }));
      onGranted();
      onClose();
    });
  };
  return (
    <FormDialog
      title={t('grantGift')}
      submit={t('grant')}
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <Loaded live={live}>
        {() =>
          gift ? (
            <SelectField
              label={t('ofGift')}
              value={gift.giftId}
              onValue={setChosen}
              choices={gifts.map(({ giftId, name, available }) => ({
                value: giftId,
                title: available === null ? name : t('leftOf', { name, left: number(available) }),
              }))}
            />
          ) : (
            <p>{t('noneToGrant')}</p>
          )
        }
      </Loaded>
      {contactId === null && (
        <TextField
          label={t('contactId')}
          hint={t('contactIdHint')}
          value={typed}
          onValue={(text) => {
            setTyped(text);
            setUnknown(false);
          }}
          required
          error={isUnknown ? t('noContact') : null}
        />
      )}
    </FormDialog>
  );
}

/** The contact with this id; null: none. Throws ApiError. */
async function findContact(botId: string, id: string): Promise<string | null> {
  if (id === '') return null;
  const query = { id, limit: 1 };
  const { contacts } = await bodyOf(
    api.GET('/api/v1/bots/{botId}/contacts', { params: { path: { botId }, query } }),
  );
  return contacts[0]?.contactId ?? null;
}
