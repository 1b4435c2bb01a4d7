/**
 * The business's bot at MantaGo: its address, its id there, and its API pair, encrypted as the secrets of channels are.
 */
import type { Keys } from '../auth/keys.ts';
import { sealingKey } from '../auth/secret-key.ts';
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Transaction } from '../database/client.ts';
import { invalidInput } from '../errors.ts';
import type { Connection } from './mantago-client.ts';

/** A connection without its pair. */
export type StoredConnection = { address: string; theirBotId: string; callsPerMinute: number };
/** Parts that are left out stay as they are. */
export type NewConnection = {
  [Part in keyof (Connection & StoredConnection)]?: (Connection & StoredConnection)[Part] | undefined;
};

/** MantaGo does not publish its limit. Shoal's own is 600. */
export const callsPerMinuteDefault = 60;
export const callsPerMinuteMax = 6_000;
const textLengthMax = 4_096;

/**
 * Stores a connection. Takes the bot's lock. Throws BOT_NOT_FOUND, and INPUT_INVALID if a part is missing or has a wrong form, or if the
 * stored pair would go to another server.
 */
export async function putConnection(
  tx: Transaction,
  botId: string,
  { address, theirBotId, token, secret, callsPerMinute }: NewConnection,
  { now, keys }: { now: number; keys: Keys },
): Promise<void> {
  await lockBot(tx, botId);
  checkForm({ theirBotId, token, secret, callsPerMinute });
  const { seal } = await sealingKey(tx, keys);
  const [stored] = await tx<{ tokenSealed: Uint8Array; secretSealed: Uint8Array }[]>`
    select token_sealed as "tokenSealed", secret_sealed as "secretSealed" from mantago_connections where bot_id = ${botId}`;
  const found = await findConnection(tx, botId);
  const isMoved = address !== undefined && found !== null && originOf(address) !== originOf(found.address);
  if (isMoved && (token === undefined || secret === undefined))
    throw invalidInput(
      'The stored token and secret are for another server. To change the address of MantaGo, set both again.',
    );
  const row = {
    address: address ?? found?.address,
    their_bot_id: theirBotId ?? found?.theirBotId,
    token_sealed: token === undefined ? stored?.tokenSealed : seal(token, placeOf(botId, 'token')),
    secret_sealed: secret === undefined ? stored?.secretSealed : seal(secret, placeOf(botId, 'secret')),
    calls_per_minute: callsPerMinute ?? found?.callsPerMinute ?? callsPerMinuteDefault,
    updated_at: new Date(now),
  };
  const missing = Object.entries({
    address: row.address,
    'bot id': row.their_bot_id,
    token: row.token_sealed,
    secret: row.secret_sealed,
  }).flatMap(([name, value]) => (value === undefined ? [name] : []));
  if (missing.length > 0)
    throw invalidInput(`The connection to MantaGo has no ${missing.join(', no ')}. Set each part once.`);
  const values = row as { [Name in keyof typeof row]: NonNullable<(typeof row)[Name]> };
  await tx`
    insert into mantago_connections ${tx({ bot_id: botId, ...values })}
    on conflict (bot_id) do update set ${tx(values)}`;
}

function originOf(address: string): string {
  return new URL(address).origin;
}

function checkForm({ theirBotId, token, secret, callsPerMinute: rate }: NewConnection): void {
  if (theirBotId !== undefined && !/^\w{1,64}$/.test(theirBotId))
    throw invalidInput("MantaGo's bot id has 1 to 64 letters and digits.");
  for (const [name, text] of Object.entries({ token, secret })) {
    if (text === undefined || (/^[\x21-\x7e]+$/.test(text) && text.length <= textLengthMax)) continue;
    throw invalidInput(`The ${name} of MantaGo has 1 to ${textLengthMax} visible ASCII characters.`);
  }
  if (rate !== undefined && !(Number.isInteger(rate) && rate >= 1 && rate <= callsPerMinuteMax))
    throw invalidInput(`The calls per minute must be a whole number from 1 to ${callsPerMinuteMax}.`);
}

/** Null: none is stored. */
export async function findConnection(sql: Queryable, botId: string): Promise<StoredConnection | null> {
  const [row] = await sql<StoredConnection[]>`
    select address, their_bot_id as "theirBotId", calls_per_minute as "callsPerMinute" from mantago_connections
    where bot_id = ${botId}`;
  return row ?? null;
}

/** The connection with its pair. Throws Refusal INPUT_INVALID if there is none, or the pair was sealed with another key. */
export async function openConnection(
  sql: Queryable,
  botId: string,
  keys: Pick<Keys, 'unseal'>,
): Promise<Connection & { callsPerMinute: number }> {
  const [row] = await sql<(StoredConnection & { tokenSealed: Uint8Array; secretSealed: Uint8Array })[]>`
    select address, their_bot_id as "theirBotId", calls_per_minute as "callsPerMinute", token_sealed as "tokenSealed",
      secret_sealed as "secretSealed"
    from mantago_connections where bot_id = ${botId}`;
  if (!row) throw invalidInput('The bot has no connection to MantaGo. Start an import first.');
  const { tokenSealed, secretSealed, ...connection } = row;
  const token = keys.unseal(tokenSealed, placeOf(botId, 'token'));
  const secret = keys.unseal(secretSealed, placeOf(botId, 'secret'));
  return { ...connection, token, secret };
}

function placeOf(botId: string, column: 'token' | 'secret') {
  return { botId, platform: 'mantago', column };
}
