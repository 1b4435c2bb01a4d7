/** Where a bot's changes are told: the address, its secret, and how that goes. */
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
import { NoticeLog } from './notices.tsx';

type Callback = Schema['Callback'];
type CallbackProps = { path: { botId: string }; zone: string; callback: Callback | null; onChanged(): void };
type Asked = 'set' | 'rotate' | 'remove';

export function CallbackCard({ path, zone, callback, onChanged }: CallbackProps) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const changed = (made: string | null): void => {
    if (made !== null) setSecret(made);
    setAsked(null);
    onChanged();
  };
  const dialog = { path, onClose: () => setAsked(null), onDone: changed };
  return (
    <Card
      title={t('callback')}
      note={t('callbackNote')}
      actions={
        may('admin') && (
          <>
            <button type="button" class="button" onClick={() => setAsked('set')}>
              {callback ? t('changeAddress') : t('setAddress')}
            </button>
            {callback && (
              <>
                <button type="button" class="button" onClick={() => setAsked('rotate')}>
                  {t('newSecret')}
                </button>
                <button type="button" class="button button-danger" onClick={() => setAsked('remove')}>
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
      <NoticeLog path={path} zone={zone} isUsed={callback !== null} onChanged={onChanged} />
      {asked === 'set' && <SetDialog {...dialog} url={callback?.url ?? ''} />}
      {asked === 'rotate' && <RotateDialog {...dialog} />}
      {asked === 'remove' && <RemoveDialog {...dialog} />}
    </Card>
  );
}

function Address({ callback, zone }: { callback: Callback; zone: string }) {
  const { url, failingSince, disabledAt, previousSecretUntil } = callback;
  return (
    <div class="callback">
      <p>
        <code>{url}</code>{' '}
        {disabledAt === null && failingSince === null && <span class="tag tag-good">{t('well')}</span>}
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

/** Told this once: it stays until the reader has put it away. */
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
      {/* Browsers give a clipboard to safe pages only. */}
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
    let made: string | null = null;
    const isDone = await action.run(async () => {
      const body = { url: typed.trim() };
      const set = api.PUT('/api/v1/bots/{botId}/callback', { params: { path }, body });
      made = (await bodyOf(set)).secret;
    });
    if (!isDone) return;
    showToast(t('addressSet'));
    onDone(made);
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
    let made: string | null = null;
    const isDone = await action.run(async () => {
      const rotated = api.POST('/api/v1/bots/{botId}/callback/rotate-secret', { params: { path } });
      made = (await bodyOf(rotated)).secret;
    });
    if (isDone) onDone(made);
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
