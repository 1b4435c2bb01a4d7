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

/** The parameters of the address that filter, each with its value for the API; undefined: the API does not know the value. */
const parameters = {
  ...{ name: textOf, id: textOf, customerId: textOf, tag: textOf },
  platform: (text: string) => platformNames.find((one) => one === text),
  ...{ blocked: booleanOf, follower: booleanOf, hasCustomer: booleanOf },
  ...{ pointsMin: numberOf, pointsMax: numberOf, activeFrom: dayOf, activeTo: dayOf },
};
type Filters = { [Name in keyof typeof parameters]: ReturnType<(typeof parameters)[Name]> };

export const orders = ['newest', 'oldest', 'points', 'active'] as const;
const seldom = ['follower', 'hasCustomer', 'pointsMin', 'pointsMax', 'activeFrom', 'activeTo'] as const;
const noFilter = Object.fromEntries(Object.keys(parameters).map((name) => [name, null]));

/** The filters of the address; a value that the API does not know filters nothing. */
export function filtersOf(query: Query): Filters {
  const entries = Object.entries(parameters).map(([name, read]) => [name, read(query[name] ?? '')]);
  return Object.fromEntries(entries) as Filters;
}

/** The order of the address. */
export function orderOf({ order }: Query): (typeof orders)[number] {
  return orders.find((one) => one === order) ?? 'newest';
}

function textOf(text: string): string | undefined {
  return text || undefined;
}

function booleanOf(text: string): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

function numberOf(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function dayOf(text: string): string | undefined {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : undefined;
}

export function Filters({ botId, isFiltered }: { botId: string; isFiltered: boolean }) {
  const { query, setQuery } = useAddress();
  const filters = filtersOf(query);
  const { platform } = filters;
  const [kind, setKind] = useState<SearchKind>(kindOf(query));
  const [text, setText] = useState(query[kindOf(query)] ?? '');
  const [tag, setTag] = useState(query.tag ?? '');
  const [pointsMin, setPointsMin] = useState(query.pointsMin ?? '');
  const [pointsMax, setPointsMax] = useState(query.pointsMax ?? '');
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
    pointsMin: trimmedOrNull(pointsMin),
    pointsMax: trimmedOrNull(pointsMax),
  });
  const clear = (): void => {
    setText('');
    setTag('');
    setPointsMin('');
    setPointsMax('');
    setQuery(noFilter);
  };
  const select = (name: 'blocked' | 'follower' | 'hasCustomer', titles: { yes: string; no: string }) => (
    <SelectField
      label={t(name === 'blocked' ? 'state' : name)}
      value={`${filters[name] ?? ''}`}
      onValue={(chosen) => setQuery({ [name]: chosen || null })}
      choices={[
        { value: '', title: t('anyState') },
        { value: 'false', title: titles.no },
        { value: 'true', title: titles.yes },
      ]}
    />
  );
  const day = (name: 'activeFrom' | 'activeTo') => (
    <TextField
      type="date"
      label={t(name)}
      value={filters[name] ?? ''}
      onValue={(chosen) => setQuery({ [name]: chosen || null })}
    />
  );
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
      {select('blocked', { yes: t('blocked'), no: t('notBlocked') })}
      <button type="button" class="button button-large" disabled={!isFiltered} onClick={clear}>
        {t('clear')}
      </button>
      <details class="contact-filters-more" open={seldom.some((name) => filters[name] !== undefined)}>
        <summary>{t('moreFilters')}</summary>
        <div class="contact-filters">
          {select('follower', { yes: t('yes'), no: t('no') })}
          {select('hasCustomer', { yes: t('yes'), no: t('no') })}
          <TextField type="number" label={t('pointsMin')} min={0} value={pointsMin} onValue={setPointsMin} />
          <TextField type="number" label={t('pointsMax')} min={0} value={pointsMax} onValue={setPointsMax} />
          {day('activeFrom')}
          {day('activeTo')}
        </div>
      </details>
    </form>
  );
}

function kindOf(query: Query): SearchKind {
  return searchKinds.find((kind) => query[kind] !== undefined) ?? 'name';
}

function trimmedOrNull(text: string): string | null {
  return text.trim() || null;
}
