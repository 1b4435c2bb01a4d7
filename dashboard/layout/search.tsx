/** The search over pages, bots, contacts, tags and sends: a button, and the keys `/` and Ctrl-K. */
import { useEffect, useState } from 'preact/hooks';
import { lazy } from 'preact-iso';
import { Icon } from '../components/icon.tsx';
import type { Bot } from '../state/bots.ts';
import { t } from '../texts/search.ts';

const SearchDialog = lazy(() => import('./search-dialog.tsx'));

export type SearchProps = {
  bots: readonly Bot[];
  /** The bot whose pages, contacts, tags and sends are searched; null: only bots are. */
  bot: Bot | null;
};

export function Search({ bots, bot }: SearchProps) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (!isShortcut(event) || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      setOpen(true);
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  return (
    <>
      <button
        type="button"
        class="button search-button"
        aria-label={t('search')}
        aria-keyshortcuts="/ Control+K"
        onClick={() => setOpen(true)}
      >
        <Icon name="search" />
        {t('search')}
        <kbd>/</kbd>
      </button>
      {isOpen && <SearchDialog bots={bots} bot={bot} onClose={() => setOpen(false)} />}
    </>
  );
}

/** A typed `/` belongs to the field that has the focus. */
function isShortcut({ key, ctrlKey, metaKey, altKey, target }: KeyboardEvent): boolean {
  if (key.toLowerCase() === 'k') return (ctrlKey || metaKey) && !altKey;
  if (key !== '/' || ctrlKey || metaKey || altKey) return false;
  return !(target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]'));
}
