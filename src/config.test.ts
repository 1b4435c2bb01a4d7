/**
 * Options from flags, variables and files of secrets.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Option, options, readConfig, unknownSettings } from './config.ts';
import { Refusal } from './errors.ts';

const secretOptions = Object.entries<Option>(options).filter(([, { secret }]) => secret);

async function fileWith(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'secret'), text);
  return join(folder, 'secret');
}

function refusalOf(env: Record<string, string>): string {
  try {
    readConfig({}, env);
  } catch (error) {
    assert.ok(error instanceof Refusal);
    return error.message;
  }
  return assert.fail('was taken');
}

test('each secret setting can come from the file that its _FILE variable names', async (t) => {
  const path = await fileWith(t, 'the value of a secret\n');
  assert.deepEqual(
    secretOptions.map(([name]) => name),
    [
      'databaseUrl',
      'secretKey',
      'secretKeyPrevious',
      'smtpUrl',
      'backupPassphrase',
      'mantagoToken',
      'mantagoSecret',
      'mcpToken',
    ],
  );
  for (const [name, { env }] of secretOptions) {
    const config: Record<string, unknown> = readConfig({}, { [`${env}_FILE`]: path });
    assert.equal(config[name], 'the value of a secret', env);
    const flagged: Record<string, unknown> = readConfig({ [name]: 'flag' }, { [`${env}_FILE`]: path });
    assert.equal(flagged[name], 'flag', env);
  }
});

test('a missing or empty secret file, or both variables together, are refused with the variable’s name', async (t) => {
  const path = await fileWith(t, ' \n');
  assert.match(refusalOf({ SHOAL_SECRET_KEY_FILE: path }), /SHOAL_SECRET_KEY_FILE.*is empty/);
  assert.match(refusalOf({ DATABASE_URL_FILE: `${path}x` }), /DATABASE_URL_FILE cannot be read.*ENOENT/);
  const both = refusalOf({ SHOAL_SECRET_KEY_FILE: path, SHOAL_SECRET_KEY: 'pa55word' });
  assert.match(both, /SHOAL_SECRET_KEY and SHOAL_SECRET_KEY_FILE are both set/);
  assert.doesNotMatch(both, /pa55word/);
});

test('an unknown SHOAL_ variable is reported with the nearest setting', () => {
  const env = {
    SHOAL_RETENTON_DAYS: '7',
    SHOAL_SECRET_KEY_FIL: 'x',
    SHOAL_PORT: '1',
    OTHER: '1',
    SHOAL_XYZZYXYZZY: '',
  };
  assert.deepEqual(unknownSettings(env), [
    'SHOAL_RETENTON_DAYS is not a setting of Shoal and is ignored. Did you mean SHOAL_RETENTION_DAYS?',
    'SHOAL_SECRET_KEY_FIL is not a setting of Shoal and is ignored. Did you mean SHOAL_SECRET_KEY_FILE?',
    'SHOAL_XYZZYXYZZY is not a setting of Shoal and is ignored.',
  ]);
});

test('a public address is read without its slashes at the end, and a wrong one is refused', () => {
  const read = (value: string) => readConfig({}, { SHOAL_PUBLIC_URL: value }).publicUrl;
  assert.equal(read('https://Shoal.example//'), 'https://shoal.example');
  assert.equal(read('https://example.com/shoal/'), 'https://example.com/shoal');
  for (const wrong of [
    'shoal.example',
    'ftp://shoal.example',
    'https://a:b@shoal.example',
    'https://shoal.example/?a',
  ])
    assert.match(refusalOf({ SHOAL_PUBLIC_URL: wrong }), /SHOAL_PUBLIC_URL must be an address/);
});
