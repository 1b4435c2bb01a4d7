/** The messages of a chat, with the unsent ones. It follows new messages while the agent is at the end. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { dayOf } from '../../../src/time.ts';
import { splitLinks } from '../../../widget/links.ts';
import { urlOf } from '../../api/client.ts';
import { longDay, time } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/live-chat.ts';
import type { Message, Unsent } from './chat.ts';
import { senderOf } from './chat-list.tsx';
import type { Desk } from './desk.ts';

type LogProps = PageProps & {
  desk: Desk;
  visitorId: string;
  messages: readonly Message[];
  hasEarlier: boolean;
  unsent: readonly Unsent[];
  seenByVisitor: number;
  /** The text of the typing line; null: none. */
  typing: string | null;
};

/** Within this distance from the end, the log follows new messages. */
const nearPx = 120;

export function Log(props: LogProps) {
  const { bot, desk, visitorId, messages, hasEarlier, unsent, seenByVisitor, typing } = props;
  const log = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const first = messages[0]?.sequence;
  const before = useRef({ first, height: 0 });
  // Earlier messages do not move the visible ones.
  useLayoutEffect(() => {
    const box = log.current;
    if (!box) return;
    if (isAtEnd.current) box.scrollTop = box.scrollHeight;
    else if (before.current.first !== first) box.scrollTop += box.scrollHeight - before.current.height;
    before.current = { first, height: box.scrollHeight };
  });
  const confirmed = messages.filter(({ messageId }) => !unsent.some((one) => one.messageId === messageId));
  const lastSeen = messages.findLast(({ from, sequence }) => from !== 'visitor' && sequence <= seenByVisitor);
  return (
    <div
      class="log"
      ref={log}
      role="log"
      aria-label={t('messages')}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < nearPx;
      }}
    >
      {hasEarlier && (
        <button type="button" class="button log-more" onClick={() => void desk.earlier()}>
          {t('earlier')}
        </button>
      )}
      {messages.length === 0 && unsent.length === 0 && <p class="note log-more">{t('noMessages')}</p>}
      <ol class="bubbles">
        {confirmed.map((message, index) => {
          const day = dayOf(Date.parse(message.sentAt), bot.timeZone);
          const previous = confirmed[index - 1];
          const isNewDay = !previous || dayOf(Date.parse(previous.sentAt), bot.timeZone) !== day;
          return (
            <li key={message.messageId} class={message.from === 'visitor' ? 'theirs' : 'own'}>
              {isNewDay && <p class="log-day">{longDay(day)}</p>}
              <Bubble
                message={message}
                zone={bot.timeZone}
                imageAddress={urlOf('/api/v1/bots/{botId}/chats/{visitorId}/images/{messageId}', {
                  path: { botId: bot.botId, visitorId, messageId: message.messageId },
                })}
                isSeen={message === lastSeen}
              />
            </li>
          );
        })}
        {unsent.map((one) => (
          <li key={one.messageId} class="own">
            <UnsentBubble unsent={one} desk={desk} />
          </li>
        ))}
      </ol>
      {typing && (
        <p class="note log-typing">
          <span class="pulse" aria-hidden="true" /> {typing}
        </p>
      )}
    </div>
  );
}

type BubbleProps = { message: Message; zone: string; imageAddress: string; isSeen: boolean };

function Bubble({ message, zone, imageAddress, isSeen }: BubbleProps) {
  const { from, kind, text, sentAt, quickReplies } = message;
  const sender = senderOf(message);
  return (
    <>
      <span class={from === 'visitor' ? 'hidden' : 'bubble-who'}>{sender}</span>
      {kind === 'image' ? (
        <a class="bubble-image" href={imageAddress} target="_blank" rel="noreferrer">
          <img src={imageAddress} alt={t('imageOf', { name: sender })} loading="lazy" />
        </a>
      ) : (
        <p class="bubble" dir="auto">
          <Words text={text ?? ''} />
        </p>
      )}
      <QuickReplies replies={quickReplies} />
      <span class="bubble-mark">
        <time dateTime={sentAt}>{time(sentAt, zone)}</time>
        {isSeen && ` · ${t('seen')}`}
      </span>
    </>
  );
}

function UnsentBubble({ unsent: { messageId, content, problem }, desk }: { unsent: Unsent; desk: Desk }) {
  return (
    <>
      {content.kind === 'image' ? (
        <LocalImage image={content.image} />
      ) : (
        <>
          <p class="bubble bubble-unsent" dir="auto">
            <Words text={content.text} />
          </p>
          <QuickReplies replies={content.quickReplies} />
        </>
      )}
      {problem === null ? (
        <span class="bubble-mark">{t('sending')}</span>
      ) : (
        <span class="bubble-mark bubble-failed" role="alert">
          {t('notSent')} {problem}{' '}
          <button type="button" class="button button-link" onClick={() => desk.outbox.retry(messageId)}>
            {frame('retry')}
          </button>
          <button type="button" class="button button-link" onClick={() => desk.outbox.discard(messageId)}>
            {t('discard')}
          </button>
        </span>
      )}
    </>
  );
}

function LocalImage({ image }: { image: Blob }) {
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    const url = URL.createObjectURL(image);
    setAddress(url);
    return () => URL.revokeObjectURL(url);
  }, [image]);
  return <span class="bubble-image">{address && <img src={address} alt={t('image')} />}</span>;
}

function QuickReplies({ replies }: { replies: readonly string[] }) {
  if (replies.length === 0) return null;
  return (
    <ul class="quick-replies" aria-label={t('quickReplies')}>
      {replies.map((reply) => (
        <li key={reply}>{reply}</li>
      ))}
    </ul>
  );
}

function Words({ text }: { text: string }) {
  return (
    <>
      {splitLinks(text).map(({ text: part, href }, index) =>
        href === null ? (
          part
        ) : (
          <a key={index} href={href} target="_blank" rel="noopener noreferrer">
            {part}
          </a>
        ),
      )}
    </>
  );
}
