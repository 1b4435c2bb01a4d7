/**
 * The agent's input: Enter sends, Shift+Enter starts a new line, and Enter during composition belongs to the input method. Images
 * are selected or pasted. The visitor sees quick replies as buttons below the message.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { isSubmitKey, pastedImages } from '../../../widget/composing.ts';
import { imageBytesMax, imageTypes } from '../../../widget/image-type.ts';
import { resource } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Choice } from '../../components/choice.tsx';
import { Icon } from '../../components/icon.tsx';
import { showToast } from '../../components/toast.tsx';
import { t } from '../../texts/live-chat.ts';
import type { Unsent } from './chat.ts';
import type { Draft } from './desk.ts';

type Props = {
  botId: string;
  isBlocked: boolean;
  visitorId: string;
  drafts: Map<string, Draft>;
  send(content: Unsent['content']): void;
  reportTyping(isTyping: boolean): void;
};

const textLengthMax = 2_000;
const replyLengthMax = 40;
const repliesMax = 10;

export function Composer({ botId, isBlocked, visitorId, drafts, send, reportTyping }: Props) {
  const draft = drafts.get(visitorId);
  const [text, setText] = useState(draft?.text ?? '');
  const [replies, setReplies] = useState(draft?.quickReplies ?? []);
  const [isAddingReplies, setAddingReplies] = useState(replies.length > 0);
  const field = useRef<HTMLTextAreaElement>(null);

  useEffect(() => {
    drafts.set(visitorId, { text, quickReplies: replies });
  }, [drafts, visitorId, text, replies]);
  // After a selection in the list, the focus moves to the input.
  useEffect(() => {
    if (document.activeElement?.matches('.chat-row')) field.current?.focus();
  }, []);

  const submit = (): void => {
    if (text.trim() === '') return;
    send({ kind: 'text', text: text.trim(), quickReplies: replies });
    setText('');
    setReplies([]);
    setAddingReplies(false);
    reportTyping(false);
    field.current?.focus();
  };
  const sendImages = (files: Iterable<File>): void => {
    for (const image of files) {
      if (!imageTypes.some((type) => type === image.type)) showToast(t('imageType'), 'failed');
      else if (image.size > imageBytesMax) showToast(t('imageTooLarge'), 'failed');
      else send({ kind: 'image', image });
    }
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {isBlocked && <p class="note">{t('isBlocked')}</p>}
      {isAddingReplies && <ReplyEditor replies={replies} change={setReplies} />}
      <textarea
        ref={field}
        class="input"
        dir="auto"
        rows={2}
        aria-label={t('write')}
        placeholder={t('writeHint')}
        maxLength={textLengthMax}
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          reportTyping(currentTarget.value.trim() !== '');
        }}
        onBlur={() => reportTyping(false)}
        onKeyDown={(event) => {
          if (!isSubmitKey(event)) return;
          event.preventDefault();
          submit();
        }}
        onPaste={(event) => {
          const images = pastedImages(event);
          if (images.length === 0) return;
          event.preventDefault();
          sendImages(images);
        }}
      />
      <div class="composer-actions">
        <ImageButton send={sendImages} />
        <SavedReplies
          botId={botId}
          insert={(saved) => {
            setText(saved.text);
            setReplies(saved.quickReplies);
            setAddingReplies(saved.quickReplies.length > 0);
            field.current?.focus();
          }}
        />
        <button
          type="button"
          class="button button-quiet"
          aria-expanded={isAddingReplies}
          onClick={() => setAddingReplies(!isAddingReplies)}
        >
          <Icon name="plus" />
          {t('quickReplies')}
        </button>
        <button type="submit" class="button button-main" disabled={text.trim() === ''}>
          {t('send')}
        </button>
      </div>
    </form>
  );
}

/** Inserts the text of a message template. Hidden if the bot has none with a text. */
function SavedReplies({ botId, insert }: { botId: string; insert(draft: Draft): void }) {
  const live = useLive(resource('/api/v1/bots/{botId}/message-templates', { path: { botId } }), {
    everyMs: 60_000,
  });
  const saved = (live.value?.templates ?? []).flatMap(({ templateId, name, platforms, ...template }) => {
    const text = platforms.liveChat?.text ?? template.text;
    const quickReplies = platforms.liveChat?.quickReplies ?? template.quickReplies;
    return text === null ? [] : [{ templateId, name, text, quickReplies: quickReplies.slice(0, repliesMax) }];
  });
  if (saved.length === 0) return null;
  return (
    <Choice
      label={t('savedReplies')}
      value=""
      onChange={(chosen: string) => {
        const reply = saved.find(({ templateId }) => templateId === chosen);
        if (reply) insert(reply);
      }}
      choices={[
        { value: '', title: t('savedReplies') },
        ...saved.map(({ templateId, name }) => ({ value: templateId, title: name })),
      ]}
    />
  );
}

/** Selects images. */
function ImageButton({ send }: { send(files: Iterable<File>): void }) {
  const file = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={file}
        class="hidden"
        type="file"
        tabIndex={-1}
        aria-label={t('sendImage')}
        accept={imageTypes.join(',')}
        onChange={({ currentTarget }) => {
          send(currentTarget.files ?? []);
          currentTarget.value = '';
        }}
      />
      <button type="button" class="button button-quiet" onClick={() => file.current?.click()}>
        <Icon name="image" />
        {t('image')}
      </button>
    </>
  );
}

type EditorProps = { replies: readonly string[]; change(replies: readonly string[]): void };

function ReplyEditor({ replies, change }: EditorProps) {
  const [text, setText] = useState('');
  const add = (): void => {
    const reply = text.trim();
    if (reply === '') return;
    change([...new Set([...replies, reply])].slice(0, repliesMax));
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
        maxLength={replyLengthMax}
        disabled={replies.length >= repliesMax}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={(event) => {
          if (!isSubmitKey(event)) return;
          event.preventDefault();
          add();
        }}
      />
    </div>
  );
}
