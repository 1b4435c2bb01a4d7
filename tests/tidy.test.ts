/**
 * Conventions of the source that a tool can check.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { auditOf } from '../src/api/management/audits.ts';
import { readManagementContract } from '../src/api/management/router.ts';
import { commandAudits } from '../src/cli/audits.ts';
import { buildProgram } from '../src/cli/cli.ts';
import { options } from '../src/config.ts';
import { importsOf } from './harness/imports.ts';

const root = new URL('..', import.meta.url).pathname;
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const sources = globSync(['src/**/*.ts', 'simulator/**/*.ts'], { cwd: root }).sort();
/** Code for browsers. */
const widget = globSync(['widget/**/*.ts', 'widget/**/*.tsx'], { cwd: root }).sort();
const pages = globSync(['dashboard/**/*.ts', 'dashboard/**/*.tsx', 'build/**/*.ts'], { cwd: root }).sort();
const ourFiles = [
  ...pages,
  ...sources,
  ...widget,
  ...globSync(['tests/**/*.ts', 'bench/**/*.ts', 'proof/**/*.ts', 'clients/*/src/**/*.ts', 'sql/**/*.sql'], {
    cwd: root,
  }),
].sort();

const markdown = globSync(['*.md', '{clients,docs,bench,proof,dashboard,tests,.github}/**/*.md'], {
  cwd: root,
}).sort();
/** Documents about the current code. The changelog and the examples in CONTRIBUTING.md may name older code. */
const documents = markdown.filter((file) => !['CHANGELOG.md', 'CONTRIBUTING.md'].includes(file));

test('every changing operation and every command declares its entry in the audit log, and no declaration is left over', async () => {
  const words: string[] = [];
  const visit = (commands: Awaited<ReturnType<typeof buildProgram>>['commands'], prefix: string) => {
    for (const command of commands) {
      const name = `${prefix}${command.name()}`;
      if (command.commands.length > 0) visit(command.commands, `${name} `);
      else words.push(name);
    }
  };
  visit((await buildProgram()).commands, '');
  assert.deepEqual(words.sort(), Object.keys(commandAudits).sort());
  const { operations } = await readManagementContract();
  for (const operation of operations) assert.doesNotThrow(() => auditOf(operation));
});

test('there is no import cycle between files or folders', () => {
  const files = [...sources, ...widget, ...pages].filter((file) => !file.endsWith('.test.ts'));
  const fileGraph = new Map(files.map((file) => [file, importsOf(file)]));
  const folderGraph = new Map<string, string[]>();
  for (const [file, targets] of fileGraph) {
    const folder = dirname(file);
    const others = targets.map((target) => dirname(target)).filter((target) => target !== folder);
    folderGraph.set(folder, [...(folderGraph.get(folder) ?? []), ...others]);
  }
  assert.deepEqual([...cyclesOf(fileGraph), ...cyclesOf(folderGraph)], []);
});

test('platforms import only each other and the pure basics of JSON and time', () => {
  const wrong = sources
    .filter((file) => file.startsWith('src/platforms/') && !file.endsWith('.test.ts'))
    .flatMap((file) =>
      importsOf(file)
        .filter((target) => !/^src\/(platforms\/|(json|time)\.ts$)/.test(target))
        .map((target) => `${file} imports ${target}`),
    );
  assert.deepEqual(wrong, []);
});

test('the simulator uses the server by HTTP only', () => {
  const wrong = sources
    .filter((file) => file.startsWith('simulator/') && !file.endsWith('.test.ts'))
    .flatMap((file) =>
      importsOf(file)
        .filter((target) => !/^(simulator\/|src\/(platforms\/platform|folders|json|time)\.ts$)/.test(target))
        .map((target) => `${file} imports ${target}`),
    );
  assert.deepEqual(wrong, []);
});

test('only caller-address.ts reads the address of a caller', () => {
  const elsewhere = sources.filter(
    (file) =>
      file !== 'src/http/caller-address.ts' &&
      !file.endsWith('.test.ts') &&
      /\b(?:request|req)\.ips?\b|\bremoteAddress\b|x-forwarded-for/.test(textOf(file)),
  );
  assert.deepEqual(elsewhere, []);
});

test('the widget imports only its own files and its types, and never sets HTML', () => {
  for (const file of widget.filter((name) => !/(\.test|vite\.config)\.ts$/.test(name))) {
    for (const target of importsOf(file))
      assert.match(target, /^(widget\/|contracts\/types\/live-chat\.ts$)/, file);
    assert.doesNotMatch(
      textOf(file),
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|document\.cookie/,
      file,
    );
  }
});

test('the dashboard imports only days, names, message texts and CSV fields from the server', () => {
  const serverImports = pages
    .filter((file) => file.startsWith('dashboard/'))
    .flatMap(importsOf)
    .filter((target) => target.startsWith('src/'));
  assert.deepEqual([...new Set(serverImports)].sort(), [
    'src/csv-fields.ts',
    'src/mantago/gap-reasons.ts',
    'src/mantago/names.ts',
    'src/platforms/platform.ts',
    'src/sends/message-limits.ts',
    'src/sends/variables.ts',
    'src/time.ts',
  ]);
});

test('every source file begins with a description and has a kebab-case name', () => {
  for (const file of [...sources, ...pages, ...widget]) {
    if (!file.endsWith('.test.ts')) assert.match(textOf(file), /^\/\*\*/, file);
    assert.match(basename(file), /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|d|config))?\.tsx?$/, file);
  }
});

test('every property is checked with a fixed and a new seed', () => {
  const direct = ourFiles.filter((file) => /\bfc\.(?:assert|check)\(/.test(textOf(file)));
  assert.deepEqual(direct, ['tests/harness/property.ts']);
});

test('no marker of unfinished work and no skipped test', () => {
  const markers = new RegExp(
    ['\\bTO' + 'DO\\b', '\\bFIX' + 'ME\\b', '\\.sk' + 'ip\\(', '\\.to' + 'do\\('].join('|'),
  );
  assert.deepEqual(
    ourFiles.filter((file) => markers.test(textOf(file))),
    [],
  );
});

test('every relative link in a Markdown file leads to an existing file and heading', () => {
  const broken = markdown.flatMap((file) =>
    [...proseOf(textOf(file)).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^[a-z]+:/.test(link) && !isLinkGood(file, link))
      .map((link) => `${file} links to ${link}`),
  );
  assert.deepEqual(broken, []);
});

test('every path of this repository in a Markdown file exists', () => {
  const missing = documents.flatMap((file) =>
    [
      ...textOf(file).matchAll(
        /`((?:src|tests|simulator|dashboard|widget|sql|bench|proof|docs|contracts)\/[\w./-]+)`/g,
      ),
    ]
      .map(([, path = '']) => path)
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `${file} names ${path}`),
  );
  assert.deepEqual(missing, []);
});

test('every command and flag in a Markdown file is one of the command line', () => {
  const help = textOf('tests/snapshots/cli-help.txt').split(/^### shoal ?/m);
  const commands = new Map(help.slice(1).map((text) => [text.slice(0, text.indexOf('\n')), text]));
  const unknown = documents.flatMap((file) =>
    [...textOf(file).matchAll(/(?:^ +npx shoal|`(?:npx )?shoal) ([^`#|\n]+)/gm)]
      .map(([, call = '']) => call.trim())
      .filter((call) => !isKnownCall(call, commands))
      .map((call) => `${file}: shoal ${call}`),
  );
  assert.deepEqual(unknown, []);
});

test('every setting and metric in a Markdown file is in the code', () => {
  const code = [...ourFiles.map(textOf), ...Object.values(options).map(({ env }) => env)].join('\n');
  const unknown = documents.flatMap((file) =>
    [...textOf(file).matchAll(/\b(SHOAL_[A-Z_]+|shoal_[a-z]+_[a-z_]+)\b/g)]
      .map(([name]) => name)
      .filter((name) => !code.includes(name.replace(/_FILE$/, '')))
      .map((name) => `${file}: ${name}`),
  );
  assert.deepEqual(unknown, []);
});

const dialect =
  /\b(told|tells?|stands|stood|beside|anew|meanwhile|nobody|somebody|everybody|whoever|so long as|so many|is to be|of which|that is there)\b/gi;

test('Markdown files are in plain English', () => {
  const found = markdown
    // Written from the texts in the sources.
    .filter(
      (file) =>
        !['docs/errors.md', 'docs/options.md'].includes(file) && !/^(bench|proof)\/results\//.test(file),
    )
    .flatMap((file) => [...proseOf(textOf(file)).matchAll(dialect)].map(([word]) => `${file}: ${word}`));
  assert.deepEqual(found, []);
});

test('sources, tests and our own contracts are in plain English', () => {
  const files = globSync(
    [
      '{src,simulator,dashboard,widget,bench,proof,build,bin,tests,clients}/**/*.{ts,tsx,js}',
      'contracts/{management,live-chat}.yaml',
    ],
    { cwd: root, exclude: ['**/node_modules/**', 'tests/fixtures/**', 'tests/tidy.test.ts'] },
  );
  // `told` and `not-told` are states in the APIs and the database, and figures of the simulator.
  const publicNames = /['"`.-]told\b|\btold['"`]|\btold: |\{ day, told \}|^ +told,$|[,[] told[,\]]/gm;
  const found = files.flatMap((file) =>
    [...textOf(file).replace(publicNames, '').matchAll(dialect)].map(([word]) => `${file}: ${word}`),
  );
  assert.ok(files.length > 500);
  assert.deepEqual(found, []);
});

test('the code tour names functions that exist in its files', () => {
  const steps = [...textOf('docs/code-tour.md').matchAll(/^- \[(\S+)\]\(\S+\)(?: \(\d+\))?: (.+)$/gm)];
  assert.ok(steps.length > 0);
  for (const [, file = '', list = ''] of steps) {
    for (const [, name = ''] of list.matchAll(/`(\w+)`/g))
      assert.match(textOf(file), new RegExp(`\\b${name}\\b`), `${name} in ${file}`);
  }
});

/** The permitted difference in lines between a file and the length that the tour states. */
const outdatedLines = 20;

test('the path of a LINE webhook in the code tour has at most 20 files and 2,600 lines', () => {
  const path = [...textOf('docs/code-tour.md').matchAll(/^- \[(\S+)\]\(\S+\) \((\d+)\):/gm)];
  const counts = path.map(([, file = '', count]) => ({
    file,
    lines: textOf(file).trimEnd().split('\n').length,
    stated: Number(count),
  }));
  const outdated = counts.filter(({ lines, stated }) => Math.abs(lines - stated) > outdatedLines);
  assert.deepEqual(outdated, [], 'the tour states other lengths');
  assert.ok(counts.length > 10 && counts.length <= 20, `${counts.length} files`);
  const all = counts.reduce((sum, { lines }) => sum + lines, 0);
  assert.ok(all <= 2_600, `${all} lines`);
});

test('the README has at most 120 lines', () => {
  const lines = textOf('README.md').trimEnd().split('\n').length;
  assert.ok(lines <= 120, `${lines} lines`);
});

test('decision records are numbered without a gap, each with its number in its title', () => {
  const records = globSync('docs/decisions/*.md', { cwd: root }).sort();
  const numbers = records.map((file) => Number(basename(file).slice(0, 4)));
  assert.deepEqual(
    numbers,
    records.map((_, index) => index + 1),
  );
  for (const file of records) assert.ok(textOf(file).startsWith(`# ${basename(file).slice(0, 4)} `), file);
});

test('the lock file names no download address', () => {
  assert.doesNotMatch(textOf('package-lock.json'), /"resolved"/);
});

test('docs/dependencies.md explains exactly the installed dependencies', () => {
  const { dependencies, devDependencies } = JSON.parse(textOf('package.json')) as Record<
    string,
    Record<string, string>
  >;
  const argued = [...textOf('docs/dependencies.md').matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(
    argued.sort(),
    [...Object.keys(dependencies ?? {}), ...Object.keys(devDependencies ?? {})].sort(),
  );
});

test('every error in the catalogue is thrown somewhere', () => {
  const codes = [...textOf('src/errors.ts').matchAll(/^ {2}([A-Z_]+): \{/gm)].map(([, code]) => code);
  const texts = sources.filter((file) => file !== 'src/errors.ts' && !file.endsWith('.test.ts')).map(textOf);
  for (const code of codes)
    assert.ok(
      texts.some((text) => text.includes(`'${code}'`)),
      `${code} is never used`,
    );
});

/** A cycle for each node that a depth-first walk finds again on its path: `a → b → a`. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const cycles: string[] = [];
  const visited = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): void => {
    const start = path.indexOf(node);
    if (start >= 0) cycles.push([...path.slice(start), node].join(' → '));
    if (visited.has(node)) return;
    visited.add(node);
    path.push(node);
    for (const next of new Set(graph.get(node))) visit(next);
    path.pop();
  };
  for (const node of graph.keys()) visit(node);
  return cycles;
}

/** The text without code. */
function proseOf(text: string): string {
  return text
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/^ {4}.*$/gm, '')
    .replace(/`[^`\n]*`/g, '');
}

function isLinkGood(file: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? file : normalize(join(dirname(file), path));
  if (!existsSync(join(root, target))) return false;
  return heading === undefined || headingsOf(target).includes(heading);
}

/** The anchors of a page, derived from its headings like on code forges. */
function headingsOf(file: string): string[] {
  return [...textOf(file).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** True if the words name a command, and its help or that of its subcommands has the flags. */
function isKnownCall(call: string, commands: ReadonlyMap<string, string>): boolean {
  let name = '';
  for (const word of call.split(' ')) {
    const longer = `${name} ${word}`.trim();
    if (!commands.has(longer)) break;
    name = longer;
  }
  if (name === '') return /^(--help|--version|COMMAND|…)/.test(call);
  const help = [...commands].filter(([other]) => other === name || other.startsWith(`${name} `));
  const flags = [...call.matchAll(/(?<= )--[a-z-]+/g)].map(([flag]) => flag);
  return flags.every((flag) => flag === '--help' || help.some(([, text]) => text.includes(`${flag} `)));
}
