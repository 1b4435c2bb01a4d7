/** Form fields with a label, a hint and an error. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

type Common = {
  label: string;
  /** Explains the input, below the field. */
  hint?: ComponentChildren;
  /** The error of the input; null: none. */
  error?: string | null;
  name?: string;
  value: string;
  onValue(value: string): void;
  required?: boolean;
  disabled?: boolean;
};

export type TextFieldProps = Common & {
  type?: 'text' | 'password' | 'date' | 'datetime-local' | 'number' | 'search' | 'url';
  autoComplete?: string;
  spellcheck?: boolean;
  placeholder?: string;
  min?: string | number;
  max?: string | number;
  maxLength?: number;
  /** The id of a datalist with suggestions. */
  list?: string;
};

/** A line of text, a number, a date. */
export function TextField({ label, hint, error = null, onValue, type = 'text', ...input }: TextFieldProps) {
  const id = useId();
  // Preact types each input type separately because of the allowed roles; this input sets no role.
  const ofType = { type } as { type: 'text' };
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <input
        class="input"
        {...input}
        {...ofType}
        id={id}
        aria-invalid={error !== null}
        aria-describedby={describedBy(id, hint, error)}
        onInput={({ currentTarget }) => onValue(currentTarget.value)}
      />
    </Frame>
  );
}

/** Several lines of text. */
export function TextAreaField({
  label,
  hint,
  error = null,
  onValue,
  ...area
}: Common & { rows?: number; maxLength?: number }) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <textarea
        class="input"
        {...area}
        id={id}
        aria-invalid={error !== null}
        aria-describedby={describedBy(id, hint, error)}
        onInput={({ currentTarget }) => onValue(currentTarget.value)}
      />
    </Frame>
  );
}

/** A select; `children` are its options. */
export function SelectField({
  label,
  hint,
  error = null,
  onValue,
  children,
  ...select
}: Common & { children: ComponentChildren }) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <select
        class="input"
        {...select}
        id={id}
        aria-invalid={error !== null}
        aria-describedby={describedBy(id, hint, error)}
        onChange={({ currentTarget }) => onValue(currentTarget.value)}
      >
        {children}
      </select>
    </Frame>
  );
}

/** A checkbox. */
export function CheckField({
  label,
  hint,
  isOn,
  onChange,
  disabled = false,
}: {
  label: string;
  hint?: ComponentChildren;
  isOn: boolean;
  onChange(isOn: boolean): void;
  disabled?: boolean;
}) {
  const id = useId();
  return (
    <div class="field-check">
      <input
        type="checkbox"
        id={id}
        checked={isOn}
        disabled={disabled}
        aria-describedby={describedBy(id, hint, null)}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      <div>
        <label for={id}>{label}</label>
        {hint && (
          <p class="note" id={`${id}-hint`}>
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}

type FrameProps = Pick<Common, 'label' | 'hint'> & {
  id: string;
  error: string | null;
  children: ComponentChildren;
};

function Frame({ id, label, hint, error, children }: FrameProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      {hint && (
        <p class="note" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

function describedBy(id: string, hint: ComponentChildren, error: string | null): string | undefined {
  return [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
}
