/**
 * `shoal key`: the secret key that seals the credentials.
 */
import type { Command } from 'commander';
import {
  findKeys,
  type KeySource,
  openKeys,
  renewKeyFile,
  type SecretKey,
  shortFingerprint,
} from '../auth/keys.ts';
import { keysOf, readFingerprints } from '../auth/secret-key.ts';
import { type Rotation, rotateKey } from '../bots/key-rotation.ts';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import type { Context } from './context.ts';
import { showProgress } from './progress.ts';

type Flags = { previousLost?: boolean; json?: boolean };

/** Adds the commands. */
export function register(program: Command, context: Context): void {
  program
    .command('key')
    .description('The secret key that seals the credentials.')
    .command('rotate')
    .description(
      'Seal all credentials with a new secret key: that of SHOAL_SECRET_KEY, with the one before in SHOAL_SECRET_KEY_PREVIOUS, or a new key file. Goes on where a rotation was interrupted.',
    )
    .option('--previous-lost', 'the key before is gone: its credentials have to be set again')
    .option('--json', 'print one JSON object')
    .action(async ({ previousLost = false, json = false }: Flags) => {
      const rotation = await context.withDatabase((sql) => rotate(context, sql, previousLost), {
        anyKey: previousLost,
      });
      context.out(json ? JSON.stringify(rotation) : report(rotation));
    });
}

async function rotate(context: Context, sql: Sql, previousLost: boolean): Promise<Rotation> {
  const { secretKey, secretKeyPrevious, data, databaseUrl } = context.config();
  const source: KeySource = { secretKey, secretKeyPrevious, dataFolder: data, random: context.random };
  const now = context.clock();
  if (!previousLost) await keysOf(sql, source, { mayMake: databaseUrl === null, now });
  if (secretKey === null) await renewFile(sql, source, previousLost);
  const keys = findKeys(source) ?? (databaseUrl === null ? await openKeys(source) : null);
  if (keys === null) throw noNewKey();
  const next = keys.current;
  if (secretKey !== null) await checkServers(sql, next);
  const bar = showProgress(context, 'bots');
  try {
    return await rotateKey(sql, keys, { next, previousLost, now, progress: bar.update });
  } finally {
    bar.stop();
  }
}

/** Makes a new key file, unless the one that is there has not taken over yet. */
async function renewFile(sql: Sql, source: KeySource, previousLost: boolean): Promise<void> {
  const kept = await readFingerprints(sql);
  const isInUse = kept?.previous === null && findKeys(source)?.current.fingerprint === kept.fingerprint;
  if (isInUse && !previousLost) await renewKeyFile(source.dataFolder, source.random);
}

function noNewKey(): Refusal {
  return new Refusal(
    'INPUT_INVALID',
    'There is no new secret key. Make one (openssl rand -hex 32) and set it as SHOAL_SECRET_KEY.',
  );
}

/** A server knows the settings of its start only: each must have the new key before anything is sealed with it. */
async function checkServers(sql: Sql, next: SecretKey): Promise<void> {
  const rows = await sql<{ name: string }[]>`
    select application_name as name from pg_stat_activity
    where datname = current_database() and application_name like 'shoal serve %'`;
  const shown = shortFingerprint(next);
  if (rows.every(({ name }) => name.includes(shown))) return;
  throw new Refusal(
    'INPUT_INVALID',
    'A running server does not have the new secret key yet. Start each one again with SHOAL_SECRET_KEY (the new key) and SHOAL_SECRET_KEY_PREVIOUS (the one before), then repeat this.',
  );
}

function report({ fingerprint, resealed, unreadable }: Rotation): string {
  const lines = unreadable.map(
    ({ botId, platform, credential }) => `  bot ${botId}, ${platform}: ${credential}`,
  );
  if (resealed === 0 && unreadable.length === 0) {
    return `The secret key ${fingerprint} is in use, and every credential is sealed with it.`;
  }
  return [
    `The secret key ${fingerprint} is in use. Credentials sealed with it now: ${resealed}.`,
    ...(lines.length === 0
      ? ['Keep the key before until the tokens made with it have expired (docs/security.md, "Secret key").']
      : ['Neither key opens these; set them again:', ...lines]),
  ].join('\n');
}
