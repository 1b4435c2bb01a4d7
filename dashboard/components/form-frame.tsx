/** The common parts of forms: the fields, the error of the action, the buttons, and a submit that stays on the page. */
import type { ComponentChildren } from 'preact';
import type { Action } from '../api/action.ts';
import { ErrorNote } from './states.tsx';

export type FormFrameProps = {
  action: Pick<Action, 'isBusy' | 'error'>;
  /** Validates the fields and runs the action. */
  onSubmit(): void;
  children: ComponentChildren;
};

export function FormFrame({
  action,
  onSubmit,
  children,
  isNarrow = false,
  buttons,
}: FormFrameProps & { isNarrow?: boolean; buttons: ComponentChildren }) {
  return (
    <form
      class={isNarrow ? 'form narrow' : 'form'}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      {action.error && <ErrorNote error={action.error} />}
      {buttons}
    </form>
  );
}
