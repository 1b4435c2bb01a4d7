/**
 * The messages, oldest first, with headings of days. The log stays at the newest message until the visitor scrolls up; then new
 * content does not move the visible messages.
 */
import { Fragment, type JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Bubble, UnsentBubble } from './bubble.tsx';
import { dayName, dayOf } from './days.ts';
import { DownIcon } from './icons.tsx';
import { lastSeenOwn, openQuickReplies } from './messages.ts';
import type { Message } from './protocol.ts';
import type { View } from './view.ts';

/** px; within this distance from the end, the log follows new messages. */
const nearEnd = 40;
/** px; within this distance from the start, older messages are loaded. */
const nearStart = 60;

export function Log(view: View): JSX.Element {
  const { chat, texts } = view;
  const { messages, unsent, hasOlder, isLoading, typing } = chat.state;
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const fromEnd = useRef(0);
  const observed = useRef(noBox);
  const [isAway, setIsAway] = useState(false);

  const toEnd = (): void => {
    box.current?.scrollTo({ top: box.current.scrollHeight });
  };
  // The log grows with a message or a loaded image, and shrinks with a longer text in the composer.
  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => {
      if (box.current) observed.current = sizesOf(box.current);
      if (isAtEnd.current) toEnd();
    });
    for (const element of [box.current, content.current]) if (element) observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const lastUnsent = unsent.value.at(-1)?.messageId;
  useLayoutEffect(() => {
    if (lastUnsent) toEnd();
  }, [lastUnsent]);
  // Before the browser paints: keep the distance to the end while the visitor reads.
  const oldest = messages.value[0]?.messageId;
  useLayoutEffect(() => {
    if (box.current && !isAtEnd.current) box.current.scrollTop = box.current.scrollHeight - fromEnd.current;
  }, [oldest]);
  const onScroll = (): void => {
    const { scrollTop } = box.current ?? { scrollTop: 0 };
    const sizes = box.current ? sizesOf(box.current) : noBox;
    fromEnd.current = sizes.scrollHeight - scrollTop;
    // A change of size since the last observation is not a scroll of the visitor.
    isAtEnd.current = [sizes, observed.current].some(
      ({ scrollHeight, clientHeight }) => scrollHeight - scrollTop - clientHeight < nearEnd,
    );
    setIsAway(!isAtEnd.current);
    if (scrollTop < nearStart && !isAtEnd.current) void chat.loadOlder();
  };
  const isEmpty = messages.value.length === 0 && unsent.value.length === 0;
  return (
    <div class="messages">
      <div
        ref={box}
        class="log"
        role="log"
        aria-label={texts.log}
        aria-busy={isLoading.value}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keyboard users must be able to scroll it.
        tabIndex={0}
        onScroll={onScroll}
      >
        <div ref={content} class="content">
          {isLoading.value && <p class="hint">{texts.loading}</p>}
          {hasOlder.value && !isLoading.value && (
            <button type="button" class="older" onClick={() => void chat.loadOlder()}>
              {texts.older}
            </button>
          )}
          {isEmpty && !isLoading.value && (
            <div class="welcome">
              <p>{texts.welcome}</p>
              <p>{texts.welcomeMore}</p>
            </div>
          )}
          <Messages {...view} />
          {typing.value && <TypingLine {...view} />}
          <QuickReplies {...view} />
        </div>
      </div>
      {isAway && (
        <button type="button" class="jump" aria-label={texts.jump} onClick={toEnd}>
          <DownIcon />
        </button>
      )}
    </div>
  );
}

type Sizes = { scrollHeight: number; clientHeight: number };
const noBox: Sizes = { scrollHeight: 0, clientHeight: 0 };

function sizesOf({ scrollHeight, clientHeight }: HTMLElement): Sizes {
  return { scrollHeight, clientHeight };
}

function Messages(view: View): JSX.Element {
  const { messages, unsent, seenByBusiness } = view.chat.state;
  const all = messages.value;
  const lastSeen = lastSeenOwn(all, seenByBusiness.value);
  const lastOwn = unsent.value.length > 0 ? null : all.findLast(({ from }) => from === 'visitor')?.messageId;
  return (
    <ul>
      {all.map((message, index) => {
        const [before, next] = [all[index - 1], all[index + 1]];
        const { messageId, sentAt } = message;
        return (
          <Fragment key={messageId}>
            {(!before || dayOf(before.sentAt) !== dayOf(sentAt)) && (
              <li class="day">{dayName(sentAt, Date.now(), view)}</li>
            )}
            <Bubble
              {...view}
              message={message}
              isContinuation={isContinuation(before, message)}
              isLast={!next || !isContinuation(message, next)}
              mark={messageId === lastSeen ? 'seen' : messageId === lastOwn ? 'sent' : null}
            />
          </Fragment>
        );
      })}
      {unsent.value.map((one) => (
        <UnsentBubble {...view} key={one.messageId} unsent={one} />
      ))}
    </ul>
  );
}

/** ms; within this pause, messages of one sender are grouped. */
const pauseMsMax = 300_000;

function isContinuation(before: Message | undefined, message: Message): boolean {
  if (!before || before.from !== message.from || before.agentName !== message.agentName) return false;
  const pause = Date.parse(message.sentAt) - Date.parse(before.sentAt);
  return pause < pauseMsMax && dayOf(before.sentAt) === dayOf(message.sentAt);
}

function TypingLine({ chat, texts }: View): JSX.Element {
  const name = chat.state.typing.value?.agentName || chat.state.business.value || texts.chat;
  return (
    <p class="typing">
      <span class="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {texts.typing(name)}
    </p>
  );
}

function QuickReplies({ chat, texts }: View): JSX.Element | null {
  const replies = openQuickReplies(chat.state.messages.value, chat.state.unsent.value);
  if (replies.length === 0 || chat.state.obstacle.value !== null) return null;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields, these are actions.
    <div class="replies" role="group" aria-label={texts.quickReplies}>
      {replies.map((reply) => (
        <button key={reply} type="button" onClick={() => chat.sendText(reply)}>
          {reply}
        </button>
      ))}
    </div>
  );
}
