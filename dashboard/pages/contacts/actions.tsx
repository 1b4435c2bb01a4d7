/** Actions on a contact: block, unblock, delete its personal data. */
import { useState } from 'preact/hooks';
import { useAction, useKey } from '../../api/action.ts';
import { api } from '../../api/client.ts';
import { TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { showToast } from '../../components/toast.tsx';
import { useAddress } from '../../state/address.ts';
import { t } from '../../texts/contact.ts';
import { type Contact, type ContactCardProps, nameOf, nameOrNull } from './contact.ts';

type DialogOf = Pick<ContactCardProps, 'path' | 'contact' | 'onChanged'> & { onClose(): void };

/** True if the platform does not report blocks, so that the business records them. */
export function isBlockedByHand({ platform }: Contact): boolean {
  return platform === 'facebook' || platform === 'liveChat';
}

/** Blocks or unblocks: the opposite of the state when the dialog opened. */
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

/** Deletes the personal data after the user typed the contact's name, because this cannot be undone. */
export function DeleteDataDialog({ path, contact, back, onClose }: DialogOf & { back: string }) {
  const [typed, setTyped] = useState('');
  const [isTried, setTried] = useState(false);
  const [name] = useState(nameOf(contact));
  const [confirmation] = useState(nameOrNull(contact) ?? contact.contactId);
  const action = useAction();
  const { go } = useAddress();
  const isSame = typed.trim() === confirmation.trim();
  const submit = async (): Promise<void> => {
    setTried(true);
    if (!isSame) return;
    let isComplete = false;
    const isAccepted = await action.run(async () => {
      const { response } = await api.DELETE('/api/v1/bots/{botId}/contacts/{contactId}', {
        params: { path },
      });
      // 202: a job continues in the background.
      isComplete = response.status === 204;
    });
    if (!isAccepted) return;
    showToast(t(isComplete ? 'dataDeleted' : 'deletingData', { name }));
    go(back, { replace: true });
  };
  return (
    <FormDialog
      title={t('deleteDataTitle', { name })}
      submit={t('deleteDataNow')}
      isDangerous
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>{t('deleteDataHint')}</p>
      <TextField
        label={t('typeName', { word: confirmation })}
        value={typed}
        onValue={setTyped}
        error={isTried && !isSame ? t('otherName') : null}
        autoComplete="off"
        spellcheck={false}
      />
    </FormDialog>
  );
}
