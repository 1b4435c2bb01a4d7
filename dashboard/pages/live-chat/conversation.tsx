/** One chat: who it is with, what was said, what is being said, and what can be done with it. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { dayOf } from '../../../src/time.ts';
import { splitLinks } from '../../../widget/links.ts';
import { useAction } from '../../api/action.ts';
import { urlOf } from '../../api/client.ts';
import { Confirm } from '../../components/confirm.tsx';
import { Icon } from '../../components/icon.tsx';
import { ErrorNote, Loading, wordsOf } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { longDay, time } from '../../format/format.ts';
import { useAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/live-chat.ts';
import type { Chat, Message, Unsent } from './chat.ts';
import { initialOf, NoneOpen, nameOf, whoWrote } from './chat-list.tsx';
import { Composer } from './composer.tsx';
import type { Desk } from './desk.ts';

type Props = PageProps & { desk: Desk; visitorId: string | null };

export function Conversation({ bot, desk, visitorId }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { value } = desk.conversation;
  const chat = visitorId === null ? undefined : desk.chats.value.get(visitorId);
  if (visitorId === null) return <NoneOpen />;
  const unsent = desk.outbox.unsent.value.filter((one) => one.visitorId === visitorId);
  const isMine = value?.visitorId === visitorId;
  const typing = desk.typing.value.get(visitorId);
  return (
    <section class="conversation" aria-label={t('conversation')}>
      <Head desk={desk} chat={chat} heading={heading} />
      {isMine && value.error && <ErrorNote error={value.error} retry={desk.reload} />}
      {isMine && value.messages ? (
        <Log
          {...{ bot, desk, unsent, visitorId }}
          messages={value.messages}
          hasEarlier={value.hasEarlier}
          seenByVisitor={value.seenByVisitor}
          typing={
            typing ? (typing.who === '' ? t('visitorTyping') : t('agentTyping', { name: typing.who })) : null
          }
        />
      ) : (
        <div class="log">{!value?.error && <Loading />}</div>
      )}
      {may('write') && chat && (
        <Composer
          isBlocked={chat.blocked}
          drafts={desk.drafts}
          visitorId={visitorId}
          send={(content) => desk.outbox.send(visitorId, content)}
          type={desk.type}
        />
      )}
    </section>
  );
}

type HeadProps = { desk: Desk; chat: Chat | undefined; heading: { current: HTMLHeadingElement | null } };

function Head({ desk, chat, heading }: HeadProps) {
  const { path, query } = useAddress();
  const [isAsked, setAsked] = useState(false);
  const kept = new URLSearchParams(Object.entries(query).filter(([name]) => name !== 'chat')).toString();
  const changing = useAction(async (act: () => Promise<void>) => act());
  useEffect(() => {
    if (changing.error) showToast(wordsOf(changing.error), 'failed');
  }, [changing.error]);
  return (
    <header class="conversation-head">
      <a
        class="button button-quiet conversation-back"
        href={kept ? `${path}?${kept}` : path}
        aria-label={t('backToList')}
      >
        <Icon name="back" />
      </a>
      {chat && (
        <>
          <span class={chat.online ? 'avatar avatar-online' : 'avatar'} aria-hidden="true">
            {initialOf(chat)}
          </span>
          <div class="conversation-who">
            <h2 ref={heading}>{nameOf(chat)}</h2>
            <p class="note">
              {t(chat.online ? 'online' : 'offline')}
              {chat.identified && ` · ${t('identified')}`}
              {chat.pageUrl && ` · ${chat.pageUrl}`}
            </p>
          </div>
          {may('write') && (
            <span class="row-actions">
              <button
                type="button"
                class="button"
                disabled={changing.isBusy}
                onClick={() =>
                  void changing.run(() => desk.setState(chat, chat.state === 'open' ? 'closed' : 'open'))
                }
              >
                {t(chat.state === 'open' ? 'closeChat' : 'openChat')}
              </button>
              {chat.contactId !== null && (
                <button
                  type="button"
                  class={chat.blocked ? 'button' : 'button button-danger'}
                  disabled={changing.isBusy}
                  onClick={() =>
                    chat.blocked ? void changing.run(() => desk.setBlocked(chat, false)) : setAsked(true)
                  }
                >
                  {t(chat.blocked ? 'unblock' : 'block')}
                </button>
              )}
            </span>
          )}
          {isAsked && (
            <Confirm
              title={t('blockWho', { name: nameOf(chat) })}
              text={t('blockAsk')}
              actionTitle={t('block')}
              act={() => desk.setBlocked(chat, true)}
              onClose={() => setAsked(false)}
            />
          )}
        </>
      )}
    </header>
  );
}

type LogProps = PageProps & {
  desk: Desk;
  visitorId: string;
  messages: readonly Message[];
  hasEarlier: boolean;
  unsent: readonly Unsent[];
  seenByVisitor: number;
  /** Who is typing, in words; null: nobody. */
  typing: string | null;
};

/** So near the end, the log follows what comes. */
const nearPx = 120;

function Log(props: LogProps) {
  const { bot, desk, visitorId, messages, hasEarlier, unsent, seenByVisitor, typing } = props;
  const log = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const first = messages[0]?.sequence;
  const before = useRef({ first, height: 0 });
  // Earlier messages push nothing away from under the reader's eyes.
  useLayoutEffect(() => {
    const box = log.current;
    if (!box) return;
    if (isAtEnd.current) box.scrollTop = box.scrollHeight;
    else if (before.current.first !== first) box.scrollTop += box.scrollHeight - before.current.height;
    before.current = { first, height: box.scrollHeight };
  });
  const shown = messages.filter(({ messageId }) => !unsent.some((one) => one.messageId === messageId));
  const lastSeen = messages.findLast(({ from, sequence }) => from !== 'visitor' && sequence <= seenByVisitor);
  return (
    <div
      class="log"
      ref={log}
      role="log"
      aria-label={t('messages')}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
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
        {shown.map((message, index) => {
          const day = dayOf(Date.parse(message.sentAt), bot.timeZone);
          const previous = shown[index - 1];
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
  const who = whoWrote(message);
  return (
    <>
      <span class={from === 'visitor' ? 'hidden' : 'bubble-who'}>{who}</span>
      {kind === 'image' ? (
        <a class="bubble-image" href={imageAddress} target="_blank" rel="noreferrer">
          <img src={imageAddress} alt={t('imageOf', { name: who })} loading="lazy" />
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
    const made = URL.createObjectURL(image);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
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
