/**
 * Rotation of the secret key: the database records the new key, then every box is sealed with it, one bot after the other. Both keys
 * open boxes and verify tokens during the rotation. A killed rotation continues with the next run.
 */
import type { Keys, SecretKey } from '../auth/keys.ts';
import {
  hasPrevious,
  readBoxes,
  type SealedTable,
  sealedColumns,
  unsealOrNull,
} from '../auth/sealed-boxes.ts';
import { readFingerprints } from '../auth/secret-key.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { invalidInput } from '../errors.ts';
import { lockBot } from './bots.ts';

export type Rotation = {
  fingerprint: string;
  /** Boxes sealed with the new key in this run. */
  resealed: number;
  /** Credentials that neither key opens; set them again. */
  unreadable: { botId: string; platform: string; credential: string }[];
};

/**
 * Makes `next` the database's key and seals all boxes with it. Safe to repeat: it continues an interrupted rotation.
 * `previousLost`: the previous key is lost, so its credentials stay unreadable until they are set again. Throws Refusal
 * INPUT_INVALID if the previous key is missing.
 */
export async function rotateKey(
  sql: Sql,
  keys: Keys,
  {
    next,
    previousLost,
    now,
    progress,
  }: { next: SecretKey; previousLost: boolean; now: number; progress: (done: number, of: number) => void },
): Promise<Rotation> {
  await switchTo(sql, keys, { next, previousLost, now });
  keys.use(next);
  const bots = await sql<{ bot_id: string }[]>`select bot_id from bots order by bot_id`;
  const rotation: Rotation = { fingerprint: next.fingerprint, resealed: 0, unreadable: [] };
  for (const [index, { bot_id: botId }] of bots.entries()) {
    const { resealed, unreadable } = await sql.begin((tx) => resealBot(tx, keys, { next, botId, now }));
    rotation.resealed += resealed;
    rotation.unreadable.push(...unreadable);
    progress(index + 1, bots.length);
  }
  await sql`update secret_key set previous_fingerprint = null where fingerprint = ${next.fingerprint}`;
  return rotation;
}

/** Every transaction after its commit seals with the new key. Earlier ones hold a lock on the row (sealingKey). */
async function switchTo(
  sql: Sql,
  keys: Keys,
  { next, previousLost, now }: { next: SecretKey; previousLost: boolean; now: number },
): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`lock table secret_key in share row exclusive mode`;
    const stored = await readFingerprints(tx);
    if (stored?.fingerprint === next.fingerprint) {
      if (previousLost) await tx`update secret_key set previous_fingerprint = null`;
      else if (stored.previous !== null) requireKey(keys, stored.previous);
      return;
    }
    if (stored && !previousLost) {
      requireKey(keys, stored.fingerprint);
      if (stored.previous !== null) requireKey(keys, stored.previous);
    }
    const previous = previousLost ? null : (stored?.fingerprint ?? null);
    await tx`
      insert into secret_key (fingerprint, previous_fingerprint, set_at)
      values (${next.fingerprint}, ${previous}, ${new Date(now)})
      on conflict (id) do update set fingerprint = excluded.fingerprint,
        previous_fingerprint = excluded.previous_fingerprint, set_at = excluded.set_at`;
  });
}

function requireKey(keys: Keys, fingerprint: string): void {
  if (keys.find(fingerprint) !== null) return;
  throw invalidInput(
    `The key before (fingerprint ${fingerprint}) is missing: set it as SHOAL_SECRET_KEY_PREVIOUS. If it is lost, use --previous-lost: the credentials sealed with it have to be set again.`,
  );
}

/** The lock excludes changes of the bot's channels and callback, which write boxes that they read before. */
async function resealBot(
  tx: Transaction,
  keys: Keys,
  { next, botId, now }: { next: SecretKey; botId: string; now: number },
): Promise<Pick<Rotation, 'resealed' | 'unreadable'>> {
  await lockBot(tx, botId);
  for (const table of (Object.keys(sealedColumns) as SealedTable[]).filter(hasPrevious)) {
    await tx`
      update ${tx(table)} set previous_secret_sealed = null, previous_secret_until = null
      where bot_id = ${botId} and previous_secret_until <= ${new Date(now)}`;
  }
  const old = (await readBoxes(tx, [botId], now)).filter((box) => unsealOrNull(next, box) === null);
  const unreadable: Rotation['unreadable'] = [];
  let resealed = 0;
  for (const box of old) {
    const { table, column, place } = box;
    const text = keys.all.map((key) => unsealOrNull(key, box)).find((opened) => opened !== null) ?? null;
    if (text === null) {
      unreadable.push({ botId, platform: place.platform, credential: place.column });
      continue;
    }
    await tx`
      update ${tx(table)} set ${tx({ [column]: next.seal(text, place) })}
      where bot_id = ${botId} ${table === 'channels' ? tx`and platform = ${place.platform}` : tx``}`;
    resealed += 1;
  }
  return { resealed, unreadable };
}
