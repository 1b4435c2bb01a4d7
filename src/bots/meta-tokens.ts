/** The stored checks of Meta's access tokens. The tokens themselves are in channels, encrypted. */
import type { Queryable, Transaction } from '../database/client.ts';
import { toDate } from '../database/instants.ts';
import { newId, type Random } from '../random.ts';

export const metaPlatforms = ['facebook', 'instagram', 'whatsapp'] as const;
export type MetaPlatform = (typeof metaPlatforms)[number];

export type TokenCheck = {
  /** In ms; null: it does not expire, or Meta does not report it. */
  expiresAt: number | null;
  missingPermissions: string[];
  /** Why the token does not fit the channel; null: it does. */
  problem: string | null;
};

type CheckedToken = { botId: string; platform: MetaPlatform; tokenId: string; checkedAt: number };

export function isMetaPlatform(platform: string): platform is MetaPlatform {
  return metaPlatforms.some((name) => name === platform);
}

/** Notes a new token, which is not checked yet. Returns its id. Needs the bot's lock. */
export async function noteAccessToken(
  tx: Transaction,
  { botId, platform }: { botId: string; platform: MetaPlatform },
  random: Random,
): Promise<string> {
  const tokenId = newId(random);
  await tx`delete from access_tokens where bot_id = ${botId} and platform = ${platform}`;
  await tx`
    insert into access_tokens (bot_id, platform, token_id) values (${botId}, ${platform}, ${tokenId})`;
  return tokenId;
}

/** The id of the channel's token; null: none. Read it before the token: a check is then never stored for another token. */
export async function findTokenId(
  sql: Queryable,
  { botId, platform }: { botId: string; platform: MetaPlatform },
): Promise<string | null> {
  const [row] = await sql<{ token_id: string }[]>`
    select token_id from access_tokens where bot_id = ${botId} and platform = ${platform}`;
  return row?.token_id ?? null;
}

/** Stores the result of the check of a token, unless another one was set since. Idempotent. */
export async function putTokenCheck(
  sql: Queryable,
  { botId, platform, tokenId, checkedAt }: CheckedToken,
  { expiresAt, missingPermissions, problem }: TokenCheck,
): Promise<void> {
  await sql`
    update access_tokens set checked_at = ${new Date(checkedAt)}, expires_at = ${toDate(expiresAt)},
      missing_permissions = ${missingPermissions}, problem = ${problem}
    where bot_id = ${botId} and platform = ${platform} and token_id = ${tokenId}`;
}
