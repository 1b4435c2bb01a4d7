/**
 * Every address of the gateway with a token of each scope: which calls reach LINE, and how the others are rejected.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createLineToken, lineTokenScopes } from '../../src/bots/line-tokens.ts';
import { readContract } from '../../src/http/contract.ts';
import { sendCalls } from '../../src/line/gateway/scopes.ts';
import { sendPaths } from '../../src/line/gateway/send-calls.ts';
import { dayMs } from '../../src/time.ts';
import { fakeLine } from '../harness/fake-line.ts';
import { seededBytes } from '../harness/random.ts';
import { testServer } from '../harness/server.ts';
import { until } from '../harness/until.ts';
import { lineSecret } from '../harness/webhooks.ts';

const channelToken = 'the-token-that-LINE-gave-out';
const insight = await readContract(new URL('../../contracts/line-insight.yaml', import.meta.url));
const insightCalls = insight.operations.map(({ method, path }) => [method, path] as const);

/** Calls that change the account, list its people, or that LINE does not have (LINE Messaging API reference). */
const otherCalls = [
  ['PUT', '/v2/bot/channel/webhook/endpoint'],
  ['GET', '/v2/bot/channel/webhook/endpoint'],
  ['POST', '/v2/bot/channel/webhook/test'],
  ['GET', '/v2/bot/followers/ids'],
  ['GET', '/v2/bot/group/C1/members/ids'],
  ['GET', '/v2/bot/room/R1/members/ids'],
  ['POST', '/v2/bot/group/C1/leave'],
  ['POST', '/v2/bot/room/R1/leave'],
  ['POST', '/v2/bot/user/U1/linkToken'],
  ['POST', '/v2/bot/richmenu'],
  ['POST', '/v2/bot/richmenu/validate'],
  ['GET', '/v2/bot/richmenu/list'],
  ['DELETE', '/v2/bot/richmenu/richmenu-1'],
  ['POST', '/v2/bot/richmenu/bulk/link'],
  ['POST', '/v2/bot/richmenu/batch'],
  ['POST', '/v2/bot/user/all/richmenu/richmenu-1'],
  ['DELETE', '/v2/bot/user/all/richmenu'],
  ['POST', '/v2/bot/user/U1/richmenu/richmenu-1'],
  ['POST', '/v2/bot/audienceGroup/upload'],
  ['PUT', '/v2/bot/audienceGroup/upload'],
  ['DELETE', '/v2/bot/audienceGroup/1'],
  ['GET', '/v2/bot/audienceGroup/list'],
  ['POST', '/v2/bot/coupon'],
  ['PUT', '/v2/bot/coupon/1/close'],
  ['GET', '/v2/bot/membership/list'],
  ['POST', '/v2/bot/chat/markAsRead/U1'],
  ['POST', '/v2/bot/profile/U1'],
  ['DELETE', '/v2/bot/profile/U1'],
  ['PUT', '/v2/bot/message/quota'],
  ['GET', '/v2/bot/profile/U1/more'],
  ['GET', '/v2/bot/Profile/U1'],
  ['POST', '/v2/bot/pnp/push'],
  ['GET', '/v2/bot/not-invented-yet'],
] as const;

async function connected(...[t]: Parameters<typeof testServer>) {
  const line = await fakeLine(t);
  const now = { ms: Date.now() };
  const server = await testServer(t, { lineApi: line.address }, { clock: () => now.ms });
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', secret: lineSecret, accessToken: channelToken });
  const random = seededBytes(11);
  return {
    ...{ line, server, now, botId },
    makeToken: (request: Parameters<typeof createLineToken>[2]) =>
      createLineToken(server.sql, botId, request, { now: now.ms, random }),
    async call(token: string, method: string, path: string) {
      const before = line.requests.length;
      const response = await fetch(server.address + path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(method === 'POST' || method === 'PUT' ? { body: '{"messages":[]}' } : {}),
      });
      const text = await response.text();
      const reached = line.requests.length > before;
      return { status: response.status, text, reached, body: reached ? null : JSON.parse(text) };
    },
  };
}

test('each scope of a LINE token allows the calls of its row and no others', async (t) => {
  const { line, call, makeToken } = await connected(t);
  const listed = sendCalls.map(([method, path]) => [method, path.replaceAll('{}', 'U1')] as const);
  for (const scope of lineTokenScopes) {
    const { token } = await makeToken({ scope });
    for (const [method, path] of insightCalls) {
      const { status, reached } = await call(token, method, path);
      assert.deepEqual([reached, status === 401 || status === 403], [false, false], `${scope} ${path}`);
    }
    for (const [needed, calls] of [
      ['send', listed],
      ['all', otherCalls],
    ] as const) {
      for (const [method, path] of calls) {
        const { status, reached, body } = await call(token, method, path);
        const isOpen = lineTokenScopes.indexOf(scope) >= lineTokenScopes.indexOf(needed);
        assert.equal(reached, isOpen, `${scope} ${method} ${path}: ${status}`);
        if (isOpen) continue;
        const message = `The access token has the scope ${scope}. This call needs ${needed}.`;
        assert.deepEqual([status, body], [403, { message }], `${scope} ${method} ${path}`);
      }
    }
  }
  assert.ok(line.requests.every(({ headers }) => headers.authorization === `Bearer ${channelToken}`));
});

test('the channel’s own access token allows every call', async (t) => {
  const { call } = await connected(t);
  for (const [method, path] of otherCalls)
    assert.ok((await call(channelToken, method, path)).reached, `${method} ${path}`);
});

test('a LINE token expires on time, for the gateway and for Insight', async (t) => {
  const { call, makeToken, now } = await connected(t);
  const { token } = await makeToken({ scope: 'all', expiresAt: now.ms + dayMs });
  const statuses = async () => [
    (await call(token, 'GET', '/v2/bot/info')).status,
    (await call(token, 'POST', '/v2/bot/message/broadcast')).status,
    (await call(token, 'GET', '/v2/bot/insight/followers?date=20260301')).status,
  ];
  assert.deepEqual(await statuses(), [200, 200, 200]);
  now.ms += dayMs;
  // Insight caches a token for half a second.
  await until(async () => (await statuses())[2] !== 200, 'the token is refused');
  assert.deepEqual(await statuses(), [401, 401, 401]);
  await assert.rejects(makeToken({ expiresAt: now.ms }), { code: 'INPUT_INVALID' });
  await assert.rejects(makeToken({ expiresAt: Number.NaN }), { code: 'INPUT_INVALID' });
});

test('the documented table of scopes matches the calls of the gateway', async () => {
  const text = await readFile(new URL('../../docs/gateway.md', import.meta.url), 'utf8');
  const section = text.split('## Scopes of made tokens')[1]?.split('\n## ')[0] ?? '';
  const documented = [...section.matchAll(/`(GET|POST) (\/[^`]+)`/g)].flatMap(([, method, path = '']) =>
    expand(path).map((one) => `${method} ${one.replace(/\{\w+\}/g, '{}')}`),
  );
  const actual = sendCalls.map(([method, path]) => `${method} ${path}`);
  assert.deepEqual(documented.sort(), actual.sort());
  for (const path of sendPaths.keys()) assert.ok(actual.includes(`POST ${path}`));
});

/** `/a/{b,c}` as `/a/b` and `/a/c`. */
function expand(path: string): string[] {
  const [whole, list = ''] = /\{([^}]*,[^}]*)\}/.exec(path) ?? [];
  return whole === undefined ? [path] : list.split(',').map((name) => path.replace(whole, name));
}
