/**
 * Callbacks: the address of a business's own server, at which a bot's changes are told, and the secret they are signed with.
 *
 * A new secret takes the place of the old one, which stays valid for 7 days: until then every webhook carries both signatures.
 * Who sets an address again switches one on that was disabled.
 */

import type { Keys } from '../auth/keys.ts';
import { sealingKey } from '../auth/secret-key.ts';
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import type { Random } from '../random.ts';
import { dayMs } from '../time.ts';
import { callbackProblem, type Gate } from './addresses.ts';
import { newSecret } from './signature.ts';

/** An address as it is listed, without what signs. */
export type Callback = {
  url: string;
  createdAt: Date;
  updatedAt: Date;
  /** The receiver answered 410 then; null: it is in use. */
  disabledAt: Date | null;
  /** Until then the secret before the current one signs, too; null: only the current one does. */
  previousSecretUntil: Date | null;
  /** Notices that are still to be told. */
  waiting: number;
  /** Since when the oldest of them has been tried in vain, while the last answer was no success; null: it is well. */
  failingSince: Date | null;
};

type Making = { now: number; random: Random; keys: Keys };
export type SealedSecrets = {
  secret_sealed: Uint8Array;
  previous_secret_sealed: Uint8Array | null;
  previous_secret_until: Date | null;
};

const rotationDays = 7;

/**
 * Sets where the bot's changes are told from now on. A bot that had no address gets a secret: it is told this once, else
 * `secret` is null and the one there is stays. Safe to repeat. Throws Refusal BOT_NOT_FOUND, and INPUT_INVALID for an address
 * that may not be called.
 */
export async function setCallback(
  sql: Sql,
  { botId, url }: { botId: string; url: string },
  { gate, now, random, keys }: Making & { gate: Gate },
): Promise<{ secret: string | null }> {
  const problem = await callbackProblem(url, gate);
  if (problem !== null) throw new Refusal('INPUT_INVALID', `The callback is refused: ${problem}.`);
  return sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const at = new Date(now);
    const inUse = await tx`select from callbacks where bot_id = ${botId} and disabled_at is null`;
    // A writer of points that began before the address went may have left a notice since.
    if (inUse.length === 0) await giveUpPending(tx, botId, now);
    const kept = await tx`
      update callbacks set url = ${url}, standing = 'new', disabled_at = null, paused_until = null, updated_at = ${at}
      where bot_id = ${botId}`;
    if (kept.count > 0) return { secret: null };
    const secret = newSecret(random);
    const { seal } = await sealingKey(tx, keys);
    await tx`
      insert into callbacks (bot_id, url, secret_sealed, created_at, updated_at)
      values (${botId}, ${url}, ${seal(secret, placeOf(botId))}, ${at}, ${at})`;
    return { secret };
  });
}

/** The bot's address; null: it has none. */
export async function findCallback(sql: Queryable, botId: string, now: number): Promise<Callback | null> {
  const [row] = await sql<Callback[]>`
    select url, created_at as "createdAt", updated_at as "updatedAt", disabled_at as "disabledAt",
      case when previous_secret_until > ${new Date(now)} then previous_secret_until end as "previousSecretUntil",
      (select count(*)::integer from pending_notices where bot_id = ${botId}) as waiting,
      case when standing = 'poor' then (
        select min(since) from pending_notices where bot_id = ${botId} and attempts > 0
      ) end as "failingSince"
    from callbacks where bot_id = ${botId}`;
  return row ?? null;
}

/** Ends the telling: what is still waiting is given up. Gives false when there was no address. Throws BOT_NOT_FOUND. */
export async function removeCallback(sql: Sql, botId: string, { now }: { now: number }): Promise<boolean> {
  return sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const removed = await tx`delete from callbacks where bot_id = ${botId}`;
    if (removed.count > 0) await giveUpPending(tx, botId, now);
    return removed.count > 0;
  });
}

/**
 * Gives the bot a new secret, told this once. The one before stays valid for 7 days, unless `retire` ends it now. Throws
 * Refusal BOT_NOT_FOUND, and INPUT_INVALID for a bot without an address.
 */
export async function rotateSecret(
  sql: Sql,
  { botId, retire }: { botId: string; retire: boolean },
  { now, random, keys }: Making,
): Promise<{ secret: string; previousSecretUntil: Date | null }> {
  const secret = newSecret(random);
  const previousSecretUntil = retire ? null : new Date(now + rotationDays * dayMs);
  return sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const { seal } = await sealingKey(tx, keys);
    const rotated = await tx`
      update callbacks set secret_sealed = ${seal(secret, placeOf(botId))},
        previous_secret_sealed = ${retire ? null : tx`secret_sealed`}, previous_secret_until = ${previousSecretUntil},
        updated_at = ${new Date(now)}
      where bot_id = ${botId}`;
    if (rotated.count === 0) throw noCallback(botId);
    return { secret, previousSecretUntil };
  });
}

/** Stops telling a receiver that answered 410: what is waiting is given up. Nothing happens when the address is another by now. */
export async function disableCallback(
  sql: Sql,
  { botId, url, now }: { botId: string; url: string; now: number },
): Promise<void> {
  await sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const disabled = await tx`
      update callbacks set disabled_at = ${new Date(now)} where bot_id = ${botId} and url = ${url}`;
    if (disabled.count > 0) await giveUpPending(tx, botId, now);
  });
}

/** The valid secrets, the current one first. Throws Refusal INPUT_INVALID when the secret key is not the one they were sealed with. */
export function openSecrets(keys: Keys, botId: string, sealed: SealedSecrets, now: number): string[] {
  const isPreviousValid = (sealed.previous_secret_until?.getTime() ?? 0) > now;
  const boxes = [sealed.secret_sealed, isPreviousValid ? sealed.previous_secret_sealed : null];
  return boxes.flatMap((box) => (box === null ? [] : keys.unseal(box, placeOf(botId))));
}

export function noCallback(botId: string): Refusal {
  return new Refusal(
    'INPUT_INVALID',
    `Bot ${botId} has no callback address in use. Set one with \`shoal callback set\`.`,
  );
}

// Current and previous are sealed for the same place, so that one can become the other.
function placeOf(botId: string) {
  return { botId, platform: 'callback', column: 'secret' };
}

async function giveUpPending(tx: Transaction, botId: string, now: number): Promise<void> {
  await tx`
    with ended as (delete from pending_notices where bot_id = ${botId} returning notice_id)
    update notices set outcome = 'given-up', ended_at = ${new Date(now)}
    where bot_id = ${botId} and notice_id in (select notice_id from ended)`;
}
