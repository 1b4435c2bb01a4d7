#!/usr/bin/env -S node --max-semi-space-size=8
// Plain JavaScript, so that an old Node can read it and say what is missing. The small young generation (MB) keeps the server
// below 250 MB at full load: left alone it grows to 128 MB of garbage.
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `Shoal needs Node 24 or newer; this is ${process.version}. Run it by its npm scripts or with npx, which use the one that npm ci installs.`,
  );
  process.exit(1);
}
// Old garbage goes when it is half of what lives, not four times as much: a long export takes 210 MB instead of 310.
setFlagsFromString('--heap-growing-percent=50');
// Compiled once: later starts are quicker, and need not load the program that takes the types out of the sources (30 MB). Beside
// the code and not in the folder for temporary files, where others could put something in its place.
const { enableCompileCache } = await import('node:module');
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/shoal', import.meta.url)));
const { main } = await import('../src/cli/cli.ts');
await main();
