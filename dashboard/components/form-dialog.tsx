/** A dialog with a form: fields, the error of the action, a submit and a cancel button. */
import type { ComponentChildren } from 'preact';
import type { Action } from '../api/action.ts';
import { t } from '../texts/frame.ts';
import { Dialog } from './dialog.tsx';
import { ErrorNote } from './states.tsx';

export type FormDialogProps = {
  title: string;
  /** The label of the submit button. */
  submit: string;
  /** True if the action cannot be undone. */
  isDangerous?: boolean;
  action: Pick<Action, 'isBusy' | 'error'>;
  /** Validates the fields and runs the action. */
  onSubmit(): void;
  onClose(): void;
  children: ComponentChildren;
};

export function FormDialog(props: FormDialogProps) {
  const { title, submit, isDangerous = false, action, onSubmit, onClose, children } = props;
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        {children}
        {action.error && <ErrorNote error={action.error} />}
        <div class="dialog-actions">
          <button type="button" class="button button-large" onClick={onClose}>
            {t('cancel')}
          </button>
          <button
            type="submit"
            class={`button button-main ${isDangerous ? 'button-final' : ''}`}
            disabled={action.isBusy}
          >
            {submit}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
