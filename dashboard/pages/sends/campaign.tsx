/** One send: progress, message and settings, and each recipient with its result (`?send=ID`). */
import { resource, type Schema } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Barred } from '../../components/bar-list.tsx';
import { Card } from '../../components/card.tsx';
import { Facts } from '../../components/facts.tsx';
import { PageFrame } from '../../components/page.tsx';
import { PlatformName } from '../../components/platform-name.tsx';
import { Stat, Stats } from '../../components/stat.tsx';
import { Loaded } from '../../components/states.tsx';
import { dateTime, number, percent, unknown, zoneName } from '../../format/format.ts';
import { pageAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { t } from '../../texts/campaign.ts';
import { t as message } from '../../texts/message.ts';
import { t as sends } from '../../texts/sends.ts';
import { receiptsOf } from './receipts.ts';
import { Recipients } from './recipients.tsx';
import { SendActions } from './send-actions.tsx';

type Send = Schema['Send'];

const everyMs = 2_000;

export function Campaign({ bot, sendId }: PageProps & { sendId: number }) {
  const path = { botId: bot.botId, sendId };
  const live = useLive(resource('/api/v1/bots/{botId}/sends/{sendId}', { path }), { everyMs });
  const send = live.value;
  return (
    <PageFrame
      title={send?.name ?? t('send')}
      note={
        send && (
          <>
            <PlatformName platform={send.platform} /> · {sends(send.state)}
          </>
        )
      }
      actions={
        <>
          <a class="button" href={pageAddress(bot.botId, 'sends')}>
            {t('back')}
          </a>
          {send && <SendActions bot={bot} send={send} onChanged={live.reload} />}
        </>
      }
    >
      <Loaded live={live} shape="stats">
        {(loaded) => (
          <>
            <Numbers send={loaded} />
            <Card title={t('details')}>
              <Facts facts={factsOf(loaded, bot.timeZone)} />
            </Card>
            <Recipients key={loaded.state} bot={bot} send={loaded} />
          </>
        )}
      </Loaded>
    </PageFrame>
  );
}

function Numbers({ send }: { send: Send }) {
  const { recipients, pending, isPlanned, failure } = send;
  const { delivered, read } = receiptsOf(send);
  const settled = recipients - pending;
  const share = recipients === 0 ? 0 : settled / recipients;
  return (
    <>
      <Card title={t('progress')}>
        <Barred share={share}>{percent(share)}</Barred>
        <p class="note">
          {t('progressOf', { settled: number(settled), recipients: number(recipients) })}{' '}
          {!isPlanned && t('planning')}
        </p>
        {failure !== null && (
          <p class="notice" role="status">
            {failure}
          </p>
        )}
      </Card>
      <Stats>
        <Stat title={sends('accepted')} value={send.accepted} />
        <Stat title={sends('delivered')} value={delivered} />
        <Stat title={sends('wasRead')} value={read} />
        <Stat title={sends('refused')} value={send.refused} />
        <Stat title={sends('answerLost')} value={send.unknown} />
        <Stat title={sends('leftOut')} value={send.blocked} />
      </Stats>
    </>
  );
}

function factsOf(send: Send, zone: string): [string, preact.ComponentChildren][] {
  const { text, quickReplies, whatsAppTemplate, tag } = send.message;
  const { quietHours, unknownContacts } = send;
  return [
    [message('text'), text ?? unknown],
    ...(quickReplies.length > 0
      ? [[message('quickReplies'), quickReplies.join(' · ')] satisfies [string, string]]
      : []),
    ...(whatsAppTemplate
      ? [
          [
            message('whatsApp'),
            [`${whatsAppTemplate.name} (${whatsAppTemplate.language})`, ...whatsAppTemplate.parameters].join(
              '\n',
            ),
          ] satisfies [string, string],
        ]
      : []),
    ...(tag ? [[t('messageTag'), tag] satisfies [string, string]] : []),
    [t('audience'), audienceOf(send, zone)],
    ...(unknownContacts > 0
      ? [[t('unknownContacts'), number(unknownContacts)] satisfies [string, string]]
      : []),
    [t('startsAt'), `${dateTime(send.startsAt, send.zone)}, ${zoneName(send.zone, Date.now())}`],
    [
      t('quietHours'),
      quietHours ? t('quietHoursOf', { ...quietHours, zone: zoneName(send.zone, Date.now()) }) : unknown,
    ],
    [t('createdBy'), send.createdBy ?? unknown],
  ];
}

function audienceOf({ filter }: Send, zone: string): string {
  if (filter === null) return t('namedContacts');
  const { tag, name, customerId, createdFrom, createdTo } = filter;
  const conditions = [
    [t('tag'), tag],
    [t('contactName'), name],
    [t('customerId'), customerId],
    [t('since'), createdFrom && dateTime(createdFrom, zone)],
    [t('until'), createdTo && dateTime(createdTo, zone)],
  ].flatMap(([title, value]) => (value ? [`${title}: ${value}`] : []));
  return conditions.length === 0 ? t('everyone') : conditions.join('\n');
}
