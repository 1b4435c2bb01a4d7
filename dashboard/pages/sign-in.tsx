/**
 * The sign-in page: user name and password, or an admin token. A link `/sign-in#token=…` asks for confirmation with the names of its
 * account and of the signed-in one, because any page may link here. Browsers never send the part after `#` to a server, and the page
 * first removes it from the address.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { useAction } from '../api/action.ts';
import type { ApiError } from '../api/client.ts';
import { TextField } from '../components/field.tsx';
import { Icon } from '../components/icon.tsx';
import { LanguageChoice } from '../components/preference-choices.tsx';
import { ErrorNote, Loading } from '../components/states.tsx';
import {
  type Account,
  accountName,
  type Credentials,
  findSession,
  findTokenAccount,
  session,
  signIn,
} from '../state/session.ts';
import { t } from '../texts/frame.ts';

type Fields = { userName: string; password: string; token: string };

export function SignInPage() {
  const { query, route } = useLocation();
  const [token, setToken] = useState(takeTokenFromAddress);
  useEffect(() => {
    document.title = `${t('signIn')} · Shoal`;
    const take = (): void => {
      const linkToken = takeTokenFromAddress();
      if (linkToken !== null) setToken(linkToken);
    };
    addEventListener('hashchange', take);
    return () => removeEventListener('hashchange', take);
  }, []);
  const proceed = (): void => route(addressAfter(query.to), true);
  return (
    <main class="sign-in">
      <div class="sign-in-box">
        <img class="sign-in-logo" src="/icon.svg" alt="" width="48" height="48" />
        <h1>Shoal</h1>
        <p class="note">{t('signInIntro')}</p>
        {token === null ? (
          <SignInForm proceed={proceed} />
        ) : (
          <SignInByLink key={token} token={token} proceed={proceed} dismiss={() => setToken(null)} />
        )}
        <LanguageChoice />
      </div>
    </main>
  );
}

/** Asks for confirmation before the link's token starts a session. */
function SignInByLink({ token, proceed, dismiss }: { token: string; proceed(): void; dismiss(): void }) {
  const [account, setAccount] = useState<Account | null>(null);
  const finding = useAction(async () => {
    const tokenAccount = await findTokenAccount(token);
    await findSession();
    const state = session.value;
    if (state.kind === 'unreachable') throw state.error;
    // A second click on a link changes nothing.
    if (state.kind === 'signed-in' && state.session.user.id === tokenAccount.id) proceed();
    else setAccount(tokenAccount);
  });
  const entering = useAction(async () => {
    await signIn({ token });
    proceed();
  });
  useEffect(() => void finding.run(), []);
  const state = session.value;
  const current = state.kind === 'signed-in' ? accountName(state.session.user) : null;
  const error = finding.error ?? entering.error;
  if (account === null && error === null) return <Loading />;
  return (
    <div class="form">
      {account && (
        <>
          <h2>{t('signInAsAsk', { name: accountName(account) })}</h2>
          <p>{t('signInByLink')}</p>
          {current && <p class="notice">{t('signInReplaces', { name: current })}</p>}
        </>
      )}
      {error && <SignInError error={error} isToken />}
      {account && (
        <button
          type="button"
          class="button button-main"
          disabled={entering.isBusy}
          onClick={() => void entering.run()}
        >
          {t('signInAs', { name: accountName(account) })}
        </button>
      )}
      <button type="button" class="button" onClick={current ? proceed : dismiss}>
        {current ? t('stayAs', { name: current }) : t('cancel')}
      </button>
    </div>
  );
}

function SignInForm({ proceed }: { proceed(): void }) {
  const [fields, setFields] = useState<Fields>({ userName: '', password: '', token: '' });
  const [method, setMethod] = useState<'password' | 'token'>('password');
  const [isTried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const state = session.value;
  const credentials = credentialsOf(fields, method);
  const entering = useAction(async (entered: Credentials) => {
    await signIn(entered);
    proceed();
  });
  const { error } = entering;
  const submit = (event: Event): void => {
    event.preventDefault();
    setTried(true);
    if (credentials) void entering.run(credentials);
    else form.current?.querySelector<HTMLInputElement>('input:invalid')?.focus();
  };
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  const field = (name: keyof Fields) => ({
    name,
    required: true,
    value: fields[name],
    error: isTried && fields[name] === '' ? t('required') : null,
    onValue: (value: string) => setFields({ ...fields, [name]: value }),
  });
  return (
    <>
      {state.kind === 'signed-out' && state.hasExpired && !error && (
        <p class="notice" role="status">
          {t('expired')}
        </p>
      )}
      <form class="form" ref={form} onSubmit={submit} noValidate>
        {method === 'password' ? (
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
        {error && <SignInError error={error} isToken={method === 'token'} />}
        <button type="submit" class="button button-main" disabled={entering.isBusy}>
          {entering.isBusy ? t('signingIn') : t('signIn')}
        </button>
      </form>
      <button
        type="button"
        class="button button-link"
        onClick={() => {
          setMethod(method === 'token' ? 'password' : 'token');
          setTried(false);
          entering.clear();
        }}
      >
        {method === 'token' ? t('usePassword') : t('useToken')}
      </button>
    </>
  );
}

function SignInError({ error, isToken }: { error: ApiError; isToken: boolean }) {
  if (error.code !== 'SIGN_IN_FAILED' && error.code !== 'TOKEN_INVALID') return <ErrorNote error={error} />;
  return (
    <div class="error-note" role="alert">
      <Icon name="warning" />
      <p class="error-title">{t(isToken ? 'tokenIncorrect' : 'signInFailed')}</p>
    </div>
  );
}

function credentialsOf(
  { userName, password, token }: Fields,
  method: 'password' | 'token',
): Credentials | null {
  if (method === 'token') return token.trim() === '' ? null : { token: token.trim() };
  return userName === '' || password === '' ? null : { userName, password };
}

function takeTokenFromAddress(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
  return token;
}

/** The address to return to; never on another host. */
function addressAfter(to: string | undefined): string {
  if (to === undefined || !to.startsWith('/')) return '/';
  const url = new URL(to, location.origin);
  return url.origin === location.origin && url.pathname !== '/sign-in' ? url.pathname + url.search : '/';
}
