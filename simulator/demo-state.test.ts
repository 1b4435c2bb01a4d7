import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DemoFolder } from './demo-state.ts';
import { SeededRandom } from './events/random.ts';
import { nextLiveEvent } from './live-events.ts';
import { createWorld } from './world.ts';

test('a second run continues the saved world, and another seed starts a new one', async (t) => {
  const folder = await newFolder(t);
  const first = await new DemoFolder(folder).open({ seed: 5, now: 1_000 });
  assert.deepEqual({ ...first, version: 0 }, { version: 0, seed: 5, until: 1_000, botId: null });
  await new DemoFolder(folder).save({ ...first, botId: 'bot' });
  assert.deepEqual(await new DemoFolder(folder).open({ seed: null, now: 2_000 }), { ...first, botId: 'bot' });
  assert.deepEqual(await new DemoFolder(folder).open({ seed: 5, now: 2_000 }), { ...first, botId: 'bot' });
  const other = await new DemoFolder(folder).open({ seed: 6, now: 3_000 });
  assert.deepEqual([other.seed, other.until, other.botId], [6, 3_000, null]);
});

test('live events are saved, except for a cut-off line, and a new world starts without them', async (t) => {
  const folder = await newFolder(t);
  const demoFolder = new DemoFolder(folder);
  await demoFolder.open({ seed: 1, now: 1_000 });
  assert.deepEqual(await demoFolder.liveEvents(), []);
  const random = new SeededRandom(1);
  const [first, second] = [nextLiveEvent([], random, 2_000), nextLiveEvent([], random, 3_000)];
  await demoFolder.addLiveEvent(first);
  await appendFile(join(folder, 'demo-trickle.ndjson'), '\n{"platform":"li');
  await demoFolder.addLiveEvent(second);
  assert.deepEqual(await new DemoFolder(folder).liveEvents(), [first, second]);
  await demoFolder.open({ seed: 2, now: 4_000 });
  assert.deepEqual(await demoFolder.liveEvents(), []);
});

test('only the owner can read the saved state', async (t) => {
  const folder = await newFolder(t);
  await new DemoFolder(folder).open({ seed: 1, now: 1_000 });
  for (const file of ['demo.json', 'demo-trickle.ndjson']) {
    assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600);
  }
});

test('the world of a seed has not changed, or its version has', () => {
  const { events, tags, points } = createWorld({
    seed: 1,
    until: Date.parse('2026-03-20T04:00:00Z'),
    people: 50,
  });
  const fingerprint = createHash('sha256').update(JSON.stringify({ events, tags, points })).digest('hex');
  assert.equal(
    fingerprint,
    'b334536d0b4c80925d2b877dc9adf4f46391db438a412bd63bf4cace0431b38c',
    'The worlds have changed: increase worldVersion in demo-state.ts, and update this fingerprint.',
  );
});

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-demo-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
