/**
 * The targets of a bot's alerts. All webhooks of a bot share a signing secret, which is shown once, with the first of them.
 */
import type { Keys } from '../auth/keys.ts';
import { sealingKey } from '../auth/secret-key.ts';
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Sql } from '../database/client.ts';
import { invalidInput, Refusal } from '../errors.ts';
import { checkMailAddress } from '../mail/settings.ts';
import type { Random } from '../random.ts';
import { callbackProblem, type Gate } from '../webhooks-out/addresses.ts';
import { newSecret } from '../webhooks-out/signature.ts';

export const targetKinds = ['email', 'webhook', 'line'] as const;
export type TargetKind = (typeof targetKinds)[number];
export const languages = ['en', 'ja', 'zh-Hant'] as const;
export type Language = (typeof languages)[number];

export type Target = {
  targetId: number;
  kind: TargetKind;
  address: string;
  language: Language;
  createdAt: Date;
};

const targetsMax = 20;
const lineForm = /^[UCR][0-9a-f]{32}$/;

type Making = { gate: Gate; keys: Keys; random: Random; now: number };

/**
 * Adds a target. `secret`: that of the first webhook; otherwise null. Throws Refusal BOT_NOT_FOUND, and INPUT_INVALID for a forbidden or
 * repeated address.
 */
export async function createTarget(
  sql: Sql,
  { botId, kind, address, language }: Pick<Target, 'kind' | 'address' | 'language'> & { botId: string },
  { gate, keys, random, now }: Making,
): Promise<{ target: Target; secret: string | null }> {
  await checkAddress(kind, address, gate);
  return sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const targets = await listTargets(tx, botId);
    if (targets.length >= targetsMax)
      throw invalidInput(`A bot has at most ${targetsMax} targets of alerts.`);
    const [target] = await tx<Target[]>`
      insert into alert_targets (bot_id, kind, address, language, created_at)
      values (${botId}, ${kind}, ${address}, ${language}, ${new Date(now)})
      on conflict (bot_id, kind, address) do nothing
      returning ${columns(tx)}`;
    if (!target) throw invalidInput(`The alerts of bot ${botId} already go to ${address}.`);
    if (kind !== 'webhook' || targets.some((one) => one.kind === 'webhook')) return { target, secret: null };
    const secret = newSecret(random);
    const { seal } = await sealingKey(tx, keys);
    await tx`
      insert into alert_secrets (bot_id, secret_sealed, created_at)
      values (${botId}, ${seal(secret, placeOf(botId))}, ${new Date(now)})`;
    return { target, secret };
  }) as Promise<{ target: Target; secret: string | null }>;
}

/** The targets, oldest first. */
export async function listTargets(sql: Queryable, botId: string): Promise<Target[]> {
  return sql<Target[]>`
    select ${columns(sql)} from alert_targets where bot_id = ${botId} order by target_id`;
}

/**
 * Removes a target with its reports; the last webhook with the signing secret. Throws Refusal BOT_NOT_FOUND, ALERT_TARGET_NOT_FOUND.
 */
export async function removeTarget(sql: Sql, botId: string, targetId: number): Promise<void> {
  await sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const { count } = await tx`delete from alert_targets where bot_id = ${botId} and target_id = ${targetId}`;
    if (count === 0) throw noTarget(botId, targetId);
    await tx`delete from alert_reports where bot_id = ${botId} and target_id = ${targetId}`;
    await tx`
      delete from alert_secrets where bot_id = ${botId}
        and not exists (select from alert_targets where bot_id = ${botId} and kind = 'webhook')`;
  });
}

/** The place of the signing secret (auth/encryption.ts). */
export function placeOf(botId: string) {
  return { botId, platform: 'alerts', column: 'secret' };
}

export function noTarget(botId: string, targetId: number): Refusal {
  return new Refusal('ALERT_TARGET_NOT_FOUND', `Bot ${botId} has no target ${targetId} of alerts.`);
}

async function checkAddress(kind: TargetKind, address: string, gate: Gate): Promise<void> {
  switch (kind) {
    case 'email':
      checkMailAddress(address);
      return;
    case 'line':
      if (!lineForm.test(address))
        throw invalidInput("A target on LINE is LINE's id of a user (U…), a group (C…) or a room (R…).");
      return;
    case 'webhook': {
      const problem = await callbackProblem(address, gate);
      if (problem !== null) throw invalidInput(`The address is refused: ${problem}.`);
    }
  }
}

function columns(sql: Queryable) {
  return sql`target_id as "targetId", kind, address, language, created_at as "createdAt"`;
}
