/** What is recorded or done about a contact as a whole: block, unblock, forget. */
import { useState } from 'preact/hooks';
import { useAction, useKey } from '../../api/action.ts';
import { call } from '../../api/client.ts';
import { TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { tell } from '../../components/toast.tsx';
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
  const [word] = useState(contact.blocked ? 'unblock' : 'block');
  const key = useKey();
  const action = useAction();
  const isBlock = word === 'block';
  const submit = async (): Promise<void> => {
    const isDone = await action.run(() =>
      call(`${path}/${word}`, { method: 'POST', body: {}, headers: { 'idempotency-key': key } }),
    );
    if (!isDone) return;
    tell(isBlock ? t('blockedNow') : t('unblockedNow'));
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
      // With an answer the work goes on.
      isDone = (await call<object | undefined>(path, { method: 'DELETE' })) === undefined;
    });
    if (!isTaken) return;
    tell(t(isDone ? 'forgotten' : 'beingForgotten', { name }));
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
