/**
 * The points calls: whose points are asked for, what the bot knows of them, the answer in the order asked; and clearing them.
 */
import type { Credential } from '../../auth/api-pairs.ts';
import { findContacts } from '../../contacts/contacts.ts';
import type { Queryable, Sql } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { normalContactId } from '../../platforms/contact-ids.ts';
import { type PlatformName, platformNames } from '../../platforms/platform.ts';
import { availableInAccount } from '../../points/balances.ts';
import { pointsTransaction, writePoints } from '../../points/ledger.ts';
import { newId, type Random } from '../../random.ts';

/** Contacts by encoded id, and by ids on a platform. */
export type Asked = { clientIds: string[]; platform: PlatformName | null; platformClientIds: string[] };
export type ClientPoints = {
  platform: PlatformName;
  clientId?: string;
  platformClientId?: string;
  points: number;
};
export type FoundPoints = {
  credential: Credential | null;
  /** By encoded id: platform and available points. */
  byClientId: ReadonlyMap<string, readonly [PlatformName, number]>;
  /** By id on the platform asked for, in its stored spelling: available points. */
  byPlatformClientId: ReadonlyMap<string, number>;
};

/** What the contract asks of the ids in words only; null: it is kept. */
export function idsProblem(body: JsonObject): string | null {
  const { platform, platformClientIds } = body;
  if (platform !== undefined && platformClientIds === undefined) {
    return 'platformClientIds in the body is missing; platform and platformClientIds go together';
  }
  if (platform === undefined && platformClientIds !== undefined) {
    return 'platform in the body is missing; platform and platformClientIds go together';
  }
  const asked = readAsked(body);
  if (asked.clientIds.length + asked.platformClientIds.length > 0) return null;
  return 'at least one id is needed: clientIds, or platform with platformClientIds';
}

/** The ids of a body that the contract has found right. */
export function readAsked({ clientIds, platform, platformClientIds }: JsonObject): Asked {
  return {
    clientIds: readIds(clientIds),
    platform: platformNames.find((name) => name === platform) ?? null,
    platformClientIds: readIds(platformClientIds),
  };
}

/** The bot's credential and the points at `now` (ms) of those asked for whom it knows, in one query; null: there is no such bot. */
export async function readPoints(
  sql: Queryable,
  { botId, clientIds, platform, platformClientIds, now }: Asked & { botId: string; now: number },
): Promise<FoundPoints | null> {
  const available = availableInAccount(sql, now);
  // The limit keeps each look-up of an account one by its key, whatever the planner takes the tables for.
  const account = sql`
    left join lateral (
      select * from point_accounts
      where point_accounts.bot_id = contact.bot_id
        and point_accounts.contact_id = coalesce(contact.merged_into, contact.contact_id)
      limit 1
    ) account on true`;
  const [row] = await sql<
    {
      pair_id: string | null;
      secret_hash: Uint8Array | null;
      by_client_id: Record<string, [PlatformName, number]> | null;
      by_platform_client_id: Record<string, number> | null;
    }[]
  >`
    select pair_id, secret_hash,
      (select json_object_agg(contact.contact_id, json_build_array(contact.platform, coalesce(${available}, 0)))
        from contacts contact ${account}
        where contact.bot_id = bots.bot_id and contact.contact_id = any(${clientIds as string[]}::text[])
          and contact.forgotten_at is null) as by_client_id,
      (select json_object_agg(contact.platform_contact_id, coalesce(${available}, 0))
        from contacts contact ${account}
        where contact.bot_id = bots.bot_id and contact.platform = ${platform}
          and contact.platform_contact_id = any(${platformClientIds.map((id) => normalOf(platform, id))}::text[])) as by_platform_client_id
    from bots left join api_pairs pair on pair.bot_id = bots.bot_id and pair.replaced_at is null
    where bots.bot_id = ${botId}`;
  if (!row) return null;
  const { pair_id: pairId, secret_hash: secretHash } = row;
  return {
    credential: pairId !== null && secretHash !== null ? { pairId, secretHash } : null,
    byClientId: new Map(Object.entries(row.by_client_id ?? {})),
    byPlatformClientId: new Map(Object.entries(row.by_platform_client_id ?? {})),
  };
}

/** One entry for each id that is known, in the order asked: client ids, then the platform's. Repeated ids are answered each time. */
export function toPoints(
  { clientIds, platform, platformClientIds }: Asked,
  found: FoundPoints,
): ClientPoints[] {
  const byClientId = clientIds.flatMap((clientId) => {
    const [platform, points] = found.byClientId.get(clientId) ?? [];
    return platform === undefined || points === undefined ? [] : { platform, clientId, points };
  });
  if (platform === null) return byClientId;
  const byPlatformClientId = platformClientIds.flatMap((platformClientId) => {
    const points = found.byPlatformClientId.get(normalOf(platform, platformClientId));
    return points === undefined ? [] : { platform, platformClientId, points };
  });
  return [...byClientId, ...byPlatformClientId];
}

/**
 * Brings the points of those who were found to 0, all or none, each by an entry of its own; who has none gets no entry, so that
 * repeating the call is safe. Throws Refusal CONTACT_NOT_FOUND when none was found.
 */
export async function clearPoints(
  sql: Sql,
  { botId, platform, found }: { botId: string; platform: PlatformName | null; found: FoundPoints },
  { now, random }: { now: number; random: Random },
): Promise<void> {
  const { byClientId, byPlatformClientId } = found;
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
  await pointsTransaction(sql, async (tx) => {
    for (const outcome of await writePoints(tx, botId, changes, { now })) {
      if (outcome instanceof Refusal) throw outcome;
    }
  });
}

/** The refusal when the bot knows none of those asked for. */
export function noneKnown(): Refusal {
  return new Refusal('CONTACT_NOT_FOUND', 'None of the contacts is known.');
}

const clearKeyLength = 22;

function readIds(ids: unknown): string[] {
  return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
}

function normalOf(platform: PlatformName | null, id: string): string {
  return platform === null ? id : normalContactId(platform, id);
}
