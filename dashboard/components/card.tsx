/** A part of a page with its title. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

export type CardProps = {
  title: string;
  /** One line below the title: what the numbers are, or of when. */
  note?: ComponentChildren;
  /** Beside the title. */
  actions?: ComponentChildren;
  /** True while what is shown belongs to another range than the one asked for. */
  isBusy?: boolean;
  children: ComponentChildren;
};

export function Card({ title, note, actions, isBusy = false, children }: CardProps) {
  const id = useId();
  return (
    <section class="card" aria-labelledby={id} aria-busy={isBusy}>
      <header class="card-head">
        <div>
          <h2 id={id}>{title}</h2>
          {note && <p class="note">{note}</p>}
        </div>
        {actions && <div class="card-actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}
