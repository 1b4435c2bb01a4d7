/** A form on a page: fields, the error of the action, a button that saves, and further buttons. */
import type { ComponentChildren } from 'preact';
import type { Action } from '../api/action.ts';
import { t } from '../texts/frame.ts';
import { ErrorNote } from './states.tsx';

export type FormProps = {
  action: Pick<Action, 'isBusy' | 'error'>;
  /** Validates the fields and runs the action. */
  onSubmit(): void;
  /** False: there is nothing to save. */
  canSave?: boolean;
  /** Further buttons. */
  buttons?: ComponentChildren;
  children: ComponentChildren;
};

export function Form({ action, onSubmit, canSave = true, buttons, children }: FormProps) {
  return (
    <form
      class="form narrow"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      {action.error && <ErrorNote error={action.error} />}
      <div class="form-actions">
        <button type="submit" class="button button-main" disabled={action.isBusy || !canSave}>
          {t(action.isBusy ? 'saving' : 'save')}
        </button>
        {buttons}
      </div>
    </form>
  );
}
