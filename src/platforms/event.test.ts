import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addsMessage, blockStateAfter, eventKinds, isMessage, makesFollower } from './event.ts';
import { platformNames } from './platform.ts';

test('each platform has its own events that make a follower', () => {
  const kinds = Object.fromEntries(
    platformNames.map((platform) => [platform, eventKinds.filter((kind) => makesFollower(platform, kind))]),
  );
  assert.deepEqual(kinds, {
    line: ['follow', 'unfollow'],
    facebook: ['message-in', 'postback', 'optin', 'referral'],
    instagram: ['message-in', 'postback'],
    whatsapp: ['message-in', 'postback'],
    liveChat: ['message-in'],
  });
});

test('only LINE, Messenger and live chat have blocks', () => {
  const states = Object.fromEntries(
    platformNames.map((platform) => [
      platform,
      eventKinds.flatMap((kind) => {
        const blocked = blockStateAfter(platform, kind);
        return blocked === null ? [] : [`${kind}: ${blocked ? 'blocked' : 'not blocked'}`];
      }),
    ]),
  );
  assert.deepEqual(states, {
    line: ['follow: not blocked', 'unfollow: blocked'],
    facebook: ['message-in: not blocked', 'block: blocked', 'unblock: not blocked'],
    instagram: [],
    whatsapp: [],
    liveChat: ['block: blocked', 'unblock: not blocked'],
  });
});

test('every message event counts as a message, except outbound ones on LINE, which LINE counts by day', () => {
  assert.deepEqual(eventKinds.filter(isMessage), ['message-in', 'message-out']);
  for (const platform of platformNames) {
    assert.equal(addsMessage(platform, 'message-in'), true);
    assert.equal(addsMessage(platform, 'message-out'), platform !== 'line');
    assert.equal(addsMessage(platform, 'status'), false);
  }
});
