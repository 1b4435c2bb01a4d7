/**
 * Derived files: written by `npm run gen`, compared by `npm test` (`--check`).
 */
import { readFile, writeFile } from 'node:fs/promises';
import { renderSummary, summaryFile } from '../proof/summary.ts';
import { type Option, options } from '../src/config.ts';
import { catalogue, type RefusalEntry } from '../src/errors.ts';
import { cliHelpFile, renderCliHelp } from './cli-help.ts';
import { contractTypes } from './contract-types.ts';
import { renderDataModel } from './data-model.ts';
import { renderSchema } from './schema.ts';
import { parsedFixtures, parsedFixturesFile } from './webhook-fixtures.ts';

type Derived = { file: URL; render(): string | Promise<string> };

const schema = renderSchema();
const derived: readonly Derived[] = [
  { file: new URL('../docs/errors.md', import.meta.url), render: renderErrors },
  { file: new URL('../docs/options.md', import.meta.url), render: renderOptions },
  { file: new URL('snapshots/schema.sql', import.meta.url), render: () => schema },
  {
    file: new URL('../docs/data-model.md', import.meta.url),
    render: async () => renderDataModel(await schema),
  },
  { file: parsedFixturesFile, render: parsedFixtures },
  { file: cliHelpFile, render: renderCliHelp },
  { file: summaryFile, render: renderSummary },
  ...contractTypes,
];

const isCheck = process.argv.includes('--check');
for (const { file, render } of derived) {
  const text = await render();
  const existingText = await readFile(file, 'utf8').catch(() => null);
  if (existingText === text) continue;
  if (isCheck) {
    process.stderr.write(`${file.pathname} is not current: npm run gen writes it.\n`);
    process.exitCode = 1;
  } else {
    await writeFile(file, text);
    process.stderr.write(`${file.pathname} written.\n`);
  }
}

function renderErrors(): string {
  const rows = Object.entries<RefusalEntry>(catalogue).map(
    ([code, { status, mantago, cause, remedy }]) =>
      `| ${code} | ${status} | ${mantago ?? '–'} | ${cause} | ${remedy} |`,
  );
  return document(
    'Errors',
    'Every refusal of Shoal, generated from `src/errors.ts`. Each API shows it in its own envelope.',
    ['| code | HTTP status | MantaGo code | cause | remedy |', '| --- | --- | --- | --- | --- |', ...rows],
  );
}

function renderOptions(): string {
  const rows = Object.values<Option>(options).map(({ flag, env, default: fallback, meaning, secret }) => {
    const file = secret ? ` \`${env}_FILE\` may name a file that holds it.` : '';
    return `| \`--${flag}\` | \`${env}\` | ${fallback ?? '–'} | ${meaning}${file} |`;
  });
  return document(
    'Options',
    'Generated from `src/config.ts`. A flag goes before the environment, the environment before the default.',
    ['| flag | environment | default | meaning |', '| --- | --- | --- | --- |', ...rows],
  );
}

function document(title: string, intro: string, table: readonly string[]): string {
  return [`# ${title}`, '', intro, '', ...table, ''].join('\n');
}
