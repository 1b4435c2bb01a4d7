/** The layout of a page: title, note, actions, content. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { session } from '../state/session.ts';
import { unreadMessages } from '../state/unread.ts';
import { PageExport } from './page-export.tsx';

export type PageFrameProps = {
  title: string;
  /** Below the title, such as the days and the time zone. */
  note?: ComponentChildren;
  /** Next to the title, such as the range picker and buttons. */
  actions?: ComponentChildren;
  children: ComponentChildren;
};

let pagesShown = 0;

export function PageFrame({ title, note, actions, children }: PageFrameProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const unread = unreadMessages.value;
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${title} · Shoal`;
  }, [title, unread]);
  // After navigation the focus moves to the title, as after a page load.
  useEffect(() => {
    pagesShown += 1;
    if (pagesShown > 1 && session.value.kind === 'signed-in') heading.current?.focus();
  }, []);
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {note && <p class="note">{note}</p>}
        </div>
        <div class="page-actions">
          {actions}
          <PageExport title={title} />
        </div>
      </header>
      {children}
    </div>
  );
}
