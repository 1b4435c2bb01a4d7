/** The list of contacts, newest first. The address holds the search. */
import { useEffect, useState } from 'preact/hooks';
import { resource, urlOf } from '../../api/client.ts';
import { usePages } from '../../api/cursor-pages.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { PageFrame } from '../../components/page.tsx';
import { PlatformName } from '../../components/platform-name.tsx';
import { Empty } from '../../components/states.tsx';
import { ago, number, unknown } from '../../format/format.ts';
import { platformNames, platformTitle } from '../../format/platforms.ts';
import { pageAddress, useAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/contacts.ts';
import { t as frame } from '../../texts/frame.ts';
import { Initial, StateTag } from './badges.tsx';
import { type Contact, nameOf, nameOrNull } from './contact.ts';

/** What the search field searches for. */
const searchKinds = ['name', 'id', 'customerId'] as const;
type SearchKind = (typeof searchKinds)[number];
/** The pause in typing after which the search starts. */
const typingMs = 300;
const tagsShown = 3;

type Query = Readonly<Record<string, string>>;

export function ContactList({ bot }: PageProps) {
  const { query } = useAddress();
  const filters = filtersOf(query);
  const pages = usePages(
    (cursor) =>
      resource('/api/v1/bots/{botId}/contacts', {
        path: { botId: bot.botId },
        query: { ...filters, cursor },
      }),
    ({ contacts }) => contacts,
  );
  const isFiltered = Object.values(filters).some((value) => value !== undefined);
  return (
    <PageFrame title={frame('contacts')} note={t('listNote')}>
      <Card title={t('find')} isBusy={pages.isLoading && pages.rows.length > 0}>
        <search>
          <Filters botId={bot.botId} isFiltered={isFiltered} />
        </search>
        <div class="contact-list">
          <DataTable
            caption={frame('contacts')}
            columns={columnsOf(bot.botId, query)}
            rows={pages.rows}
            keyOf={({ contactId }) => contactId}
            pages={pages}
            empty={
              isFiltered ? (
                <Empty title={t('noneFound')}>{t('noneFoundHint')}</Empty>
              ) : (
                <Empty title={t('noContacts')}>{t('noContactsHint')}</Empty>
              )
            }
          />
        </div>
      </Card>
      {may('write') && <Exports botId={bot.botId} />}
    </PageFrame>
  );
}

/** The filters of the address; a value that the API does not know filters nothing. */
function filtersOf({ name, id, customerId, tag, platform, blocked }: Query) {
  return {
    ...{ name, id, customerId, tag },
    platform: platformNames.find((one) => one === platform),
    blocked: blocked === 'true' ? true : blocked === 'false' ? false : undefined,
  };
}

function Filters({ botId, isFiltered }: { botId: string; isFiltered: boolean }) {
  const { query, setQuery } = useAddress();
  const [kind, setKind] = useState<SearchKind>(kindOf(query));
  const [text, setText] = useState(query[kindOf(query)] ?? '');
  const [tag, setTag] = useState(query.tag ?? '');
  const tags = useLive(
    resource('/api/v1/bots/{botId}/tags', {
      path: { botId },
      query: { name: trimmedOrNull(tag) ?? undefined, limit: 50 },
    }),
    { everyMs: 0 },
  );
  const filters = {
    name: null,
    id: null,
    customerId: null,
    [kind]: trimmedOrNull(text),
    tag: trimmedOrNull(tag),
  };
  const isApplied = Object.entries(filters).every(([key, value]) => (query[key] ?? null) === value);
  useEffect(() => {
    if (isApplied) return;
    const timer = setTimeout(() => setQuery(filters), typingMs);
    return () => clearTimeout(timer);
  }, [kind, text, tag]);
  const clear = (): void => {
    setText('');
    setTag('');
    setQuery({ name: null, id: null, customerId: null, tag: null, platform: null, blocked: null });
  };
  return (
    <form
      class="contact-filters"
      onSubmit={(event) => {
        event.preventDefault();
        setQuery(filters);
      }}
    >
      <SelectField
        label={t('searchBy')}
        value={kind}
        onValue={(value) => setKind(searchKinds.find((one) => one === value) ?? 'name')}
      >
        {searchKinds.map((one) => (
          <option key={one} value={one}>
            {t(one)}
          </option>
        ))}
      </SelectField>
      <TextField
        type="search"
        label={t('search')}
        value={text}
        onValue={setText}
        placeholder={t(`${kind}Example`)}
        maxLength={200}
        spellcheck={false}
        autoComplete="off"
      />
      <TextField
        label={t('tag')}
        value={tag}
        onValue={setTag}
        placeholder={t('anyTag')}
        list="tags-of-bot"
        maxLength={100}
        autoComplete="off"
      />
      <datalist id="tags-of-bot">
        {tags.value?.tags.map(({ tagId, name }) => (
          <option key={tagId} value={name} />
        ))}
      </datalist>
      <SelectField
        label={t('platform')}
        value={query.platform ?? ''}
        onValue={(platform) => setQuery({ platform: platform || null })}
      >
        <option value="">{frame('all')}</option>
        {platformNames.map((platform) => (
          <option key={platform} value={platform}>
            {platformTitle(platform)}
          </option>
        ))}
      </SelectField>
      <SelectField
        label={t('state')}
        value={query.blocked ?? ''}
        onValue={(blocked) => setQuery({ blocked: blocked || null })}
      >
        <option value="">{t('anyState')}</option>
        <option value="false">{t('notBlocked')}</option>
        <option value="true">{t('blocked')}</option>
      </SelectField>
      <button type="button" class="button button-large" disabled={!isFiltered} onClick={clear}>
        {t('clear')}
      </button>
    </form>
  );
}

function columnsOf(botId: string, query: Query): Column<Contact>[] {
  return [
    {
      key: 'name',
      title: t('contact'),
      cell: (contact) => (
        <span class="contact-name">
          <Initial name={nameOrNull(contact)} />
          <span>
            <a href={contactAddress(botId, contact.contactId, query)}>{nameOf(contact)}</a>
            <span class="note">{contact.customerId ?? contact.platformContactId}</span>
          </span>
        </span>
      ),
    },
    { key: 'platform', title: t('platform'), cell: ({ platform }) => <PlatformName platform={platform} /> },
    { key: 'state', title: t('state'), cell: (contact) => <StateTag contact={contact} /> },
    { key: 'tags', title: t('tags'), cell: ({ tags }) => <ShortTags names={tags.map(({ name }) => name)} /> },
    { key: 'points', title: t('points'), isNumber: true, cell: ({ points }) => number(points) },
    {
      key: 'seen',
      title: t('lastInteract'),
      isNumber: true,
      cell: ({ lastInteractAt }) => ago(lastInteractAt, Date.now()),
    },
  ];
}

function ShortTags({ names }: { names: readonly string[] }) {
  if (names.length === 0) return <>{unknown}</>;
  return (
    <span class="tags" title={names.join(', ')}>
      {names.slice(0, tagsShown).map((name) => (
        <span key={name} class="tag">
          {name}
        </span>
      ))}
      {names.length > tagsShown && <span class="note">+{number(names.length - tagsShown)}</span>}
    </span>
  );
}

const exported = ['contacts', 'events', 'conversations', 'points'] as const;

function Exports({ botId }: { botId: string }) {
  return (
    <Card title={t('exports')} note={t('exportsNote')}>
      <p class="export-links">
        {exported.map((what) => (
          <a
            key={what}
            class="button"
            href={urlOf('/api/v1/bots/{botId}/exports/{what}', {
              path: { botId, what },
              query: { format: 'csv', bom: true },
            })}
            download={`${what}.csv`}
          >
            <Icon name="download" />
            {t(`export-${what}`)}
          </a>
        ))}
      </p>
    </Card>
  );
}

/** The address of a contact's page; it keeps the search for the way back. */
function contactAddress(botId: string, contactId: string, query: Query): string {
  return `${pageAddress(botId, 'contacts')}?${new URLSearchParams({ ...query, contact: contactId })}`;
}

function kindOf(query: Query): SearchKind {
  return searchKinds.find((kind) => query[kind] !== undefined) ?? 'name';
}

function trimmedOrNull(text: string): string | null {
  return text.trim() || null;
}
