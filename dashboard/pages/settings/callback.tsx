/** The settings of outgoing webhooks: address, signing secret, health. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, bodyOf, resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { Confirm } from '../../components/confirm.tsx';
import { CopyField } from '../../components/copy-field.tsx';
import { TextField } from '../../components/field.tsx';
import { Empty, ErrorNote, Loaded } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime, number } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/settings.ts';
import { Facts } from './facts.tsx';

type Callback = Schema['Callback'];

export function CallbackSettings({ bot }: PageProps) {
  const live = useLive(resource('/api/v1/bots/{botId}/callback', { path: { botId: bot.botId } }));
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <Card title={t('callback')} note={t('callbackNote')}>
      <Loaded live={live}>
        {({ callback }) => (
          <>
            {callback && <State callback={callback} zone={bot.timeZone} />}
            {secret && (
              <>
                <p class="notice">{t('shownOnce')}</p>
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
              callback === null && <Empty title={t('noCallback')} />
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}

function State({ callback, zone }: { callback: Callback; zone: string }) {
  const { disabledAt, failingSince, previousSecretUntil } = callback;
  return (
    <Facts
      facts={[
        [t('callbackUrl'), <code key="url">{callback.url}</code>],
        [
          t('state'),
          disabledAt ? (
            <span class="tag tag-bad">{t('callbackDisabled', { at: dateTime(disabledAt, zone) })}</span>
          ) : failingSince ? (
            <span class="tag tag-warn">{t('callbackFailing', { at: dateTime(failingSince, zone) })}</span>
          ) : (
            <span class="tag tag-good">{t('callbackWell')}</span>
          ),
        ],
        [t('waitingNotices'), number(callback.waiting)],
        ...(previousSecretUntil
          ? [[t('previousSecret'), t('until', { at: dateTime(previousSecretUntil, zone) })] as const]
          : []),
      ]}
    />
  );
}

type FormProps = PageProps & { url: string | null; onSecret(secret: string | null): void; changed(): void };

function AddressForm({ bot, url, onSecret, changed }: FormProps) {
  const [address, setAddress] = useState(url ?? '');
  const [openDialog, setOpenDialog] = useState<'remove' | 'rotate' | null>(null);
  const params = { path: { botId: bot.botId } };
  const saving = useAction(async () => {
    const body = { url: address.trim() };
    const { secret } = await bodyOf(api.PUT('/api/v1/bots/{botId}/callback', { params, body }));
    if (secret) onSecret(secret);
    changed();
    showToast(t('saved'));
  });
  return (
    <>
      <form
        class="form narrow"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (address.trim() !== '') void saving.run();
        }}
      >
        <TextField
          label={t('callbackUrl')}
          hint={t('callbackHint')}
          type="url"
          placeholder="https://shop.example/shoal"
          maxLength={2048}
          value={address}
          onValue={setAddress}
        />
        {saving.error && <ErrorNote error={saving.error} />}
        <div class="form-actions">
          <button type="submit" class="button button-main" disabled={saving.isBusy || address.trim() === ''}>
            {frame('save')}
          </button>
          {url !== null && (
            <>
              <button type="button" class="button" onClick={() => setOpenDialog('rotate')}>
                {t('rotateSecret')}
              </button>
              <button type="button" class="button button-danger" onClick={() => setOpenDialog('remove')}>
                {t('removeCallback')}
              </button>
            </>
          )}
        </div>
      </form>
      {openDialog === 'rotate' && (
        <Confirm
          title={t('rotateSecret')}
          text={t('rotateAsk')}
          actionTitle={t('rotateSecret')}
          act={async () => {
            const rotated = api.POST('/api/v1/bots/{botId}/callback/rotate-secret', { params });
            onSecret((await bodyOf(rotated)).secret);
            changed();
          }}
          onClose={() => setOpenDialog(null)}
        />
      )}
      {openDialog === 'remove' && (
        <Confirm
          title={t('removeCallback')}
          text={t('removeCallbackAsk')}
          actionTitle={t('removeCallback')}
          act={async () => {
            await api.DELETE('/api/v1/bots/{botId}/callback', { params });
            onSecret(null);
            changed();
            showToast(t('callbackRemoved'));
          }}
          onClose={() => setOpenDialog(null)}
        />
      )}
    </>
  );
}
