import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WebhookPlatformName } from '../src/platforms/platform.ts';
import { dayMs, minuteMs } from '../src/time.ts';
import { Chance } from './chance.ts';
import { personKey } from './happening.ts';
import { nextHappening } from './trickle.ts';
import { createWorld, peopleIn, withHappenings } from './world.ts';

const until = Date.parse('2026-03-20T04:00:00Z');
const platforms: WebhookPlatformName[] = ['line', 'facebook', 'instagram', 'whatsapp'];

test('the same seed gives the same world, another seed another one', () => {
  const options = { seed: 4, until, people: 60 };
  assert.deepEqual(createWorld(options), createWorld(options));
  assert.notDeepEqual(createWorld(options).happenings, createWorld({ ...options, seed: 5 }).happenings);
});

test('a world holds the weeks before its end, in order, each happening under an id of its own', () => {
  const { happenings } = createWorld({ seed: 1, until, days: 20, people: 100 });
  assert.ok(happenings.every(({ at }) => at >= until - 20 * dayMs && at <= until));
  assert.deepEqual(
    happenings.map(({ at }) => at),
    happenings.map(({ at }) => at).sort((a, b) => a - b),
  );
  assert.equal(new Set(happenings.map(({ id }) => id)).size, happenings.length);
});

test('the usual world holds five to ten thousand happenings, on every platform, and the hard cases among them', () => {
  const { happenings } = createWorld({ seed: 1, until });
  assert.ok(happenings.length >= 5_000 && happenings.length <= 10_000, `${happenings.length} happenings`);
  const some = (what: string, found: boolean) => assert.ok(found, `no ${what} in the world`);
  for (const platform of platforms) {
    some(
      `message on ${platform}`,
      happenings.some((one) => one.platform === platform && one.what === 'message'),
    );
  }
  const firstOnLine = new Map<string, string>();
  for (const { platform, what, person } of happenings) {
    if (platform !== 'line' || !person || (what !== 'follow' && what !== 'unfollow')) continue;
    if (!firstOnLine.has(personKey(person))) firstOnLine.set(personKey(person), what);
  }
  some('block by somebody never seen', [...firstOnLine.values()].includes('unfollow'));
  some(
    'group message of nobody',
    happenings.some((one) => one.what === 'group-message' && one.person === null),
  );
  some('pause of exactly 15 minutes', hasPause(happenings, 'line', 15 * minuteMs));
  some('pause of 15 minutes and 1 ms', hasPause(happenings, 'line', 15 * minuteMs + 1));
  some(
    'day edge',
    happenings.some(({ at }) => at % dayMs === 15 * 60 * minuteMs),
  );
  some(
    'read before sent',
    happenings.some(({ statuses }) => statuses?.length === 1 && statuses[0]?.status === 'read'),
  );
  for (const shown of ['number', 'user-id', 'both']) {
    some(
      `WhatsApp person by ${shown}`,
      happenings.some((one) => one.shown === shown),
    );
  }
});

test('everybody with two ids on WhatsApp who is ever seen by both shows them together in a message', () => {
  const { happenings } = createWorld({ seed: 2, until });
  const shownByPerson = Map.groupBy(
    happenings.filter(({ person, what }) => person?.id && person.userId && what !== 'group-message'),
    ({ person }) => personKey(person!),
  );
  assert.ok(shownByPerson.size > 0);
  for (const [person, seen] of shownByPerson) {
    if (!seen.some(({ shown }) => shown === 'user-id')) continue;
    assert.ok(
      seen.some(({ shown, what }) => shown === 'both' && what === 'message'),
      person,
    );
  }
});

test('no spend is larger than what the lots without expiry hold', () => {
  const { points } = createWorld({ seed: 3, until, people: 80 });
  const lasting = new Map<string, number>();
  for (const { person, kind, amount, expiresAt } of points) {
    const key = personKey(person);
    if (kind === 'earn' && expiresAt === null) lasting.set(key, (lasting.get(key) ?? 0) + amount);
    if (kind === 'spend') assert.ok(amount <= (lasting.get(key) ?? 0));
  }
  assert.ok(points.some(({ kind }) => kind === 'spend'));
});

test('points are earned, spent and expire over weeks, none before the person is first heard of', () => {
  const { points, happenings } = createWorld({ seed: 3, until, people: 200 });
  const weeks = (kind: string) =>
    new Set(points.flatMap((one) => (one.kind === kind ? [Math.floor((until - one.at) / (7 * dayMs))] : [])));
  assert.ok(weeks('earn').size >= 8 && weeks('spend').size >= 5);
  const isPast = ({ expiresAt }: { expiresAt: number | null }) => expiresAt !== null && expiresAt < until;
  assert.ok(points.filter(isPast).length > 10);
  assert.deepEqual(
    points.map(({ at }) => at),
    points.map(({ at }) => at).sort((a, b) => a - b),
  );
  for (const { person, at } of points) {
    const first = happenings.find((one) => one.person && personKey(one.person) === personKey(person));
    assert.ok(first && first.at <= at, personKey(person));
  }
});

test('a trickle adds happenings of now to a world, to known people and to new ones', () => {
  const world = createWorld({ seed: 6, until, people: 20 });
  const people = peopleIn(world.happenings);
  const known = new Set(people.map(personKey));
  const chance = new Chance(9);
  const live = Array.from({ length: 200 }, (_, place) => nextHappening(people, chance, until + place * 250));
  assert.ok(live.some(({ person }) => known.has(personKey(person!))));
  assert.ok(live.some(({ person }) => !known.has(personKey(person!))));
  const grown = withHappenings(world, live);
  assert.equal(grown.happenings.length, world.happenings.length + 200);
});

function hasPause(
  happenings: ReturnType<typeof createWorld>['happenings'],
  platform: WebhookPlatformName,
  pauseMs: number,
): boolean {
  const before = new Map<string, number>();
  return happenings.some(({ platform: where, what, person, at }) => {
    if (where !== platform || what !== 'message' || !person) return false;
    const last = before.get(personKey(person));
    before.set(personKey(person), at);
    return last !== undefined && at - last === pauseMs;
  });
}
