/**
 * A real browser for tests: Chromium from npm, started once per test file, with fonts for Chinese and Japanese.
 *
 * `openPage` returns Playwright's page with its errors and the origins that it contacted. The browser enforces its security rules:
 * origins and content security policies.
 */
import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, type TestContext } from 'node:test';
import { createBrotliDecompress } from 'node:zlib';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

export type Viewport = { width: number; height: number };
export const desktop: Viewport = { width: 1280, height: 800 };
export const phone: Viewport = { width: 390, height: 844 };

export type PageOptions = {
  viewport?: Viewport;
  /** The browser's locale, such as zh-TW; default: en-GB. */
  locale?: string;
  colorScheme?: 'light' | 'dark';
  /** Default: reduce, so that nothing moves during checks. */
  reducedMotion?: 'reduce' | 'no-preference';
  timeZone?: string;
};

export type OpenedPage = {
  page: Page;
  /** The browser profile; open more tabs with `watch(await context.newPage())`. */
  context: BrowserContext;
  /** Console errors and uncaught errors of all tabs, including failed and refused requests. */
  errors: string[];
  /** The origins that all tabs contacted, also by sockets. */
  origins: Set<string>;
  /** Also watches another tab. */
  watch(page: Page): Page;
};

const require = createRequire(import.meta.url);
/** The maximum wait of a test step. */
const waitMsMax = 60_000;

let running: Promise<Browser> | undefined;
const folders: string[] = [];

after(async () => {
  await (await running)?.close();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** Opens an empty page in a new browser profile, and closes it when the test ends. */
export async function openPage(t: TestContext, options: PageOptions = {}): Promise<OpenedPage> {
  running ??= startBrowser();
  const context = await (await running).newContext({
    viewport: options.viewport ?? desktop,
    locale: options.locale ?? 'en-GB',
    colorScheme: options.colorScheme ?? 'light',
    reducedMotion: options.reducedMotion ?? 'reduce',
    timezoneId: options.timeZone ?? 'Asia/Taipei',
    hasTouch: options.viewport === phone,
  });
  t.after(() => context.close());
  context.setDefaultTimeout(waitMsMax);
  const errors: string[] = [];
  const origins = new Set<string>();
  const watch = (page: Page): Page => {
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => errors.push(error.stack ?? String(error)));
    page.on('request', (request) => origins.add(new URL(request.url()).origin));
    page.on('websocket', (socket) => origins.add(new URL(socket.url()).origin.replace(/^ws/, 'http')));
    return page;
  };
  return { page: watch(await context.newPage()), context, errors, origins, watch };
}

/** Closes all open pages, before their server is closed. */
export async function closePages(): Promise<void> {
  await Promise.all((await running)?.contexts().map((context) => context.close()) ?? []);
}

/**
 * Checks a page with axe (WCAG 2.2 AA and best practices). Returns one line for each violated rule with its elements. `within` is a
 * CSS selector that limits the check.
 */
export async function findAccessibilityProblems(page: Page, within = 'html'): Promise<string[]> {
  await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  return page.evaluate(async (selector) => {
    // @ts-expect-error axe exists on the page only.
    const { violations } = await window.axe.run({ include: [selector] });
    return violations.map(
      (violation: { id: string; help: string; nodes: { target: unknown[]; failureSummary: string }[] }) =>
        `${violation.id}: ${violation.help}\n${violation.nodes
          .map(({ target, failureSummary }) => `  ${target.join(' ')}: ${failureSummary}`)
          .join('\n')}`,
    );
  }, within);
}

/** Writes a screenshot to `NAME.png` in the folder SHOAL_SCREENSHOTS, if that variable is set. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env.SHOAL_SCREENSHOTS;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Starts Chromium; the caller closes it. Tests use `openPage`. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: await unpackChromium(),
    // Containers have no sandbox for it and little shared memory.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--font-render-hinting=none'],
    env: { ...definedEnvironment(), FONTCONFIG_FILE: await writeFontSettings() },
  });
}

// The package's own unpacking accepts a file that another process is still writing, and its arguments disable the rules about
// origins, which the tests check.
async function unpackChromium(): Promise<string> {
  const packageFolder = join(dirname(require.resolve('@sparticuz/chromium')), '..');
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  const program = join(tmpdir(), `shoal-test-chromium-${version}`);
  if (existsSync(program)) return program;
  const unfinished = `${program}-${randomBytes(8).toString('hex')}`;
  await pipeline(
    createReadStream(join(packageFolder, 'bin/chromium.br')),
    createBrotliDecompress(),
    createWriteStream(unfinished, { mode: 0o755 }),
  );
  await rename(unfinished, program);
  return program;
}

/** Configures the same fonts on every machine, so that screenshots are comparable. */
async function writeFontSettings(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-test-fonts-'));
  folders.push(folder);
  const fonts = ['tc', 'jp'].map((region) =>
    dirname(require.resolve(`@expo-google-fonts/noto-sans-${region}/package.json`)),
  );
  const weights = ['400Regular', '500Medium', '600SemiBold', '700Bold'];
  const file = join(folder, 'fonts.conf');
  await writeFile(
    file,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
${fonts.flatMap((folder) => weights.map((weight) => `<dir>${join(folder, weight)}</dir>`)).join('\n')}
<cachedir>${join(folder, 'cache')}</cachedir>
</fontconfig>`,
  );
  return file;
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
