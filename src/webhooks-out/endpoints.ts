/**
 * Callbacks: the address of the business's server that receives a bot's webhook messages, and the secret that signs them.
 *
 * A replaced secret stays valid for 7 days; until then every message has both signatures. Setting a disabled address enables it.
 */

import type { Keys } from '../auth/keys.ts';
import { type SealedSecrets, validBoxes } from '../auth/sealed-boxes.ts';
import { sealingKey } from '../auth/secret-key.ts';
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { invalidInput, type Refusal } from '../errors.ts';
import type { Random } from '../random.ts';
import { dayMs } from '../time.ts';
import { callbackProblem, type Gate } from './addresses.ts';
import { newSecret } from './signature.ts';

/** An address in lists, without its secrets. */
export type Callback = {
  url: string;
  createdAt: Date;
  updatedAt: Date;
  /** When the receiver answered 410; null: the address is in use. */
  disabledAt: Date | null;
  /** Until then the previous secret also signs; null: only the current one does. */
  previousSecretUntil: Date | null;
  /** Pending messages. */
  waiting: number;
  /** When the oldest failing message was first due, if the last attempt failed; null: the receiver is healthy. */
  failingSince: Date | null;
};

type Context = { now: number; random: Random; keys: Keys };

const rotationDays = 7;

/**
 * Sets the bot's callback address. A bot without an address gets a secret, which is returned only here; otherwise `secret` is null
 * and the current one stays. Safe to repeat. Throws Refusal BOT_NOT_FOUND, and INPUT_INVALID for a forbidden address.
 */
export async function setCallback(
  sql: Sql,
  { botId, url }: { botId: string; url: string },
  { gate, now, random, keys }: Context & { gate: Gate },
): Promise<{ secret: string | null }> {
  const problem = await callbackProblem(url, gate);
  if (problem !== null) throw invalidInput(`The callback is refused: ${problem}.`);
  return sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const at = new Date(now);
    const inUse = await tx`select from callbacks where bot_id = ${botId} and disabled_at is null`;
    // A change of points that began before the address was removed may have left a message.
    if (inUse.length === 0) await giveUpPending(tx, botId, now);
    const updated = await tx`
      update callbacks set url = ${url}, standing = 'new', disabled_at = null, paused_until = null, updated_at = ${at}
      where bot_id = ${botId}`;
    if (updated.count > 0) return { secret: null };
    const secret = newSecret(random);
    const { seal } = await sealingKey(tx, keys);
    await tx`
      insert into callbacks (bot_id, url, secret_sealed, created_at, updated_at)
      values (${botId}, ${url}, ${seal(secret, placeOf(botId))}, ${at}, ${at})`;
    return { secret };
  });
}

/** The bot's callback address; null: none. */
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

/** Removes the address and gives up pending messages. Returns false if there was no address. Throws BOT_NOT_FOUND. */
export async function removeCallback(sql: Sql, botId: string, { now }: { now: number }): Promise<boolean> {
  return sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const removed = await tx`delete from callbacks where bot_id = ${botId}`;
    if (removed.count > 0) await giveUpPending(tx, botId, now);
    return removed.count > 0;
  });
}

/**
 * Replaces the bot's secret; the new one is returned only here. The previous one stays valid for 7 days, unless `retire` ends it
 * now. Throws Refusal BOT_NOT_FOUND, and INPUT_INVALID for a bot without an address.
 */
export async function rotateSecret(
  sql: Sql,
  { botId, retire }: { botId: string; retire: boolean },
  { now, random, keys }: Context,
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

/** Disables the address of a receiver that answered 410, and gives up pending messages. Does nothing if the address changed since. */
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

/** The valid secrets, the current one first. Throws Refusal INPUT_INVALID if they were sealed with another secret key. */
export function openSecrets(keys: Keys, botId: string, sealed: SealedSecrets, now: number): string[] {
  return validBoxes(sealed, now).map((box) => keys.unseal(box, placeOf(botId)));
}

export function noCallback(botId: string): Refusal {
  return invalidInput(`Bot ${botId} has no callback address in use. Set one with \`shoal callback set\`.`);
}

function placeOf(botId: string) {
  return { botId, platform: 'callback', column: 'secret' };
}

async function giveUpPending(tx: Transaction, botId: string, now: number): Promise<void> {
  await tx`
    with ended as (delete from pending_notices where bot_id = ${botId} returning notice_id)
    update notices set outcome = 'given-up', ended_at = ${new Date(now)}
    where bot_id = ${botId} and notice_id in (select notice_id from ended)`;
}
