/**
 * The file of a backup: a gzip-compressed tar archive, encrypted with age if there is a passphrase. Standard tools open it:
 * `tar -xzf FILE`, or `age --decrypt FILE | tar -xz`.
 *
 * The last member is the manifest. It lists all others with their sizes and SHA-256 hashes, so an incomplete file is never accepted.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream, type WritableStream } from 'node:stream/web';
import { createGunzip, createGzip } from 'node:zlib';
import type { Encrypter } from 'age-encryption';
import { invalidInput, Refusal } from '../errors.ts';

/** A part of a backup. Its name is a path in the archive. */
export type Member = { name: string; body: Uint8Array };
/** What the manifest records of each member. */
export type MemberRecord = { name: string; bytes: number; sha256: string };

type WriteOptions = {
  now: number;
  passphrase: string | null;
  /** age's work factor of the passphrase: 2^n steps. */
  workFactor?: number;
};

export type ReadOptions = {
  passphrase: string | null;
  /** When aborted, the reader throws its reason. */
  signal: AbortSignal;
  /** Gets the bytes of the file that are read. */
  progress: (bytes: number) => void;
};

export const manifestName = 'manifest.json';
const fileMode = 0o600;
const memberBytesMax = 256 * 1024 * 1024;
const ageHeader = 'age-encryption.org/';

/**
 * Writes an archive: `fill` adds the members and returns the manifest without their list. The file appears when it is complete; a
 * killed process leaves a file with the suffix `.unfinished`. Throws Refusal INPUT_INVALID if the file exists or cannot be written.
 */
export async function writeArchive(
  path: string,
  { now, passphrase, workFactor }: WriteOptions,
  fill: (add: (name: string, body: Uint8Array) => Promise<void>) => Promise<object>,
): Promise<{ bytes: number }> {
  const unfinished = `${path}.${process.pid}.unfinished`;
  await refuseExisting(path);
  const file = await open(unfinished, 'wx', fileMode).catch((error) => refuseTarget(path, error));
  try {
    const { createTarPacker } = await import('modern-tar');
    const { readable, controller } = createTarPacker();
    // Loaded for encrypted backups only: it takes longer than the rest of the command.
    const encrypter = passphrase === null ? null : new (await import('age-encryption')).Encrypter();
    if (workFactor !== undefined) encrypter?.setScryptWorkFactor(workFactor);
    encrypter?.setPassphrase(passphrase ?? '');
    const output = file.createWriteStream({ flush: true });
    const compressed = createGzip();
    const written = encrypter
      ? pipeline(Readable.fromWeb(readable as ReadableStream), compressed, encrypting(encrypter), output)
      : pipeline(Readable.fromWeb(readable as ReadableStream), compressed, output);
    // Awaited after the members; a handler now keeps an early failure from being reported as unhandled.
    written.catch(() => undefined);
    const members: MemberRecord[] = [];
    const addMember = async (name: string, body: Uint8Array) => {
      const writer = controller
        .add({ name, size: body.byteLength, mode: fileMode, mtime: new Date(now) })
        .getWriter();
      await writer.write(body);
      await writer.close();
    };
    try {
      const manifest = await fill(async (name, body) => {
        members.push(recordOf({ name, body }));
        await addMember(name, body);
      });
      await addMember(manifestName, Buffer.from(`${JSON.stringify({ ...manifest, members }, null, 1)}\n`));
      controller.finalize();
    } catch (error) {
      controller.error(error);
      // A failure of the file is the cause of the failure here.
      await written;
      throw error;
    }
    await written;
    const { size } = await stat(unfinished);
    await refuseExisting(path);
    await rename(unfinished, path);
    await syncFolder(dirname(path));
    return { bytes: size };
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(unfinished, { force: true });
    throw error instanceof Error && 'syscall' in error ? refuseTarget(path, error) : error;
  }
}

/**
 * Yields the members of an archive in order, the manifest last. Throws Refusal INPUT_INVALID for a
 * file that is damaged, incomplete or no archive, and for a wrong passphrase.
 */
export async function* readArchive(
  path: string,
  { passphrase, signal, progress }: ReadOptions,
): AsyncGenerator<Member> {
  const { createTarDecoder } = await import('modern-tar');
  const source = createReadStream(path, { signal });
  let bytes = 0;
  source.on('data', (chunk) => {
    bytes += chunk.length;
    progress(bytes);
  });
  source.pause();
  const gunzip = createGunzip();
  try {
    const plain = (await isEncrypted(path)) ? await decrypt(source, passphrase) : source;
    pipeline(plain, gunzip).catch((error) => gunzip.destroy(error));
    const entries = (Readable.toWeb(gunzip) as ReadableStream<Uint8Array>).pipeThrough(
      createTarDecoder({ strict: true }) as unknown as TarDecoder,
    );
    for await (const { header, body } of entries) {
      if (header.size > memberBytesMax) throw new Error(`${header.name} is too large`);
      const parts: Uint8Array[] = [];
      for await (const part of body) parts.push(part);
      yield { name: header.name, body: Buffer.concat(parts) };
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Refusal) throw error;
    if (isReadProblem(error)) throw invalidInput(`${path} cannot be read: ${error.message}.`);
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidInput(`${path} is damaged, incomplete, or not a backup of Shoal: ${reason}.`);
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

/** True if a passphrase is needed to read the file. Throws Refusal INPUT_INVALID if it cannot be read. */
export async function isEncrypted(path: string): Promise<boolean> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(ageHeader.length), 0, ageHeader.length, 0);
    return buffer.subarray(0, bytesRead).toString('latin1') === ageHeader;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidInput(`${path} cannot be read: ${reason}.`);
  } finally {
    await file?.close();
  }
}

export function recordOf({ name, body }: Member): MemberRecord {
  return { name, bytes: body.byteLength, sha256: createHash('sha256').update(body).digest('hex') };
}

type TarDecoder = {
  readable: ReadableStream<{ header: { name: string; size: number }; body: ReadableStream<Uint8Array> }>;
  writable: WritableStream<Uint8Array>;
};

function encrypting(encrypter: Encrypter) {
  return async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const plain = ReadableStream.from(source) as unknown as globalThis.ReadableStream<Uint8Array>;
    yield* (await encrypter.encrypt(plain)) as unknown as AsyncIterable<Uint8Array>;
  };
}

async function decrypt(source: Readable, passphrase: string | null): Promise<Readable> {
  if (passphrase === null) throw invalidInput('The backup is encrypted. Enter its passphrase.');
  const decrypter = new (await import('age-encryption')).Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    const sealed = Readable.toWeb(source) as unknown as globalThis.ReadableStream<Uint8Array>;
    return Readable.fromWeb((await decrypter.decrypt(sealed)) as unknown as ReadableStream);
  } catch (error) {
    throw new Refusal(
      'INPUT_INVALID',
      'The passphrase is not the one of this backup, or the beginning of the file is damaged.',
      { cause: error },
    );
  }
}

async function refuseExisting(path: string): Promise<void> {
  const existing = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    return refuseTarget(path, error);
  });
  if (existing === null) return;
  await existing.close();
  throw invalidInput(`${path} exists already. Use another name, or delete it.`);
}

function refuseTarget(path: string, error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw invalidInput(`${path} cannot be written: ${reason}.`);
}

function isReadProblem(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}

/** The name of a file survives a loss of power only after its folder is written. Windows has no such call. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path);
  await folder.sync().finally(() => folder.close());
}
