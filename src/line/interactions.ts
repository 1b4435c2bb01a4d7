/**
 * What people did with sends that went through our gateway: the writes.
 *
 * Each count is kept together with the people behind it, in the transaction that brings them, so that reading a send costs
 * the same for a thousand people and for a million. What is done 14 days (LINE: 1,209,600 s) after sending or later is not
 * counted, as with LINE.
 */
import { createHash } from 'node:crypto';
import type { Transaction } from '../database/client.ts';
import { dayMs } from '../time.ts';

export const mediaKinds = [
  'media-play',
  'media-play-25',
  'media-play-50',
  'media-play-75',
  'media-play-100',
] as const;
export type InteractionKind = 'impression' | 'click' | (typeof mediaKinds)[number];

export type Interaction = {
  requestId: string;
  kind: InteractionKind;
  /** Of the bubble, or of the URL in the message; from 1. */
  seq: number;
  /** Of a click; else empty. */
  url: string;
  /** LINE's user id, or a visitor's where that is not known. */
  person: string;
  /** ms. */
  at: number;
};

/** So long after sending, what people do counts (LINE Messaging API reference, "Get user interaction statistics"). */
export const countedMs = 14 * dayMs;

/**
 * Counts what people did. Not repeatable: belongs in the transaction that keeps what told of it. Gives how many counted; the
 * others came too late, or are about no send of the bot's.
 */
export async function addInteractions(
  tx: Transaction,
  botId: string,
  interactions: readonly Interaction[],
): Promise<number> {
  const sentAt = await selectSentAt(tx, botId, interactions);
  const counted = interactions.filter(({ requestId, at }) => {
    const sent = sentAt.get(requestId);
    return sent !== undefined && at < sent + countedMs;
  });
  if (counted.length > 0) await writeScopes(tx, botId, scopesOf(counted));
  return counted.length;
}

/** A count: of one bubble and URL, of any bubble (seq 0), of any URL (empty). */
type Scope = {
  requestId: string;
  kind: InteractionKind;
  seq: number;
  url: string;
  urlHash: string;
  total: number;
  people: Set<string>;
};

function scopesOf(interactions: readonly Interaction[]): Scope[] {
  const scopes = new Map<string, Scope>();
  for (const { requestId, kind, seq, url, person } of interactions) {
    if (!(Number.isInteger(seq) && seq >= 1)) throw new Error(`an interaction with the number ${seq}`);
    const places = [
      { seq, url },
      { seq: 0, url: '' },
    ];
    if (url !== '') places.push({ seq: 0, url });
    for (const place of places) {
      const key = [requestId, kind, String(place.seq).padStart(10, '0'), hashOf(place.url)].join(' ');
      const scope = scopes.get(key) ?? {
        ...{ requestId, kind, ...place, urlHash: hashOf(place.url) },
        ...{ total: 0, people: new Set<string>() },
      };
      scope.total += 1;
      scope.people.add(person);
      scopes.set(key, scope);
    }
  }
  // Always in the same order, so that two transactions never wait for each other.
  return [...scopes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, scope]) => scope);
}

async function selectSentAt(
  tx: Transaction,
  botId: string,
  interactions: readonly Interaction[],
): Promise<Map<string, number>> {
  const ids = [...new Set(interactions.map(({ requestId }) => requestId))];
  const rows = await tx<{ request_id: string; sent_at: Date }[]>`
    select request_id, sent_at from line_sends where bot_id = ${botId} and request_id = any(${ids})`;
  return new Map(rows.map(({ request_id, sent_at }) => [request_id, sent_at.getTime()]));
}

async function writeScopes(tx: Transaction, botId: string, scopes: readonly Scope[]): Promise<void> {
  const people = scopes.flatMap((scope) => [...scope.people].sort().map((person) => ({ ...scope, person })));
  await tx`
    with seen as (
      insert into line_interaction_people (bot_id, request_id, kind, seq, url_hash, person)
      select ${botId}, request_id, kind, seq, decode(url_hash, 'hex'), person
      from unnest(${people.map(({ requestId }) => requestId)}::text[], ${people.map(({ kind }) => kind)}::text[],
        ${people.map(({ seq }) => seq)}::integer[], ${people.map(({ urlHash }) => urlHash)}::text[],
        ${people.map(({ person }) => person)}::text[]) as did (request_id, kind, seq, url_hash, person)
      on conflict do nothing
      returning request_id, kind, seq, url_hash
    ), fresh as (
      select request_id, kind, seq, url_hash, count(*) as people from seen group by request_id, kind, seq, url_hash
    )
    insert into line_interaction_counts as kept (bot_id, request_id, kind, seq, url_hash, url, total, people)
    select ${botId}, request_id, kind, seq, url_hash, url, total, coalesce(people, 0)
    from (
      select request_id, kind, seq, decode(hash, 'hex') as url_hash, url, total, place
      from unnest(${scopes.map(({ requestId }) => requestId)}::text[], ${scopes.map(({ kind }) => kind)}::text[],
        ${scopes.map(({ seq }) => seq)}::integer[], ${scopes.map(({ urlHash }) => urlHash)}::text[],
        ${scopes.map(({ url }) => url)}::text[], ${scopes.map(({ total }) => total)}::bigint[])
        with ordinality as did (request_id, kind, seq, hash, url, total, place)
    ) scope
    left join fresh using (request_id, kind, seq, url_hash)
    order by place
    on conflict (bot_id, request_id, kind, seq, url_hash) do update set
      total = kept.total + excluded.total, people = kept.people + excluded.people`;
}

function hashOf(url: string): string {
  return createHash('sha256').update(url).digest('hex');
}
