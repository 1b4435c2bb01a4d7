/** The control calls over HTTP, and faults on demand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulatorStart, testLineSimulator } from '../../tests/harness/line-simulator.ts';
import type { LineSimulator } from './simulator.ts';

async function call(
  { address }: LineSimulator,
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

function quotaCall({ address, credentials }: LineSimulator, signal?: AbortSignal): Promise<Response> {
  const headers = { authorization: `Bearer ${credentials.accessToken}` };
  return fetch(`${address}/v2/bot/message/quota`, { headers, signal: signal ?? null });
}

test('HTTP calls control the clock, people and settings, and return the truth', async (t) => {
  const simulator = await testLineSimulator(t, { people: 0 });
  assert.deepEqual(await call(simulator, 'POST', '/sandbox/run', { hours: 1, minutes: 30 }), [
    200,
    { now: '2026-03-18T04:30:00.000Z' },
  ]);
  const until = '2026-03-18T14:00:00+09:00';
  assert.deepEqual(await call(simulator, 'POST', '/sandbox/run', { until }), [
    200,
    { now: '2026-03-18T05:00:00.000Z' },
  ]);
  const [status, result] = await call(simulator, 'POST', '/sandbox/act', { action: 'follow' });
  assert.equal(status, 200);
  assert.equal(Object.keys(Object(result)).join(), 'userId,webhookEventId,at');
  const { userId } = Object(result);
  await call(simulator, 'POST', '/sandbox/act', { action: 'write', userId });
  const settings = {
    quota: 5,
    callsPerHour: null,
    readyAfterHours: 1,
    webhook: { endpoint: null, lateMinutesMax: 3 },
  };
  assert.deepEqual(await call(simulator, 'PATCH', '/sandbox/settings', settings), [200, {}]);
  assert.deepEqual(await (await quotaCall(simulator)).json(), { type: 'limited', value: 5 });
  const [, sent] = await call(simulator, 'POST', '/sandbox/broadcast-by-hand', {
    text: 'Sale https://example.com',
  });
  const { requestId, recipients } = Object(sent);
  assert.equal(recipients, 1);
  const click = { requestId, userId, kind: 'click', url: 'https://example.com' };
  for (let time = 0; time < 2; time += 1) await call(simulator, 'POST', '/sandbox/interact', click);
  const [, truth] = await call(simulator, 'GET', '/sandbox/truth');
  const { followers, messagesIn, sends } = Object(truth);
  assert.deepEqual([followers, messagesIn], [1, 1]);
  assert.ok(sends[0].clicks[0].clicks >= 2);
  const [, { calls }] = (await call(simulator, 'GET', '/sandbox/calls')) as [number, { calls: object[] }];
  assert.equal(calls.length, 1);
  assert.deepEqual(JSON.parse(JSON.stringify(calls[0], ['method', 'path', 'status'])), {
    method: 'GET',
    path: '/v2/bot/message/quota',
    status: 200,
  });
});

test('an invalid control call is refused and changes nothing', async (t) => {
  const simulator = await testLineSimulator(t, { people: 0 });
  const invalidCalls: [string, string, object][] = [
    ['POST', '/sandbox/run', { days: -1 }],
    ['POST', '/sandbox/run', { day: 1 }],
    ['POST', '/sandbox/act', { action: 'dance' }],
    ['POST', '/sandbox/act', { action: 'write', userId: 'me' }],
    ['POST', '/sandbox/faults', { kind: 'explode' }],
    ['PATCH', '/sandbox/settings', { webhook: { endpoint: 'nowhere' } }],
  ];
  for (const [method, path, body] of invalidCalls) {
    const [status, answer] = await call(simulator, method, path, body);
    assert.equal(status, 400, path);
    assert.equal(typeof Object(answer).message, 'string');
  }
  assert.equal(simulator.control.now(), simulatorStart);
  assert.deepEqual(simulator.control.truth().events, []);
});

test('a refused control call names the allowed values, the unknown field, or the missing content type', async (t) => {
  const simulator = await testLineSimulator(t, { people: 0 });
  const refusals: [string, object, string][] = [
    [
      '/sandbox/act',
      { action: 'dance' },
      'body/action must be equal to one of the allowed values: follow, block, unblock, write, tap',
    ],
    [
      '/sandbox/faults',
      { kind: 'explode' },
      'body/kind must be equal to one of the allowed values: error, hang, slow, nonsense, content-type, cut',
    ],
    ['/sandbox/run', { day: 1 }, 'body must NOT have additional properties: day'],
  ];
  for (const [path, body, message] of refusals) {
    assert.deepEqual(await call(simulator, 'POST', path, body), [400, { message }]);
  }
  for (const headers of [{}, { 'content-type': 'application/x-www-form-urlencoded' }]) {
    const body = new TextEncoder().encode('{"action":"follow"}');
    const response = await fetch(`${simulator.address}/sandbox/act`, { method: 'POST', body, headers });
    assert.equal(response.status, 415);
    assert.match(await response.text(), /Send the header \\"Content-Type: application\/json\\"\./);
  }
});

test('the next calls have the requested faults, later calls succeed', async (t) => {
  const simulator = await testLineSimulator(t);
  const path = '/v2/bot/message/quota';
  const addFault = (kind: string, fields: object = {}) =>
    call(simulator, 'POST', '/sandbox/faults', { kind, path, ...fields });
  await addFault('error', { count: 2, status: 503 });
  assert.equal((await quotaCall(simulator)).status, 503);
  assert.equal((await quotaCall(simulator)).status, 503);
  assert.equal((await quotaCall(simulator)).status, 200);
  for (const when of ['before', 'after']) {
    await addFault('nonsense', { when });
    await assert.rejects((await quotaCall(simulator)).json(), SyntaxError, when);
    await addFault('content-type', { when });
    const page = await quotaCall(simulator);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    await page.text();
    await addFault('cut', { when });
    await assert.rejects(quotaCall(simulator), TypeError, when);
    await addFault('hang', { when });
    await assert.rejects(quotaCall(simulator, AbortSignal.timeout(200)), { name: 'TimeoutError' }, when);
    await addFault('slow', { when, delayMs: 150 });
    const startedAt = performance.now();
    assert.equal((await quotaCall(simulator)).status, 200);
    assert.ok(performance.now() - startedAt >= 140, when);
  }
  await addFault('hang', { count: 100 });
  assert.deepEqual(await call(simulator, 'DELETE', '/sandbox/faults'), [200, {}]);
  assert.equal((await quotaCall(simulator)).status, 200);
  const statuses = simulator.control.calls.map(({ status }) => status);
  assert.deepEqual(statuses.slice(0, 3), [503, 503, 200]);
  assert.equal(statuses.filter((status) => status === 0).length, 4, 'cut and hung, before and after');
});

test('the simulator closes despite a hanging call', async (t) => {
  const simulator = await testLineSimulator(t);
  simulator.control.fail({ kind: 'hang' });
  const hanging = quotaCall(simulator).then(
    () => 'answered',
    () => 'ended',
  );
  while (simulator.control.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await simulator.close();
  assert.equal(await hanging, 'ended');
});
