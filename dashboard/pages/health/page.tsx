/** The health of a bot: deliveries, channels, live chat, the collecting of figures, the installation, outgoing webhooks. */
import { resource } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { PageFrame } from '../../components/page.tsx';
import { PlatformName } from '../../components/platform-name.tsx';
import { Stat, Stats } from '../../components/stat.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { ago, dateTime, duration, unknown } from '../../format/format.ts';
import type { PageProps } from '../../state/bots.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/health.ts';
import { RunningAlerts } from '../alerts/running.tsx';
import { CallbackCard } from './callback.tsx';
import { ChatUsageCard } from './chat-usage.tsx';
import { CollectorCard } from './collector.tsx';
import { DeliveriesCard } from './deliveries.tsx';
import type { Health, TokenCheck } from './health.ts';
import { InstallationCard } from './installation.tsx';
import { PlatformFiguresCard } from './platform-figures.tsx';
import './health.css';

export default function HealthPage({ bot }: PageProps) {
  const path = { botId: bot.botId };
  const zone = bot.timeZone;
  const live = useLive(resource('/api/v1/bots/{botId}/health', { path }));
  return (
    <PageFrame title={frame('health')} note={t('now')}>
      <Loaded live={live} shape="stats">
        {(health) => (
          <>
            <Summary health={health} />
            <RunningAlerts botId={bot.botId} alerts={health.alerts} />
            <Channels health={health} zone={zone} />
            <DeliveriesCard
              path={path}
              zone={zone}
              setAside={health.inbox.setAside}
              onChanged={live.reload}
            />
            {health.liveChat && <ChatUsageCard usage={health.liveChat} />}
            {health.collector && (
              <CollectorCard path={path} collector={health.collector} onChanged={live.reload} />
            )}
            {health.metaCollectors
              .filter(({ state }) => state !== 'off')
              .map((collector) => (
                <CollectorCard
                  key={collector.platform}
                  path={path}
                  collector={collector}
                  platform={collector.platform}
                  onChanged={live.reload}
                />
              ))}
            {health.metaCollectors.map(({ platform }) => (
              <PlatformFiguresCard key={platform} bot={bot} platform={platform} />
            ))}
            {health.installation && <InstallationCard installation={health.installation} />}
            <CallbackCard path={path} zone={zone} callback={health.callback} onChanged={live.reload} />
          </>
        )}
      </Loaded>
    </PageFrame>
  );
}

function Summary({ health: { inbox, callback } }: { health: Health }) {
  return (
    <Stats>
      <Stat title={t('waiting')} value={inbox.waiting}>
        <span class="note">
          {inbox.oldestSeconds === null
            ? t('nothingWaits')
            : t('oldest', { duration: duration(inbox.oldestSeconds) })}
        </span>
      </Stat>
      <Stat title={t('setAside')} value={inbox.setAside}>
        <span class="note">{t('setAsideNote')}</span>
      </Stat>
      <Stat title={t('noticesWaiting')} value={callback?.waiting ?? null}>
        <span class="note">{callback === null ? t('noCallback') : t('noticesNote')}</span>
      </Stat>
    </Stats>
  );
}

const expiryWarningMs = 14 * 24 * 3_600_000;

/** The validity of a channel's access token, with a warning two weeks before it expires. */
function Token({ check, now, zone }: { check: TokenCheck; now: number; zone: string }) {
  const { expiresAt, missingPermissions, problem } = check;
  const leftMs = expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(expiresAt) - now;
  const isBad = problem !== null || leftMs <= 0;
  const isWarned = missingPermissions.length > 0 || leftMs < expiryWarningMs;
  return (
    <>
      <span class={`tag ${isBad ? 'tag-bad' : isWarned ? 'tag-warn' : 'tag-good'}`}>
        {leftMs <= 0 || expiresAt === null
          ? t(leftMs <= 0 ? 'tokenExpired' : 'tokenGood')
          : t('tokenExpires', { at: ago(expiresAt, now) })}
      </span>
      {expiresAt !== null && <span class="note detail">{dateTime(expiresAt, zone)}</span>}
      {problem !== null && <span class="note detail">{problem}</span>}
      {missingPermissions.length > 0 && (
        <span class="note detail">{t('missingPermissions', { names: missingPermissions.join(', ') })}</span>
      )}
    </>
  );
}

type Refusal = Health['channels'][number]['refusals'][number];

/** The refused requests by reason, the latest first. */
function Refusals({ refusals, zone }: { refusals: readonly Refusal[]; zone: string }) {
  if (refusals.length === 0) return <>{t('noneRefused')}</>;
  return (
    <>
      {refusals.map(({ reason, lastDay, lastAt }) => (
        <div key={reason}>
          <span class={`tag ${lastDay > 0 ? 'tag-bad' : ''}`}>
            {t('refusedDay', { reason: t(`refused-${reason}`), count: lastDay })}
          </span>
          <span class="note detail">
            {t('refusedLast', { at: dateTime(lastAt, zone) })}
            {lastDay > 0 && ` ${t(`refused-${reason}-hint`)}`}
          </span>
        </div>
      ))}
    </>
  );
}

function Channels({ health: { channels }, zone }: { health: Health; zone: string }) {
  const now = Date.now();
  return (
    <Card title={t('channels')}>
      <DataTable
        caption={t('channels')}
        rows={channels}
        keyOf={({ platform }) => platform}
        empty={<Empty title={t('noChannels')}>{t('noChannelsHint')}</Empty>}
        columns={[
          {
            key: 'platform',
            title: t('channel'),
            cell: ({ platform }) => <PlatformName platform={platform} />,
          },
          {
            key: 'state',
            title: t('state'),
            cell: ({ enabled, credentialsReadable }) =>
              credentialsReadable ? (
                <span class={`tag ${enabled ? 'tag-good' : 'tag-warn'}`}>{enabled ? t('on') : t('off')}</span>
              ) : (
                <>
                  <span class="tag tag-bad">{t('unreadable')}</span>{' '}
                  <span class="note">{t('unreadableNote')}</span>
                </>
              ),
          },
          {
            key: 'last',
            title: t('lastDelivery'),
            cell: ({ lastDeliveryAt, deliveriesPerMinute }) =>
              lastDeliveryAt === null ? (
                t('never')
              ) : (
                <>
                  {ago(lastDeliveryAt, now)} <span class="note">{dateTime(lastDeliveryAt, zone)}</span>
                  <span class="note detail">{t('perMinute', { count: deliveriesPerMinute })}</span>
                </>
              ),
          },
          {
            key: 'refused',
            title: t('refused'),
            cell: ({ refusals }) => <Refusals refusals={refusals} zone={zone} />,
          },
          {
            key: 'token',
            title: t('accessToken'),
            cell: ({ tokenCheck }) =>
              tokenCheck === null ? unknown : <Token check={tokenCheck} now={now} zone={zone} />,
          },
        ]}
      />
    </Card>
  );
}
