/** Users who sign in with a name and a password, with their scope and bot. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { Confirm } from '../../components/confirm.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { Icon } from '../../components/icon.tsx';
import { Empty, ErrorNote, Loaded } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime } from '../../format/format.ts';
import { type Bot, type PageProps, useBots } from '../../state/bots.ts';
import type { Scope } from '../../state/session.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/settings.ts';
import { t as users } from '../../texts/users.ts';
import { scopes } from './access.tsx';
import { BotsField, namesOf } from './bots-field.tsx';
import { Invitations } from './invitations.tsx';
import { ScopeField, scopeColumn } from './tokens.tsx';

type User = Schema['User'];

export function Users({ bot }: PageProps) {
  return (
    <>
      <UsersCard bot={bot} />
      <Invitations bot={bot} />
    </>
  );
}

function UsersCard({ bot }: PageProps) {
  const live = useLive(resource('/api/v1/users', {}));
  const [edited, setEdited] = useState<User | 'new' | null>(null);
  const [removed, setRemoved] = useState<User | null>(null);
  const bots = useBots().bots ?? [];
  const switching = useAction(async ({ userId, name, disabledAt }: User) => {
    await api.PATCH('/api/v1/users/{userId}', {
      params: { path: { userId } },
      body: { disabled: disabledAt === null },
    });
    live.reload();
    showToast(t('userSaved', { name }));
  });
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
      {switching.error && <ErrorNote error={switching.error} />}
      <Loaded live={live}>
        {({ users: rows }) => (
          <DataTable<User>
            caption={t('users')}
            rows={rows}
            keyOf={({ userId }) => userId}
            empty={<Empty title={t('noUsers')}>{t('noUsersHint')}</Empty>}
            columns={columnsOf({
              ...{ bot, bots, edit: setEdited, remove: setRemoved },
              toggle: (user) => void switching.run(user),
            })}
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

type ColumnParts = PageProps & {
  bots: readonly Bot[];
  edit(user: User): void;
  remove(user: User): void;
  toggle(user: User): void;
};

function columnsOf({ bot, bots, edit, remove, toggle }: ColumnParts): Column<User>[] {
  return [
    {
      key: 'name',
      title: frame('userName'),
      cell: ({ name, disabledAt }) => (disabledAt === null ? name : `${name} (${users('disabled')})`),
      sortBy: ({ name }) => name,
    },
    scopeColumn(scopes),
    {
      key: 'bot',
      title: t('forBots'),
      cell: ({ botIds }) => namesOf(botIds, bots),
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
            class="button"
            aria-label={users(user.disabledAt === null ? 'disableWhich' : 'enableWhich', { name: user.name })}
            onClick={() => toggle(user)}
          >
            {users(user.disabledAt === null ? 'disable' : 'enable')}
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
  const [botIds, setBotIds] = useState<readonly string[] | null>(user ? user.botIds : [bot.botId]);
  const [isTried, setTried] = useState(false);
  const isComplete = botIds?.length !== 0 && name.trim() !== '' && (user !== null || password !== '');
  const saving = useAction(async () => {
    const account = { name: name.trim(), scope, botIds: botIds && [...botIds] };
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
      <BotsField value={botIds} onValue={setBotIds} />
    </FormDialog>
  );
}
