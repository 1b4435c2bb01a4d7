/** The signed-in user's own account: name, password and sessions. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { type Action, useAction } from '../../api/action.ts';
import { type ApiError, api, resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { TextField } from '../../components/field.tsx';
import { Empty, ErrorNote, Loaded } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { findSession, session } from '../../state/session.ts';
import { t } from '../../texts/account.ts';
import { t as frame } from '../../texts/frame.ts';

type OwnSession = Schema['OwnSessions']['sessions'][number];

export function Account({ bot }: PageProps) {
  const state = session.value;
  if (state.kind !== 'signed-in') return null;
  if (state.session.user.kind === 'token') return <Empty title={t('tokenOnly')} />;
  return (
    <>
      <NameCard key={state.session.user.name} name={state.session.user.name} />
      <PasswordCard />
      <SessionsCard bot={bot} />
    </>
  );
}

function NameCard({ name: current }: { name: string }) {
  const [name, setName] = useState(current);
  const [currentPassword, setCurrentPassword] = useState('');
  const saving = useAction(async () => {
    await api.PATCH('/api/v1/account', { body: { name: name.trim(), currentPassword } });
    showToast(t('saved'));
    setCurrentPassword('');
    await findSession();
  });
  const isComplete = name.trim() !== '' && name !== current && currentPassword !== '';
  return (
    <Card title={t('name')}>
      <ConfirmedForm {...{ isComplete, saving, currentPassword, setCurrentPassword }}>
        <TextField
          label={frame('userName')}
          autoComplete="username"
          maxLength={100}
          value={name}
          onValue={setName}
        />
      </ConfirmedForm>
    </Card>
  );
}

function PasswordCard() {
  const [password, setPassword] = useState('');
  const [currentPassword, setCurrentPassword] = useState('');
  const saving = useAction(async () => {
    await api.PUT('/api/v1/session/password', { body: { password, currentPassword } });
    showToast(t('saved'));
    setPassword('');
    setCurrentPassword('');
  });
  const isComplete = password !== '' && currentPassword !== '';
  return (
    <Card title={t('password')} note={t('passwordNote')}>
      <ConfirmedForm {...{ isComplete, saving, currentPassword, setCurrentPassword }}>
        <TextField
          label={t('newPassword')}
          hint={frame('passwordHint')}
          type="password"
          autoComplete="new-password"
          maxLength={200}
          value={password}
          onValue={setPassword}
        />
      </ConfirmedForm>
    </Card>
  );
}

/** A form for one change, confirmed by the current password. */
function ConfirmedForm({
  isComplete,
  saving,
  currentPassword,
  setCurrentPassword,
  children,
}: {
  isComplete: boolean;
  saving: Action<[]>;
  currentPassword: string;
  setCurrentPassword: (value: string) => void;
  children: ComponentChildren;
}) {
  return (
    <form class="form" onSubmit={submitOf(isComplete, saving.run)}>
      {children}
      <CurrentPassword value={currentPassword} onValue={setCurrentPassword} />
      {saving.error && <PasswordError error={saving.error} />}
      <button type="submit" class="button" disabled={!isComplete || saving.isBusy}>
        {frame('save')}
      </button>
    </form>
  );
}

function SessionsCard({ bot }: PageProps) {
  const live = useLive(resource('/api/v1/account/sessions', {}));
  const ending = useAction(async (sessionId: string | null) => {
    if (sessionId === null) await api.DELETE('/api/v1/account/sessions');
    else await api.DELETE('/api/v1/account/sessions/{sessionId}', { params: { path: { sessionId } } });
    live.reload();
    showToast(t('ended'));
  });
  const columns: Column<OwnSession>[] = [
    { key: 'browser', title: t('browser'), cell: ({ browser }) => browser ?? t('unknown') },
    { key: 'address', title: t('address'), cell: ({ address }) => address ?? t('unknown') },
    { key: 'used', title: t('lastUsed'), cell: ({ lastUsedAt }) => dateTime(lastUsedAt, bot.timeZone) },
    {
      key: 'end',
      title: t('end'),
      cell: ({ isCurrent, sessionId }) =>
        isCurrent ? (
          t('thisBrowser')
        ) : (
          <button type="button" class="button button-danger" onClick={() => void ending.run(sessionId)}>
            {t('end')}
          </button>
        ),
    },
  ];
  return (
    <Card
      title={t('sessions')}
      note={t('sessionsNote')}
      actions={
        <button type="button" class="button" disabled={ending.isBusy} onClick={() => void ending.run(null)}>
          {t('endOthers')}
        </button>
      }
    >
      {ending.error && <ErrorNote error={ending.error} />}
      <Loaded live={live}>
        {({ sessions }) => (
          <DataTable<OwnSession>
            caption={t('sessions')}
            rows={sessions}
            keyOf={({ sessionId }) => sessionId}
            columns={columns}
          />
        )}
      </Loaded>
    </Card>
  );
}

export function CurrentPassword(field: { value: string; onValue(value: string): void }) {
  return (
    <TextField label={t('currentPassword')} type="password" autoComplete="current-password" {...field} />
  );
}

export function PasswordError({ error }: { error: ApiError }) {
  if (error.code !== 'SIGN_IN_FAILED') return <ErrorNote error={error} />;
  return (
    <p class="field-error" role="alert">
      {t('wrongPassword')}
    </p>
  );
}

function submitOf(isComplete: boolean, run: () => unknown): (event: Event) => void {
  return (event) => {
    event.preventDefault();
    if (isComplete) void run();
  };
}
