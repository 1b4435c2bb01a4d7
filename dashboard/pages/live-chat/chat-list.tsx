/** The list of chats, newest message first, with online state and unread messages. Arrow keys move within it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { dayOf } from '../../../src/time.ts';
import { Icon } from '../../components/icon.tsx';
import { Segments } from '../../components/segments.tsx';
import { Empty, ErrorNote, Loading } from '../../components/states.tsx';
import { dateTime, number, shortDay, time } from '../../format/format.ts';
import { pageAddress, useAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/live-chat.ts';
import { visitorName } from '../../texts/visitor-names.ts';
import type { Chat, ChatQuery, Message } from './chat.ts';
import type { Desk } from './desk.ts';

type Props = PageProps & { desk: Desk; query: ChatQuery; openId: string | null };

const searchPauseMs = 250;

export function ChatList({ bot, desk, query, openId }: Props) {
  const { setQuery } = useAddress();
  const { visitorIds, cursor, error } = desk.list.value;
  const chats = inOrder(desk, query, openId);
  return (
    <section class="chat-list" aria-label={t('chats')}>
      <div class="chat-filter">
        <Search search={query.search} onSearch={(search) => setQuery({ search: search || null })} />
        <Segments
          label={t('which')}
          value={query.state}
          onChange={(state) => setQuery({ state: state === 'open' ? null : state })}
          choices={[
            { value: 'open', title: t('open') },
            { value: 'closed', title: t('closed') },
            { value: 'all', title: t('all') },
          ]}
        />
      </div>
      {error && <ErrorNote error={error} retry={desk.reload} />}
      {visitorIds === null ? (
        !error && <Loading />
      ) : chats.length === 0 ? (
        <NoChats bot={bot} query={query} />
      ) : (
        <ul class="chat-rows" onKeyDown={moveByArrows}>
          {chats.map((chat) => (
            <li key={chat.visitorId}>
              <Row
                chat={chat}
                zone={bot.timeZone}
                isOpen={chat.visitorId === openId}
                isTyping={desk.typing.value.get(chat.visitorId)?.agentName === null}
              />
            </li>
          ))}
        </ul>
      )}
      {cursor !== null && (
        <button type="button" class="button table-more" onClick={() => void desk.more()}>
          {frame('more')}
        </button>
      )}
    </section>
  );
}

/** The API's list in the order of the latest messages; the open chat always stays. */
function inOrder(desk: Desk, { state }: ChatQuery, openId: string | null): Chat[] {
  const sentAt = ({ lastMessage }: Chat): string => lastMessage?.sentAt ?? '';
  return (desk.list.value.visitorIds ?? [])
    .flatMap((visitorId) => desk.chats.value.get(visitorId) ?? [])
    .filter((chat) => state === 'all' || chat.state === state || chat.visitorId === openId)
    .sort((one, other) => sentAt(other).localeCompare(sentAt(one)));
}

function Search({ search, onSearch }: { search: string; onSearch(search: string): void }) {
  const [text, setText] = useState(search);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <input
      class="input"
      type="search"
      aria-label={t('search')}
      placeholder={t('search')}
      value={text}
      maxLength={200}
      onInput={({ currentTarget }) => {
        const { value } = currentTarget;
        setText(value);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => onSearch(value.trim()), searchPauseMs);
      }}
    />
  );
}

function NoChats({ bot, query }: PageProps & { query: ChatQuery }) {
  if (query.search !== '') return <Empty title={t('nothingFound')} />;
  if (query.state !== 'open') return <Empty title={t('noneSuch')} />;
  return (
    <Empty title={t('noChats')}>
      <p>{t('noChatsHint')}</p>
      {may('write') && (
        <p>
          <a href={`${pageAddress(bot.botId, 'settings')}?section=channels&platform=liveChat`}>
            {t('toSetUp')}
          </a>
        </p>
      )}
    </Empty>
  );
}

type RowProps = { chat: Chat; zone: string; isOpen: boolean; isTyping: boolean };

function Row({ chat, zone, isOpen, isTyping }: RowProps) {
  const { path, query } = useAddress();
  const parameters = Object.entries(query).filter(([name]) => name !== 'chat');
  const address = `${path}?${new URLSearchParams([...parameters, ['chat', chat.visitorId]])}`;
  const { lastMessage, unread } = chat;
  return (
    <a class="chat-row" href={address} aria-current={isOpen ? 'true' : undefined}>
      <span class={chat.online ? 'avatar avatar-online' : 'avatar'} aria-hidden="true">
        {initialOf(chat)}
      </span>
      <span class="chat-name">
        {nameOf(chat)}
        {chat.online && <span class="hidden"> ({t('online')})</span>}
        {chat.blocked && <span class="tag tag-bad">{t('blocked')}</span>}
        {chat.assignee && <span class="tag">{chat.assignee.name}</span>}
        {chat.state === 'closed' && <span class="tag">{t('closedOne')}</span>}
      </span>
      {lastMessage && (
        <time class="note chat-time" dateTime={lastMessage.sentAt} title={dateTime(lastMessage.sentAt, zone)}>
          {shortTime(lastMessage.sentAt, zone)}
        </time>
      )}
      <span class={unread > 0 ? 'chat-last chat-last-new' : 'chat-last'} dir="auto">
        {isTyping ? <em>{t('typing')}</em> : wordsOf(chat)}
      </span>
      {unread > 0 && (
        <span class="badge">
          {number(unread)}
          <span class="hidden"> {t('unread')}</span>
        </span>
      )}
    </a>
  );
}

export function nameOf({ name, visitorId }: Pick<Chat, 'name' | 'visitorId'>): string {
  return name ?? visitorName(visitorId);
}

export function initialOf(chat: Chat): string {
  return chat.name ? ([...chat.name][0] ?? '') : '–';
}

/** The name of a message's sender. */
export function senderOf({ from, agentName }: Message): string {
  if (from === 'visitor') return t('theVisitor');
  return agentName ?? t(from);
}

/** The visitor's latest words; the business's if the visitor never wrote. */
function wordsOf({ lastMessage, lastVisitorText }: Chat): string {
  if (lastVisitorText !== null) return lastVisitorText;
  if (!lastMessage) return '';
  const words = lastMessage.text ?? t('image');
  return lastMessage.from === 'visitor' ? words : t('said', { who: senderOf(lastMessage), text: words });
}

function shortTime(instant: string, zone: string): string {
  const day = dayOf(Date.parse(instant), zone);
  return day === dayOf(Date.now(), zone) ? time(instant, zone) : shortDay(day);
}

function moveByArrows(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('.chat-row')];
  const { activeElement } = document;
  const at = activeElement instanceof HTMLElement ? links.indexOf(activeElement) : -1;
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
  const link = to === undefined ? undefined : links[to];
  if (!link) return;
  event.preventDefault();
  link.focus();
}

/** Shown without an open chat. */
export function NoneOpen() {
  return (
    <section class="conversation conversation-none" aria-label={t('conversation')}>
      <div class="empty">
        <Icon name="messages" />
        <p class="empty-title">{t('choose')}</p>
      </div>
    </section>
  );
}
