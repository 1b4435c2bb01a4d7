/**
 * Output of large commands: stdout, or a file that appears when it is complete.
 */
import { once } from 'node:events';
import { open, rename, rm } from 'node:fs/promises';
import { Refusal } from '../errors.ts';

export type Output = {
  /** Resolves when the reader can take more. */
  write(text: string): Promise<void>;
  /** Call it after the last write. */
  finish(): Promise<void>;
  /** Deletes incomplete output. Safe after `finish`. */
  discard(): Promise<void>;
};

/** Exports contain personal data. */
const fileMode = 0o600;

/**
 * Writes to a temporary file in the same folder, and replaces the file at `path` when it is complete. Throws Refusal INPUT_INVALID
 * if the folder is not writable.
 */
export async function fileOutput(path: string): Promise<Output> {
  const unfinished = `${path}.${process.pid}.unfinished`;
  const refuse = (error: unknown): never => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal('INPUT_INVALID', `${path} cannot be written: ${reason}.`);
  };
  const file = await open(unfinished, 'w', fileMode).catch(refuse);
  return {
    write: (text) => file.writeFile(text),
    async finish() {
      await file.sync();
      await file.close();
      await rename(unfinished, path).catch(refuse);
    },
    async discard() {
      await file.close();
      await rm(unfinished, { force: true });
    },
  };
}

/** Writes to a stream and leaves it open. If the reader closes it, `write` throws EPIPE. */
export function streamOutput(stream: NodeJS.WritableStream): Output {
  let failure: Error | undefined;
  stream.on('error', (error) => {
    failure = error;
  });
  return {
    async write(text) {
      if (failure) throw failure;
      if (!stream.write(text)) await once(stream, 'drain');
    },
    async finish() {
      // Its callback runs after those of all earlier writes.
      await new Promise<void>((resolve, reject) => {
        stream.write('', (error) => (error ? reject(error) : resolve()));
      });
    },
    async discard() {},
  };
}
