/**
 * Runs before `npm start` and `npm run demo`: builds the dashboard and the widget if the build tools are installed. Without the
 * development dependencies (`npm ci --omit=dev`) an earlier build stays; the APIs need none.
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
    'The dashboard is not built, and the build tools are not installed. Run npm ci and npm run build.\n',
  );
}
