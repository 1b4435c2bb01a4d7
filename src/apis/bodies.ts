/**
 * JSON bodies as the APIs take them: UTF-8 with or without a byte order mark, plain or with `Content-Encoding: gzip`. The limit of
 * the route holds for the bytes that arrive and for what they become.
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

/** Throws Refusal MEDIA_TYPE_UNSUPPORTED, BODY_TOO_LARGE, INPUT_INVALID. */
async function readText(request: FastifyRequest, bytes: Buffer): Promise<string> {
  const charset =
    /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(request.headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  if (!charsets.includes(charset.toLowerCase()))
    throw new Refusal('MEDIA_TYPE_UNSUPPORTED', 'the charset of the body must be UTF-8');
  const plain = await decompress(request, bytes);
  try {
    return decoder.decode(plain);
  } catch {
    throw new Refusal('INPUT_INVALID', 'the body is not UTF-8');
  }
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
