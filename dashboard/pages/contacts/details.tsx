/** One contact: profile, tags, points, conversations, events, and the actions on it. */
import { useState } from 'preact/hooks';
import { resource } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { PageFrame } from '../../components/page.tsx';
import { PlatformName } from '../../components/platform-name.tsx';
import { Stat, Stats } from '../../components/stat.tsx';
import { Loaded } from '../../components/states.tsx';
import { ago, dateTime, number } from '../../format/format.ts';
import { pageAddress, useAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/contact.ts';
import { t as list } from '../../texts/contacts.ts';
import { t as frame } from '../../texts/frame.ts';
import { BlockDialog, DeleteDataDialog, isBlockedByHand } from './actions.tsx';
import { Initial, pictureOf, StateTag } from './badges.tsx';
import { type ContactCardProps, nameOf, nameOrNull } from './contact.ts';
import { GiftsCard } from './gifts.tsx';
import { PointsCard } from './points.tsx';
import { ProfileCard } from './profile.tsx';
import { TagsCard } from './tags.tsx';

export function ContactDetails({ bot, contactId }: PageProps & { contactId: string }) {
  const path = { botId: bot.botId, contactId };
  const live = useLive(resource('/api/v1/bots/{botId}/contacts/{contactId}', { path }));
  const back = useBack(bot.botId);
  const contact = live.value;
  const props = contact && { bot, path, contact, onChanged: live.reload };
  return (
    <PageFrame
      title={contact ? nameOf(contact) : list('contact')}
      note={
        contact && (
          <span class="contact-signs">
            <Initial name={nameOrNull(contact)} picture={pictureOf(bot.botId, contact)} />
            <PlatformName platform={contact.platform} />
            <StateTag contact={contact} />
            {contact.customerId !== null && (
              <span>
                {list('customerId')} <code>{contact.customerId}</code>
              </span>
            )}
          </span>
        )
      }
      actions={
        <>
          <a class="button" href={back}>
            {t('back')}
          </a>
          <a
            class="button"
            href={`${pageAddress(bot.botId, 'health')}?contact=${encodeURIComponent(contactId)}`}
          >
            {t('deliveries')}
          </a>
          {props && <Actions {...props} back={back} />}
        </>
      }
    >
      <Loaded live={live}>
        {(value) => <Cards {...{ bot, path }} contact={value} onChanged={live.reload} />}
      </Loaded>
    </PageFrame>
  );
}

function Cards(props: ContactCardProps) {
  const { bot, contact, path } = props;
  const now = Date.now();
  return (
    <>
      <Stats shape="tight">
        <Stat title={list('points')} value={contact.points} format={number} />
        <Moment title={list('lastInteract')} at={contact.lastInteractAt} zone={bot.timeZone} now={now} />
        <Moment title={t('followedSince')} at={contact.followedAt} zone={bot.timeZone} now={now} />
        <Moment title={t('added')} at={contact.createdAt} zone={bot.timeZone} now={now} />
      </Stats>
      <div class="contact-cards">
        <ProfileCard {...props} />
        <TagsCard {...props} />
      </div>
      <PointsCard {...props} />
      <GiftsCard {...props} />
      <div class="contact-cards">
        <Conversations path={path} zone={bot.timeZone} />
        <Events path={path} zone={bot.timeZone} />
      </div>
    </>
  );
}

type MomentProps = { title: string; at: string | null; zone: string; now: number };

function Moment({ title, at, zone, now }: MomentProps) {
  return (
    <div class="stat">
      <dt>{title}</dt>
      <dd>
        <span class="stat-value stat-words">{ago(at, now)}</span>
        {at !== null && <span class="note">{dateTime(at, zone)}</span>}
      </dd>
    </div>
  );
}

type OfZone = Pick<ContactCardProps, 'path'> & { zone: string };

function Conversations({ path, zone }: OfZone) {
  const pages = usePages(
    (cursor) =>
      resource('/api/v1/bots/{botId}/contacts/{contactId}/conversations', { path, query: { cursor } }),
    ({ conversations }) => conversations,
  );
  return (
    <Card title={frame('conversations')} note={t('conversationsNote')}>
      <DataTable
        caption={frame('conversations')}
        rows={pages.rows}
        pages={pages}
        keyOf={({ firstAt }) => firstAt}
        columns={[
          { key: 'first', title: t('firstMessage'), cell: ({ firstAt }) => dateTime(firstAt, zone) },
          { key: 'last', title: t('lastMessage'), cell: ({ lastAt }) => dateTime(lastAt, zone) },
          { key: 'in', title: t('received'), isNumber: true, cell: ({ inbound }) => number(inbound) },
          { key: 'out', title: t('sent'), isNumber: true, cell: ({ outbound }) => number(outbound) },
        ]}
      />
    </Card>
  );
}

const eventKinds = [
  'message-in',
  'message-out',
  'follow',
  'unfollow',
  'block',
  'unblock',
  'postback',
  'optin',
  'referral',
  'status',
  'other',
] as const;

function Events({ path, zone }: OfZone) {
  const pages = usePages(
    (cursor) => resource('/api/v1/bots/{botId}/contacts/{contactId}/events', { path, query: { cursor } }),
    ({ events }) => events,
  );
  return (
    <Card title={t('events')} note={t('eventsNote')}>
      <DataTable
        caption={t('events')}
        rows={pages.rows.map((event, index) => ({ ...event, index }))}
        pages={pages}
        keyOf={({ index }) => String(index)}
        columns={[
          { key: 'at', title: t('happened'), cell: ({ happenedAt }) => dateTime(happenedAt, zone) },
          { key: 'kind', title: t('what'), cell: ({ kind }) => wordsOf(kind) },
          { key: 'detail', title: t('platformWord'), cell: ({ detail }) => detail && <code>{detail}</code> },
        ]}
      />
    </Card>
  );
}

function wordsOf(kind: string): string {
  const knownKind = eventKinds.find((one) => one === kind);
  return knownKind ? t(`event-${knownKind}`) : kind;
}

function Actions({ back, ...props }: ContactCardProps & { back: string }) {
  const [open, setOpen] = useState<'block' | 'delete' | null>(null);
  const { contact } = props;
  const close = (): void => setOpen(null);
  return (
    <>
      {may('write') && isBlockedByHand(contact) && (
        <button type="button" class="button" onClick={() => setOpen('block')}>
          {contact.blocked ? t('unblock') : t('block')}
        </button>
      )}
      {may('admin') && (
        <button type="button" class="button button-danger" onClick={() => setOpen('delete')}>
          {t('deleteData')}
        </button>
      )}
      {open === 'block' && <BlockDialog {...props} onClose={close} />}
      {open === 'delete' && <DeleteDataDialog {...props} back={back} onClose={close} />}
    </>
  );
}

/** The address of the list with its search. */
function useBack(botId: string): string {
  const { contact: _, ...query } = useAddress().query;
  const text = new URLSearchParams(query).toString();
  return pageAddress(botId, 'contacts') + (text === '' ? '' : `?${text}`);
}
