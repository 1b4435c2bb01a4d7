/**
 * A real browser for tests: Chromium from npm, started once for a test file, with fonts that have Chinese and Japanese.
 *
 * In: what a page is to look like to its visitor. Out: Playwright's page, with everything that went wrong on it and every origin
 * that it asked. The browser's rules hold as they do for people: other origins, content security policies.
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
  /** Of the browser, as zh-TW; default: en-GB. */
  locale?: string;
  colorScheme?: 'light' | 'dark';
  /** Default: reduce, so that nothing moves while it is looked at. */
  reducedMotion?: 'reduce' | 'no-preference';
  timeZone?: string;
};

export type OpenedPage = {
  page: Page;
  /** The person's browser: what is stored, and further tabs by `watch(await context.newPage())`. */
  context: BrowserContext;
  /** Errors on the console and uncaught ones, also of requests that failed or that a policy refused; of all tabs. */
  errors: string[];
  /** Origins that were asked for anything, also by sockets; of all tabs. */
  origins: Set<string>;
  /** Adds another tab to what is watched. */
  watch(page: Page): Page;
};

const require = createRequire(import.meta.url);
/** What a test waits for at most. */
const waitMsMax = 20_000;

let running: Promise<Browser> | undefined;
const folders: string[] = [];

after(async () => {
  await (await running)?.close();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** Opens an empty page as a person with a browser of their own would; it is closed when the test ends. */
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

/** Closes every page that is open: before a server that they hold connections to. */
export async function closePages(): Promise<void> {
  await Promise.all((await running)?.contexts().map((context) => context.close()) ?? []);
}

/**
 * What axe finds against WCAG 2.2 AA and its own best practice; one line for each rule with the elements it is about.
 * `within` is a CSS selector: only what stands in it is judged.
 */
export async function findAccessibilityProblems(page: Page, within = 'html'): Promise<string[]> {
  await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  return page.evaluate(async (selector) => {
    // @ts-expect-error axe is on the page, not here.
    const { violations } = await window.axe.run({ include: [selector] });
    return violations.map(
      (violation: { id: string; help: string; nodes: { target: unknown[]; failureSummary: string }[] }) =>
        `${violation.id}: ${violation.help}\n${violation.nodes
          .map(({ target, failureSummary }) => `  ${target.join(' ')}: ${failureSummary}`)
          .join('\n')}`,
    );
  }, within);
}

/** Writes what the page shows to `NAME.png` in the folder SHOAL_SCREENSHOTS; without that variable nothing happens. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env.SHOAL_SCREENSHOTS;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Starts Chromium; whoever starts it closes it. Tests take `openPage`. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: await unpackChromium(),
    // Containers give it no sandbox of its own and little shared memory.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--font-render-hinting=none'],
    env: { ...definedEnvironment(), FONTCONFIG_FILE: await writeFontSettings() },
  });
}

// The package's own way of unpacking takes a file that another process has only begun to write for a whole one, and its
// arguments switch off the rules about other origins, which tests are about.
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

/** The same fonts on every machine, so that pictures do not depend on it. */
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
