import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WebhookPlatformName } from '../src/platforms/platform.ts';
import { dayMs, minuteMs } from '../src/time.ts';
import { personKey, type SimulatedEvent } from './events/event.ts';
import { SeededRandom } from './events/random.ts';
import { nextLiveEvent } from './live-events.ts';
import { createWorld, peopleIn, withEvents } from './world.ts';

const until = Date.parse('2026-03-20T04:00:00Z');
const platforms: WebhookPlatformName[] = ['line', 'facebook', 'instagram', 'whatsapp'];

test('the same seed gives the same world, another seed another world', () => {
  const options = { seed: 4, until, people: 60 };
  assert.deepEqual(createWorld(options), createWorld(options));
  assert.notDeepEqual(createWorld(options).events, createWorld({ ...options, seed: 5 }).events);
});

test('the events of a world are in order, within its days, and have unique ids', () => {
  const { events } = createWorld({ seed: 1, until, days: 20, people: 100 });
  assert.ok(events.every(({ at }) => at >= until - 20 * dayMs && at <= until));
  assert.deepEqual(
    events.map(({ at }) => at),
    events.map(({ at }) => at).sort((a, b) => a - b),
  );
  assert.equal(new Set(events.map(({ id }) => id)).size, events.length);
});

test('the default world has five to ten thousand events, on every platform, with the hard cases', () => {
  const { events } = createWorld({ seed: 1, until });
  assert.ok(events.length >= 5_000 && events.length <= 10_000, `${events.length} events`);
  const assertSome = (name: string, exists: boolean) => assert.ok(exists, `no ${name} in the world`);
  for (const platform of platforms) {
    assertSome(
      `message on ${platform}`,
      events.some((one) => one.platform === platform && one.kind === 'message'),
    );
  }
  const firstOnLine = new Map<string, string>();
  for (const { platform, kind, person } of events) {
    if (platform !== 'line' || !person || (kind !== 'follow' && kind !== 'unfollow')) continue;
    if (!firstOnLine.has(personKey(person))) firstOnLine.set(personKey(person), kind);
  }
  assertSome('block by a person without a follow', [...firstOnLine.values()].includes('unfollow'));
  const blocks = events.filter(({ kind }) => kind === 'unfollow').map(instantOf);
  const unblocks = events.filter(({ kind }) => kind === 'follow').map(instantOf);
  assertSome(
    'unblock at the instant of a block',
    unblocks.some((instant) => blocks.includes(instant)),
  );
  assertSome(
    'group message of an unnamed writer',
    events.some((one) => one.kind === 'group-message' && one.person === null),
  );
  assertSome('pause of exactly 15 minutes', hasPause(events, 'line', 15 * minuteMs));
  assertSome('pause of 15 minutes and 1 ms', hasPause(events, 'line', 15 * minuteMs + 1));
  assertSome(
    'day edge',
    events.some(({ at }) => at % dayMs === 15 * 60 * minuteMs),
  );
  assertSome(
    'read before sent',
    events.some(({ statuses }) => statuses?.length === 1 && statuses[0]?.status === 'read'),
  );
  for (const visibleIds of ['number', 'user-id', 'both']) {
    assertSome(
      `WhatsApp person by ${visibleIds}`,
      events.some((one) => one.visibleIds === visibleIds),
    );
  }
});

test('a WhatsApp person whose two ids both appear has a message with both', () => {
  const { events } = createWorld({ seed: 2, until });
  const eventsByPerson = Map.groupBy(
    events.filter(({ person, kind }) => person?.id && person.userId && kind !== 'group-message'),
    ({ person }) => personKey(person!),
  );
  assert.ok(eventsByPerson.size > 0);
  for (const [person, ofPerson] of eventsByPerson) {
    if (!ofPerson.some(({ visibleIds }) => visibleIds === 'user-id')) continue;
    assert.ok(
      ofPerson.some(({ visibleIds, kind }) => visibleIds === 'both' && kind === 'message'),
      person,
    );
  }
});

test('no spend is larger than the lots without expiry', () => {
  const { points } = createWorld({ seed: 3, until, people: 80 });
  const permanent = new Map<string, number>();
  for (const { person, kind, amount, expiresAt } of points) {
    const key = personKey(person);
    if (kind === 'earn' && expiresAt === null) permanent.set(key, (permanent.get(key) ?? 0) + amount);
    if (kind === 'spend') assert.ok(amount <= (permanent.get(key) ?? 0));
  }
  assert.ok(points.some(({ kind }) => kind === 'spend'));
});

test('points are earned, spent and expire over weeks, never before the person’s first event', () => {
  const { points, events } = createWorld({ seed: 3, until, people: 200 });
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
    const first = events.find((one) => one.person && personKey(one.person) === personKey(person));
    assert.ok(first && first.at <= at, personKey(person));
  }
});

test('live events are of existing and of new people', () => {
  const world = createWorld({ seed: 6, until, people: 20 });
  const people = peopleIn(world.events);
  const existingKeys = new Set(people.map(personKey));
  const random = new SeededRandom(9);
  const live = Array.from({ length: 200 }, (_, index) => nextLiveEvent(people, random, until + index * 250));
  assert.ok(live.some(({ person }) => existingKeys.has(personKey(person!))));
  assert.ok(live.some(({ person }) => !existingKeys.has(personKey(person!))));
  const grown = withEvents(world, live);
  assert.equal(grown.events.length, world.events.length + 200);
});

function instantOf({ person, at }: SimulatedEvent): string {
  return `${person?.id} ${at}`;
}

function hasPause(
  events: readonly SimulatedEvent[],
  platform: WebhookPlatformName,
  pauseMs: number,
): boolean {
  const lastTimes = new Map<string, number>();
  return events.some(({ platform: where, kind, person, at }) => {
    if (where !== platform || kind !== 'message' || !person) return false;
    const last = lastTimes.get(personKey(person));
    lastTimes.set(personKey(person), at);
    return last !== undefined && at - last === pauseMs;
  });
}
