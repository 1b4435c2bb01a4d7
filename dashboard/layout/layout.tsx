/** The frame of every page: bot switcher, navigation, preferences. On a phone a button opens the navigation. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { lazy } from 'preact-iso';
import { ApiError } from '../api/client.ts';
import { Icon } from '../components/icon.tsx';
import { LanguageChoice, ThemeChoice } from '../components/preference-choices.tsx';
import { wordsOf } from '../components/states.tsx';
import { showToast } from '../components/toast.tsx';
import { number } from '../format/format.ts';
import { pageAddress, useAddress, viewQuery } from '../state/address.ts';
import type { Bot } from '../state/bots.ts';
import { accountName, session, signOut } from '../state/session.ts';
import { unreadMessages } from '../state/unread.ts';
import { t } from '../texts/frame.ts';
import { navigation, type PageName } from './navigation.ts';
import { SearchButton, useSearchKeys } from './search-button.tsx';
import { useUnread } from './use-unread.ts';

const SearchDialog = lazy(() => import('./search-dialog.tsx'));

export type LayoutProps = {
  bots: readonly Bot[];
  /** The bot of the address; null if it does not exist. */
  bot: Bot | null;
  page: PageName | null;
  children: ComponentChildren;
};

export function Layout({ bots, bot, page, children }: LayoutProps) {
  const [isOpen, setOpen] = useState(false);
  const [isSearching, setSearching] = useState(false);
  useSearchKeys(() => setSearching(true));
  useUnread(bot?.botId ?? null);
  const { path } = useAddress();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => setOpen(false), [path]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !isOpen) return;
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div class="frame">
      <a class="skip" href="#content">
        {t('skip')}
      </a>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Escape closes the navigation */}
      <header class={isOpen ? 'side side-open' : 'side'} onKeyDown={onKeyDown}>
        <div class="side-head">
          <a class="brand" href="/">
            <img src="/icon.svg" alt="" width="28" height="28" />
            Shoal
          </a>
          <button
            type="button"
            class="button button-quiet side-toggle"
            ref={button}
            aria-expanded={isOpen}
            aria-controls="side-body"
            aria-label={t('menu')}
            onClick={() => setOpen(!isOpen)}
          >
            <Icon name={isOpen ? 'close' : 'menu'} />
          </button>
        </div>
        <div class="side-body" id="side-body">
          <BotSwitcher bots={bots} bot={bot} page={page} />
          <SearchButton onOpen={() => setSearching(true)} />
          <nav aria-label={t('navigation')}>{bot && <PageList botId={bot.botId} page={page} />}</nav>
          <div class="side-foot">
            <LanguageChoice />
            <ThemeChoice />
            <SignedInUser />
          </div>
        </div>
      </header>
      <main id="content" class="content" tabIndex={-1}>
        {children}
      </main>
      {isSearching && <SearchDialog bots={bots} bot={bot} onClose={() => setSearching(false)} />}
    </div>
  );
}

function BotSwitcher({ bots, bot, page }: Pick<LayoutProps, 'bots' | 'bot' | 'page'>) {
  const { go } = useAddress();
  if (bots.length === 0) return null;
  return (
    <label class="bot-switcher">
      <span class="side-title">{t('bot')}</span>
      <select
        class="input"
        value={bot?.botId ?? ''}
        onChange={({ currentTarget }) => go(pageAddress(currentTarget.value, page ?? 'overview'))}
      >
        {!bot && <option value="">–</option>}
        {bots.map(({ botId, name }) => (
          <option key={botId} value={botId}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function PageList({ botId, page }: { botId: string; page: PageName | null }) {
  const { query } = useAddress();
  return (
    <>
      {navigation
        .filter(({ pages }) => pages.length > 0)
        .map(({ name, pages }) => (
          <div key={name}>
            <p class="side-title" aria-hidden="true">
              {t(name)}
            </p>
            <ul class="page-list" aria-label={t(name)}>
              {pages.map((one) => (
                <li key={one.name}>
                  <a
                    href={pageAddress(botId, one.name) + viewQuery(query)}
                    aria-current={one.name === page ? 'page' : undefined}
                  >
                    <Icon name={one.name} />
                    {t(one.name)}
                    {one.name === 'live-chat' && <Unread />}
                  </a>
                </li>
              ))}
            </ul>
          </div>
        ))}
    </>
  );
}

function Unread() {
  const { value } = unreadMessages;
  if (value === 0) return null;
  return (
    <span class="badge">
      {number(value)}
      <span class="hidden"> {t('unread')}</span>
    </span>
  );
}

function SignedInUser() {
  const state = session.value;
  if (state.kind !== 'signed-in') return null;
  const leave = async (): Promise<void> => {
    try {
      await signOut();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      showToast(wordsOf(error), 'failed');
    }
  };
  return (
    <div class="reader">
      <span class="note">{t('signedInAs', { name: accountName(state.session.user) })}</span>
      <button type="button" class="button" onClick={() => void leave()}>
        <Icon name="out" />
        {t('signOut')}
      </button>
    </div>
  );
}
