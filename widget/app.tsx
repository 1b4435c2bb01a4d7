/** The widget: the launcher button in the corner, and the panel that it opens. */
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { ChatIcon, CloseIcon } from './icons.tsx';
import { Panel } from './panel.tsx';
import type { Texts } from './texts.ts';
import type { View } from './view.ts';

const panelId = 'panel';
const countMax = 9;

export function App(view: View): JSX.Element {
  const { chat, texts } = view;
  const isOpen = chat.state.isOpen.value;
  const unread = isOpen ? 0 : chat.state.unread.value;
  const launcher = useRef<HTMLButtonElement>(null);
  const isFirst = useRef(true);
  const focusBefore = useRef<Element | null>(null);
  // In a layout effect, so that no key press in between goes to the page.
  useLayoutEffect(() => {
    if (!isOpen && !isFirst.current) restoreFocus(focusBefore.current, launcher.current);
    isFirst.current = false;
  }, [isOpen]);
  return (
    <div class={isOpen ? 'widget open' : 'widget'}>
      {/* A chat that reopens with the page does not take the focus. */}
      {isOpen && <Panel {...view} id={panelId} focusBefore={focusBefore} takesFocus={!isFirst.current} />}
      <button
        ref={launcher}
        type="button"
        class="launcher"
        aria-expanded={isOpen}
        aria-controls={isOpen ? panelId : undefined}
        aria-label={label(texts, isOpen, unread)}
        onClick={() => (isOpen ? chat.close() : chat.open())}
      >
        {isOpen ? <CloseIcon /> : <ChatIcon />}
        {unread > 0 && (
          <span class="count" aria-hidden="true">
            {unread > countMax ? `${countMax}+` : unread}
          </span>
        )}
      </button>
      <span role="status" class="unseen">
        {unread > 0 ? texts.unread(unread) : ''}
      </span>
    </div>
  );
}

/** Moves the focus to the page's element that opened the chat, or to the launcher. */
function restoreFocus(focusBefore: Element | null, launcher: HTMLElement | null): void {
  const isOurs = launcher?.getRootNode() === focusBefore?.shadowRoot;
  const isOnPage =
    focusBefore instanceof HTMLElement && focusBefore.isConnected && focusBefore !== document.body;
  (isOnPage && !isOurs ? focusBefore : launcher)?.focus();
}

function label(texts: Texts, isOpen: boolean, unread: number): string {
  if (isOpen) return texts.close;
  return unread > 0 ? `${texts.open} (${texts.unread(unread)})` : texts.open;
}
