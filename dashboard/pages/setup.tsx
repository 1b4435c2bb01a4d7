/**
 * The page of a setup link, `/setup#<token>`, and of an invitation, `/invitation#<token>`: creates the user and signs in.
 * Browsers never send the part after `#` to a server, and the page first removes it from the address.
 */
import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { useAction } from '../api/action.ts';
import type { ApiError } from '../api/client.ts';
import { TextField } from '../components/field.tsx';
import { Icon } from '../components/icon.tsx';
import { LanguageChoice } from '../components/preference-choices.tsx';
import { ErrorNote } from '../components/states.tsx';
import { acceptInvitation, createFirstUser } from '../state/session.ts';
import { t as frame } from '../texts/frame.ts';
import { t } from '../texts/setup.ts';
import { t as users } from '../texts/users.ts';

type PageProps = { isInvitation: boolean };

export default function SetupPage({ isInvitation }: PageProps) {
  const title = isInvitation ? users('join') : t('setUp');
  const [token, setToken] = useState(takeToken);
  useEffect(() => {
    document.title = `${title} · Shoal`;
    const take = (): void => setToken((earlier) => takeToken() ?? earlier);
    addEventListener('hashchange', take);
    return () => removeEventListener('hashchange', take);
  }, []);
  return (
    <main class="sign-in">
      <div class="sign-in-box">
        <img class="sign-in-logo" src="/icon.svg" alt="" width="48" height="48" />
        <h1>{title}</h1>
        {token === null ? (
          <LinkNote text={isInvitation ? users('invitationMissing') : t('setUpLinkMissing')} />
        ) : (
          <FirstUser key={token} token={token} isInvitation={isInvitation} />
        )}
        <LanguageChoice />
      </div>
    </main>
  );
}

function FirstUser({ token, isInvitation }: PageProps & { token: string }) {
  const { route } = useLocation();
  const [userName, setUserName] = useState('');
  const [password, setPassword] = useState('');
  const [isTried, setTried] = useState(false);
  const creating = useAction(async () => {
    const create = isInvitation ? acceptInvitation : createFirstUser;
    await create({ token, userName: userName.trim(), password });
    route('/', true);
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    setTried(true);
    if (userName.trim() !== '' && password !== '') void creating.run();
  };
  const missing = (text: string): string | null => (isTried && text === '' ? frame('required') : null);
  return (
    <>
      <p class="note">{isInvitation ? users('joinIntro') : t('setUpIntro')}</p>
      <form class="form" onSubmit={submit} noValidate>
        <TextField
          label={frame('userName')}
          name="userName"
          autoComplete="username"
          spellcheck={false}
          required
          maxLength={100}
          value={userName}
          onValue={setUserName}
          error={missing(userName.trim())}
        />
        <TextField
          label={frame('password')}
          hint={frame('passwordHint')}
          name="password"
          type="password"
          autoComplete="new-password"
          required
          value={password}
          onValue={setPassword}
          error={missing(password)}
        />
        {creating.error && <SetupError error={creating.error} />}
        <button type="submit" class="button button-main" disabled={creating.isBusy}>
          {t(creating.isBusy ? 'creatingUser' : 'createUser')}
        </button>
      </form>
    </>
  );
}

function SetupError({ error }: { error: ApiError }) {
  if (error.code === 'SETUP_LINK_INVALID') return <LinkNote text={t('setUpLinkInvalid')} />;
  if (error.code === 'INVITATION_INVALID') return <LinkNote text={users('invitationInvalid')} />;
  return <ErrorNote error={error} />;
}

function LinkNote({ text }: { text: string }) {
  return (
    <>
      <div class="error-note" role="alert">
        <Icon name="warning" />
        <p class="error-title">{text}</p>
      </div>
      <a class="button" href="/sign-in">
        {t('toSignIn')}
      </a>
    </>
  );
}

function takeToken(): string | null {
  const token = location.hash.slice(1);
  if (token !== '') history.replaceState(null, '', location.pathname);
  return token === '' ? null : token;
}
