/** The open chat: header, messages, connection state, composer. */
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { isPhone } from './chat.ts';
import { Composer } from './composer.tsx';
import { CloseIcon } from './icons.tsx';
import { Log } from './log.tsx';
import type { View } from './view.ts';

export function Panel(
  view: View & {
    id: string;
    takesFocus: boolean;
    /** Receives the element that had the focus before. */
    focusBefore: { current: Element | null };
  },
): JSX.Element {
  const { chat, texts, id, takesFocus, focusBefore } = view;
  const panel = useRef<HTMLDivElement>(null);
  const name = chat.state.business.value || texts.chat;
  // On a phone the panel covers the screen, so the focus must stay inside.
  const isModal = isPhone();
  useLayoutEffect(() => {
    focusBefore.current = document.activeElement;
    // On a phone, focusing the field would open the keyboard before the visitor has read anything.
    if (takesFocus) panel.current?.querySelector<HTMLElement>(isModal ? 'button' : 'textarea')?.focus();
    return panel.current === null ? undefined : keepFocus(panel.current, isModal ? '.log' : 'textarea');
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    // During composition, Escape and Tab belong to the input method.
    if (event.isComposing) return;
    if (event.key === 'Escape') {
      event.stopPropagation();
      chat.close();
    }
    if (event.key === 'Tab' && isModal) keepWithin(panel.current, event);
  };
  return (
    <div
      ref={panel}
      id={id}
      class="panel"
      role="dialog"
      aria-modal={isModal}
      aria-label={name}
      onKeyDown={onKeyDown}
    >
      <header>
        <h2 dir="auto">{name}</h2>
        <button type="button" class="plain" aria-label={texts.close} onClick={() => chat.close()}>
          <CloseIcon />
        </button>
      </header>
      <Log {...view} />
      <ConnectionLine {...view} />
      <Composer {...view} />
    </div>
  );
}

function ConnectionLine({ chat, texts }: View): JSX.Element {
  const { connection, isOnline, obstacle, notice } = chat.state;
  const isAway = connection.value === 'away' && obstacle.value === null;
  const way = isAway ? (isOnline.value ? texts.reconnecting : texts.offline) : null;
  const wrong = obstacle.value ?? notice.value;
  return (
    <p class={isAway ? 'line waiting' : 'line'} role="status">
      {way ?? (wrong && texts[wrong])}
    </p>
  );
}

/**
 * Moves the focus to the fallback when the element that has it is removed, as a quick reply is after its click: without focus, the
 * panel would miss the next key. Returns a function that ends this.
 */
function keepFocus(panel: HTMLElement, fallback: string): () => void {
  let focused: EventTarget | null = null;
  panel.addEventListener('focusin', ({ target }) => {
    focused = target;
  });
  panel.addEventListener('focusout', ({ target }) => {
    // Browsers differ in whether a removal sends this event. Only a connected element lost the focus to another one.
    queueMicrotask(() => {
      if (focused === target && target instanceof Node && target.isConnected) focused = null;
    });
  });
  const observer = new MutationObserver(() => {
    if (!(focused instanceof Node) || focused.isConnected) return;
    focused = null;
    panel.querySelector<HTMLElement>(fallback)?.focus();
  });
  observer.observe(panel, { childList: true, subtree: true });
  return () => observer.disconnect();
}

function keepWithin(panel: HTMLElement | null, event: KeyboardEvent): void {
  const all = [
    ...(panel?.querySelectorAll<HTMLElement>(
      'button:not(:disabled), textarea:not(:disabled), a[href], [tabindex="0"]',
    ) ?? []),
  ];
  const edge = event.shiftKey ? all.at(0) : all.at(-1);
  const focused = panel?.getRootNode();
  if (!(focused instanceof ShadowRoot) || focused.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? all.at(-1) : all.at(0))?.focus();
}
