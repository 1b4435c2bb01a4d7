/** A form on a page: fields, the error of the action, a button that saves, and further buttons. */
import type { ComponentChildren } from 'preact';
import { t } from '../texts/frame.ts';
import { FormFrame, type FormFrameProps } from './form-frame.tsx';

export type FormProps = FormFrameProps & {
  /** False: there is nothing to save. */
  canSave?: boolean;
  /** Further buttons. */
  buttons?: ComponentChildren;
};

export function Form({ canSave = true, buttons, ...frame }: FormProps) {
  const { isBusy } = frame.action;
  const actions = (
    <div class="form-actions">
      <button type="submit" class="button button-main" disabled={isBusy || !canSave}>
        {t(isBusy ? 'saving' : 'save')}
      </button>
      {buttons}
    </div>
  );
  return <FormFrame {...frame} isNarrow buttons={actions} />;
}
