/**
 * Where a command writes what may be much: stdout, or a file that is there when it is whole and not before.
 */
import { once } from 'node:events';
import { open, rename, rm } from 'node:fs/promises';
import { Refusal } from '../errors.ts';

export type Output = {
  /** Resolves when the reader has room for more. */
  write(text: string): Promise<void>;
  /** Everything has been written. */
  finish(): Promise<void>;
  /** It will not be whole: nothing of it stays. Safe after `finish`. */
  discard(): Promise<void>;
};

/** What is exported is personal: for its owner alone. */
const fileMode = 0o600;

/**
 * A file that is written under another name beside it, and takes the place of one that is there when it is whole. Throws
 * INPUT_INVALID when the folder does not take it.
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

/** A stream that somebody else ends. A reader that goes away makes `write` fail with EPIPE. */
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
      // The last piece has been taken when an empty one behind it has.
      await new Promise<void>((resolve, reject) => {
        stream.write('', (error) => (error ? reject(error) : resolve()));
      });
    },
    async discard() {},
  };
}
