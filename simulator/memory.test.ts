import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Chance } from './chance.ts';
import { Memory } from './memory.ts';
import { nextHappening } from './trickle.ts';
import { createWorld } from './world.ts';

test('a story goes on in the same folder, and another seed begins a new one', async (t) => {
  const folder = await newFolder(t);
  const first = await new Memory(folder).story({ seed: 5, now: 1_000 });
  assert.deepEqual({ ...first, version: 0 }, { version: 0, seed: 5, until: 1_000, botId: null });
  await new Memory(folder).keep({ ...first, botId: 'bot' });
  assert.deepEqual(await new Memory(folder).story({ seed: null, now: 2_000 }), { ...first, botId: 'bot' });
  assert.deepEqual(await new Memory(folder).story({ seed: 5, now: 2_000 }), { ...first, botId: 'bot' });
  const other = await new Memory(folder).story({ seed: 6, now: 3_000 });
  assert.deepEqual([other.seed, other.until, other.botId], [6, 3_000, null]);
});

test('what the trickle sent is remembered, but for a line that was torn; a new story forgets it', async (t) => {
  const folder = await newFolder(t);
  const memory = new Memory(folder);
  await memory.story({ seed: 1, now: 1_000 });
  assert.deepEqual(await memory.trickled(), []);
  const chance = new Chance(1);
  const [first, second] = [nextHappening([], chance, 2_000), nextHappening([], chance, 3_000)];
  await memory.trickle(first);
  await appendFile(join(folder, 'demo-trickle.ndjson'), '\n{"platform":"li');
  await memory.trickle(second);
  assert.deepEqual(await new Memory(folder).trickled(), [first, second]);
  await memory.story({ seed: 2, now: 4_000 });
  assert.deepEqual(await memory.trickled(), []);
});

test('only its owner can read what is remembered', async (t) => {
  const folder = await newFolder(t);
  await new Memory(folder).story({ seed: 1, now: 1_000 });
  for (const file of ['demo.json', 'demo-trickle.ndjson']) {
    assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600);
  }
});

test('the world of a seed is the one that kept stories were told of', () => {
  const { happenings, tags, points } = createWorld({
    seed: 1,
    until: Date.parse('2026-03-20T04:00:00Z'),
    people: 50,
  });
  const fingerprint = createHash('sha256').update(JSON.stringify({ happenings, tags, points })).digest('hex');
  assert.equal(
    fingerprint,
    '846c219e53f57418a273792b6e9b2e41c941fb4922622f22128768f86d6edc9f',
    'The worlds have changed: raise storyVersion in memory.ts, and put the new fingerprint here.',
  );
});

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-memory-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
