/**
 * The secret key: a wrong or missing one, its rotation while servers run, and credentials that it does not decrypt.
 */
import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createBot } from '../src/bots/bots.ts';
import { setChannel } from '../src/bots/set-channel.ts';
import type { Sql } from '../src/database/client.ts';
import {
  creationIn,
  databaseEnvironment,
  dataFolder,
  launch,
  preparedFolder,
  type ShoalEnvironment,
  serve,
  shoal,
  shoalJson,
} from './harness/cli.ts';
import { deliver, lineBody, lineSecret } from './harness/webhooks.ts';
import { becomes, call, pairOf } from './story/calls.ts';

const newKey = 'the new secret key, long enough for it';

function environmentWith<P extends ShoalEnvironment>(
  environment: P,
  env: Record<string, string | undefined>,
): P {
  const all = Object.entries({ ...environment.env, ...env }).filter(([, value]) => value !== undefined);
  return { ...environment, env: Object.fromEntries(all) };
}

async function refusal(environment: ShoalEnvironment, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await shoal(environment, ...args);
  assert.equal(code, 1, `${args.join(' ')}: ${stdout}${stderr}`);
  assert.doesNotMatch(stderr, /^ {4}at /m, 'a stack trace');
  return stderr;
}

/** A bot with a LINE channel. */
async function addBot({ sql, ...environment }: ShoalEnvironment & { sql: Sql }) {
  const creation = await creationIn(sql, environment);
  const pair = await createBot(sql, { name: 'Tea shop', timeZone: 'Asia/Taipei' }, creation);
  await setChannel(sql, { botId: pair.botId, platform: 'line', secret: lineSecret }, creation);
  return pair;
}

/** The same by commands, for an embedded database. */
async function addBotByCommands(environment: ShoalEnvironment) {
  const pair = pairOf(await shoalJson(environment, 'bot', 'create', '--name', 'Tea shop'));
  await shoalJson(environment, 'channel', 'set', pair.botId, 'line', '--channel-secret', lineSecret);
  return pair;
}

const send = (address: string, botId: string, id: string) =>
  deliver(
    address,
    { botId, platform: 'line' },
    lineBody([{ type: 'message', id, user: 'A', at: Date.parse('2026-03-01T10:00:00+08:00') }]),
  ).then(({ status }) => status);

test('serve and every command reject a key of another database, with the remedy', async (t) => {
  const environment = await databaseEnvironment(t);
  const { botId } = await addBot(environment);
  const wrong = environmentWith(environment, { SHOAL_SECRET_KEY: newKey });
  const commands = [
    ['serve'],
    ['bot', 'list'],
    ['channel', 'list', botId],
    ['recount', botId],
    ['key', 'rotate'],
  ];
  for (const args of commands) {
    const said = await refusal(wrong, ...args);
    assert.match(
      said,
      /is not the one of this database.*SHOAL_SECRET_KEY_PREVIOUS.*key rotate/s,
      args.join(' '),
    );
    assert.ok(!said.includes(newKey));
  }
  const missing = environmentWith(environment, { SHOAL_SECRET_KEY: undefined });
  for (const args of [['serve'], ['bot', 'create', '--name', 'x']]) {
    assert.match(await refusal(missing, ...args), /secret key of this database .* is missing. Put it back/);
  }
  assert.equal((await shoal(missing, 'bot', 'list')).code, 0, 'a command that needs no key');
  assert.deepEqual(await readdir(String(environment.env.SHOAL_DATA)).catch(() => []), []);
});

test('with DATABASE_URL and without a key, serve explains how to create one, and creates none', async (t) => {
  const environment = environmentWith(await databaseEnvironment(t), { SHOAL_SECRET_KEY: undefined });
  assert.match(
    await refusal(environment, 'serve'),
    /With DATABASE_URL a secret key is needed.*openssl rand -hex 32/,
  );
  assert.deepEqual(await readdir(String(environment.env.SHOAL_DATA)).catch(() => []), []);
});

test('an embedded database without its key file is rejected, and gets no new key', async (t) => {
  const environment = await preparedFolder(t);
  await addBotByCommands(environment);
  await rm(join(environment.folder, 'secret.key'));
  assert.match(await refusal(environment, 'bot', 'create', '--name', 'x'), /is missing. Put it back/);
  assert.ok(!(await readdir(environment.folder)).includes('secret.key'));
});

test('the key can come from a file, and an unknown setting is reported with the nearest one', async (t) => {
  const environment = await databaseEnvironment(t);
  const { botId } = await addBot(environment);
  const folder = await dataFolder(t);
  const file = `${folder.folder}.key`;
  await writeFile(file, `${environment.env.SHOAL_SECRET_KEY}\n`);
  const url = `${folder.folder}.url`;
  await writeFile(url, `${environment.env.DATABASE_URL}\n`);
  const fromFiles = environmentWith(environment, {
    ...{ SHOAL_SECRET_KEY: undefined, DATABASE_URL: undefined },
    ...{ SHOAL_SECRET_KEY_FILE: file, DATABASE_URL_FILE: url, SHOAL_RATE_LIMITS: '5' },
  });
  const { code, stdout, stderr } = await shoal(fromFiles, 'bot', 'list');
  assert.equal(code, 0, stderr);
  assert.ok(stdout.includes(botId));
  assert.match(
    stderr,
    /SHOAL_RATE_LIMITS is not a setting of Shoal and is ignored. Did you mean SHOAL_RATE_LIMIT/,
  );
});

test('a rotation of the key while servers run rejects no delivery, token or change', async (t) => {
  const environment = await databaseEnvironment(t);
  const oldKey = environment.env.SHOAL_SECRET_KEY;
  const pair = await addBot(environment);
  const before = await serve(environment);
  const both = environmentWith(environment, { SHOAL_SECRET_KEY: newKey, SHOAL_SECRET_KEY_PREVIOUS: oldKey });
  assert.match(await refusal(both, 'key', 'rotate'), /A running server does not have the new secret key yet/);
  const server = await serve(both);
  assert.equal(await send(before.address, pair.botId, 'm1'), 200);
  assert.equal(await send(server.address, pair.botId, 'm2'), 200);
  await before.stop();

  const analysis = () => call(`${server.address}/openapi/clients/analysis`, pair);
  const rotated = await shoalJson(both, 'key', 'rotate');
  assert.equal(rotated.resealed, 1);
  assert.equal((await analysis()).status, 200);
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  assert.equal(await send(server.address, pair.botId, 'm3'), 200);
  assert.equal((await fetch(`${server.address}/readyz`)).status, 200);
  const set = ['channel', 'set', pair.botId, 'line', '--channel-secret', lineSecret];
  await shoalJson(both, ...set);
  assert.match((await shoal(both, 'key', 'rotate')).stdout, /All credentials are encrypted with it already/);
  const renewed = await call(`${server.address}/openapi/token`, pair);
  assert.equal(renewed.status, 200);
  await server.stop();

  const after = await serve(environmentWith(environment, { SHOAL_SECRET_KEY: newKey }));
  assert.equal(await send(after.address, pair.botId, 'm4'), 200);
  const newPair = pairOf({ ...renewed.body, botId: pair.botId });
  assert.equal((await call(`${after.address}/openapi/clients/analysis`, newPair)).status, 200);
});

test('a running server continues with the new key after a key file is rotated', async (t) => {
  const environment = await preparedFolder(t);
  const server = await serve(environment);
  const pair = await addBotByCommands(environment);
  assert.equal((await shoalJson(environment, 'key', 'rotate')).resealed, 1);
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  assert.equal(await send(server.address, pair.botId, 'm1'), 200);
  assert.equal((await call(`${server.address}/openapi/clients/analysis`, pair)).status, 200);
  assert.equal((await fetch(`${server.address}/readyz`)).status, 200);
  const renewed = pairOf({ ...(await shoalJson(environment, 'bot', 'refresh-token', pair.botId)) });
  assert.equal((await call(`${server.address}/openapi/clients/analysis`, renewed)).status, 200);
});

test('after the key is lost, rotate names the credentials to set again', async (t) => {
  const environment = await databaseEnvironment(t);
  const { botId } = await addBot(environment);
  const lost = environmentWith(environment, { SHOAL_SECRET_KEY: newKey });
  const { stdout } = await shoal(lost, 'key', 'rotate', '--previous-lost');
  assert.match(stdout, new RegExp(`set them again:\n {2}bot ${botId}, line: secret`));
  await shoalJson(lost, 'channel', 'set', botId, 'line', '--channel-secret', lineSecret);
  const server = await serve(lost);
  assert.equal(await send(server.address, botId, 'm1'), 200);
});

test('a credential that cannot be decrypted is shown in the log and in /readyz', async (t) => {
  const environment = await databaseEnvironment(t);
  const { botId } = await addBot(environment);
  await environment.sql`update channels set secret_sealed = decode('01', 'hex')`;
  const server = launch(environment);
  const address = await server.up;
  await becomes(async () => (await fetch(`${address}/readyz`)).json(), {
    ...{ status: 'ready', unreadableCredentials: 1 },
  });
  for (const id of ['m1', 'm2', 'm3']) assert.equal(await send(address, botId, id), 503);
  const lines = server
    .stderr()
    .split('\n')
    .filter((line) => line.includes('cannot be opened'));
  assert.equal(lines.length, 2, server.stderr());
  for (const line of lines) {
    const { level, botId: named, platform } = JSON.parse(line);
    assert.deepEqual([level, named, platform], [50, botId, 'line']);
  }
});
