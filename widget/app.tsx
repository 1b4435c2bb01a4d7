/** The whole widget: the button in the corner, and the panel it opens. */
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { ChatIcon, CloseIcon } from './icons.tsx';
import { Panel } from './panel.tsx';
import type { Texts } from './texts.ts';
import type { View } from './view.ts';

const panelId = 'panel';
const shownMax = 9;

export function App(view: View): JSX.Element {
  const { chat, texts } = view;
  const isOpen = chat.state.isOpen.value;
  const unread = isOpen ? 0 : chat.state.unread.value;
  const launcher = useRef<HTMLButtonElement>(null);
  const isFirst = useRef(true);
  const cameFrom = useRef<Element | null>(null);
  // At once, so that no key in between goes to the page.
  useLayoutEffect(() => {
    if (!isOpen && !isFirst.current) focusAgain(cameFrom.current, launcher.current);
    isFirst.current = false;
  }, [isOpen]);
  return (
    <div class={isOpen ? 'widget open' : 'widget'}>
      {/* A chat that was open on the page before leaves the focus where it is. */}
      {isOpen && <Panel {...view} id={panelId} cameFrom={cameFrom} takesFocus={!isFirst.current} />}
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
            {unread > shownMax ? `${shownMax}+` : unread}
          </span>
        )}
      </button>
      <span role="status" class="unseen">
        {unread > 0 ? texts.unread(unread) : ''}
      </span>
    </div>
  );
}

/** Back to the page's own button that opened the chat, else to ours. */
function focusAgain(cameFrom: Element | null, launcher: HTMLElement | null): void {
  const isOurs = launcher?.getRootNode() === cameFrom?.shadowRoot;
  const isOnPage = cameFrom instanceof HTMLElement && cameFrom.isConnected && cameFrom !== document.body;
  (isOnPage && !isOurs ? cameFrom : launcher)?.focus();
}

function label(texts: Texts, isOpen: boolean, unread: number): string {
  if (isOpen) return texts.close;
  return unread > 0 ? `${texts.open} (${texts.unread(unread)})` : texts.open;
}
