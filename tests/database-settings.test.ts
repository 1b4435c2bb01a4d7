/**
 * A database with other settings: the same events lead to the same responses, and an unsupported encoding is rejected.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { connect } from '../src/database/pool.ts';
import { dataFolder, launch, type ShoalEnvironment, shoal, shoalJson } from './harness/cli.ts';
import { emptyDatabase, setOpposites, testServerUrl } from './harness/database.ts';
import { deliver, lineBody, lineSecret, lineUser } from './harness/webhooks.ts';
import { becomes, call, pairOf } from './story/calls.ts';

const at = Date.parse('2026-03-04T23:30:00+08:00');

async function emptyPlace(
  t: TestContext,
  { isOpposite }: { isOpposite: boolean },
): Promise<ShoalEnvironment> {
  const { env, onEnd } = await dataFolder(t);
  const { sql, url } = await emptyDatabase(t);
  if (isOpposite) await setOpposites(sql);
  return { env: { ...env, DATABASE_URL: url, SHOAL_SECRET_KEY: randomBytes(32).toString('hex') }, onEnd };
}

/** The output of commands and calls after some deliveries, without ids and times that differ in each run. */
async function story(environment: ShoalEnvironment): Promise<unknown> {
  const pair = pairOf(await shoalJson(environment, 'bot', 'create', '--name', 'Tea shop'));
  const { botId } = pair;
  await shoalJson(environment, 'channel', 'set', botId, 'line', '--channel-secret', lineSecret);
  const server = launch(environment);
  const address = await server.up;
  const bodies = [
    [{ type: 'follow', id: 'e1', user: 'A', at }],
    [{ type: 'message', id: 'e2', user: 'A', at: at + 60_000 }],
    [{ type: 'message', id: 'e3', user: 'B', at: at + 120_500 }],
  ] as const;
  for (const happenings of bodies) {
    assert.equal((await deliver(address, { botId, platform: 'line' }, lineBody(happenings))).status, 200);
  }
  const analysis = async () =>
    Object((await call(`${address}/openapi/clients/analysis`, pair)).body.clientAnalysis);
  await becomes(async () => (await analysis()).lineMessageNumbers, 2);
  const contact = [botId, 'line', lineUser('A')];
  await shoalJson(environment, 'points', 'earn', ...contact, '5', '--expires-at', '2199-01-01');
  const { deliveries } = Object(await shoalJson(environment, 'deliveries', 'list', botId, '--state', 'any'));
  for (const { receivedAt } of deliveries) assert.ok(Math.abs(Date.now() - Date.parse(receivedAt)) < 600_000);
  const delivery = await shoal(environment, 'deliveries', 'show', botId, String(deliveries[0].deliveryId));
  assert.match(delivery.stdout, /webhookEventId/);
  const recounted = await shoal(environment, 'recount', botId, '--check');
  const exported = await shoal(environment, 'export', botId, 'events', '--format', 'ndjson');
  const events = exported.stdout
    .trim()
    .split('\n')
    .map((line) => {
      const { contactId, contact_id, receivedAt, received_at, ...event } = JSON.parse(line);
      return event;
    });
  const { points } = Object(
    await shoalJson(environment, 'points', 'expiring', botId, '--to', '2199-12-31').catch(() => ({})),
  );
  assert.doesNotMatch(server.stderr(), /lost|error/i);
  const answers = { analysis: await analysis(), recounted, events, points, count: deliveries.length };
  await server.stop();
  return JSON.parse(JSON.stringify(answers).replaceAll(botId, 'BOT'));
}

test('a database with the opposite of each setting returns the same responses', async (t) => {
  const usual = await story(await emptyPlace(t, { isOpposite: false }));
  const opposite = await story(await emptyPlace(t, { isOpposite: true }));
  assert.deepEqual(opposite, usual);
  const { events } = Object(usual);
  assert.equal(events.length, 3);
});

for (const encoding of ['LATIN1', 'SQL_ASCII']) {
  test(`a database in ${encoding} is rejected with the remedy, without a stack trace`, async (t) => {
    const name = `test_${randomBytes(8).toString('hex')}`;
    const server = connect(await testServerUrl(), { max: 1, applicationName: 'shoal test' });
    t.after(async () => {
      await server`drop database ${server(name)} with (force)`;
      await server.end();
    });
    await server`create database ${server(name)} encoding ${server.unsafe(`'${encoding}'`)} locale 'C' template template0`;
    const url = new URL(await testServerUrl());
    url.pathname = `/${name}`;
    const { env, onEnd } = await dataFolder(t);
    const environment = { env: { ...env, DATABASE_URL: url.href }, onEnd };
    const problem = `The database .*${name} has the encoding ${encoding}\\. Shoal needs UTF8\\..*create database.*`;
    const outputs = [
      { args: ['serve'], expected: new RegExp(`^\\{.*"msg":"${problem}"\\}\n$`) },
      { args: ['bot', 'list'], expected: new RegExp(`^shoal: ${problem}\n$`) },
    ];
    for (const { args, expected } of outputs) {
      const { code, stderr } = await shoal(environment, ...args);
      assert.equal(code, 1);
      assert.match(stderr, expected);
    }
  });
}
