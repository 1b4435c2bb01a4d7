/** Asks for confirmation before an action that cannot be undone. */
import { useState } from 'preact/hooks';
import { useAction } from '../api/action.ts';
import { t } from '../texts/frame.ts';
import { Dialog } from './dialog.tsx';
import { ErrorNote } from './states.tsx';

export type ConfirmProps = {
  title: string;
  /** Explains the consequence. */
  text: string;
  /** Names the action on the button; never “OK”. */
  actionTitle: string;
  /** Runs the action; the dialog shows a thrown ApiError. */
  act(): Promise<void>;
  onClose(): void;
};

export function Confirm({ title, text, actionTitle, act, onClose }: ConfirmProps) {
  const action = useAction(act);
  const confirm = async (): Promise<void> => {
    if (await action.run()) onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="form">
        <p>{text}</p>
        {action.error && <ErrorNote error={action.error} />}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button
            type="button"
            class="button button-danger"
            disabled={action.isBusy}
            onClick={() => void confirm()}
          >
            {actionTitle}
          </button>
        </div>
      </div>
    </Dialog>
  );
}

type ConfirmButtonProps = Omit<ConfirmProps, 'onClose'> & {
  /** The text of the button; default: the title. */
  children?: string;
  isDangerous?: boolean;
};

/** A button that asks for confirmation. */
export function ConfirmButton({ children, isDangerous = false, ...confirm }: ConfirmButtonProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        class={`button ${isDangerous ? 'button-danger' : ''}`}
        aria-label={confirm.title}
        onClick={() => setOpen(true)}
      >
        {children ?? confirm.title}
      </button>
      {isOpen && <Confirm {...confirm} onClose={() => setOpen(false)} />}
    </>
  );
}
