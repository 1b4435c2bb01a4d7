/** A text to copy: an address, a script line, a secret. */
import { useId, useRef } from 'preact/hooks';
import { t } from '../texts/frame.ts';
import { Icon } from './icon.tsx';
import { showToast } from './toast.tsx';

export type CopyFieldProps = {
  label: string;
  value: string;
  hint?: string;
  /** Several lines, for a long text. */
  rows?: number;
};

export function CopyField({ label, value, hint, rows }: CopyFieldProps) {
  const id = useId();
  const container = useRef<HTMLDivElement>(null);
  const field = {
    id,
    class: 'input copy-text',
    readOnly: true,
    spellcheck: false,
    value,
    onFocus: (event: FocusEvent) => select(event.currentTarget),
    ...(hint ? { 'aria-describedby': `${id}-hint` } : {}),
  };
  const copy = async (): Promise<void> => {
    const isCopied = await copyText(value, container.current?.querySelector('.copy-text') ?? null);
    showToast(isCopied ? t('copied', { what: label }) : t('notCopied'), isCopied ? 'done' : 'failed');
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="copy" ref={container}>
        {rows === undefined ? <input {...field} /> : <textarea {...field} rows={rows} />}
        <button
          type="button"
          class="button"
          onClick={() => void copy()}
          aria-label={t('copyWhat', { what: label })}
        >
          <Icon name="copy" />
          {t('copy')}
        </button>
      </div>
      {hint && (
        <p class="note" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** Copies a text. Pages loaded over plain http have no `navigator.clipboard`; they copy the selection instead. */
async function copyText(text: string, field: Element | null): Promise<boolean> {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  select(field);
  return document.execCommand('copy');
}

function select(field: EventTarget | null): void {
  if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) field.select();
}
