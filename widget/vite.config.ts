/** Builds the widget: one classic script for any page, `dist/widget/widget.js`. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: folder('.'),
  publicDir: false,
  define: { 'process.env.NODE_ENV': '"production"' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: folder('../dist/widget'),
    emptyOutDir: true,
    target: 'es2022',
    // The script's text is all that a page holds of it: nothing is fetched later.
    modulePreload: false,
    lib: {
      entry: folder('main.tsx'),
      formats: ['iife'],
      name: 'shoalChatWidget',
      fileName: () => 'widget.js',
    },
  },
});
