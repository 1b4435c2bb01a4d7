/** The search and the filters of the list of contacts, kept in the address. */
import { useState } from 'preact/hooks';
import { resource } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { SelectField, TextField } from '../../components/field.tsx';
import { platformNames, platformTitle } from '../../format/platforms.ts';
import { useAddress, useTypedFilters } from '../../state/address.ts';
import { t } from '../../texts/contacts.ts';
import { t as frame } from '../../texts/frame.ts';

/** The attributes that the search field can search. */
const searchKinds = ['name', 'id', 'customerId'] as const;
type SearchKind = (typeof searchKinds)[number];

export type Query = Readonly<Record<string, string>>;

/** The filters of the address; a value that the API does not know filters nothing. */
export function filtersOf({ name, id, customerId, tag, platform, blocked }: Query) {
  return {
    ...{ name, id, customerId, tag },
    platform: platformNames.find((one) => one === platform),
    blocked: blocked === 'true' ? true : blocked === 'false' ? false : undefined,
  };
}

export function Filters({ botId, isFiltered }: { botId: string; isFiltered: boolean }) {
  const { query, setQuery } = useAddress();
  const { platform, blocked } = filtersOf(query);
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
  const apply = useTypedFilters({
    ...{ name: null, id: null, customerId: null },
    [kind]: trimmedOrNull(text),
    tag: trimmedOrNull(tag),
  });
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
        apply();
      }}
    >
      <SelectField
        label={t('searchBy')}
        value={kind}
        onValue={setKind}
        choices={searchKinds.map((value) => ({ value, title: t(value) }))}
      />
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
        value={platform ?? ''}
        onValue={(chosen) => setQuery({ platform: chosen || null })}
        choices={[
          { value: '', title: frame('all') },
          ...platformNames.map((value) => ({ value, title: platformTitle(value) })),
        ]}
      />
      <SelectField
        label={t('state')}
        value={blocked === undefined ? '' : `${blocked}`}
        onValue={(chosen) => setQuery({ blocked: chosen || null })}
        choices={[
          { value: '', title: t('anyState') },
          { value: 'false', title: t('notBlocked') },
          { value: 'true', title: t('blocked') },
        ]}
      />
      <button type="button" class="button button-large" disabled={!isFiltered} onClick={clear}>
        {t('clear')}
      </button>
    </form>
  );
}

function kindOf(query: Query): SearchKind {
  return searchKinds.find((kind) => query[kind] !== undefined) ?? 'name';
}

function trimmedOrNull(text: string): string | null {
  return text.trim() || null;
}
