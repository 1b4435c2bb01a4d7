/**
 * `shoal restore`: a backup of `shoal backup` into an empty data folder, or into the empty database of DATABASE_URL.
 */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { readSecretKeys, restoreKeyFiles, settingFileName } from '../auth/keys.ts';
import { isEncrypted } from '../backup/archive.ts';
import { type Backup, restoreBackup, verifyBackup } from '../backup/restore.ts';
import { readMigrations } from '../database/migrate.ts';
import { invalidInput } from '../errors.ts';
import { makeFolder } from '../folders.ts';
import { stopped } from './backup.ts';
import type { ShoalCommand } from './command.ts';
import type { Context } from './context.ts';
import { megabytes, withProgress } from './progress.ts';
import { untilStopped } from './until-stopped.ts';
import type { UserContext } from './user.ts';

type Restored = { version: string; createdAt: string; bots: string[]; keyFile: string | null };

/** Adds the command. */
export function register(program: ShoalCommand, context: Context & UserContext): void {
  program
    .add('restore', 'Restore a file of shoal backup into an empty data folder. Checks the whole file first.')
    .argument('<file>', 'file that shoal backup wrote')
    .print(async (path: string) => {
      const passphrase = (await isEncrypted(path))
        ? (context.config().backupPassphrase ??
          (await context.readPassword({ what: 'passphrase', isNew: false })))
        : null;
      const restored = await untilStopped((signal) => restore(context, path, { passphrase, signal })).catch(
        stopped(context),
      );
      return restored && { json: { file: path, ...restored }, text: render(restored) };
    });
}

function restore(
  context: Context,
  path: string,
  { passphrase, signal }: { passphrase: string | null; signal: AbortSignal },
): Promise<Restored> {
  return withProgress(context, 'MB', async (show) => {
    const migrations = await readMigrations();
    // The file is read twice.
    const { size } = await stat(path);
    const progressFrom = (before: number) => (bytes: number) =>
      show(megabytes(before + bytes), megabytes(2 * size));
    const reading = { passphrase, signal };
    const backup = await verifyBackup(path, migrations, { ...reading, progress: progressFrom(0) });
    checkKey(context, backup);
    return context.withDatabase(
      async (sql) => {
        let keyFile: string | null = null;
        const beforeRows = async () => {
          keyFile = await restoreKeys(context, backup);
        };
        const options = { ...reading, beforeRows, progress: progressFrom(size) };
        await restoreBackup(sql, backup, migrations, options);
        const bots = await sql<{ botId: string }[]>`select bot_id as "botId" from bots order by bot_id`;
        const { shoal, createdAt } = backup.manifest;
        return { version: shoal, createdAt, bots: bots.map(({ botId }) => botId), keyFile };
      },
      { isNew: true },
    );
  });
}

/** Throws Refusal INPUT_INVALID if this installation has another key already. */
function checkKey(context: Context, { keys: [current] }: Backup): void {
  const { secretKey, secretKeyPrevious, data } = context.config();
  const { random } = context;
  const own = readSecretKeys({ secretKey, secretKeyPrevious, dataFolder: data, random });
  if (current === undefined || own.length === 0 || own.includes(current)) return;
  throw invalidInput(
    'The secret key of this installation (SHOAL_SECRET_KEY, or secret.key in the data folder) is not the one of the backup. Nothing was restored. Unset the setting, or choose another folder with --data.',
  );
}

/** Stores the keys of the backup unless a setting has them. Returns the file of the current one. */
async function restoreKeys(context: Context, { keys }: Backup): Promise<string | null> {
  const { secretKey, data } = context.config();
  if (secretKey !== null || keys.length === 0) return null;
  await makeFolder(data, 0o711);
  return restoreKeyFiles(data, keys, context.random);
}

function render({ version, createdAt, bots, keyFile }: Restored): string {
  const isSetting = keyFile !== null && basename(keyFile) === settingFileName;
  return [
    `Restored the backup of ${createdAt} (Shoal ${version}) with ${bots.length} bots: ${bots.join(', ')}.`,
    ...(isSetting
      ? [`Its secret key was a setting. Start Shoal with SHOAL_SECRET_KEY_FILE=${keyFile}.`]
      : []),
    'To compare the figures with the events: shoal recount BOT --check, shoal points audit BOT.',
  ].join('\n');
}
