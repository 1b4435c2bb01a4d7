/** A page of the frame: its title, what stands beside it, its parts. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { session } from '../state/session.ts';

export type PageFrameProps = {
  title: string;
  /** Below the title: which days, which zone. */
  note?: ComponentChildren;
  /** Beside the title: the range picker, buttons. */
  actions?: ComponentChildren;
  children: ComponentChildren;
};

let pagesShown = 0;

export function PageFrame({ title, note, actions, children }: PageFrameProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Shoal`;
  }, [title]);
  // After a change of page the focus is at its beginning, as after loading one.
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
        {actions && <div class="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
