/** The settings of outgoing webhooks: address, signing secret, health. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, bodyOf, resource } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { CallbackState } from '../../components/callback-state.tsx';
import { Card } from '../../components/card.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { CopyField } from '../../components/copy-field.tsx';
import { TextField } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/callback.ts';
import { t as settings } from '../../texts/settings.ts';

export function CallbackSettings({ bot }: PageProps) {
  const live = useLive(resource('/api/v1/bots/{botId}/callback', { path: { botId: bot.botId } }));
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <Card title={settings('callback')} note={t('note')}>
      <Loaded live={live}>
        {({ callback }) => (
          <>
            {callback && <CallbackState callback={callback} zone={bot.timeZone} />}
            {secret && (
              <>
                <p class="notice">{settings('shownOnce')}</p>
                <CopyField label={t('signingSecret')} value={secret} />
              </>
            )}
            {may('admin') ? (
              <AddressForm
                key={callback?.url ?? ''}
                bot={bot}
                url={callback?.url ?? null}
                onSecret={setSecret}
                changed={live.reload}
              />
            ) : (
              callback === null && <Empty title={t('none')}>{t('noneHint')}</Empty>
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}

type FormProps = PageProps & { url: string | null; onSecret(secret: string | null): void; changed(): void };

function AddressForm({ bot, url, onSecret, changed }: FormProps) {
  const [address, setAddress] = useState(url ?? '');
  const [isTried, setTried] = useState(false);
  const isAddress = /^https?:\/\/\S+$/.test(address.trim());
  const params = { path: { botId: bot.botId } };
  const saving = useAction(async () => {
    const body = { url: address.trim() };
    const { secret } = await bodyOf(api.PUT('/api/v1/bots/{botId}/callback', { params, body }));
    if (secret) onSecret(secret);
    changed();
    showToast(settings('saved'));
  });
  const buttons = url !== null && (
    <>
      <ConfirmButton
        title={t('rotateSecret')}
        text={t('rotateAsk')}
        actionTitle={t('rotateSecret')}
        act={async () => {
          const rotated = api.POST('/api/v1/bots/{botId}/callback/rotate-secret', { params });
          onSecret((await bodyOf(rotated)).secret);
          changed();
        }}
      />
      <ConfirmButton
        title={t('remove')}
        text={t('removeAsk')}
        actionTitle={t('remove')}
        isDangerous
        act={async () => {
          await api.DELETE('/api/v1/bots/{botId}/callback', { params });
          onSecret(null);
          changed();
          showToast(t('removed'));
        }}
      />
    </>
  );
  const submit = (): void => {
    setTried(true);
    if (isAddress) void saving.run();
  };
  return (
    <Form action={saving} onSubmit={submit} canSave={address.trim() !== ''} buttons={buttons}>
      <TextField
        label={t('address')}
        hint={t('addressHint')}
        type="url"
        placeholder="https://shop.example/shoal"
        maxLength={2048}
        value={address}
        onValue={setAddress}
        error={isTried && !isAddress ? t('addressWrong') : null}
        autoComplete="off"
        spellcheck={false}
      />
    </Form>
  );
}
