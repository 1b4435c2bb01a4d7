/**
 * `GET /live-chat/widget.js`: the script that a business's page loads, built by `npm run build`.
 *
 * Its address stays the same in each version, so a browser caches it for some minutes and then revalidates it. It is the same file
 * for all pages and visitors.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import staticFiles from '@fastify/static';
import type { FastifyInstance } from 'fastify';

const builtFolder = fileURLToPath(new URL('../../../dist/widget/', import.meta.url));
const fileName = 'widget.js';
const cachedSeconds = 300;

/** Adds `GET /live-chat/widget.js`. It also serves a widget that is built after the start. */
export async function registerWidgetFile(app: FastifyInstance, folder = builtFolder): Promise<void> {
  const isBuilt = () =>
    access(join(folder, fileName)).then(
      () => true,
      () => false,
    );
  await app.register(async (scope) => {
    const options = { serve: false, preCompressed: true, cacheControl: false, suppressWarning: true };
    await scope.register(staticFiles, { root: folder, ...options });
    // The package names the older type.
    scope.addHook('onSend', async (_request, reply) => {
      if (reply.statusCode === 200) reply.type('text/javascript; charset=utf-8');
    });
    scope.get('/live-chat/widget.js', async (_request, reply) => {
      if (!(await isBuilt()))
        return reply
          .code(503)
          .header('cache-control', 'no-store')
          .type('text/plain; charset=utf-8')
          .send('The widget is not built. Run "npm run build" on the server.\n');
      return reply
        .headers({
          'cache-control': `public, max-age=${cachedSeconds}`,
          'access-control-allow-origin': '*',
          'cross-origin-resource-policy': 'cross-origin',
        })
        .sendFile(fileName);
    });
  });
}
