/** The profile of a contact, and its editor. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api } from '../../api/client.ts';
import { Card } from '../../components/card.tsx';
import { Facts } from '../../components/facts.tsx';
import { TextAreaField, TextField, type TextFieldProps } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { showToast } from '../../components/toast.tsx';
import { day, unknown } from '../../format/format.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/contact.ts';
import { t as list } from '../../texts/contacts.ts';
import { t as frame } from '../../texts/frame.ts';
import type { Contact, ContactCardProps } from './contact.ts';

const attributes = [
  'name',
  'userName',
  'userPhone',
  'userEmail',
  'userBirthday',
  'userAddress',
  'remark',
] as const;
/** Values that only the platform sets. */
const reported = ['accountName', 'language', 'statusMessage'] as const;
type Attribute = (typeof attributes)[number];
type Fields = Record<Attribute | 'customerId', string>;

const limits: Record<Attribute, number> = {
  name: 200,
  userName: 200,
  userPhone: 40,
  userEmail: 254,
  userBirthday: 10,
  userAddress: 500,
  remark: 2_000,
};

export function ProfileCard(props: ContactCardProps) {
  const { contact } = props;
  const [isOpen, setOpen] = useState(false);
  return (
    <Card
      title={t('profile')}
      actions={
        may('write') && (
          <button type="button" class="button" onClick={() => setOpen(true)}>
            {t('edit')}
          </button>
        )
      }
    >
      <Facts
        facts={[
          ...attributes.map((name) => [t(name), textOf(contact, name)] as const),
          ...reported.flatMap((name) => (contact[name] === null ? [] : [[t(name), contact[name]] as const])),
          [list('customerId'), contact.customerId ?? unknown],
          [t('contactId'), <code key="id">{contact.contactId}</code>],
          [t('platformContactId'), <code key="platform">{contact.platformContactId}</code>],
        ]}
      />
      {isOpen && <ProfileDialog {...props} onClose={() => setOpen(false)} />}
    </Card>
  );
}

function textOf(contact: Contact, name: Attribute): string {
  const value = contact[name];
  return name === 'userBirthday' && value !== null ? day(value) : (value ?? unknown);
}

function ProfileDialog({ path, contact, onChanged, onClose }: ContactCardProps & { onClose(): void }) {
  const [before] = useState(() => fieldsOf(contact));
  const [fields, setFields] = useState(before);
  const action = useAction();
  const submit = async (): Promise<void> => {
    const isDone = await action.run(async () => {
      const changes = changesOf(before, fields);
      if (Object.keys(changes).length > 0) {
        await api.PATCH('/api/v1/bots/{botId}/contacts/{contactId}', { params: { path }, body: changes });
      }
      await bind(path, before.customerId, fields.customerId.trim());
    });
    // Also after a failure, because the first of the two calls may have succeeded.
    onChanged();
    if (!isDone) return;
    showToast(t('saved'));
    onClose();
  };
  const field = (name: keyof Fields, rest: Partial<TextFieldProps> = {}) => ({
    label: name === 'customerId' ? list('customerId') : t(name),
    value: fields[name],
    onValue: (value: string) => setFields({ ...fields, [name]: value }),
    maxLength: name === 'customerId' ? 200 : limits[name],
    autoComplete: 'off',
    ...rest,
  });
  return (
    <FormDialog
      title={t('profile')}
      submit={frame('save')}
      action={action}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <TextField {...field('name', { hint: t('nameHint') })} />
      <TextField {...field('userName')} />
      <TextField {...field('userPhone')} />
      <TextField {...field('userEmail')} />
      <TextField {...field('userBirthday', { type: 'date' })} />
      <TextField {...field('userAddress')} />
      <TextAreaField
        label={t('remark')}
        rows={3}
        maxLength={limits.remark}
        value={fields.remark}
        onValue={(remark) => setFields({ ...fields, remark })}
      />
      <TextField {...field('customerId', { hint: t('customerIdHint') })} />
    </FormDialog>
  );
}

/** Binds the contact to a customer of the business's own system; empty removes the binding. */
async function bind(path: ContactCardProps['path'], before: string, customerId: string): Promise<void> {
  if (customerId === before) return;
  const address = '/api/v1/bots/{botId}/contacts/{contactId}/customer';
  if (customerId === '') await api.DELETE(address, { params: { path } });
  else await api.PUT(address, { params: { path }, body: { customerId } });
}

/** Only the changed fields, so that concurrent changes of other fields stay. An empty field becomes null. */
function changesOf(before: Fields, after: Fields): Partial<Record<Attribute, string | null>> {
  const changed = attributes.filter((name) => after[name] !== before[name]);
  return Object.fromEntries(changed.map((name) => [name, after[name].trim() || null]));
}

function fieldsOf(contact: Contact): Fields {
  const { name, userName, userPhone, userEmail, userBirthday, userAddress, remark, customerId } = contact;
  return {
    name: name ?? '',
    userName: userName ?? '',
    userPhone: userPhone ?? '',
    userEmail: userEmail ?? '',
    userBirthday: userBirthday ?? '',
    userAddress: userAddress ?? '',
    remark: remark ?? '',
    customerId: customerId ?? '',
  };
}
