/** The pages of a bot within the frame. */
import { useEffect } from 'preact/hooks';
import { ErrorBoundary, useLocation, useRoute } from 'preact-iso';
import type { ApiError } from '../api/client.ts';
import { PageFrame } from '../components/page.tsx';
import { Empty, ErrorNote, Loading } from '../components/states.tsx';
import { readSetting, writeSetting } from '../preferences/storage.ts';
import { pageAddress } from '../state/address.ts';
import { reloadBots, useBots } from '../state/bots.ts';
import { t } from '../texts/frame.ts';
import { Layout } from './layout.tsx';
import { findPage } from './navigation.ts';

/** A page of a bot; the overview if the address names no page. */
export function BotPages() {
  const { params } = useRoute();
  const { route } = useLocation();
  const { bots, error } = useBots();
  const bot = bots?.find(({ botId }) => botId === params.botId);
  const page = findPage(params.page ?? '');
  const isWithoutPage = bot !== undefined && !params.page;
  useEffect(() => {
    if (bot) writeSetting('bot', bot.botId);
    if (isWithoutPage) route(pageAddress(bot.botId, 'overview'), true);
  }, [bot, isWithoutPage]);
  if (error) return <Alone error={error} />;
  if (bots === null || isWithoutPage) return <Waiting />;
  const Content = page?.component;
  return (
    <Layout bots={bots} bot={bot ?? null} page={page?.name ?? null}>
      {bot && Content ? (
        <ErrorBoundary key={`${bot.botId} ${page.name}`}>
          <Content bot={bot} />
        </ErrorBoundary>
      ) : (
        <NoSuchPage overview={bot ? pageAddress(bot.botId, 'overview') : '/'} />
      )}
    </Layout>
  );
}

/** Redirects to the last visited bot, or to the first one. */
export function FirstBot() {
  const { path, route } = useLocation();
  const { bots, error } = useBots();
  const bot = bots?.find(({ botId }) => botId === readSetting('bot')) ?? bots?.[0];
  const isHome = path === '/' || path === '';
  useEffect(() => {
    if (bot && isHome) route(pageAddress(bot.botId, 'overview'), true);
  }, [bot, isHome]);
  if (error) return <Alone error={error} />;
  if (bots === null || (bot && isHome)) return <Waiting />;
  return (
    <Layout bots={bots} bot={null} page={null}>
      {bots.length === 0 ? (
        <PageFrame title={t('overview')}>
          <Empty title={t('noBots')}>{t('noBotsHint')}</Empty>
        </PageFrame>
      ) : (
        <NoSuchPage overview="/" />
      )}
    </Layout>
  );
}

function NoSuchPage({ overview }: { overview: string }) {
  return (
    <PageFrame title={t('pageNotFound')}>
      <Empty title={t('notFound')}>
        <a class="button" href={overview}>
          {t('toOverview')}
        </a>
      </Empty>
    </PageFrame>
  );
}

function Alone({ error }: { error: ApiError }) {
  return (
    <main class="alone">
      <ErrorNote error={error} retry={() => void reloadBots()} />
    </main>
  );
}

function Waiting() {
  return (
    <main class="alone">
      <Loading />
    </main>
  );
}
