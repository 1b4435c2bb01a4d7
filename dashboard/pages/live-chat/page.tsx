/**
 * Live chat: the list of chats next to the open one. The address holds the open chat and the filters
 * (`?chat=v_…&state=closed&search=mei`). A phone shows one of the two.
 */
import '../live-chat.css';
import { useEffect, useState } from 'preact/hooks';
import { PageFrame } from '../../components/page.tsx';
import { useAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/live-chat.ts';
import { AnnouncementChoices } from './announcement-choices.tsx';
import type { ChatQuery } from './chat.ts';
import { ChatList } from './chat-list.tsx';
import { Conversation } from './conversation.tsx';
import { type Desk, openDesk } from './desk.ts';

const states: readonly ChatQuery['state'][] = ['open', 'closed', 'all'];

export default function LiveChatPage({ bot }: PageProps) {
  const [desk, setDesk] = useState<Desk | null>(null);
  useEffect(() => {
    const opened = openDesk(bot.botId);
    setDesk(opened);
    return () => opened.close();
  }, [bot.botId]);
  return (
    <PageFrame title={frame('live-chat')} actions={<AnnouncementChoices />}>
      {desk && <DeskView bot={bot} desk={desk} />}
    </PageFrame>
  );
}

function DeskView({ bot, desk }: PageProps & { desk: Desk }) {
  const { query } = useAddress();
  const state = states.find((name) => name === query.state) ?? 'open';
  const search = query.search ?? '';
  const visitorId = query.chat ?? null;
  useEffect(() => desk.setQuery({ state, search }), [desk, state, search]);
  useEffect(() => desk.open(visitorId), [desk, visitorId]);
  return (
    <>
      {!desk.isLive.value && (
        <p class="notice" role="status">
          {t('reconnecting')}
        </p>
      )}
      <div class={visitorId === null ? 'desk' : 'desk desk-open'}>
        <ChatList bot={bot} desk={desk} query={{ state, search }} openId={visitorId} />
        <Conversation key={visitorId} bot={bot} desk={desk} visitorId={visitorId} />
      </div>
    </>
  );
}
