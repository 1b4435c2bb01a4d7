/**
 * `GET /live-chat/widget.js`: the script that a business's page loads, built by `npm run build`.
 *
 * Its address stays the same in each version, so a browser caches it for some minutes and then revalidates it. It is the same file
 * for all pages and visitors.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { namesTag } from '../../http/entity-tag.ts';

type WidgetFile = { changedAt: number; tag: string; plain: Buffer; gzip: Buffer; br: Buffer };

const builtFile = new URL('../../../dist/widget/widget.js', import.meta.url);
const cachedSeconds = 300;
const tagLength = 27;

/** Adds `GET /live-chat/widget.js`. It also serves a widget that is built after the start. */
export function registerWidgetFile(app: FastifyInstance, file: URL = builtFile): void {
  let current: WidgetFile | null = null;
  app.get('/live-chat/widget.js', async (request, reply) => {
    current = await readAgain(file, current);
    if (current === null)
      return reply
        .code(503)
        .header('cache-control', 'no-store')
        .type('text/plain; charset=utf-8')
        .send('The widget is not built. Run "npm run build" on the server.\n');
    const encoding = encodingOf(request.headers['accept-encoding']);
    const tag = `"${current.tag}-${encoding}"`;
    reply.headers({
      'cache-control': `public, max-age=${cachedSeconds}`,
      etag: tag,
      vary: 'accept-encoding',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
    });
    const known = request.headers['if-none-match'];
    if (known !== undefined && namesTag(known, tag, { weakToo: true })) return reply.code(304).send();
    if (encoding !== 'plain') reply.header('content-encoding', encoding);
    return reply.type('text/javascript; charset=utf-8').send(current[encoding]);
  });
}

/** Reads the file again if it has changed. Null if there is none. */
async function readAgain(file: URL, current: WidgetFile | null): Promise<WidgetFile | null> {
  const state = await stat(file).catch(missing);
  if (state === null || state.mtimeMs === current?.changedAt) return state && current;
  const plain = await readFile(file).catch(missing);
  if (plain === null) return null;
  const tag = createHash('sha256').update(plain).digest('base64url').slice(0, tagLength);
  return {
    changedAt: state.mtimeMs,
    tag,
    plain,
    gzip: await promisify(gzip)(plain, { level: constants.Z_BEST_COMPRESSION }),
    br: await promisify(brotliCompress)(plain),
  };
}

function missing(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}

function encodingOf(header: string | string[] | undefined): 'br' | 'gzip' | 'plain' {
  const accepted = String(header ?? '')
    .split(',')
    .map((one) => one.trim().toLowerCase());
  const isAccepted = (name: string): boolean =>
    accepted.some((one) => one === name || (one.startsWith(`${name};`) && !/;\s*q=0(\.0*)?$/.test(one)));
  return (['br', 'gzip'] as const).find(isAccepted) ?? 'plain';
}
