/**
 * `shoal key`: the secret key that encrypts the credentials.
 */
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
import type { ShoalCommand } from './command.ts';
import type { Context } from './context.ts';
import { withProgress } from './progress.ts';

/** Adds the commands. */
export function register(program: ShoalCommand, context: Context): void {
  program
    .add('key', 'The secret key that encrypts the credentials: rotate.')
    .command('rotate')
    .description(
      'Encrypt all credentials with a new secret key: SHOAL_SECRET_KEY, with the previous key in SHOAL_SECRET_KEY_PREVIOUS, or a new key file. Continues an interrupted rotation.',
    )
    .option('--previous-lost', 'the previous key is lost: its credentials must be set again')
    .print(async ({ previousLost = false }: { previousLost?: boolean }) => {
      const rotation = await context.withDatabase((sql) => rotate(context, sql, previousLost), {
        anyKey: previousLost,
      });
      return { json: rotation, text: render(rotation) };
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
  return withProgress(context, 'bots', (progress) =>
    rotateKey(sql, keys, { next, previousLost, now, progress }),
  );
}

/** Creates a new key file, unless an interrupted rotation has created it already. */
async function renewFile(sql: Sql, source: KeySource, previousLost: boolean): Promise<void> {
  const stored = await readFingerprints(sql);
  const isInUse = stored?.previous === null && findKeys(source)?.current.fingerprint === stored.fingerprint;
  if (isInUse && !previousLost) await renewKeyFile(source.dataFolder, source.random);
}

function noNewKey(): Refusal {
  return new Refusal(
    'INPUT_INVALID',
    'No new secret key. Create one (openssl rand -hex 32) and set it as SHOAL_SECRET_KEY.',
  );
}

/** A server reads its settings at start. Each must have the new key before any credential is encrypted with it. */
async function checkServers(sql: Sql, next: SecretKey): Promise<void> {
  const rows = await sql<{ name: string }[]>`
    select application_name as name from pg_stat_activity
    where datname = current_database() and application_name like 'shoal serve %'`;
  const fingerprint = shortFingerprint(next);
  if (rows.every(({ name }) => name.includes(fingerprint))) return;
  throw new Refusal(
    'INPUT_INVALID',
    'A running server does not have the new secret key yet. Restart each server with SHOAL_SECRET_KEY (the new key) and SHOAL_SECRET_KEY_PREVIOUS (the previous key), then repeat this command.',
  );
}

function render({ fingerprint, resealed, unreadable }: Rotation): string {
  const lines = unreadable.map(
    ({ botId, platform, credential }) => `  bot ${botId}, ${platform}: ${credential}`,
  );
  if (resealed === 0 && unreadable.length === 0) {
    return `The secret key ${fingerprint} is in use. All credentials are encrypted with it already.`;
  }
  return [
    `The secret key ${fingerprint} is in use. Credentials encrypted with it now: ${resealed}.`,
    ...(lines.length === 0
      ? [
          'Keep the previous key until the tokens created with it have expired (docs/security.md, "Secret key").',
        ]
      : ['Neither key decrypts these; set them again:', ...lines]),
  ].join('\n');
}
