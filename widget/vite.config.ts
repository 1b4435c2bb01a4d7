/** Builds the widget as one classic script, `dist/widget/widget.js`. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { precompress } from '../build/precompress.ts';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: folder('.'),
  publicDir: false,
  plugins: [precompress()],
  define: { 'process.env.NODE_ENV': '"production"' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: folder('../dist/widget'),
    emptyOutDir: true,
    target: 'es2022',
    // The script is complete: it loads nothing later.
    modulePreload: false,
    lib: {
      entry: folder('main.tsx'),
      formats: ['iife'],
      name: 'shoalChatWidget',
      fileName: () => 'widget.js',
    },
  },
});
