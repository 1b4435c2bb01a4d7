/**
 * Every API while the database is stopped, or connected but silent: an answer in the API's own format within a time limit, one line
 * in the log, and automatic recovery.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { type DatabaseProxy, databaseProxy } from './harness/database-proxy.ts';
import { type TestServer, testServer } from './harness/server.ts';
import { until } from './harness/until.ts';

const lineToken = 'the-token-that-LINE-gave-out';
const widgetKey = 'widget-key-for-tests';
const answerMsMax = 5_000;

type Setting = {
  server: TestServer;
  proxy: DatabaseProxy;
  lines: string[];
  call(api: Api): Promise<Response>;
};
type Api = 'management' | 'mantago' | 'insight' | 'liveChat' | 'gateway';

async function setting(t: TestContext): Promise<Setting> {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  let proxy: DatabaseProxy | undefined;
  const through = async (url: string) => {
    proxy = await databaseProxy(t, url);
    return proxy.url;
  };
  const server = await testServer(t, {}, { log, through });
  const { botId, apiToken, apiSecret } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret: 'secret', accessToken: lineToken });
  await server.addChannel(botId, { platform: 'liveChat', secret: widgetKey });
  const token = await server.addToken();
  const json = { 'content-type': 'application/json' };
  const calls: Record<Api, [string, RequestInit]> = {
    management: [`/api/v1/bots/${botId}/figures`, { headers: { authorization: `Bearer ${token}` } }],
    mantago: [
      `/openapi/clients/statistics?botId=${botId}`,
      {
        method: 'POST',
        headers: { ...json, authorization: `Bearer ${apiToken}` },
        body: JSON.stringify({ secret: apiSecret, type: 'follower' }),
      },
    ],
    insight: ['/v2/bot/insight/demographic', { headers: { authorization: `Bearer ${lineToken}` } }],
    liveChat: [`/live-chat/v1/${widgetKey}/session`, { method: 'POST', headers: json, body: '{}' }],
    gateway: [
      '/v2/bot/message/push',
      { method: 'POST', headers: { ...json, authorization: `Bearer ${lineToken}` }, body: '{}' },
    ],
  };
  assert.ok(proxy);
  return {
    ...{ server, proxy, lines },
    call: (api) => fetch(`${server.address}${calls[api][0]}`, calls[api][1]),
  };
}

/** Each API's answer during an outage. */
async function checkRefusals({ call }: Setting): Promise<void> {
  const expected: Record<Api, number> = {
    management: 503,
    mantago: 500,
    insight: 503,
    liveChat: 503,
    gateway: 503,
  };
  const answers = Object.entries(expected).map(async ([api, status]) => {
    const sentAt = performance.now();
    const answer = await call(api as Api);
    const ms = performance.now() - sentAt;
    const body = (await answer.json()) as Record<string, unknown>;
    assert.equal(answer.status, status, `${api}: ${JSON.stringify(body)}`);
    assert.ok(Number(answer.headers.get('retry-after')) > 0, `${api} names no Retry-After`);
    assert.ok(ms <= answerMsMax, `${api} took ${Math.round(ms)} ms`);
    if (api === 'management' || api === 'liveChat') assert.equal(body.code, 'DATABASE_UNAVAILABLE', api);
    else if (api === 'mantago') {
      assert.deepEqual(body.success, false);
      assert.deepEqual((body.errResponse as Record<string, unknown>).code, 500);
    } else assert.equal(typeof body.message, 'string', api);
  });
  await Promise.all(answers);
}

async function checkRecovery({ call }: Setting): Promise<void> {
  for (const api of ['management', 'mantago', 'insight', 'liveChat'] as const)
    await until(async () => (await call(api)).status < 500, `${api} recovers`);
}

/** Requests and background work log an outage without a stack. */
function checkLog({ lines }: Setting): void {
  assert.ok(lines.length > 0);
  for (const line of lines) assert.doesNotMatch(line, /"stack"/);
}

test('while the database is stopped, every API answers in its own format with Retry-After, and the log has one line', async (t) => {
  const all = await setting(t);
  await checkRecovery(all);
  all.proxy.setState('gone');
  await checkRefusals(all);
  await checkRefusals(all);
  const lines = all.lines.filter((line) => /unavailable|call failed|retrying in/.test(line));
  assert.equal(lines.length, 1, lines.join(''));
  checkLog(all);
  all.proxy.setState('open');
  await checkRecovery(all);
});

test('a silent database fails every call within 5 s, and later calls as well, and the pools recover', async (t) => {
  const all = await setting(t);
  await checkRecovery(all);
  const before = all.proxy.count();
  all.proxy.setState('silent');
  await checkRefusals(all);
  await checkRefusals(all);
  all.proxy.setState('open');
  await checkRecovery(all);
  assert.ok(all.proxy.count() <= before + 10, `${all.proxy.count()} connections, ${before} before`);
  checkLog(all);
});

test('a full disk of the database is an outage for the caller, and leads to one line in the log', async (t) => {
  const { server, lines, call } = await setting(t);
  // PostgreSQL's error when a table cannot grow.
  await server.sql`
    create function full_disk() returns trigger language plpgsql as
      $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$`;
  await server.sql`create trigger full_disk before insert on chat_visitors execute function full_disk()`;
  const answer = await call('liveChat');
  assert.equal(answer.status, 503);
  assert.ok(answer.headers.get('retry-after'));
  assert.equal((await call('liveChat')).status, 503);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).msg),
    ['the database is unavailable: could not extend file: No space left on device'],
  );
  await server.sql`drop trigger full_disk on chat_visitors`;
  assert.equal((await call('liveChat')).status, 200);
});
