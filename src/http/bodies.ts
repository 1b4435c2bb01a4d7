/**
 * Request bodies of the APIs. JSON is UTF-8 with or without a byte order mark. Files are bytes. Both may be compressed
 * (`Content-Encoding: gzip`). The limit of the route applies to the received bytes and to the decompressed ones.
 */
import { isAscii } from 'node:buffer';
import { gunzip } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Refusal } from '../errors.ts';

const charsets = ['utf-8', 'utf8', 'us-ascii'];
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Accepts bodies of `application/json` only. `asText`: without parsing them. */
export function readJsonBodies(scope: FastifyInstance, { asText = false } = {}): void {
  const parse = scope.getDefaultJsonParser('error', 'error');
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, sent, done) => {
    readBytes(request, sent, (error, bytes) => {
      const text = bytes ? decode(bytes) : null;
      if (text === null) done(error ?? new Refusal('INPUT_INVALID', 'the body is not UTF-8'));
      else if (asText) done(null, text);
      else parse(request, text, done);
    });
  });
}

/** Accepts files of these types as bytes. */
export function readFileBodies(scope: FastifyInstance, types: readonly string[]): void {
  scope.addContentTypeParser<Buffer>([...types], { parseAs: 'buffer' }, readBytes);
}

/** Null: the bytes are not UTF-8. */
function decode(bytes: Buffer): string | null {
  if (isAscii(bytes)) return bytes.toString('latin1');
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/**
 * Calls back with the decompressed bytes: at once if they were not compressed. Throws Refusal MEDIA_TYPE_UNSUPPORTED; calls back
 * with BODY_TOO_LARGE or INPUT_INVALID.
 */
function readBytes(
  request: FastifyRequest,
  sent: Buffer,
  done: (error: Refusal | null, bytes?: Buffer) => void,
): void {
  if (!isCompressed(request)) {
    done(null, sent);
    return;
  }
  const maxOutputLength = request.routeOptions.bodyLimit ?? 0;
  gunzip(sent, { maxOutputLength }, (error: NodeJS.ErrnoException | null, bytes) => {
    if (!error) done(null, bytes);
    else if (error.code !== 'ERR_BUFFER_TOO_LARGE')
      done(new Refusal('INPUT_INVALID', 'the body is not gzip'));
    else done(new Refusal('BODY_TOO_LARGE', `the body must have at most ${maxOutputLength / 1_024} KiB`));
  });
}

/** Throws Refusal MEDIA_TYPE_UNSUPPORTED for another charset or encoding than the known ones. */
function isCompressed({ headers }: FastifyRequest): boolean {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  if (!charsets.includes(charset.toLowerCase()))
    throw new Refusal('MEDIA_TYPE_UNSUPPORTED', 'the charset of the body must be UTF-8');
  const encoding = headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (encoding === 'identity') return false;
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  throw new Refusal('MEDIA_TYPE_UNSUPPORTED', 'the body must be plain, or have Content-Encoding: gzip');
}
