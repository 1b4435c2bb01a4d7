/** One message with its sender, time and delivery state. */
import type { JSX } from 'preact';
import { timeName } from './days.ts';
import { ImageView } from './image.tsx';
import { splitLinks } from './links.ts';
import type { Unsent } from './messages.ts';
import type { Message } from './protocol.ts';
import type { View } from './view.ts';

export type BubbleParts = View & {
  message: Message;
  /** The previous message has the same sender, so the name is hidden. */
  isContinuation: boolean;
  /** The last of several messages of one sender; it shows the time. */
  isLast: boolean;
  /** On the visitor's last sent and last seen messages. */
  mark: 'sent' | 'seen' | null;
};

export function Bubble({ message, isContinuation, isLast, mark, ...view }: BubbleParts): JSX.Element {
  const { texts, locale, chat } = view;
  const { from, kind, text, messageId, sentAt } = message;
  const isOwn = from === 'visitor';
  const name = nameOf(message, view);
  return (
    <li class={`${isOwn ? 'own' : 'theirs'}${isContinuation ? ' more' : ''}`}>
      <span class={isOwn || isContinuation ? 'unseen' : 'name'} dir="auto">
        {name}
      </span>
      {kind === 'image' ? (
        <ImageView {...{ texts, name }} read={() => chat.readImage(messageId)} />
      ) : (
        <Text text={text ?? ''} />
      )}
      <span class={isLast || mark ? 'mark' : 'unseen'}>
        <time dateTime={sentAt}>{timeName(sentAt, locale)}</time>
        {mark && ` · ${texts[mark]}`}
      </span>
    </li>
  );
}

export function UnsentBubble({ unsent, chat, texts }: View & { unsent: Unsent }): JSX.Element {
  const { content, state, messageId } = unsent;
  return (
    <li class={`own ${state}`}>
      <span class="unseen">{texts.you}</span>
      {content.kind === 'image' ? (
        <ImageView {...{ texts }} name={texts.you} read={async () => content.image} />
      ) : (
        <Text text={content.text} />
      )}
      {state === 'sending' ? (
        <span class="mark">{texts.sending}</span>
      ) : (
        <span class="mark">
          {texts.failed}{' '}
          <button type="button" onClick={() => chat.retry(messageId)}>
            {texts.retry}
          </button>
        </span>
      )}
    </li>
  );
}

function Text({ text }: { text: string }): JSX.Element {
  return (
    <p class="bubble" dir="auto">
      {splitLinks(text).map(({ text: part, href }) =>
        href === null ? (
          part
        ) : (
          <a href={href} target="_blank" rel="noopener noreferrer">
            {part}
          </a>
        ),
      )}
    </p>
  );
}

function nameOf({ from, agentName }: Message, { texts, chat }: View): string {
  if (from === 'visitor') return texts.you;
  return agentName ?? (from === 'bot' ? texts.bot : chat.state.business.value || texts.chat);
}
