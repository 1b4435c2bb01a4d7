/**
 * The agent's input: Enter sends, Shift+Enter starts a new line, and Enter during composition belongs to the input method. Images
 * are selected or pasted. The visitor sees quick replies as buttons below the message.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { messageLimits } from '../../../src/sends/message-limits.ts';
import { fillVariables, unknownVariables } from '../../../src/sends/variables.ts';
import { isSubmitKey, pastedImages } from '../../../widget/composing.ts';
import { imageBytesMax, imageTypes } from '../../../widget/image-type.ts';
import { attempt } from '../../api/attempt.ts';
import { api, bodyOf, resource } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Choice } from '../../components/choice.tsx';
import { Icon } from '../../components/icon.tsx';
import { ReplyEditor } from '../../components/reply-editor.tsx';
import { wordsOf } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { t } from '../../texts/live-chat.ts';
import type { Unsent } from './chat.ts';
import type { Draft } from './desk.ts';

type Props = {
  botId: string;
  /** Null: no message has been counted yet. */
  contactId: string | null;
  isBlocked: boolean;
  visitorId: string;
  /** Null: the visitor is anonymous. */
  visitorName: string | null;
  drafts: Map<string, Draft>;
  send(content: Unsent['content']): void;
  reportTyping(isTyping: boolean): void;
};

const { text: textLengthMax, replies: repliesMax, reply: replyLengthMax } = messageLimits.liveChat;

export function Composer({
  botId,
  contactId,
  isBlocked,
  visitorId,
  visitorName,
  drafts,
  send,
  reportTyping,
}: Props) {
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
      {isAddingReplies && (
        <ReplyEditor replies={replies} change={setReplies} max={repliesMax} lengthMax={replyLengthMax} />
      )}
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
          contactId={contactId}
          visitorName={visitorName}
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

type SavedReplyProps = Pick<Props, 'botId' | 'contactId' | 'visitorName'> & { insert(draft: Draft): void };

/** Inserts the text of a message template, with the contact's values of its variables. Hidden if the bot has none with a text. */
function SavedReplies({ botId, contactId, visitorName, insert }: SavedReplyProps) {
  const live = useLive(resource('/api/v1/bots/{botId}/message-templates', { path: { botId } }), {
    everyMs: 60_000,
  });
  const saved = (live.value?.templates ?? []).flatMap(({ templateId, name, platforms, ...template }) => {
    const text = platforms.liveChat?.text ?? template.text;
    const quickReplies = platforms.liveChat?.quickReplies ?? template.quickReplies;
    return text === null ? [] : [{ templateId, name, text, quickReplies: quickReplies.slice(0, repliesMax) }];
  });
  if (saved.length === 0) return null;
  const choose = (chosen: string): Promise<void> =>
    attempt(
      async () => {
        const reply = saved.find(({ templateId }) => templateId === chosen);
        if (!reply) return;
        const contact = contactId === null ? null : await readContact(botId, contactId);
        const variables = { ...unknownVariables, ...contact, name: contact?.name ?? visitorName };
        insert({ ...reply, text: fillVariables(reply.text, variables) });
      },
      (error) => showToast(wordsOf(error), 'failed'),
    );
  return (
    <Choice
      label={t('savedReplies')}
      value=""
      onChange={(chosen: string) => void choose(chosen)}
      choices={[
        { value: '', title: t('savedReplies') },
        ...saved.map(({ templateId, name }) => ({ value: templateId, title: name })),
      ]}
    />
  );
}

async function readContact(botId: string, contactId: string) {
  const params = { path: { botId, contactId } };
  return bodyOf(api.GET('/api/v1/bots/{botId}/contacts/{contactId}', { params }));
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
