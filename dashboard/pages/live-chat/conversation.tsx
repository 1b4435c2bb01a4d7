/** The open chat: its visitor, its messages, and its actions. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { Confirm } from '../../components/confirm.tsx';
import { Icon } from '../../components/icon.tsx';
import { ErrorNote, Loading, wordsOf } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { pageAddress, useAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/live-chat.ts';
import { Assignee } from './assignee.tsx';
import type { Chat } from './chat.ts';
import { initialOf, NoneOpen, nameOf } from './chat-list.tsx';
import { Composer } from './composer.tsx';
import type { Desk } from './desk.ts';
import { Log } from './log.tsx';
import { Notes } from './notes.tsx';
import type { TypingState } from './typing.ts';

type Props = PageProps & { desk: Desk; visitorId: string | null };

export function Conversation({ bot, desk, visitorId }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { value } = desk.conversation;
  const chat = visitorId === null ? undefined : desk.chats.value.get(visitorId);
  if (visitorId === null) return <NoneOpen />;
  const unsent = desk.outbox.unsent.value.filter((one) => one.visitorId === visitorId);
  const isLoaded = value?.visitorId === visitorId;
  return (
    <section class="conversation" aria-label={t('conversation')}>
      <Head botId={bot.botId} desk={desk} chat={chat} heading={heading} />
      {isLoaded && value.error && <ErrorNote error={value.error} retry={desk.reload} />}
      {isLoaded && value.messages ? (
        <Log
          {...{ bot, desk, unsent, visitorId }}
          messages={value.messages}
          hasEarlier={value.hasEarlier}
          seenByVisitor={value.seenByVisitor}
          typing={typingText(desk.typing.value.get(visitorId))}
        />
      ) : (
        <div class="log">{!value?.error && <Loading />}</div>
      )}
      {chat && <Notes botId={bot.botId} visitorId={visitorId} zone={bot.timeZone} />}
      {may('write') && chat && (
        <Composer
          isBlocked={chat.blocked}
          drafts={desk.drafts}
          visitorId={visitorId}
          visitorName={chat.name}
          botId={bot.botId}
          contactId={chat.contactId}
          send={(content) => desk.outbox.send(visitorId, content)}
          reportTyping={desk.reportTyping}
        />
      )}
    </section>
  );
}

type HeadProps = {
  botId: string;
  desk: Desk;
  chat: Chat | undefined;
  heading: { current: HTMLHeadingElement | null };
};

function Head({ botId, desk, chat, heading }: HeadProps) {
  const { path, query } = useAddress();
  const [isConfirming, setConfirming] = useState(false);
  const parameters = new URLSearchParams(
    Object.entries(query).filter(([name]) => name !== 'chat'),
  ).toString();
  const changing = useAction(async (act: () => Promise<void>) => act());
  useEffect(() => {
    if (changing.error) showToast(wordsOf(changing.error), 'failed');
  }, [changing.error]);
  return (
    <header class="conversation-head">
      <a
        class="button button-quiet conversation-back"
        href={parameters ? `${path}?${parameters}` : path}
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
              {chat.contactId !== null && (
                <>
                  {' · '}
                  <a href={`${pageAddress(botId, 'contacts')}?contact=${encodeURIComponent(chat.contactId)}`}>
                    {t('toContact')}
                  </a>
                </>
              )}
              {chat.pageUrl && ` · ${chat.pageUrl}`}
            </p>
          </div>
          {may('write') && (
            <span class="row-actions">
              <Assignee
                botId={botId}
                chat={chat}
                assign={(userId) => void changing.run(() => desk.assign(chat, userId))}
              />
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
                    chat.blocked ? void changing.run(() => desk.setBlocked(chat, false)) : setConfirming(true)
                  }
                >
                  {t(chat.blocked ? 'unblock' : 'block')}
                </button>
              )}
            </span>
          )}
          {isConfirming && (
            <Confirm
              title={t('blockWho', { name: nameOf(chat) })}
              text={t('blockAsk')}
              actionTitle={t('block')}
              act={() => desk.setBlocked(chat, true)}
              onClose={() => setConfirming(false)}
            />
          )}
        </>
      )}
    </header>
  );
}

function typingText(typing: TypingState | undefined): string | null {
  if (!typing) return null;
  return typing.agentName === null
    ? t('visitorTyping')
    : t('agentTyping', { name: typing.agentName || t('agent') });
}
