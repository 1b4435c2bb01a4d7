/**
 * The sign-in page: user name and password, or an admin token. A link `/sign-in#token=…` signs in by itself: what stands behind
 * `#` is never sent to a server, and it is taken out of the address before anything else is done.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { ApiError } from '../api.ts';
import { TextField } from '../components/field.tsx';
import { Icon } from '../components/icon.tsx';
import { ErrorNote } from '../components/states.tsx';
import { LanguageChoice } from '../layout/choices.tsx';
import { type Credentials, session, signIn } from '../session.ts';
import { t } from '../texts/frame.ts';

type Fields = { userName: string; password: string; token: string };

export function SignInPage() {
  const { query, route } = useLocation();
  const [fields, setFields] = useState<Fields>({ userName: '', password: '', token: '' });
  const [way, setWay] = useState<'password' | 'token'>('password');
  const [isTried, setTried] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const state = session.value;
  const credentials = credentialsOf(fields, way);

  const enter = async (given: Credentials): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await signIn(given);
      route(addressAfter(query.to), true);
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      setError(failure);
      setBusy(false);
    }
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    setTried(true);
    if (credentials) void enter(credentials);
    else form.current?.querySelector<HTMLInputElement>('input:invalid')?.focus();
  };
  useEffect(() => {
    document.title = `${t('signIn')} · Shoal`;
    const token = takeTokenFromAddress();
    if (token) void enter({ token });
    else form.current?.querySelector('input')?.focus();
  }, []);

  const field = (name: keyof Fields) => ({
    name,
    required: true,
    value: fields[name],
    error: isTried && fields[name] === '' ? t('required') : null,
    onValue: (value: string) => setFields({ ...fields, [name]: value }),
  });
  return (
    <main class="sign-in">
      <div class="sign-in-box">
        <img class="sign-in-logo" src="/icon.svg" alt="" width="48" height="48" />
        <h1>Shoal</h1>
        <p class="note">{t('signInIntro')}</p>
        {state.kind === 'signed-out' && state.hasExpired && !error && (
          <p class="notice" role="status">
            {t('expired')}
          </p>
        )}
        <form class="form" ref={form} onSubmit={submit} noValidate>
          {way === 'password' ? (
            <>
              <TextField
                label={t('userName')}
                autoComplete="username"
                spellcheck={false}
                {...field('userName')}
              />
              <TextField
                label={t('password')}
                type="password"
                autoComplete="current-password"
                {...field('password')}
              />
            </>
          ) : (
            <TextField
              label={t('adminToken')}
              hint={t('adminTokenHint')}
              type="password"
              autoComplete="off"
              {...field('token')}
            />
          )}
          {error && <SignInError error={error} />}
          <button type="submit" class="button button-main" disabled={isBusy}>
            {isBusy ? t('signingIn') : t('signIn')}
          </button>
        </form>
        <button
          type="button"
          class="button button-link"
          onClick={() => {
            setWay(way === 'token' ? 'password' : 'token');
            setTried(false);
            setError(null);
          }}
        >
          {way === 'token' ? t('usePassword') : t('useToken')}
        </button>
        <LanguageChoice />
      </div>
    </main>
  );
}

function SignInError({ error }: { error: ApiError }) {
  if (error.code !== 'SIGN_IN_FAILED') return <ErrorNote error={error} />;
  return (
    <div class="error-note" role="alert">
      <Icon name="warning" />
      <p class="error-title">{t('signInFailed')}</p>
    </div>
  );
}

function credentialsOf({ userName, password, token }: Fields, way: 'password' | 'token'): Credentials | null {
  if (way === 'token') return token.trim() === '' ? null : { token: token.trim() };
  return userName === '' || password === '' ? null : { userName, password };
}

function takeTokenFromAddress(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
  return token;
}

/** Back to where the reader was, never to another host: only an address that stays one of ours. */
function addressAfter(to: string | undefined): string {
  if (to === undefined || !to.startsWith('/')) return '/';
  const url = new URL(to, location.origin);
  return url.origin === location.origin && url.pathname !== '/sign-in' ? url.pathname + url.search : '/';
}
