/** The routes. Without a session every address leads to the sign-in page, which returns to the address afterwards. */
import { useEffect } from 'preact/hooks';
import { ErrorBoundary, LocationProvider, lazy, Route, Router, useLocation } from 'preact-iso';
import { ErrorNote, Loading } from './components/states.tsx';
import { Toasts } from './components/toast.tsx';
import { BotPages, FirstBot } from './layout/bot-pages.tsx';
import { SignInPage } from './pages/sign-in.tsx';
import { findSession, session } from './state/session.ts';

const SetupPage = lazy(() => import('./pages/setup.tsx'));

export function App() {
  return (
    <LocationProvider>
      <ErrorBoundary>
        <Gate />
      </ErrorBoundary>
      <Toasts />
    </LocationProvider>
  );
}

function Gate() {
  const { path, url, route } = useLocation();
  const isSignIn = ['/sign-in', '/setup', '/invitation'].includes(path);
  const state = session.value;
  useEffect(() => {
    if (state.kind === 'unknown' && !isSignIn) void findSession();
    if (state.kind === 'signed-out' && !isSignIn) route(signInAddress(url), true);
  }, [state.kind, isSignIn, url]);
  if (path === '/sign-in') return <SignInPage />;
  if (isSignIn) return <SetupPage key={path} isInvitation={path === '/invitation'} />;
  if (state.kind === 'unreachable') {
    return (
      <main class="alone">
        <ErrorNote error={state.error} retry={() => void findSession()} />
      </main>
    );
  }
  if (state.kind !== 'signed-in') return <Waiting />;
  return (
    <Router>
      <Route path="/bots/:botId/:page*" component={BotPages} />
      <Route default component={FirstBot} />
    </Router>
  );
}

function Waiting() {
  return (
    <main class="alone">
      <Loading />
    </main>
  );
}

function signInAddress(from: string): string {
  return from === '/' ? '/sign-in' : `/sign-in?to=${encodeURIComponent(from)}`;
}
