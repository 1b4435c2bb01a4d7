/** A question or a form before the page. The browser's own dialog keeps the focus in it and closes it on Escape. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../texts/frame.ts';
import { Icon } from './icon.tsx';

export type DialogProps = {
  title: string;
  /** Called when the reader closes it, however. */
  onClose(): void;
  children: ComponentChildren;
};

/** Is open as long as it is drawn. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    // The browser itself begins at the button that closes.
    dialog.current?.querySelector<HTMLElement>('input, select, textarea')?.focus();
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby={id} onClose={onClose}>
      <header class="dialog-head">
        <h2 id={id}>{title}</h2>
        <button type="button" class="button button-quiet" onClick={onClose} aria-label={t('close')}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
