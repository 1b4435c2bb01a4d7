#!/usr/bin/env node
// Plain JavaScript, so that an old Node can read it and say what is missing.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `Shoal needs Node 24 or newer; this is ${process.version}. Run it by its npm scripts or with npx, which use the one that npm ci installs.`,
  );
  process.exit(1);
}
const { main } = await import('../src/cli.ts');
await main();
