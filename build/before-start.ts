/**
 * Runs before `npm start` and `npm run demo`: builds what browsers are given, where the tools for that are installed. Without the
 * development dependencies (`npm ci --omit=dev`) what was built before stays as it is; the APIs need none of it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const vite = new URL('../node_modules/vite/package.json', import.meta.url);
const index = new URL('../dist/dashboard/index.html', import.meta.url);

if (existsSync(vite)) {
  const { status } = spawnSync('npm run --silent build', { stdio: 'inherit', shell: true });
  process.exitCode = status ?? 1;
} else if (!existsSync(index)) {
  process.stderr.write(
    'There is no dashboard: it is not built, and its tools are not installed. Run npm ci and npm run build.\n',
  );
}
