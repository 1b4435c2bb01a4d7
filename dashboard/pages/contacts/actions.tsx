/** What is recorded or done about a contact as a whole: block, unblock, forget. */
import { useState } from 'preact/hooks';
import { useAction, useKey } from '../../api/action.ts';
import { api } from '../../api/client.ts';
import { TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { showToast } from '../../components/toast.tsx';
import { useAddress } from '../../state/address.ts';
import { t } from '../../texts/contact.ts';
import { type Contact, type ContactCardProps, knownName, nameOf } from './contact.ts';

type DialogOf = Pick<ContactCardProps, 'path' | 'contact' | 'onChanged'> & { onClose(): void };

/** True where no platform tells of blocks, so that the business records them. */
export function mayBeBlocked({ platform }: Contact): boolean {
  return platform === 'facebook' || platform === 'liveChat';
}

/** The opposite of what the contact was when the dialog was opened. */
export function BlockDialog({ path, contact, onChanged, onClose }: DialogOf) {
  const [isBlock] = useState(!contact.blocked);
  const key = useKey();
  const action = useAction();
  const submit = async (): Promise<void> => {
    const params = { path, header: { 'Idempotency-Key': key } };
    const isDone = await action.run(() =>
      isBlock
        ? api.POST('/api/v1/bots/{botId}/contacts/{contactId}/block', { params })
        : api.POST('/api/v1/bots/{botId}/contacts/{contactId}/unblock', { params }),
    );
    if (!isDone) return;
    showToast(isBlock ? t('blockedNow') : t('unblockedNow'));
    onChanged();
    onClose();
  };
  return (
    <FormDialog
      title={t(isBlock ? 'blockTitle' : 'unblockTitle', { name: nameOf(contact) })}
      submit={isBlock ? t('block') : t('unblock')}
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>{isBlock ? t('blockHint') : t('unblockHint')}</p>
    </FormDialog>
  );
}

/** Asks for the contact's name first: this cannot be undone. */
export function ForgetDialog({ path, contact, back, onClose }: DialogOf & { back: string }) {
  const [typed, setTyped] = useState('');
  const [isTried, setTried] = useState(false);
  const [name] = useState(nameOf(contact));
  // Who has no name is asked for by id.
  const [word] = useState(knownName(contact) ?? contact.contactId);
  const action = useAction();
  const { go } = useAddress();
  const isSame = typed.trim() === word.trim();
  const submit = async (): Promise<void> => {
    setTried(true);
    if (!isSame) return;
    let isDone = false;
    const isTaken = await action.run(async () => {
      const { response } = await api.DELETE('/api/v1/bots/{botId}/contacts/{contactId}', {
        params: { path },
      });
      // 202: a job continues in the background.
      isDone = response.status === 204;
    });
    if (!isTaken) return;
    showToast(t(isDone ? 'forgotten' : 'beingForgotten', { name }));
    go(back, { replace: true });
  };
  return (
    <FormDialog
      title={t('forgetTitle', { name })}
      submit={t('forgetNow')}
      isDangerous
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>{t('forgetHint')}</p>
      <TextField
        label={t('typeName', { word })}
        value={typed}
        onValue={setTyped}
        error={isTried && !isSame ? t('otherName') : null}
        autoComplete="off"
        spellcheck={false}
      />
    </FormDialog>
  );
}
