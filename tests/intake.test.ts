/**
 * Webhooks over real HTTP: answers, stored deliveries and figures.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { connect } from '../src/database/pool.ts';
import { readFigures } from '../src/reports/totals.ts';
import { fixture, lineSignature, metaSignature } from './harness/fixtures.ts';
import { oncePerFile } from './harness/scope.ts';
import { type TestServer, testServer } from './harness/server.ts';
import { until } from './harness/until.ts';

const channelSecret = 'channel-secret-for-tests';
const appSecret = 'app-secret-for-tests';
const sharedServer = oncePerFile(testServer);

async function connected(server: TestServer): Promise<string> {
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret: channelSecret });
  const meta = { secret: appSecret, verifyToken: 'verify-me' };
  await server.addChannel(botId, { platform: 'facebook', accountId: '144792899659708', ...meta });
  await server.addChannel(botId, { platform: 'instagram', accountId: '17841165216900097', ...meta });
  await server.addChannel(botId, { platform: 'whatsapp', accountId: '210924782137726', ...meta });
  return botId;
}

function send(
  server: TestServer,
  path: string,
  body: string | Buffer,
  headers: Record<string, string>,
): Promise<Response> {
  return fetch(`${server.address}${path}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  });
}

test('a signed delivery is answered 200, stored byte for byte, and counted once although it arrives several times', async () => {
  const server = await sharedServer();
  const botId = await connected(server);
  const body = fixture('line/message-text.json');
  for (let times = 0; times < 3; times += 1) {
    const answer = await send(server, `/webhooks/${botId}/line`, body, lineSignature(body, channelSecret));
    assert.equal(answer.status, 200);
  }
  await server.folded();
  const rows = await server.sql`select body from deliveries where bot_id = ${botId}`;
  assert.equal(rows.length, 3);
  for (const row of rows) assert.deepEqual(row.body, body);
  const figures = await readFigures(server.sql, botId, Date.now());
  assert.equal(figures?.platforms.line.messages, 1);
});

test('each platform is verified by its own signature, and both secrets are valid during a rotation', async () => {
  const server = await sharedServer();
  const botId = await connected(server);
  const messages = { facebook: 'messenger', instagram: 'instagram', whatsapp: 'whatsapp' };
  for (const [platform, folder] of Object.entries(messages)) {
    const body = fixture(`${folder}/message-text.json`);
    const path = `/webhooks/${botId}/${platform}`;
    assert.equal((await send(server, path, body, metaSignature(body, appSecret))).status, 200, platform);
    assert.equal((await send(server, path, body, lineSignature(body, appSecret))).status, 401, platform);
  }
  await server.addChannel(botId, { platform: 'line', secret: 'the-new-secret' });
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  const body = fixture('line/follow-new.json');
  for (const secret of [channelSecret, 'the-new-secret']) {
    assert.equal(
      (await send(server, `/webhooks/${botId}/line`, body, lineSignature(body, secret))).status,
      200,
    );
  }
});

test('a wrong or missing signature is answered 401, counted in the metrics, and nothing of it is stored', async (t) => {
  const server = await testServer(t);
  const botId = await connected(server);
  const body = fixture('line/message-text.json');
  const path = `/webhooks/${botId}/line`;
  const wrong = [
    lineSignature(body, 'another-secret'),
    {},
    { 'x-line-signature': 'AAAA' },
    lineSignature(`${body} `, channelSecret),
  ];
  for (const headers of wrong) assert.equal((await send(server, path, body, headers)).status, 401);
  const [row] = await server.sql`select count(*)::integer as count from deliveries`;
  assert.equal(row?.count, 0);
  const metrics = await (await fetch(`${server.address}/metrics`)).text();
  assert.match(metrics, /shoal_webhooks_total\{platform="line",reception="bad-signature"\} 4/);
  const route = 'method="POST",route="/webhooks/:botId/:platform",status="4xx"';
  assert.ok(metrics.includes(`shoal_http_request_duration_seconds_count{${route}} 4`), metrics);
});

test('unknown bots, platforms and channels are 404, a body over 3 MB is 413', async () => {
  const server = await sharedServer();
  const { botId } = await server.addBot();
  const body = fixture('line/message-text.json');
  const signed = lineSignature(body, channelSecret);
  for (const path of [
    `/webhooks/${botId}/line`,
    '/webhooks/unknown/line',
    `/webhooks/${botId}/telegram`,
    `/webhooks/${botId}/liveChat`,
  ]) {
    assert.equal((await send(server, path, body, signed)).status, 404, path);
  }
  await server.addChannel(botId, {
    platform: 'whatsapp',
    accountId: '1',
    secret: appSecret,
    verifyToken: 'v',
  });
  const large = Buffer.alloc(3 * 1024 * 1024 + 1, ' ');
  const answer = await send(server, `/webhooks/${botId}/whatsapp`, large, metaSignature(large, appSecret));
  assert.equal(answer.status, 413);
  const allowed = large.subarray(1);
  assert.equal(
    (await send(server, `/webhooks/${botId}/whatsapp`, allowed, metaSignature(allowed, appSecret))).status,
    200,
  );
});

test("LINE's verification with no events is answered 200 and changes no figure", async () => {
  const server = await sharedServer();
  const botId = await connected(server);
  const body = fixture('line/verify-empty-events.json');
  assert.equal(
    (await send(server, `/webhooks/${botId}/line`, body, lineSignature(body, channelSecret))).status,
    200,
  );
  await server.folded();
  const [row] = await server.sql`select set_aside_reason from deliveries where bot_id = ${botId}`;
  assert.equal(row?.set_aside_reason, null);
  assert.equal((await readFigures(server.sql, botId, Date.now()))?.platforms.line.messages, 0);
});

test('a signed body that cannot be read is stored, set aside with its reason, and answered 200', async () => {
  const server = await sharedServer();
  const botId = await connected(server);
  for (const body of ['this is not JSON', '{"destination":"U1"}', '[]', Buffer.from([0xff, 0xfe, 0x00])]) {
    const answer = await send(server, `/webhooks/${botId}/line`, body, lineSignature(body, channelSecret));
    assert.equal(answer.status, 200);
  }
  await server.folded();
  const rows = await server.sql`select set_aside_reason as reason from deliveries where bot_id = ${botId}`;
  assert.equal(rows.length, 4);
  for (const { reason } of rows) assert.match(reason, /expected/);
});

test('an event from the future is set aside, the others of its delivery count', async () => {
  const server = await sharedServer();
  const botId = await connected(server);
  const event = (id: string, timestamp: number) => ({
    type: 'message',
    webhookEventId: id,
    timestamp,
    mode: 'active',
    source: { type: 'user', userId: 'U1' },
    message: { type: 'text', id: '1', text: 'hi' },
  });
  const now = Date.now();
  const body = JSON.stringify({
    destination: 'U1',
    events: [event('now', now), event('then', now + 25 * 3_600_000)],
  });
  await send(server, `/webhooks/${botId}/line`, body, lineSignature(body, channelSecret));
  await server.folded();
  assert.equal((await readFigures(server.sql, botId, now))?.platforms.line.messages, 1);
  const [row] = await server.sql`select set_aside_reason as reason from deliveries where bot_id = ${botId}`;
  assert.match(row?.reason, /24 hours in the future/);
});

test("Meta's handshake is answered with the challenge, and with 403 for a wrong token", async () => {
  const server = await sharedServer();
  const botId = await connected(server);
  const handshake = (platform: string, token: string) =>
    fetch(
      `${server.address}/webhooks/${botId}/${platform}?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=1158201444`,
    );
  for (const platform of ['facebook', 'instagram', 'whatsapp']) {
    const answer = await handshake(platform, 'verify-me');
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), '1158201444');
    assert.equal((await handshake(platform, 'guess')).status, 403);
  }
  assert.equal((await handshake('line', 'verify-me')).status, 404);
});

test('every fixture of the four platforms is stored, and none is set aside', async () => {
  const server = await sharedServer();
  const botId = await connected(server);
  const { samples } = JSON.parse(fixture('index.json').toString()) as {
    samples: { file: string; platform: string }[];
  };
  const platformSamples = samples.filter(({ file }) => !file.startsWith('livechat/'));
  assert.equal(platformSamples.length, 147);
  for (const { file } of platformSamples) {
    const [folder = ''] = file.split('/');
    const platform = folder === 'messenger' ? 'facebook' : folder;
    const body = fixture(file);
    const headers = platform === 'line' ? lineSignature(body, channelSecret) : metaSignature(body, appSecret);
    assert.equal((await send(server, `/webhooks/${botId}/${platform}`, body, headers)).status, 200, file);
  }
  await server.folded();
  const rows = await server.sql`
    select set_aside_reason from deliveries where bot_id = ${botId} and set_aside_reason is not null`;
  assert.deepEqual([...rows], []);
});

test('without the database the answer is 503, and afterwards deliveries are stored again', async (t) => {
  const server = await testServer(t);
  const botId = await connected(server);
  const body = fixture('line/message-text.json');
  const headers = lineSignature(body, channelSecret);
  const path = `/webhooks/${botId}/line`;
  assert.equal((await send(server, path, body, headers)).status, 200);
  await server.folded();
  const database = await closedDatabase(t, server.url);
  const refused = await send(server, path, body, headers);
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  await database.reopen();
  await until(async () => (await send(server, path, body, headers)).status === 200, 'the server recovers');
  await server.folded();
  assert.equal((await readFigures(server.sql, botId, Date.now()))?.platforms.line.messages, 1);
});

/** Makes a database unavailable to all, and available again. */
async function closedDatabase(t: TestContext, url: string): Promise<{ reopen(): Promise<void> }> {
  const name = new URL(url).pathname.slice(1);
  const elsewhere = new URL(url);
  elsewhere.pathname = '/postgres';
  const admin = connect(elsewhere.href, { max: 1, applicationName: 'shoal test' });
  t.after(() => admin.end());
  await admin`alter database ${admin(name)} with allow_connections false`;
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`;
  return {
    async reopen() {
      await admin`alter database ${admin(name)} with allow_connections true`;
    },
  };
}
