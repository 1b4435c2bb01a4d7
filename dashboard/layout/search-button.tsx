/** The button of the search, and its keys `/` and Ctrl-K. */
import { useEffect } from 'preact/hooks';
import { Icon } from '../components/icon.tsx';
import { t } from '../texts/search.ts';

export function SearchButton({ onOpen }: { onOpen(): void }) {
  return (
    <button
      type="button"
      class="button search-button"
      aria-label={t('search')}
      aria-keyshortcuts="/ Control+K"
      onClick={onOpen}
    >
      <Icon name="search" />
      {t('search')}
      <kbd>/</kbd>
    </button>
  );
}

/** Calls `open` when one of the keys is pressed outside of fields and dialogs. */
export function useSearchKeys(open: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (!isShortcut(event) || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      open();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
}

/** A typed `/` belongs to the field that has the focus. */
function isShortcut({ key, ctrlKey, metaKey, altKey, target }: KeyboardEvent): boolean {
  if (key.toLowerCase() === 'k') return (ctrlKey || metaKey) && !altKey;
  if (key !== '/' || ctrlKey || metaKey || altKey) return false;
  return !(target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]'));
}
