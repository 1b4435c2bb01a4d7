/** A titled section of a page. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

export type CardProps = {
  title: string;
  /** One line below the title, such as the definition or the date of the numbers. */
  note?: ComponentChildren;
  /** Buttons next to the title. */
  actions?: ComponentChildren;
  /** True while the content belongs to the previous range. */
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
