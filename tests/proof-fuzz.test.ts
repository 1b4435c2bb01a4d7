/** The checks of the fuzzer (proof/fuzz): what it takes for a fault, and how it reduces a failing call. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call } from '../proof/fuzz/calls.ts';
import { problemOf } from '../proof/fuzz/checks.ts';
import { readOperations } from '../proof/fuzz/operations.ts';
import { Pool } from '../proof/fuzz/pool.ts';
import { reduced } from '../proof/fuzz/reduce.ts';
import { validValue } from '../proof/fuzz/values.ts';
import { randomOf } from '../simulator/events/random.ts';
import type { JsonObject } from '../src/json.ts';

const operations = await readOperations();
const limits = { marker: 'foreign-x', answerMsMax: 5_000 };

function callOf(id: string, part: Partial<Call> = {}): Call {
  const operation = operations.find((one) => one.id === id);
  assert.ok(operation, id);
  const { method, path } = operation;
  return {
    ...{ operation, changes: [], method, path, query: [], headers: {}, body: undefined, bytes: null },
    ...{ isOperation: true, maySeeForeign: false },
    ...part,
  };
}

test('the fuzzer knows every operation of the five contracts', () => {
  assert.equal(operations.length, new Set(operations.map(({ id }) => id)).size);
  for (const id of ['getClientAnalysis', 'listClients', 'getNumberOfFollowers', 'createBot', 'sendImage'])
    assert.ok(
      operations.some((operation) => operation.id === id),
      id,
    );
});

test('the bodies that the fuzzer takes for valid are valid, whatever the seed', () => {
  const wrong = operations.flatMap(({ id, body, isValidBody }) => {
    if (body === null || isValidBody === null) return [];
    const source = { pool: new Pool(), operationId: id, callbackUrl: 'http://127.0.0.1:1' };
    return Array.from({ length: 200 }, (_, seed) =>
      validValue(body as JsonObject, 'body', { ...source, random: randomOf(seed, id) }),
    ).flatMap((value) => (isValidBody(value) ? [] : `${id}: ${JSON.stringify(isValidBody.errors)}`));
  });
  assert.deepEqual([...new Set(wrong)].slice(0, 5), []);
  // Throws if a pattern is unknown.
  for (const { id, parameters } of operations) {
    const source = { pool: new Pool(), operationId: id, callbackUrl: '', random: randomOf(1, id) };
    for (const { name, schema } of parameters) validValue(schema as JsonObject, name, source);
  }
});

test('an undocumented status, a broken body, foreign data and a late answer are faults', () => {
  const call = callOf('switchLifeCycles');
  const json = 'application/problem+json';
  const refusal = { type: 'x', title: 'x', status: 404, detail: 'x', code: 'BOT_NOT_FOUND' };
  const problem = (status: number, body: unknown, ms = 1) =>
    problemOf(call, { status, type: json, text: body === null ? '' : JSON.stringify(body), ms }, limits)
      ?.kind;
  assert.equal(problem(204, null), undefined);
  assert.equal(problem(404, refusal), undefined);
  assert.match(String(problem(404, { ...refusal, more: 1 })), /breaks its schema/);
  assert.match(String(problem(404, { ...refusal, code: undefined })), /breaks its schema/);
  assert.match(String(problem(409, refusal)), /undocumented status 409/);
  assert.match(String(problem(500, refusal)), /status 500/);
  assert.match(String(problem(503, refusal)), /status 503/);
  assert.equal(problem(503, { ...refusal, status: 503, code: 'SERVER_BUSY' }), undefined);
  assert.match(String(problem(404, { ...refusal, detail: 'of foreign-x' })), /data of another bot/);
  assert.match(String(problem(204, null, 5_001)), /late/);
});

test('a failing call is reduced to the parts that fail', async () => {
  const call = callOf('createTag', {
    query: [
      ['a', '1'],
      ['b', '2'],
    ],
    headers: { accept: 'x', authorization: 'y' },
    body: { kind: 'manual', name: 'bad', lifeCycle: { active: true, days: [1, 2, 3, 4, 5] } },
  });
  const fails = async ({ body, headers }: Call) =>
    JSON.stringify(body)?.includes('4') === true && headers.authorization === 'y';
  const { call: smallest, isRepeatable } = await reduced(call, fails);
  assert.equal(isRepeatable, true);
  assert.deepEqual([smallest.query, smallest.headers], [[], { authorization: 'y' }]);
  assert.deepEqual(smallest.body, { lifeCycle: { days: [4] } });
});

test('a call that does not fail again is reported as it was', async () => {
  const call = callOf('createTag', { body: { kind: 'manual' } });
  assert.deepEqual(await reduced(call, async () => false), { call, isRepeatable: false });
});
