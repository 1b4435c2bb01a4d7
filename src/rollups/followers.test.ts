import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import type { Event } from '../platforms/event.ts';
import { type BlockEvent, foldBlocks } from './blocks.ts';
import { Tally } from './counters.ts';
import { foldFollows } from './followers.ts';

const zone = 'Asia/Taipei';
const noon = (day: number): number => Date.parse(`2026-03-0${day}T12:00:00+08:00`);

const follow = (day: number): Event => ({
  ...{ platform: 'facebook', key: `message:${day}`, kind: 'message-in', detail: null, contactId: 'ada' },
  happenedAt: noon(day),
});
const followOn = (day: number) => ({ followedAt: noon(day), earlierFriend: null });

/** The days of the bot's zone with their followers and blocks. */
function daysOf(tally: Tally): Record<string, [followers: number, blocks: number]> {
  const days = tally.rows().days.filter((row) => row.zone === zone);
  return Object.fromEntries(days.map(({ day, sums }) => [day, [sums.followers, sums.blocks]]));
}

test('the first follow adds a follower on its day, a later one changes nothing', () => {
  const tally = new Tally(zone);
  const first = foldFollows(tally, 'facebook', null, [follow(2)]);
  assert.deepEqual(foldFollows(tally, 'facebook', first, [follow(3)]), followOn(2));
  assert.deepEqual(daysOf(tally), { '2026-03-02': [1, 0] });
});

test('an earlier follow that arrives late moves the follower to its day', () => {
  const tally = new Tally(zone);
  const first = foldFollows(tally, 'facebook', null, [follow(2)]);
  assert.deepEqual(foldFollows(tally, 'facebook', first, [follow(1)]), followOn(1));
  assert.deepEqual(daysOf(tally), { '2026-03-01': [1, 0] });
});

test('the latest event decides the block state, and the larger key decides a tie', () => {
  const block: BlockEvent = { key: 'a', at: noon(1), isBlock: true };
  const unblock: BlockEvent = { key: 'b', at: noon(1), isBlock: false };
  assert.equal(foldBlocks(new Tally(zone), 'line', [], [unblock, block]), false);
  assert.equal(foldBlocks(new Tally(zone), 'line', [], [{ ...unblock, key: '0' }, block]), true);
});

test('days of blocks add up to the state, for any order and any batches of events', async (t) => {
  const event = fc.record({
    key: fc.string({ minLength: 1, maxLength: 3 }),
    at: fc.integer({ min: 1, max: 5 }).map(noon),
    isBlock: fc.boolean(),
  });
  const events = fc.uniqueArray(event, { selector: ({ key }) => key, maxLength: 10 });
  await holds(
    t,
    fc.property(events, fc.nat({ max: 10 }), (all, cut) => {
      const first = all.slice(0, cut);
      const inTwo = new Tally(zone);
      foldBlocks(inTwo, 'line', [], first);
      const blocked = foldBlocks(inTwo, 'line', first, all);
      const atOnce = new Tally(zone);
      assert.equal(foldBlocks(atOnce, 'line', [], [...all].reverse()), blocked);
      assert.deepEqual(daysOf(inTwo), daysOf(atOnce));
      const sum = Object.values(daysOf(atOnce)).reduce((total, [, blocks]) => total + blocks, 0);
      assert.equal(sum, blocked ? 1 : 0);
    }),
  );
});
