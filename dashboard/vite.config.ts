/**
 * How the dashboard is built: `vite build --config dashboard/vite.config.ts` → `dist/dashboard/`.
 *
 * Nothing is inlined, so that the pages run under a content security policy without `unsafe-inline` and without `data:` scripts.
 * `vite --config dashboard/vite.config.ts` serves the sources while they are written, beside a Shoal on port 8080.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { precompress } from '../build/precompress.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
/** Light and dark in one custom property (`light-dark()`), ranges in `Intl`, `dialog`: all of them since 2024. */
const browsers = ['chrome123', 'edge123', 'firefox121', 'safari17.5'];

export default defineConfig({
  root: here,
  cacheDir: fileURLToPath(new URL('../dist/.vite', import.meta.url)),
  publicDir: fileURLToPath(new URL('public', import.meta.url)),
  plugins: [precompress()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: fileURLToPath(new URL('../dist/dashboard', import.meta.url)),
    emptyOutDir: true,
    target: browsers,
    cssTarget: browsers,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } },
});
