/**
 * MantaGo's calls that read and clear the points of several contacts at once.
 */
import type { Credential } from '../../auth/api-pairs.ts';
import { Batcher } from '../../batcher.ts';
import { findContacts } from '../../contacts/contacts.ts';
import type { Queryable, Sql } from '../../database/client.ts';
import { textList } from '../../database/lists.ts';
import { nodeOf } from '../../database/nodes.ts';
import { repeatedTransaction } from '../../database/repeated-transaction.ts';
import { Refusal } from '../../errors.ts';
import { normalContactId } from '../../platforms/contact-ids.ts';
import type { PlatformName } from '../../platforms/platform.ts';
import { availableInAccount } from '../../points/balances.ts';
import { writePoints } from '../../points/ledger.ts';
import { newId, type Random } from '../../random.ts';
import type { Answer, Sent } from './operation.ts';

/** Contacts by encoded id and by id on a platform. */
export type ContactIds = { clientIds: string[]; platform: PlatformName | null; platformClientIds: string[] };
type ClientPoints = NonNullable<Answer<'getClientPoints'>['points']>[number];
type Body = Sent<'getClientPoints'>['body'];
export type PointsById = {
  credential: Credential | null;
  /** By encoded id: platform and available points. */
  byClientId: ReadonlyMap<string, readonly [PlatformName, number]>;
  /** By id on the platform of the call, as stored: available points. */
  byPlatformClientId: ReadonlyMap<string, number>;
};

/** The problem of the ids, by rules that the contract has in prose only; null: they are valid. */
export function idsProblem({ clientIds = [], platform, platformClientIds }: Body): string | null {
  if (platform !== undefined && platformClientIds === undefined) {
    return 'platformClientIds in the body is missing; platform and platformClientIds go together';
  }
  if (platform === undefined && platformClientIds !== undefined) {
    return 'platform in the body is missing; platform and platformClientIds go together';
  }
  if (clientIds.length + (platformClientIds?.length ?? 0) > 0) return null;
  return 'at least one id is needed: clientIds, or platform with platformClientIds';
}

export function readIds({ clientIds = [], platform, platformClientIds = [] }: Body): ContactIds {
  return { clientIds, platform: platform ?? null, platformClientIds };
}

type PointsCall = ContactIds & { botId: string /** ms */; now: number };

const limits = { runsMax: 4, batchCountMax: 10, gathers: false };

/**
 * Reads the bot's credential, and the points of the contacts that it knows. Null if there is no such bot. Calls for a bot that arrive
 * while reads are running share the next one: most of a read's cost is not that of its ids.
 */
export function batchedPoints(sql: Queryable): (call: PointsCall) => Promise<PointsById | null> {
  const batchers = new Map<string, Batcher<PointsCall, PointsById | null>>();
  return (call) => {
    const key = `${call.botId} ${call.platform}`;
    const batcher =
      batchers.get(key) ??
      new Batcher<PointsCall, PointsById | null>((calls) => readCalls(sql, calls), {
        ...limits,
        idle: () => batchers.delete(key),
      });
    batchers.set(key, batcher);
    return batcher.put(call);
  };
}

/** Reads calls of one bot and platform together. Each gets the contacts of its own ids. */
async function readCalls(sql: Queryable, calls: readonly PointsCall[]): Promise<(PointsById | null)[]> {
  const [first] = calls;
  if (first === undefined) return [];
  const all = await readPoints(sql, {
    ...first,
    clientIds: calls.flatMap(({ clientIds }) => clientIds),
    platformClientIds: calls.flatMap(({ platformClientIds }) => platformClientIds),
    now: Math.max(...calls.map(({ now }) => now)),
  });
  if (all === null || calls.length === 1) return calls.map(() => all);
  return calls.map(({ clientIds, platform, platformClientIds }) => ({
    credential: all.credential,
    byClientId: only(all.byClientId, clientIds),
    byPlatformClientId: only(
      all.byPlatformClientId,
      platformClientIds.map((id) => normalOf(platform, id)),
    ),
  }));
}

function only<Value>(values: ReadonlyMap<string, Value>, keys: readonly string[]): Map<string, Value> {
  const own = new Map<string, Value>();
  for (const key of keys) {
    const value = values.get(key);
    if (value !== undefined) own.set(key, value);
  }
  return own;
}

async function readPoints(
  database: Queryable,
  { botId, clientIds, platform, platformClientIds, now }: PointsCall,
): Promise<PointsById | null> {
  const sql = nodeOf(database, botId);
  const available = availableInAccount(sql, botId, now);
  // The limit makes each look-up of an account one by its key, independent of the planner's estimates.
  const account = sql`
    left join lateral (
      select * from point_accounts
      where point_accounts.bot_id = ${botId}
        and point_accounts.contact_id = coalesce(contact.merged_into, contact.contact_id)
      limit 1
    ) account on true`;
  const platformIds = platformClientIds.map((id) => normalOf(platform, id));
  const [row] = await sql<
    {
      pair_id: string | null;
      secret_hash: Uint8Array | null;
      by_client_id: string | null;
      by_platform_client_id: Record<string, number> | null;
    }[]
  >`
    -- The list is sent and read once.
    with requested as materialized (
      select ${textList(clientIds)}::text[] as ids
    ), own as materialized (
      select contact_id, contact_id || ' ' || platform || ' ' || ${available}::bigint as client
      from point_accounts account
      where bot_id = ${botId} and contact_id = any((select ids from requested)::text[]) and platform is not null
    ), others as (
      select contact.contact_id || ' ' || contact.platform || ' ' || coalesce(${available}, 0) as client
      from contacts contact ${account}
      where (select count(*) from own) < ${clientIds.length}::integer
        and contact.bot_id = ${botId} and contact.forgotten_at is null
        and contact.contact_id = any(array(select unnest(ids) from requested except select contact_id from own))
    )
    select pair_id, secret_hash,
      (select string_agg(client, ',') from (select client from own union all select client from others) client)
        as by_client_id,
      (select json_object_agg(contact.platform_contact_id, coalesce(${available}, 0))
        from contacts contact ${account}
        where contact.bot_id = ${botId} and contact.platform = ${platform}
          and contact.platform_contact_id = any(${textList(platformIds)}::text[])) as by_platform_client_id
    from bots left join api_pairs pair on pair.bot_id = bots.bot_id and pair.replaced_at is null
    where bots.bot_id = ${botId}`;
  if (!row) return null;
  const { pair_id: pairId, secret_hash: secretHash } = row;
  return {
    credential: pairId !== null && secretHash !== null ? { pairId, secretHash } : null,
    byClientId: new Map((row.by_client_id?.split(',') ?? []).map(toClient)),
    byPlatformClientId: new Map(Object.entries(row.by_platform_client_id ?? {})),
  };
}

/** A contact of the query. Neither its id nor its platform has spaces or commas. */
function toClient(text: string): [clientId: string, points: readonly [PlatformName, number]] {
  const [clientId = '', platform, points] = text.split(' ');
  return [clientId, [platform as PlatformName, Number(points)]];
}

/** One entry for each known id, in the order of the call: client ids, then the platform's. A repeated id has several entries. */
export function toPoints(
  { clientIds, platform, platformClientIds }: ContactIds,
  pointsById: PointsById,
): ClientPoints[] {
  const byClientId = clientIds.flatMap((clientId) => {
    const [platform, points] = pointsById.byClientId.get(clientId) ?? [];
    return platform === undefined || points === undefined ? [] : { platform, clientId, points };
  });
  if (platform === null) return byClientId;
  const byPlatformClientId = platformClientIds.flatMap((platformClientId) => {
    const points = pointsById.byPlatformClientId.get(normalOf(platform, platformClientId));
    return points === undefined ? [] : { platform, platformClientId, points };
  });
  return [...byClientId, ...byPlatformClientId];
}

/**
 * Sets the points of all known contacts to 0, in one transaction with one entry each. Contacts without points get no entry, so
 * repeating the call is safe. Throws Refusal CONTACT_NOT_FOUND when no contact is known.
 */
export async function clearPoints(
  sql: Sql,
  { botId, platform, pointsById }: { botId: string; platform: PlatformName | null; pointsById: PointsById },
  { now, random }: { now: number; random: Random },
): Promise<void> {
  const { byClientId, byPlatformClientId } = pointsById;
  if (byClientId.size + byPlatformClientId.size === 0) throw noneKnown();
  const platformIds = [...byPlatformClientId].flatMap(([id, points]) => (points > 0 ? id : []));
  const byPlatform =
    platform === null ? [] : (await findContacts(sql, botId, platform, platformIds)).values();
  const byId = [...byClientId].flatMap(([id, [, points]]) => (points > 0 ? id : []));
  const changes = [...new Set([...byId, ...byPlatform])].map((contactId) => ({
    kind: 'clear' as const,
    contactId,
    key: `clear:${newId(random, clearKeyLength)}`,
  }));
  await repeatedTransaction(sql, async (tx) => {
    for (const outcome of await writePoints(tx, botId, changes, { now })) {
      if (outcome instanceof Refusal) throw outcome;
    }
  });
}

export function noneKnown(): Refusal {
  return new Refusal('CONTACT_NOT_FOUND', 'None of the contacts is known.');
}

const clearKeyLength = 22;

function normalOf(platform: PlatformName | null, id: string): string {
  return platform === null ? id : normalContactId(platform, id);
}
