/** The bot's outgoing webhooks: address, secret, health and log. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, bodyOf, type Schema } from '../../api/client.ts';
import { Card } from '../../components/card.tsx';
import { TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { Icon } from '../../components/icon.tsx';
import { Empty } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime } from '../../format/format.ts';
import { may } from '../../state/session.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/health.ts';
import { WebhookLog } from './webhook-log.tsx';

type Callback = Schema['Callback'];
type CallbackProps = { path: { botId: string }; zone: string; callback: Callback | null; onChanged(): void };
type DialogName = 'set' | 'rotate' | 'remove';

export function CallbackCard({ path, zone, callback, onChanged }: CallbackProps) {
  const [openDialog, setOpenDialog] = useState<DialogName | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const changed = (newSecret: string | null): void => {
    if (newSecret !== null) setSecret(newSecret);
    setOpenDialog(null);
    onChanged();
  };
  const dialog = { path, onClose: () => setOpenDialog(null), onDone: changed };
  return (
    <Card
      title={t('callback')}
      note={t('callbackNote')}
      actions={
        may('admin') && (
          <>
            <button type="button" class="button" onClick={() => setOpenDialog('set')}>
              {callback ? t('changeAddress') : t('setAddress')}
            </button>
            {callback && (
              <>
                <button type="button" class="button" onClick={() => setOpenDialog('rotate')}>
                  {t('newSecret')}
                </button>
                <button type="button" class="button button-danger" onClick={() => setOpenDialog('remove')}>
                  {t('removeAddress')}
                </button>
              </>
            )}
          </>
        )
      }
    >
      {secret !== null && <Secret secret={secret} onClose={() => setSecret(null)} />}
      {callback ? (
        <Address callback={callback} zone={zone} />
      ) : (
        <Empty title={t('noCallback')}>{t('noCallbackHint')}</Empty>
      )}
      <WebhookLog path={path} zone={zone} hasAddress={callback !== null} onChanged={onChanged} />
      {openDialog === 'set' && <SetDialog {...dialog} url={callback?.url ?? ''} />}
      {openDialog === 'rotate' && <RotateDialog {...dialog} />}
      {openDialog === 'remove' && <RemoveDialog {...dialog} />}
    </Card>
  );
}

function Address({ callback, zone }: { callback: Callback; zone: string }) {
  const { url, failingSince, disabledAt, previousSecretUntil } = callback;
  return (
    <div class="callback">
      <p>
        <code>{url}</code>{' '}
        {disabledAt === null && failingSince === null && <span class="tag tag-good">{t('working')}</span>}
      </p>
      {disabledAt !== null && <p class="notice">{t('disabled', { at: dateTime(disabledAt, zone) })}</p>}
      {disabledAt === null && failingSince !== null && (
        <p class="notice">{t('failingSince', { at: dateTime(failingSince, zone) })}</p>
      )}
      {previousSecretUntil !== null && (
        <p class="note">{t('bothSecrets', { at: dateTime(previousSecretUntil, zone) })}</p>
      )}
    </div>
  );
}

/** Shows the secret once, until the user closes it. */
function Secret({ secret, onClose }: { secret: string; onClose(): void }) {
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(secret);
    showToast(t('copied'));
  };
  return (
    <div class="notice secret" role="status">
      <div>
        <p>
          <strong>{t('secretOnce')}</strong>
        </p>
        <code>{secret}</code>
      </div>
      {/* Only pages over https have a clipboard. */}
      {'clipboard' in navigator && (
        <button type="button" class="button" onClick={() => void copy()}>
          {t('copy')}
        </button>
      )}
      <button type="button" class="button button-quiet" onClick={onClose} aria-label={frame('close')}>
        <Icon name="close" />
      </button>
    </div>
  );
}

type DialogProps = { path: { botId: string }; onClose(): void; onDone(secret: string | null): void };

function SetDialog({ path, url, onClose, onDone }: DialogProps & { url: string }) {
  const [typed, setTyped] = useState(url);
  const [isTried, setTried] = useState(false);
  const action = useAction();
  const isAddress = /^https?:\/\/\S+$/.test(typed.trim());
  const submit = async (): Promise<void> => {
    setTried(true);
    if (!isAddress) return;
    let newSecret: string | null = null;
    const isDone = await action.run(async () => {
      const body = { url: typed.trim() };
      const set = api.PUT('/api/v1/bots/{botId}/callback', { params: { path }, body });
      newSecret = (await bodyOf(set)).secret;
    });
    if (!isDone) return;
    showToast(t('addressSet'));
    onDone(newSecret);
  };
  return (
    <FormDialog
      title={t('callback')}
      submit={frame('save')}
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <TextField
        type="url"
        label={t('address')}
        hint={t('addressHint')}
        value={typed}
        onValue={setTyped}
        maxLength={2048}
        error={isTried && !isAddress ? t('addressWrong') : null}
        autoComplete="off"
        spellcheck={false}
      />
    </FormDialog>
  );
}

function RotateDialog({ path, onClose, onDone }: DialogProps) {
  const action = useAction();
  const submit = async (): Promise<void> => {
    let newSecret: string | null = null;
    const isDone = await action.run(async () => {
      const rotated = api.POST('/api/v1/bots/{botId}/callback/rotate-secret', { params: { path } });
      newSecret = (await bodyOf(rotated)).secret;
    });
    if (isDone) onDone(newSecret);
  };
  return (
    <FormDialog
      title={t('newSecret')}
      submit={t('newSecret')}
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>{t('newSecretHint')}</p>
    </FormDialog>
  );
}

function RemoveDialog({ path, onClose, onDone }: DialogProps) {
  const action = useAction();
  const submit = async (): Promise<void> => {
    const params = { path };
    if (!(await action.run(() => api.DELETE('/api/v1/bots/{botId}/callback', { params })))) return;
    showToast(t('addressRemoved'));
    onDone(null);
  };
  return (
    <FormDialog
      title={t('removeTitle')}
      submit={t('removeAddress')}
      isDangerous
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>{t('removeHint')}</p>
    </FormDialog>
  );
}
