/** A dialog with a form: fields, the error of the action, a submit and a cancel button. */
import { t } from '../texts/frame.ts';
import { Dialog } from './dialog.tsx';
import { FormFrame, type FormFrameProps } from './form-frame.tsx';

export type FormDialogProps = FormFrameProps & {
  title: string;
  /** The label of the submit button. */
  submit: string;
  /** True if the action cannot be undone. */
  isDangerous?: boolean;
  onClose(): void;
};

export function FormDialog(props: FormDialogProps) {
  const { title, submit, isDangerous = false, onClose, ...frame } = props;
  const buttons = (
    <div class="dialog-actions">
      <button type="button" class="button button-large" onClick={onClose}>
        {t('cancel')}
      </button>
      <button
        type="submit"
        class={`button button-main ${isDangerous ? 'button-final' : ''}`}
        disabled={frame.action.isBusy}
      >
        {submit}
      </button>
    </div>
  );
  return (
    <Dialog title={title} onClose={onClose}>
      <FormFrame {...frame} buttons={buttons} />
    </Dialog>
  );
}
