/**
 * Every setting is in the table of options, in `.env.example`, and in the containers.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Option, options } from '../src/config.ts';
import { parseYaml } from './harness/yaml.ts';

const textOf = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const table = Object.values<Option>(options);
const names = table.map(({ env }) => env);
const fileNames = table.filter(({ secret }) => secret).map(({ env }) => `${env}_FILE`);
/** The image and compose.yaml set these themselves. */
const ownOfContainer = ['SHOAL_PORT', 'SHOAL_HOST', 'SHOAL_DATA', 'DATABASE_URL'];

test('.env.example has every setting once, and no other', () => {
  const listed = [...textOf('.env.example').matchAll(/^#? ?([A-Z][A-Z0-9_]*)=/gm)].map(
    ([, name]) => name ?? '',
  );
  const settingNames = listed.filter((name) => name !== 'POSTGRES_PASSWORD' && !fileNames.includes(name));
  assert.deepEqual(settingNames.sort(), [...names].sort());
  for (const { env, default: fallback, secret } of table) {
    const [, value] = new RegExp(`^#? ?${env}=(.*)$`, 'm').exec(textOf('.env.example')) ?? [];
    if (fallback !== null && !secret) assert.equal(value, String(fallback), `${env} shows its default`);
  }
});

test('compose.yaml passes every setting of .env to the server', () => {
  const { env_file: file = [], environment = {} } = parseYaml(textOf('compose.yaml')).services.shoal;
  const files = [file]
    .flat()
    .map((one: string | { path: string }) => (typeof one === 'string' ? one : one.path));
  const passed = files.some((path) => path.replace(/^\.\//, '') === '.env')
    ? names
    : [...Object.keys(environment), ...ownOfContainer];
  assert.deepEqual(
    names.filter((name) => !passed.includes(name)),
    [],
  );
  // An entry of `environment` takes precedence over the file, so it must not override the file.
  for (const [name, value] of Object.entries(environment)) {
    const isOwn = ownOfContainer.includes(name);
    if (!isOwn) assert.match(String(value), new RegExp(`\\$\\{${name}[:}?-]`), name);
  }
});
