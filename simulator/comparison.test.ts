import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { isObject, type JsonObject } from '../src/json.ts';
import { compareAnalyses, comparePoints, idsMax, tableOf } from './comparison.ts';
import { platformIdOf } from './events/event.ts';
import { expectedClientAnalysis, expectedMessageAnalysis } from './expected-answers.ts';
import { expectedPoints } from './expected-figures.ts';
import { createWorld, peopleIn } from './world.ts';

const until = Date.parse('2026-03-20T04:00:00Z');
const world = createWorld({ seed: 1, until, people: 300 });
const credentials = { botId: 'bot', apiToken: 'token', apiSecret: 'secret' };

test('correct answers have no differences', async (t) => {
  const address = await serve(t, (path, body) => correctAnswer(path, body));
  const rows = await compareAnalyses(address, credentials, world, until);
  assert.deepEqual(
    rows.filter(({ isEqual }) => !isEqual),
    [],
  );
  assert.equal(
    rows.length,
    Object.keys(expectedClientAnalysis(world)).length +
      Object.keys(expectedMessageAnalysis(world, until)).length,
  );
  const points = await comparePoints(address, credentials, world, until);
  assert.equal(points.length, 4);
  assert.ok(points.every(({ isEqual }) => isEqual));
});

test('a wrong, a missing and an additional figure are differences', async (t) => {
  const address = await serve(t, (path, body) => {
    const { lineQuota: _, ...answer } = correctAnswer(path, body);
    if (!isObject(answer.clientAnalysis)) return answer;
    return { ...answer, clientAnalysis: { ...answer.clientAnalysis, lineFollowers: 1, tweets: 2 } };
  });
  const rows = await compareAnalyses(address, credentials, world, until);
  assert.deepEqual(
    rows.filter(({ isEqual }) => !isEqual).map(({ figure }) => figure),
    ['lineFollowers', 'tweets', 'lineQuota'],
  );
  assert.match(tableOf(rows).join('\n'), /✗ {2}tweets +2 +–/);
});

test("one person's wrong points are a difference, even when the sum is correct", async (t) => {
  const address = await serve(t, (path, body) => {
    const { points } = correctAnswer(path, body);
    if (!Array.isArray(points)) return {};
    const [first, second, ...others] = points;
    return { points: [{ ...first, points: second.points }, { ...second, points: first.points }, ...others] };
  });
  const rows = await comparePoints(address, credentials, world, until);
  assert.ok(rows.length > 0);
  assert.ok(rows.every(({ isEqual, actual, expected }) => !isEqual && actual === expected));
});

test('the error of a failed call contains its answer', async (t) => {
  const address = await serve(t, () => ({ success: false, errResponse: { code: 1002 } }));
  await assert.rejects(
    compareAnalyses(address, credentials, world, until),
    /clients\/analysis answered 200: .*1002/,
  );
});

function correctAnswer(path: string, body: JsonObject): JsonObject {
  if (path.includes('clients/analysis')) return { clientAnalysis: expectedClientAnalysis(world) };
  if (path.includes('message/analysis')) return expectedMessageAnalysis(world, until);
  const { platform, platformClientIds } = body;
  assert.ok(Array.isArray(platformClientIds) && platformClientIds.length <= idsMax);
  const people = new Map(peopleIn(world.events).map((person) => [platformIdOf(person), person]));
  const points = platformClientIds.map((platformClientId: string) => {
    const person = people.get(platformClientId);
    assert.ok(person && person.platform === platform);
    return { platform, platformClientId, points: expectedPoints(world, person, until) };
  });
  return { points };
}

async function serve(
  t: TestContext,
  answer: (path: string, body: JsonObject) => JsonObject,
): Promise<string> {
  const server = createServer(async (request, response) => {
    const body: JsonObject = JSON.parse(Buffer.concat(await request.toArray()).toString());
    assert.equal(request.headers.authorization, 'Bearer token');
    assert.equal(body.secret, 'secret');
    response.end(JSON.stringify({ success: true, message: 'done', ...answer(request.url ?? '', body) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
