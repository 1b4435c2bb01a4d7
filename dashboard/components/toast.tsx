/** Short messages at the edge of the page, read aloud by screen readers. */
import { signal } from '@preact/signals';
import { t } from '../texts/frame.ts';
import { Icon } from './icon.tsx';

type Toast = { id: number; text: string; kind: 'done' | 'failed' };

const toasts = signal<readonly Toast[]>([]);
const shownMs = 6_000;
let lastId = 0;

/** Shows a message. A failure stays until the user closes it. */
export function showToast(text: string, kind: 'done' | 'failed' = 'done'): void {
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value, { id, text, kind }];
  if (kind === 'done') setTimeout(() => remove(id), shownMs);
}

/** The container of all toasts; rendered once. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, kind }) => (
        <div key={id} class={`toast toast-${kind}`}>
          <Icon name={kind === 'done' ? 'check' : 'warning'} />
          <span>{text}</span>
          <button
            type="button"
            class="button button-quiet"
            onClick={() => remove(id)}
            aria-label={t('close')}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}

function remove(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}
