/**
 * Request bodies of the APIs. JSON is UTF-8 with or without a byte order mark; files are passed on as bytes. Both may be compressed
 * (`Content-Encoding: gzip`). The limit of the route holds for the received bytes and for the decompressed ones.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Refusal } from '../errors.ts';

const inflate = promisify(gunzip);
const charsets = ['utf-8', 'utf8', 'us-ascii'];
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Lets the scope take bodies of `application/json` and no other ones; `asText`: without parsing them. */
export function readJsonBodies(scope: FastifyInstance, { asText = false } = {}): void {
  const parse = scope.getDefaultJsonParser('error', 'error');
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    readText(request, bytes).then(
      (text) => (asText ? done(null, text) : parse(request, text, done)),
      (error: Error) => done(error),
    );
  });
}

/** Lets the scope take files of these types as bytes. */
export function readFileBodies(scope: FastifyInstance, types: readonly string[]): void {
  scope.addContentTypeParser<Buffer>([...types], { parseAs: 'buffer' }, readBytes);
}

/** Throws Refusal MEDIA_TYPE_UNSUPPORTED, BODY_TOO_LARGE, INPUT_INVALID. */
async function readText(request: FastifyRequest, bytes: Buffer): Promise<string> {
  const plain = await readBytes(request, bytes);
  try {
    return decoder.decode(plain);
  } catch {
    throw new Refusal('INPUT_INVALID', 'the body is not UTF-8');
  }
}

/** Throws Refusal MEDIA_TYPE_UNSUPPORTED, BODY_TOO_LARGE, INPUT_INVALID. */
async function readBytes(request: FastifyRequest, bytes: Buffer): Promise<Buffer> {
  const charset =
    /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(request.headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  if (!charsets.includes(charset.toLowerCase()))
    throw new Refusal('MEDIA_TYPE_UNSUPPORTED', 'the charset of the body must be UTF-8');
  return decompress(request, bytes);
}

async function decompress({ headers, routeOptions }: FastifyRequest, bytes: Buffer): Promise<Buffer> {
  const encoding = headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (encoding === 'identity') return bytes;
  if (encoding !== 'gzip' && encoding !== 'x-gzip')
    throw new Refusal('MEDIA_TYPE_UNSUPPORTED', 'the body must be plain, or have Content-Encoding: gzip');
  const maxOutputLength = routeOptions.bodyLimit ?? 0;
  return inflate(bytes, { maxOutputLength }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_BUFFER_TOO_LARGE') throw new Refusal('INPUT_INVALID', 'the body is not gzip');
    throw new Refusal('BODY_TOO_LARGE', `the body must have at most ${maxOutputLength / 1_024} KiB`);
  });
}
