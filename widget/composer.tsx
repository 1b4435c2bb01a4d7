/** The visitor's input: text, and selected or pasted images. */
import type { JSX, TargetedEvent } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { isSubmitKey, pastedImages } from './composing.ts';
import { ImageIcon, SendIcon } from './icons.tsx';
import { imageTypes } from './image-type.ts';
import { textLengthMax } from './outbox.ts';
import type { View } from './view.ts';

export function Composer({ chat, texts }: View): JSX.Element {
  const [text, setText] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const isClosed = chat.state.obstacle.value !== null;
  const imagesAllowed = chat.state.imagesAllowed.value;

  // A disabled element would lose the focus to the page.
  useLayoutEffect(() => {
    const root = field.current?.getRootNode();
    if (root instanceof ShadowRoot && root.activeElement?.matches(':disabled'))
      (
        root.querySelector<HTMLElement>('textarea:not(:disabled)') ?? root.querySelector<HTMLElement>('.log')
      )?.focus();
  }, [isClosed, imagesAllowed]);
  const write = (value: string): void => {
    setText(value);
    chat.onInput(value.trim() === '');
    grow(field.current);
  };
  const send = (): void => {
    if (text.trim() === '') return;
    chat.sendText(text);
    if (field.current) field.current.value = '';
    write('');
    field.current?.focus();
  };
  const sendImages = (files: Iterable<File>): void => {
    for (const image of files) void chat.sendImage(image);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isSubmitKey(event)) return;
    event.preventDefault();
    send();
  };
  const onPaste = (event: ClipboardEvent): void => {
    const images = pastedImages(event);
    if (images.length === 0) return;
    event.preventDefault();
    sendImages(images);
  };
  const onFiles = ({ currentTarget }: TargetedEvent<HTMLInputElement>): void => {
    sendImages(currentTarget.files ?? []);
    currentTarget.value = '';
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <input
        ref={file}
        type="file"
        accept={imageTypes.join()}
        multiple
        hidden
        tabIndex={-1}
        aria-hidden="true"
        onChange={onFiles}
      />
      <button
        type="button"
        class="plain"
        aria-label={texts.attach}
        title={imagesAllowed ? undefined : texts.imagesNotAllowed}
        disabled={isClosed || !imagesAllowed}
        onClick={() => file.current?.click()}
      >
        <ImageIcon />
      </button>
      <textarea
        ref={field}
        rows={1}
        dir="auto"
        maxLength={textLengthMax}
        value={text}
        placeholder={texts.placeholder}
        aria-label={texts.message}
        disabled={isClosed}
        onInput={({ currentTarget }) => write(currentTarget.value)}
        onKeyDown={onKeyDown}
        onPaste={onPaste}
      />
      <button type="submit" class="send" aria-label={texts.send} disabled={isClosed || text.trim() === ''}>
        <SendIcon />
      </button>
    </form>
  );
}

/** Fits the height to the text, up to the limit of the style sheet. */
function grow(field: HTMLTextAreaElement | null): void {
  if (!field) return;
  field.style.height = 'auto';
  const borders = field.offsetHeight - field.clientHeight;
  field.style.height = `${field.scrollHeight + borders}px`;
}
