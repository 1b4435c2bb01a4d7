/** The quick replies of a message: Enter adds one. */
import { useState } from 'preact/hooks';
import { isSubmitKey } from '../../widget/composing.ts';
import { t } from '../texts/message.ts';
import { Icon } from './icon.tsx';

export type ReplyEditorProps = {
  replies: readonly string[];
  change(replies: readonly string[]): void;
  /** The number of replies, and of their characters. */
  max: number;
  lengthMax: number;
};

export function ReplyEditor({ replies, change, max, lengthMax }: ReplyEditorProps) {
  const [text, setText] = useState('');
  const add = (): void => {
    const reply = text.trim();
    if (reply === '') return;
    change([...new Set([...replies, reply])].slice(0, max));
    setText('');
  };
  return (
    <div class="reply-editor">
      <ul class="quick-replies" aria-label={t('quickReplies')}>
        {replies.map((reply) => (
          <li key={reply}>
            {reply}
            <button
              type="button"
              aria-label={t('removeReply', { text: reply })}
              onClick={() => change(replies.filter((one) => one !== reply))}
            >
              <Icon name="close" />
            </button>
          </li>
        ))}
      </ul>
      <input
        class="input"
        aria-label={t('newReply')}
        placeholder={t('newReply')}
        maxLength={lengthMax}
        disabled={replies.length >= max}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onBlur={add}
        onKeyDown={(event) => {
          if (!isSubmitKey(event)) return;
          event.preventDefault();
          add();
        }}
      />
    </div>
  );
}
