/**
 * Writes interactions of people with sends through our gateway.
 *
 * Each count is stored together with the set of people behind it, in one transaction. Reading a send therefore costs the same for
 * a thousand people and for a million. As with LINE, interactions count until 14 days (1,209,600 s) after sending.
 */
import { createHash } from 'node:crypto';
import type { Transaction } from '../database/client.ts';
import { type Column, rowTable } from '../database/row-table.ts';
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
  /** The number of the bubble, or of the URL in the message; from 1. */
  seq: number;
  /** The clicked URL; otherwise empty. */
  url: string;
  /** LINE's user id, or the id of an unknown visitor. */
  person: string;
  /** ms. */
  at: number;
};

/** The time after sending in which interactions count (LINE Messaging API reference, "Get user interaction statistics"). */
export const countedMs = 14 * dayMs;

/**
 * Counts interactions. Not idempotent: must run in the transaction that stores their source. Returns the number that counted; the
 * others were too late, or their send is not the bot's.
 */
export async function addInteractions(
  tx: Transaction,
  botId: string,
  interactions: readonly Interaction[],
): Promise<number> {
  const sentAt = await selectSentAt(tx, botId, interactions);
  const inTime = interactions.filter(({ requestId, at }) => {
    const sendTime = sentAt.get(requestId);
    return sendTime !== undefined && at < sendTime + countedMs;
  });
  if (inTime.length > 0) await writeScopes(tx, botId, scopesOf(inTime));
  return inTime.length;
}

/** A count for one bubble and URL, for any bubble (seq 0), or for any URL (empty). */
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
    const targets = [
      { seq, url },
      { seq: 0, url: '' },
    ];
    if (url !== '') targets.push({ seq: 0, url });
    for (const target of targets) {
      const key = [requestId, kind, String(target.seq).padStart(10, '0'), hashOf(target.url)].join(' ');
      const scope = scopes.get(key) ?? {
        ...{ requestId, kind, ...target, urlHash: hashOf(target.url) },
        ...{ total: 0, people: new Set<string>() },
      };
      scope.total += 1;
      scope.people.add(person);
      scopes.set(key, scope);
    }
  }
  // Always in the same order, so that two transactions cannot deadlock.
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
    with new_people as (
      insert into line_interaction_people (bot_id, request_id, kind, seq, url_hash, person)
      select ${botId}, request_id, kind, seq, decode(hash, 'hex'), person
      from ${rowTable(tx, 'new', people, { ...scopeColumns, person: ['text', ({ person }) => person] })}
      on conflict do nothing
      returning request_id, kind, seq, url_hash
    ), added as (
      select request_id, kind, seq, url_hash, count(*) as people from new_people group by request_id, kind, seq, url_hash
    )
    insert into line_interaction_counts as kept (bot_id, request_id, kind, seq, url_hash, url, total, people)
    select ${botId}, request_id, kind, seq, url_hash, url, total, coalesce(people, 0)
    from (
      select request_id, kind, seq, decode(hash, 'hex') as url_hash, url, total, place
      from ${rowTable(tx, 'new', scopes, {
        ...scopeColumns,
        url: ['text', ({ url }) => url],
        total: ['bigint', ({ total }) => total],
        place: ['integer', (_, index) => index],
      })}
    ) scope
    left join added using (request_id, kind, seq, url_hash)
    order by place
    on conflict (bot_id, request_id, kind, seq, url_hash) do update set
      total = kept.total + excluded.total, people = kept.people + excluded.people`;
}

const scopeColumns = {
  request_id: ['text', ({ requestId }) => requestId],
  kind: ['text', ({ kind }) => kind],
  seq: ['integer', ({ seq }) => seq],
  hash: ['text', ({ urlHash }) => urlHash],
} satisfies Record<string, Column<Scope>>;

function hashOf(url: string): string {
  return createHash('sha256').update(url).digest('hex');
}
