/**
 * `GET /live-chat/widget.js`: the script that a business's page loads, as `npm run build` made it.
 *
 * Its address never changes while its text does with each version, so a browser keeps it for some minutes and then asks whether
 * it is still the same. It is one file for everybody: any page may load it, and nothing of a visitor is in it.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { namesTag } from '../../http/entity-tag.ts';

type WidgetFile = { changedAt: number; tag: string; plain: Buffer; gzip: Buffer; br: Buffer };

const builtFile = new URL('../../../dist/widget/widget.js', import.meta.url);
const keptSeconds = 300;
const tagLength = 27;

/** Adds `GET /live-chat/widget.js`. What was built after the start is served, too. */
export function registerWidgetFile(app: FastifyInstance, file: URL = builtFile): void {
  let kept: WidgetFile | null = null;
  app.get('/live-chat/widget.js', async (request, reply) => {
    kept = await readAgain(file, kept);
    if (kept === null)
      return reply
        .code(503)
        .header('cache-control', 'no-store')
        .type('text/plain; charset=utf-8')
        .send('The widget is not built. Run "npm run build" on the server.\n');
    const encoding = encodingOf(request.headers['accept-encoding']);
    const tag = `"${kept.tag}-${encoding}"`;
    reply.headers({
      'cache-control': `public, max-age=${keptSeconds}`,
      etag: tag,
      vary: 'accept-encoding',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
    });
    const held = request.headers['if-none-match'];
    if (held !== undefined && namesTag(held, tag, { weakToo: true })) return reply.code(304).send();
    if (encoding !== 'plain') reply.header('content-encoding', encoding);
    return reply.type('text/javascript; charset=utf-8').send(kept[encoding]);
  });
}

/** What is kept, or the file anew when it was built since; null when it is not there. */
async function readAgain(file: URL, kept: WidgetFile | null): Promise<WidgetFile | null> {
  const found = await stat(file).catch(missing);
  if (found === null || found.mtimeMs === kept?.changedAt) return found && kept;
  const plain = await readFile(file).catch(missing);
  if (plain === null) return null;
  const tag = createHash('sha256').update(plain).digest('base64url').slice(0, tagLength);
  return {
    changedAt: found.mtimeMs,
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
