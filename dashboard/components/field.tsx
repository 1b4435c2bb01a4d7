/** Form fields with a label, a hint and an error. */
import type { ComponentChildren, RefObject } from 'preact';
import { useId } from 'preact/hooks';
import { type Choices, Select } from './choice.tsx';

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
  type?: 'text' | 'password' | 'date' | 'datetime-local' | 'time' | 'number' | 'search' | 'url';
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
export function TextField({ label, hint, error, onValue, type = 'text', ...input }: TextFieldProps) {
  // Preact types each input type separately because of the allowed roles; this input sets no role.
  const ofType = { type } as { type: 'text' };
  return (
    <Frame {...{ label, hint, error }}>
      {(control) => (
        <input
          {...input}
          {...ofType}
          {...control}
          onInput={({ currentTarget }) => onValue(currentTarget.value)}
        />
      )}
    </Frame>
  );
}

type TextAreaFieldProps = Common & {
  rows?: number;
  maxLength?: number;
  /** The element, for its selection. */
  element?: RefObject<HTMLTextAreaElement | null>;
};

/** Several lines of text. */
export function TextAreaField({ label, hint, error, onValue, element, ...area }: TextAreaFieldProps) {
  return (
    <Frame {...{ label, hint, error }}>
      {(control) => (
        <textarea
          {...area}
          {...control}
          {...(element ? { ref: element } : {})}
          onInput={({ currentTarget }) => onValue(currentTarget.value)}
        />
      )}
    </Frame>
  );
}

type SelectFieldProps<Value extends string> = Pick<Common, 'label' | 'hint'> & {
  choices: Choices<Value>;
  value: Value;
  onValue(value: NoInfer<Value>): void;
};

/** A select of typed values. */
export function SelectField<Value extends string>(props: SelectFieldProps<Value>) {
  const { label, hint, onValue, ...select } = props;
  return (
    <Frame {...{ label, hint }}>{(control) => <Select {...select} {...control} onChange={onValue} />}</Frame>
  );
}

type FileFieldProps = Pick<Common, 'label' | 'hint' | 'error'> & {
  /** The allowed types, as in HTML. */
  accept: string;
  onFile(file: File | null): void;
};

/** A file. */
export function FileField({ label, hint, error, accept, onFile }: FileFieldProps) {
  return (
    <Frame {...{ label, hint, error }}>
      {(control) => (
        <input
          {...control}
          type="file"
          accept={accept}
          onChange={({ currentTarget }) => onFile(currentTarget.files?.[0] ?? null)}
        />
      )}
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

type Control = { id: string; class: string; 'aria-invalid': boolean; 'aria-describedby': string | undefined };
type FrameProps = Pick<Common, 'label' | 'hint'> & {
  error?: string | null | undefined;
  /** Renders the input with its attributes. */
  children(control: Control): ComponentChildren;
};

function Frame({ label, hint, error = null, children }: FrameProps) {
  const id = useId();
  const describing = { 'aria-invalid': error !== null, 'aria-describedby': describedBy(id, hint, error) };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, class: 'input', ...describing })}
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
