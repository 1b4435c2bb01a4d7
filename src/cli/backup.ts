/**
 * `shoal backup`: the embedded database and the secret key in one file, while servers run.
 */
import { readSecretKeys } from '../auth/keys.ts';
import { writeBackup } from '../backup/backup.ts';
import { invalidInput } from '../errors.ts';
import { version } from '../version.ts';
import type { ShoalCommand } from './command.ts';
import type { Context } from './context.ts';
import { megabytes, withProgress } from './progress.ts';
import { Stopped, untilStopped } from './until-stopped.ts';
import type { UserContext } from './user.ts';

/** Adds the command. */
export function register(program: ShoalCommand, context: Context & UserContext): void {
  program
    .add(
      'backup',
      'Write the embedded database and the secret key to one file, while Shoal runs. Keep the file secret, or encrypt it.',
    )
    .argument('<file>', 'file to write, such as shoal-2026-03-01.tar.gz; it appears when it is complete')
    .option('--encrypt', 'encrypt with a passphrase: SHOAL_BACKUP_PASSPHRASE, or typed or piped in')
    .print(async (path: string, { encrypt = false }: { encrypt?: boolean }) => {
      const { databaseUrl, backupPassphrase } = context.config();
      if (databaseUrl !== null) throw notEmbedded(path);
      const passphrase =
        backupPassphrase ?? (encrypt ? await context.readPassword({ what: 'passphrase' }) : null);
      const written = await untilStopped((signal) => write(context, path, { passphrase, signal })).catch(
        stopped(context),
      );
      if (written === null) return null;
      const isEncrypted = passphrase !== null;
      return {
        json: { file: path, ...written, encrypted: isEncrypted },
        text: `${path} has the database and the secret key (${megabytes(written.bytes)} MB). ${
          isEncrypted
            ? 'Keep its passphrase elsewhere.'
            : 'It is not encrypted: keep it where only you can read it.'
        }`,
      };
    });
}

function write(
  context: Context,
  path: string,
  { passphrase, signal }: { passphrase: string | null; signal: AbortSignal },
): Promise<{ bytes: number; tables: number }> {
  return withProgress(context, 'MB', (progress) =>
    context.withDatabase(async (sql) => {
      // Creates the key of an installation that never needed one, so that each backup has a key.
      await context.keys(sql);
      const { secretKey, secretKeyPrevious, data } = context.config();
      const { clock, random } = context;
      return writeBackup(sql, path, {
        keys: readSecretKeys({ secretKey, secretKeyPrevious, dataFolder: data, random }),
        ...{ version, passphrase, signal, now: clock() },
        progress: (done, all) => progress(megabytes(done), megabytes(all)),
      });
    }),
  );
}

/** Handles a stop by a signal: null, and the exit code of the signal. Other errors are thrown. */
export function stopped(context: Pick<Context, 'log'>): (error: unknown) => null {
  return (error) => {
    if (!(error instanceof Stopped)) throw error;
    context.log('Stopped. Nothing was changed.');
    process.exitCode = error.exitCode;
    return null;
  };
}

function notEmbedded(path: string) {
  return invalidInput(
    `shoal backup is for the embedded database. Back up the one of DATABASE_URL with PostgreSQL's own program, of the same version as the server:\n  pg_dump --format=custom --no-owner --file=${path} "$DATABASE_URL"\nKeep SHOAL_SECRET_KEY with the dump: without it, the credentials in it cannot be read.`,
  );
}
