/**
 * The dialog of the search, by the combobox pattern: the field keeps the focus, the arrows select a result, Enter opens it. Pages and
 * bots are found in the browser; contacts, tags and sends by the server.
 */
import { useEffect, useId, useState } from 'preact/hooks';
import { resource, type Schema } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import { Dialog } from '../components/dialog.tsx';
import { ErrorNote } from '../components/states.tsx';
import { platformTitle } from '../format/platforms.ts';
import { pageAddress, useAddress } from '../state/address.ts';
import type { Bot } from '../state/bots.ts';
import { t as frame } from '../texts/frame.ts';
import { t } from '../texts/search.ts';
import { navigation } from './navigation.ts';

export type SearchProps = {
  bots: readonly Bot[];
  /** The bot whose pages, contacts, tags and sends are searched; null: only bots are. */
  bot: Bot | null;
};

type Group = 'pages' | 'bots' | 'contacts' | 'tags' | 'sends';
type Result = { group: Group; key: string; title: string; note?: string; address: string };

const shownMax = 8;
/** The pause in typing after which the server is asked. */
const typingMs = 250;

export default function SearchDialog({ bots, bot, onClose }: SearchProps & { onClose(): void }) {
  const { go } = useAddress();
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const id = useId();
  const query = text.trim();
  const live = useResults(bot?.botId ?? null, query);
  const found = live.value && query !== '' && !live.isBefore ? live.value : null;
  const results = [
    ...(bot ? pagesOf(bot.botId, query) : []),
    ...(query === '' ? [] : botsOf(bots, query)),
    ...(found && bot ? resultsOf(bot.botId, found) : []),
  ];
  const active = Math.min(chosen, results.length - 1);
  const open = (result: Result | undefined): void => {
    if (!result) return;
    onClose();
    go(result.address);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined && event.key !== 'Enter') return;
    event.preventDefault();
    if (step === undefined) open(results[active]);
    else setChosen((active + step + results.length) % Math.max(1, results.length));
  };
  useEffect(() => {
    document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <Dialog title={t('search')} onClose={onClose}>
      <input
        class="input search-field"
        role="combobox"
        aria-label={t(bot ? 'searchFor' : 'searchBots')}
        aria-expanded={results.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={results.length > 0 ? `${id}-${active}` : undefined}
        placeholder={t(bot ? 'searchFor' : 'searchBots')}
        maxLength={200}
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id={`${id}-list`} role="listbox" aria-label={t('results')} class="search-results">
        {groupsOf(results).map(({ group, from, members }) => (
          // biome-ignore lint/a11y/useSemanticElements: a group of options, not of fields
          <div key={group} role="group" aria-label={titleOf(group)}>
            <p class="side-title" aria-hidden="true">
              {titleOf(group)}
            </p>
            {members.map((result, index) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the focus and handles the keys
              <div
                key={result.key}
                id={`${id}-${from + index}`}
                role="option"
                tabIndex={-1}
                aria-selected={from + index === active}
                class="search-result"
                onClick={() => open(result)}
              >
                <span>{result.title}</span>
                {result.note && <span class="note">{result.note}</span>}
              </div>
            ))}
          </div>
        ))}
      </div>
      {live.error && query !== '' && <ErrorNote error={live.error} retry={live.reload} />}
      <p class="note" role="status">
        {query !== '' && results.length === 0 && (found || !bot) ? t('nothingFound') : ''}
      </p>
    </Dialog>
  );
}

/** The server's results for the text, after a pause in typing. */
function useResults(botId: string | null, text: string) {
  const [asked, setAsked] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), typingMs);
    return () => clearTimeout(timer);
  }, [text]);
  const isReady = botId !== null && asked !== '' && asked === text;
  return useLive(
    isReady ? resource('/api/v1/bots/{botId}/search', { path: { botId }, query: { q: asked } }) : null,
    { everyMs: 0 },
  );
}

function pagesOf(botId: string, query: string): Result[] {
  return navigation
    .flatMap(({ pages }) => pages)
    .map(({ name }) => ({
      group: 'pages' as const,
      key: name,
      title: frame(name),
      address: pageAddress(botId, name),
    }))
    .filter(({ title, key }) => isMatch(title, query) || isMatch(key, query))
    .slice(0, query === '' ? undefined : shownMax);
}

function botsOf(bots: SearchProps['bots'], query: string): Result[] {
  return bots
    .filter(({ name, botId }) => isMatch(name, query) || botId === query)
    .slice(0, shownMax)
    .map(({ name, botId }) => ({
      ...{ group: 'bots' as const, key: botId, title: name, note: botId },
      address: pageAddress(botId, 'overview'),
    }));
}

function resultsOf(botId: string, { contacts, tags, sends }: Schema['SearchResults']): Result[] {
  const address = (page: string, query: Record<string, string>) =>
    `${pageAddress(botId, page)}?${new URLSearchParams(query)}`;
  return [
    ...contacts.map(({ contactId, platform, platformContactId, name }) => ({
      ...{ group: 'contacts' as const, key: contactId, title: name ?? platformContactId },
      ...{ note: platformTitle(platform), address: address('contacts', { contact: contactId }) },
    })),
    ...tags.map(({ tagId, name }) => ({
      ...{ group: 'tags' as const, key: tagId, title: name, address: address('contacts', { tag: name }) },
    })),
    ...sends.map(({ sendId, name }) => ({
      ...{ group: 'sends' as const, key: String(sendId), title: name, note: `#${sendId}` },
      address: address('sends', { send: String(sendId) }),
    })),
  ];
}

type ResultGroup = { group: Group; from: number; members: Result[] };

/** Neighbours of one group together, each with the number of the first one. */
function groupsOf(results: readonly Result[]): ResultGroup[] {
  return results.reduce<ResultGroup[]>((groups, result, index) => {
    const last = groups.at(-1);
    if (last?.group === result.group) last.members.push(result);
    else groups.push({ group: result.group, from: index, members: [result] });
    return groups;
  }, []);
}

function titleOf(group: Group): string {
  return group === 'contacts' || group === 'sends' ? frame(group) : t(group);
}

function isMatch(text: string, query: string): boolean {
  return text.toLowerCase().includes(query.toLowerCase());
}
