/**
 * Builds the dashboard: `vite build --config dashboard/vite.config.ts` → `dist/dashboard/`.
 *
 * Nothing is inlined, so the pages need neither `unsafe-inline` nor `data:` scripts in their content security policy.
 * `vite --config dashboard/vite.config.ts` serves the sources for development, next to a Shoal on port 8080.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { precompress } from '../build/precompress.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
/** The first versions with `light-dark()`, ranges in `Intl` and `<dialog>`; all are from 2024 or earlier. */
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
