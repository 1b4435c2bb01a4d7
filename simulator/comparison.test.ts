import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { clientAnalysisOf, messageAnalysisOf } from './answers.ts';
import { isObject, type JsonObject } from './caller.ts';
import { compareAnalyses, comparePoints, idsMax, tableOf } from './comparison.ts';
import { platformIdOf } from './happening.ts';
import { pointsTruth } from './oracle.ts';
import { createWorld } from './world.ts';

const until = Date.parse('2026-03-20T04:00:00Z');
const world = createWorld({ seed: 1, until, people: 300 });
const credentials = { botId: 'bot', apiToken: 'token', apiSecret: 'secret' };

test('a server that tells the truth differs nowhere', async (t) => {
  const address = await serve(t, (path, body) => truth(path, body));
  const rows = await compareAnalyses(address, credentials, world, until);
  assert.deepEqual(
    rows.filter(({ same }) => !same),
    [],
  );
  assert.equal(
    rows.length,
    Object.keys(clientAnalysisOf(world)).length + Object.keys(messageAnalysisOf(world, until)).length,
  );
  const points = await comparePoints(address, credentials, world, until);
  assert.equal(points.length, 4);
  assert.ok(points.every(({ same }) => same));
});

test('a wrong, a missing and a superfluous figure are differences', async (t) => {
  const address = await serve(t, (path, body) => {
    const { lineQuota: _, ...answer } = truth(path, body);
    if (!isObject(answer.clientAnalysis)) return answer;
    return { ...answer, clientAnalysis: { ...answer.clientAnalysis, lineFollowers: 1, tweets: 2 } };
  });
  const rows = await compareAnalyses(address, credentials, world, until);
  assert.deepEqual(
    rows.filter(({ same }) => !same).map(({ figure }) => figure),
    ['lineFollowers', 'tweets', 'lineQuota'],
  );
  assert.match(tableOf(rows).join('\n'), /✗ {2}tweets +2 +–/);
});

test("one person's wrong points are a difference, even when the sum is right", async (t) => {
  const address = await serve(t, (path, body) => {
    const { points } = truth(path, body);
    if (!Array.isArray(points)) return {};
    const [first, second, ...others] = points;
    return { points: [{ ...first, points: second.points }, { ...second, points: first.points }, ...others] };
  });
  const rows = await comparePoints(address, credentials, world, until);
  assert.ok(rows.length > 0);
  assert.ok(rows.every(({ same, answered, truth }) => !same && answered === truth));
});

test('an answer that is no success is told whole', async (t) => {
  const address = await serve(t, () => ({ success: false, errResponse: { code: 1002 } }));
  await assert.rejects(
    compareAnalyses(address, credentials, world, until),
    /clients\/analysis answered 200: .*1002/,
  );
});

function truth(path: string, body: JsonObject): JsonObject {
  if (path.includes('clients/analysis')) return { clientAnalysis: clientAnalysisOf(world) };
  if (path.includes('message/analysis')) return messageAnalysisOf(world, until);
  const { platform, platformClientIds } = body;
  assert.ok(Array.isArray(platformClientIds) && platformClientIds.length <= idsMax);
  const people = new Map(world.people.map((person) => [platformIdOf(person), person]));
  const points = platformClientIds.map((platformClientId: string) => {
    const person = people.get(platformClientId);
    assert.ok(person && person.platform === platform);
    return { platform, platformClientId, points: pointsTruth(world, person, until) };
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
