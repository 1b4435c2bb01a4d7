import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stateChanges } from './contact-changes.ts';

const now = 1_000;
const contact = {
  contactId: 'ada',
  followedAt: null,
  blocked: false,
  blockedAt: null,
  before: { isFollower: false, isBlocked: false },
};

test('a new follower is reported once, at the time of its first follow', () => {
  assert.deepEqual(stateChanges([{ ...contact, followedAt: 5 }], now), [
    { type: 'contact.followed', contactId: 'ada', at: 5, data: {} },
  ]);
  const followedBefore = { ...contact, followedAt: 5, before: { isFollower: true, isBlocked: false } };
  assert.deepEqual(stateChanges([followedBefore], now), []);
});

test('a block and an unblock in one batch cancel out', () => {
  assert.deepEqual(stateChanges([contact], now), []);
});

test('a block and its end carry the time of the event that decided them, or now if no such event is left', () => {
  const blocked = { ...contact, blocked: true, blockedAt: 7 };
  assert.deepEqual(stateChanges([blocked], now), [
    { type: 'contact.blocked', contactId: 'ada', at: 7, data: {} },
  ]);
  const unblocked = { ...contact, before: { isFollower: false, isBlocked: true } };
  assert.deepEqual(stateChanges([unblocked], now), [
    { type: 'contact.unblocked', contactId: 'ada', at: now, data: {} },
  ]);
});

test('the follow of a contact comes before its block', () => {
  const both = { ...contact, followedAt: 5, blocked: true, blockedAt: 6 };
  assert.deepEqual(
    stateChanges([both], now).map(({ type }) => type),
    ['contact.followed', 'contact.blocked'],
  );
});
