/**
 * All boxes of the database: credentials of channels, secrets of outgoing webhooks and alerts, and the API pair of MantaGo.
 */
import type { Queryable } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { Refusal } from '../errors.ts';
import type { Place } from './encryption.ts';
import type { SecretKey } from './keys.ts';

/** The columns with boxes, each with the column name of its boxes' place (encryption.ts). */
export const sealedColumns = {
  channels: {
    secret_sealed: 'secret',
    previous_secret_sealed: 'secret',
    verify_token_sealed: 'verify token',
    access_token_sealed: 'access token',
    assertion_key_sealed: 'assertion key',
    identity_key_sealed: 'identity key',
  },
  callbacks: { secret_sealed: 'secret', previous_secret_sealed: 'secret' },
  alert_secrets: { secret_sealed: 'secret' },
  mantago_connections: { token_sealed: 'token', secret_sealed: 'secret' },
} as const;

export type SealedTable = keyof typeof sealedColumns;
export type Box = { table: SealedTable; column: string; place: Place; sealed: Uint8Array };

/**
 * The boxes of a secret and of the previous one, which is valid until a time. They share a place, so that the current one can become
 * the previous one.
 */
export type SealedSecrets = {
  secret_sealed: Uint8Array;
  previous_secret_sealed: Uint8Array | null;
  previous_secret_until: Date | null;
};

/** The name of the boxes' place, in tables with one row for each bot. */
const placeNames = {
  callbacks: 'callback',
  alert_secrets: 'alerts',
  mantago_connections: 'mantago',
} as const;

/** Whether the table has secrets that stay valid for a while after their replacement. */
export function hasPrevious(table: SealedTable): boolean {
  return 'previous_secret_sealed' in sealedColumns[table];
}

const botsAtOnce = 200;

/** The boxes of the bots, without expired previous secrets. */
export async function readBoxes(sql: Queryable, botIds: readonly string[], now: number): Promise<Box[]> {
  const names = Object.keys(sealedColumns) as SealedTable[];
  return (await Promise.all(names.map((name) => readTable(sql, name, { botIds, now })))).flat();
}

/** All boxes of the database, in batches. */
export async function* allBoxes(sql: Queryable, now: number): AsyncGenerator<Box[]> {
  for (let after = ''; ; ) {
    const rows = await sql<{ bot_id: string }[]>`
      select bot_id from bots where bot_id > ${after} order by bot_id limit ${botsAtOnce}`;
    const botIds = rows.map((row) => row.bot_id);
    const last = botIds.at(-1);
    if (last === undefined) return;
    yield await readBoxes(sql, botIds, now);
    after = last;
  }
}

/** The boxes of the valid secrets, the current one first. */
export function validBoxes(
  { secret_sealed, previous_secret_sealed, previous_secret_until }: SealedSecrets,
  now: number,
): Uint8Array[] {
  const isPreviousValid = (previous_secret_until?.getTime() ?? 0) > now;
  return [secret_sealed, isPreviousValid ? previous_secret_sealed : null].filter((box) => box !== null);
}

/** The content of a box; null: the key, or none of the keys, opens it. */
export function unsealOrNull(
  keys: Pick<SecretKey, 'unseal'>,
  { sealed, place }: Pick<Box, 'sealed' | 'place'>,
): string | null {
  try {
    return keys.unseal(sealed, place);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

type Row = { bot_id: string; platform: string; previous_secret_until: Date | null } & Record<string, unknown>;

async function readTable(
  sql: Queryable,
  table: SealedTable,
  { botIds, now }: { botIds: readonly string[]; now: number },
): Promise<Box[]> {
  const columns = Object.entries(sealedColumns[table]);
  const rows = await sql<Row[]>`
    select bot_id, ${table === 'channels' ? sql`platform` : sql`${placeNames[table]}::text as platform`},
      ${hasPrevious(table) ? sql`previous_secret_until` : sql`null::timestamptz as previous_secret_until`},
      ${sql(columns.map(([column]) => column))}
    from ${sql(table)} where bot_id = any (${textList(botIds)}::text[])`;
  return rows.flatMap((row) => {
    const isPreviousValid = (row.previous_secret_until?.getTime() ?? 0) > now;
    return columns.flatMap(([column, name]) => {
      const sealed = row[column];
      if (!(sealed instanceof Uint8Array) || (column.startsWith('previous') && !isPreviousValid)) return [];
      return [{ table, column, sealed, place: { botId: row.bot_id, platform: row.platform, column: name } }];
    });
  });
}
