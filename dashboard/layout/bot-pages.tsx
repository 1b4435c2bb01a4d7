/** The pages of a bot within the frame. */
import { useEffect, useState } from 'preact/hooks';
import { ErrorBoundary, lazy, useLocation, useRoute } from 'preact-iso';
import type { ApiError } from '../api/client.ts';
import { PageFrame } from '../components/page.tsx';
import { Empty, ErrorNote, Loading } from '../components/states.tsx';
import { readSetting, writeSetting } from '../preferences/storage.ts';
import { pageAddress } from '../state/address.ts';
import { reloadBots, useBots } from '../state/bots.ts';
import { isForAllBots, may } from '../state/session.ts';
import { t } from '../texts/frame.ts';
import { Layout } from './layout.tsx';
import { findPage } from './navigation.ts';

const NewBotButton = lazy(async () => (await import('../pages/settings/new-bot.tsx')).NewBotButton);

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
  // The dialog that creates the first bot stays open: it shows the API secret once.
  const [hadNone, setHadNone] = useState(false);
  if (bots?.length === 0 && !hadNone) setHadNone(true);
  const isHome = (path === '/' || path === '') && !hadNone;
  useEffect(() => {
    if (bot && isHome) route(pageAddress(bot.botId, 'overview'), true);
  }, [bot, isHome]);
  if (error) return <Alone error={error} />;
  if (bots === null || (bot && isHome)) return <Waiting />;
  return (
    <Layout bots={bots} bot={null} page={null}>
      {bots.length === 0 || hadNone ? (
        <PageFrame title={t('overview')}>
          <NoBots />
        </PageFrame>
      ) : (
        <NoSuchPage overview="/" />
      )}
    </Layout>
  );
}

function NoBots() {
  const mayCreate = may('admin') && isForAllBots();
  return (
    <Empty title={t('noBots')}>
      <p>{t(mayCreate ? 'noBotsHint' : 'noBotsOfYours')}</p>
      <NewBotButton isMain />
    </Empty>
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
