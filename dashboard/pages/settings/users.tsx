/** Users who sign in with a name and a password, with their scope and bot. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { Confirm } from '../../components/confirm.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { Icon } from '../../components/icon.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { isForAllBots, type Scope } from '../../state/session.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/settings.ts';
import { scopes } from './access.tsx';
import { ScopeField, scopeColumn } from './tokens.tsx';

type User = Schema['User'];

export function Users({ bot }: PageProps) {
  const live = useLive(resource('/api/v1/users', {}));
  const [edited, setEdited] = useState<User | 'new' | null>(null);
  const [removed, setRemoved] = useState<User | null>(null);
  return (
    <Card
      title={t('users')}
      note={t('usersNote')}
      actions={
        <button type="button" class="button" onClick={() => setEdited('new')}>
          <Icon name="plus" />
          {t('newUser')}
        </button>
      }
    >
      <Loaded live={live}>
        {({ users }) => (
          <DataTable<User>
            caption={t('users')}
            rows={users}
            keyOf={({ userId }) => userId}
            empty={<Empty title={t('noUsers')}>{t('noUsersHint')}</Empty>}
            columns={columnsOf({ bot, edit: setEdited, remove: setRemoved })}
          />
        )}
      </Loaded>
      {edited && (
        <UserDialog
          bot={bot}
          user={edited === 'new' ? null : edited}
          done={(name) => {
            live.reload();
            setEdited(null);
            showToast(t('userSaved', { name }));
          }}
          onClose={() => setEdited(null)}
        />
      )}
      {removed && (
        <Confirm
          title={t('removeWhich', { name: removed.name })}
          text={t('removeUserAsk')}
          actionTitle={t('remove')}
          act={async () => {
            await api.DELETE('/api/v1/users/{userId}', { params: { path: { userId: removed.userId } } });
            live.reload();
            showToast(t('removedDone', { name: removed.name }));
          }}
          onClose={() => setRemoved(null)}
        />
      )}
    </Card>
  );
}

type ColumnParts = PageProps & { edit(user: User): void; remove(user: User): void };

function columnsOf({ bot, edit, remove }: ColumnParts): Column<User>[] {
  return [
    { key: 'name', title: frame('userName'), cell: ({ name }) => name, sortBy: ({ name }) => name },
    scopeColumn(scopes),
    {
      key: 'bot',
      title: t('forBots'),
      cell: ({ botId }) => (botId === null ? t('allBots') : botId === bot.botId ? bot.name : botId),
    },
    {
      key: 'signedIn',
      title: t('lastSignInAt'),
      cell: ({ lastSignInAt }) => (lastSignInAt === null ? t('never') : dateTime(lastSignInAt, bot.timeZone)),
      sortBy: ({ lastSignInAt }) => lastSignInAt,
    },
    {
      key: 'change',
      title: t('change'),
      cell: (user) => (
        <span class="row-actions">
          <button
            type="button"
            class="button"
            aria-label={t('changeWhich', { name: user.name })}
            onClick={() => edit(user)}
          >
            {t('change')}
          </button>
          <button
            type="button"
            class="button button-danger"
            aria-label={t('removeWhich', { name: user.name })}
            onClick={() => remove(user)}
          >
            {t('remove')}
          </button>
        </span>
      ),
    },
  ];
}

type DialogProps = PageProps & { user: User | null; done(name: string): void; onClose(): void };

function UserDialog({ bot, user, done, onClose }: DialogProps) {
  const [name, setName] = useState(user?.name ?? '');
  const [password, setPassword] = useState('');
  const [scope, setScope] = useState<Scope>(user?.scope ?? 'read');
  const [botId, setBotId] = useState<string | null>(user ? user.botId : bot.botId);
  const [isTried, setTried] = useState(false);
  const isComplete = name.trim() !== '' && (user !== null || password !== '');
  const saving = useAction(async () => {
    const account = { name: name.trim(), scope, botId };
    if (user) {
      await api.PATCH('/api/v1/users/{userId}', {
        params: { path: { userId: user.userId } },
        body: { ...account, ...(password === '' ? {} : { password }) },
      });
    } else await api.POST('/api/v1/users', { body: { ...account, password } });
    done(account.name);
  });
  const submit = (): void => {
    setTried(true);
    if (isComplete) void saving.run();
  };
  return (
    <FormDialog
      title={user ? t('changeWhich', { name: user.name }) : t('newUser')}
      submit={user ? frame('save') : t('make')}
      action={saving}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextField
        label={frame('userName')}
        autoComplete="off"
        spellcheck={false}
        required
        maxLength={100}
        value={name}
        onValue={setName}
        error={isTried && name.trim() === '' ? frame('required') : null}
      />
      <TextField
        label={user ? t('newPassword') : frame('password')}
        hint={user ? t('newPasswordHint') : frame('passwordHint')}
        type="password"
        autoComplete="new-password"
        required={user === null}
        maxLength={200}
        value={password}
        onValue={setPassword}
        error={isTried && user === null && password === '' ? frame('required') : null}
      />
      <ScopeField scopes={scopes} value={scope} onValue={setScope} />
      {isForAllBots() && (
        <SelectField
          label={t('forBots')}
          value={botId ?? ''}
          onValue={(value) => setBotId(value || null)}
          choices={[
            ...[...new Set([bot.botId, botId ?? bot.botId])].map((id) => ({
              value: id,
              title: id === bot.botId ? bot.name : id,
            })),
            { value: '', title: t('allBots') },
          ]}
        />
      )}
    </FormDialog>
  );
}
