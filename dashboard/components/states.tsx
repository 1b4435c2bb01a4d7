/** The states without content: empty, loading, failed. */
import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api/client.ts';
import type { Live } from '../api/live.ts';
import { t } from '../texts/frame.ts';
import { Icon } from './icon.tsx';

/** An empty state; `children` explain how to fill it. */
export function Empty({ title = t('none'), children }: { title?: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name="empty" />
      <p class="empty-title">{title}</p>
      {children && <div class="empty-more">{children}</div>}
    </div>
  );
}

/** A skeleton of the coming content. */
export function Loading({ shape = 'lines' }: { shape?: 'lines' | 'chart' | 'stats' }) {
  const count = { lines: 4, chart: 1, stats: 6 }[shape];
  return (
    <div class={`loading loading-${shape}`} role="status">
      <span class="hidden">{t('loading')}</span>
      {Array.from({ length: count }, (_, index) => (
        <span key={index} class="skeleton" aria-hidden="true" />
      ))}
    </div>
  );
}

/** An error in the user's language, the API's message and code, and a retry button. */
export function ErrorNote({ error, retry }: { error: ApiError; retry?: () => void }) {
  return (
    <div class="error-note" role="alert">
      <Icon name="warning" />
      <div>
        <p class="error-title">{wordsOf(error)}</p>
        {error.status !== 0 && (
          <p class="note">
            {error.message} <code>{error.code}</code>
          </p>
        )}
      </div>
      {retry && (
        <button type="button" class="button" onClick={retry}>
          {t('retry')}
        </button>
      )}
    </div>
  );
}

/** The error in one sentence, in the user's language. */
export function wordsOf({ status, code }: ApiError): string {
  if (code === 'KEY_REUSED') return t('keyReused');
  if (status === 0) return t('unreachable');
  if (status === 403) return t('forbidden');
  if (status === 404) return t('notFound');
  if (status === 429) return t('rateLimited');
  return status >= 500 ? t('serverFailed') : t('failed');
}

type LoadedProps<Value> = {
  live: Live<Value>;
  shape?: 'lines' | 'chart' | 'stats';
  children: (value: Value) => ComponentChildren;
};

/** Renders an answer; before the first one, a skeleton or the error. An answer that no longer updates stays, with a notice. */
export function Loaded<Value>({ live, shape = 'lines', children }: LoadedProps<Value>) {
  if (live.value === null) {
    return live.error ? <ErrorNote error={live.error} retry={live.reload} /> : <Loading shape={shape} />;
  }
  return (
    <div class="loaded" aria-busy={live.isBefore}>
      {live.error && (live.isBefore ? <ErrorNote error={live.error} retry={live.reload} /> : <NotUpdating />)}
      {children(live.value)}
    </div>
  );
}

function NotUpdating() {
  return (
    <p class="not-updating" role="status">
      <Icon name="warning" />
      {t('notUpdating')}
    </p>
  );
}
