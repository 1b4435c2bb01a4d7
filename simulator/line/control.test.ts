/** The sandbox's own calls over HTTP, and the failures that can be asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineSideStart, testLineSide } from '../../tests/harness/line-side.ts';
import type { LineSide } from './line-side.ts';

async function ask(
  { address }: LineSide,
  method: string,
  path: string,
  body?: object,
): Promise<[number, unknown]> {
  const response = await fetch(address + path, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return [response.status, await response.json()];
}

function quotaCall({ address, credentials }: LineSide, signal?: AbortSignal): Promise<Response> {
  const headers = { authorization: `Bearer ${credentials.accessToken}` };
  return fetch(`${address}/v2/bot/message/quota`, { headers, signal: signal ?? null });
}

test('the clock, people, settings and the truth are to be had over HTTP', async (t) => {
  const side = await testLineSide(t, { people: 0 });
  assert.deepEqual(await ask(side, 'POST', '/sandbox/run', { hours: 1, minutes: 30 }), [
    200,
    { now: '2026-03-18T04:30:00.000Z' },
  ]);
  const until = '2026-03-18T14:00:00+09:00';
  assert.deepEqual(await ask(side, 'POST', '/sandbox/run', { until }), [
    200,
    { now: '2026-03-18T05:00:00.000Z' },
  ]);
  const [status, acted] = await ask(side, 'POST', '/sandbox/act', { action: 'follow' });
  assert.equal(status, 200);
  assert.equal(Object.keys(Object(acted)).join(), 'userId,webhookEventId,at');
  const { userId } = Object(acted);
  await ask(side, 'POST', '/sandbox/act', { action: 'write', userId });
  const settings = {
    quota: 5,
    callsPerHour: null,
    readyAfterHours: 1,
    webhook: { endpoint: null, lateMinutesMax: 3 },
  };
  assert.deepEqual(await ask(side, 'PATCH', '/sandbox/settings', settings), [200, {}]);
  assert.deepEqual(await (await quotaCall(side)).json(), { type: 'limited', value: 5 });
  const [, sent] = await ask(side, 'POST', '/sandbox/broadcast-by-hand', {
    text: 'Sale https://example.com',
  });
  const { requestId, recipients } = Object(sent);
  assert.equal(recipients, 1);
  const click = { requestId, userId, kind: 'click', url: 'https://example.com' };
  for (let time = 0; time < 2; time += 1) await ask(side, 'POST', '/sandbox/interact', click);
  const [, truth] = await ask(side, 'GET', '/sandbox/truth');
  const { followers, messagesIn, sends } = Object(truth);
  assert.deepEqual([followers, messagesIn], [1, 1]);
  assert.ok(sends[0].clicks[0].clicks >= 2);
  const [, { calls }] = (await ask(side, 'GET', '/sandbox/calls')) as [number, { calls: object[] }];
  assert.equal(calls.length, 1);
  assert.deepEqual(JSON.parse(JSON.stringify(calls[0], ['method', 'path', 'status'])), {
    method: 'GET',
    path: '/v2/bot/message/quota',
    status: 200,
  });
});

test('a control call that is not understood is refused and does nothing', async (t) => {
  const side = await testLineSide(t, { people: 0 });
  const wrong: [string, string, object][] = [
    ['POST', '/sandbox/run', { days: -1 }],
    ['POST', '/sandbox/run', { day: 1 }],
    ['POST', '/sandbox/act', { action: 'dance' }],
    ['POST', '/sandbox/act', { action: 'write', userId: 'me' }],
    ['POST', '/sandbox/faults', { kind: 'explode' }],
    ['PATCH', '/sandbox/settings', { webhook: { endpoint: 'nowhere' } }],
  ];
  for (const [method, path, body] of wrong) {
    const [status, answer] = await ask(side, method, path, body);
    assert.equal(status, 400, path);
    assert.equal(typeof Object(answer).message, 'string');
  }
  assert.equal(side.control.now(), lineSideStart);
  assert.deepEqual(side.control.truth().events, []);
});

test('the next calls fail as asked, then all is well again', async (t) => {
  const side = await testLineSide(t);
  const path = '/v2/bot/message/quota';
  const failure = (kind: string, more: object = {}) =>
    ask(side, 'POST', '/sandbox/faults', { kind, path, ...more });
  await failure('error', { count: 2, status: 503 });
  assert.equal((await quotaCall(side)).status, 503);
  assert.equal((await quotaCall(side)).status, 503);
  assert.equal((await quotaCall(side)).status, 200);
  for (const when of ['before', 'after']) {
    await failure('nonsense', { when });
    await assert.rejects((await quotaCall(side)).json(), SyntaxError, when);
    await failure('content-type', { when });
    const page = await quotaCall(side);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    await page.text();
    await failure('cut', { when });
    await assert.rejects(quotaCall(side), TypeError, when);
    await failure('hang', { when });
    await assert.rejects(quotaCall(side, AbortSignal.timeout(200)), { name: 'TimeoutError' }, when);
    await failure('slow', { when, delayMs: 150 });
    const startedAt = performance.now();
    assert.equal((await quotaCall(side)).status, 200);
    assert.ok(performance.now() - startedAt >= 140, when);
  }
  await failure('hang', { count: 100 });
  assert.deepEqual(await ask(side, 'DELETE', '/sandbox/faults'), [200, {}]);
  assert.equal((await quotaCall(side)).status, 200);
  const statuses = side.control.calls.map(({ status }) => status);
  assert.deepEqual(statuses.slice(0, 3), [503, 503, 200]);
  assert.equal(statuses.filter((status) => status === 0).length, 4, 'cut and hung, before and after');
});

test('a call left hanging does not keep the sandbox from closing', async (t) => {
  const side = await testLineSide(t);
  side.control.fail({ kind: 'hang' });
  const hanging = quotaCall(side).then(
    () => 'answered',
    () => 'ended',
  );
  while (side.control.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await side.close();
  assert.equal(await hanging, 'ended');
});
