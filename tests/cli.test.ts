/** The command line: help, exit codes and output. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cliHelpFile, renderCliHelp } from './cli-help.ts';
import {
  type CommandResult,
  databaseEnvironment,
  type ShoalEnvironment,
  shoal,
  shoalJson,
} from './harness/cli.ts';
import { lineUser } from './harness/webhooks.ts';

const oldNode = '/usr/bin/node';
const nowhere: ShoalEnvironment = { env: { SHOAL_DATA: '/nonexistent/shoal' }, onEnd: () => undefined };

test('the help of every command equals the reviewed snapshot (npm run gen updates it)', async () => {
  assert.equal(await renderCliHelp(), await readFile(cliHelpFile, 'utf8'));
});

test('--help prints to stdout and exits with 0', async () => {
  for (const args of [['--help'], ['deliveries', '--help'], ['points', 'earn', '--help']]) {
    const { code, stdout, stderr } = await shoal(nowhere, ...args);
    assert.equal(code, 0, args.join(' '));
    assert.match(stdout, /^Usage: shoal/);
    assert.equal(stderr, '');
  }
});

test('--version prints the version of package.json alone', async () => {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  assert.deepEqual(await shoal(nowhere, '--version'), { code: 0, stdout: `${version}\n`, stderr: '' });
});

test('a data folder that the file system refuses ends a command at once, in one line', async () => {
  const environment = { ...nowhere, env: { SHOAL_DATA: '/proc/shoal' } };
  for (const command of ['bot list', 'demo']) {
    const ended = await shoal(environment, ...command.split(' '));
    assertRefused(ended, /The data folder \/proc\/shoal cannot be used: ENOENT/, command);
  }
});

test('wrong usage exits with 2, names the problem on stderr, and changes nothing', async () => {
  const wrong: [string[], RegExp][] = [
    [['nosuch'], /unknown command 'nosuch'/],
    [['deliveries', 'nosuch'], /unknown command 'nosuch'/],
    [['serve', '--nosuch'], /unknown option '--nosuch'/],
    [['bot', 'create'], /--name/],
    [['points', 'earn'], /missing required argument 'bot'/],
    [['deliveries', 'list', 'bot', '--limit', 'many'], /--limit <count>.*whole number/],
    [['deliveries', 'replay', 'bot', 'first'], /'first' is invalid.*whole number/],
  ];
  for (const [args, expected] of wrong) {
    const { code, stdout, stderr } = await shoal(nowhere, ...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, expected);
    assert.match(stderr, /Add --help/);
    assert.equal(stdout, '');
  }
});

test('a refusal exits with 1 and one line on stderr', async (t) => {
  const environment = await databaseEnvironment(t);
  const { botId } = await shoalJson(environment, 'bot', 'create', '--name', 'Tea shop');
  const bot = String(botId);
  const refused: [string[], RegExp][] = [
    [['recount', 'missing'], /no bot missing/],
    [['bot', 'create', '--name', 'Tea shop', '--time-zone', 'Moon/Crater'], /time zone/],
    [['channel', 'set', bot, 'telegram'], /platform must be one of/],
    [['deliveries', 'show', bot, '7'], /no delivery 7/],
    [['deliveries', 'replay', bot], /--all-set-aside/],
    [['points', 'spend', bot, 'line', lineUser('A'), '5'], /no contact/],
    [['points', 'earn', bot, 'line', lineUser('A'), '0', '--create-contacts'], /amount/i],
    [['demo', '--port', '99999'], /--port must be a whole number from 0 to 65535/],
  ];
  for (const [args, expected] of refused)
    assertRefused(await shoal(environment, ...args), expected, args.join(' '));
});

test('--json prints one JSON object on stdout and nothing else', async (t) => {
  const environment = await databaseEnvironment(t);
  const { botId } = await shoalJson(environment, 'bot', 'create', '--name', 'Tea shop');
  const bot = String(botId);
  const contact = [bot, 'line', lineUser('A')];
  const calls = [
    ['bot', 'list'],
    ['channel', 'set', bot, 'line', '--channel-secret', 'a-channel-secret'],
    ['channel', 'list', bot],
    ['points', 'earn', ...contact, '5', '--create-contacts'],
    ['points', 'spend', ...contact, '2'],
    ['points', 'history', ...contact],
    ['points', 'audit', bot],
    ['tag', 'add', ...contact, 'regular'],
    ['tag', 'remove', ...contact, 'regular'],
    ['deliveries', 'list', bot],
    ['recount', bot],
    ['recount', bot, '--check'],
  ];
  for (const args of calls) {
    const { code, stdout } = await shoal(environment, ...args, '--json');
    assert.equal(code, 0, args.join(' '));
    assert.match(stdout, /^\{.*\}\n$/);
    assert.equal(typeof JSON.parse(stdout), 'object');
  }
});

test('no output contains a secret that was passed in', async (t) => {
  const environment = await databaseEnvironment(t);
  const { botId, apiSecret } = await shoalJson(environment, 'bot', 'create', '--name', 'Tea shop');
  const bot = String(botId);
  const secrets = [
    'the-channel-secret',
    'the-access-token',
    'the-app-secret',
    'the-verify-token',
    String(apiSecret),
  ];
  const [channelSecret = '', accessToken = '', appSecret = '', verifyToken = ''] = secrets;
  const line = ['line', '--channel-secret', channelSecret, '--channel-access-token', accessToken];
  const meta = [
    'whatsapp',
    '--phone-number-id',
    '1',
    '--app-secret',
    appSecret,
    '--verify-token',
    verifyToken,
  ];
  const calls = [
    ['channel', 'set', bot, ...line],
    ['channel', 'set', bot, ...meta],
    ['channel', 'set', bot, ...line, '--json'],
    ['channel', 'list', bot],
    ['channel', 'list', bot, '--json'],
    ['bot', 'list'],
    ['bot', 'list', '--json'],
    ['channel', 'set', bot, ...meta, '--account-id', '2'],
    ['channel', 'set', 'missing', ...line, '--log-level', 'debug'],
  ];
  for (const args of calls) {
    const { stdout, stderr } = await shoal(environment, ...args);
    assert.notEqual(stdout + stderr, '');
    for (const secret of secrets)
      assert.ok(!(stdout + stderr).includes(secret), `${args.join(' ')}: ${secret}`);
  }
});

test('the error for an unreachable database does not contain its password', async () => {
  const environment = {
    ...nowhere,
    env: { DATABASE_URL: 'postgres://shoal:the-password@127.0.0.1:1/shoal' },
  };
  const ended = await shoal(environment, 'bot', 'list');
  assertRefused(ended, /127\.0\.0\.1:1\/shoal/);
  assert.doesNotMatch(ended.stderr, /the-password/);
});

test('a secret key that is too short is refused without being repeated', async (t) => {
  const { env, onEnd } = await databaseEnvironment(t);
  const environment = { env: { ...env, SHOAL_SECRET_KEY: 'too-short-a-key' }, onEnd };
  const ended = await shoal(environment, 'bot', 'create', '--name', 'Tea shop');
  assertRefused(ended, /SHOAL_SECRET_KEY must have at least 32 characters/);
  assert.doesNotMatch(ended.stderr, /too-short-a-key/);
});

if (await isTooOld(oldNode)) {
  test('with an old Node, one line names the required version', async () => {
    const program = fileURLToPath(new URL('../bin/shoal.js', import.meta.url));
    const ended = await promisify(execFile)(oldNode, [program, 'serve'])
      .then(({ stdout, stderr }) => ({ code: 0, stdout, stderr }))
      .catch(({ code, stdout, stderr }: CommandResult) => ({ code, stdout, stderr }));
    assert.equal(ended.code, 1);
    assert.equal(ended.stdout, '');
    assert.match(ended.stderr, /^Shoal needs Node 24 or newer; this is v[\d.]+\. [^\n]+\n$/);
  });
}

function assertRefused({ code, stdout, stderr }: CommandResult, expected: RegExp, call?: string): void {
  assert.match(stderr, expected, call);
  assert.match(stderr, /^shoal: [^\n]+\n$/, call);
  assert.equal(code, 1, call);
  assert.equal(stdout, '', call);
}

async function isTooOld(node: string): Promise<boolean> {
  if (!existsSync(node)) return false;
  const { stdout } = await promisify(execFile)(node, ['--version']);
  return Number(/^v(\d+)/.exec(stdout)?.[1]) < 24;
}
