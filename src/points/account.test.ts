import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import {
  type Account,
  addEntry,
  availableIn,
  nextExpiryAt,
  putParts,
  takePoints,
  writeOffExpired,
} from './account.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const hour = 3_600_000;

/** An account whose lots hold the given points, with one lot that never expires. */
function accountWith(...lots: [amount: number, expiresAt: number | null][]): Account {
  const account: Account = {
    contactId: 'ada',
    balance: lots.reduce((sum, [amount]) => sum + amount, 0),
    lots: [{ expiresAt: null, remaining: 0, isRead: true, isChanged: false }],
    place: '(0,1)',
    unreadExpiryAt: null,
    entries: [],
  };
  putParts(
    account,
    lots.map(([amount, expiresAt]) => ({ amount, expiresAt })),
  );
  return account;
}

test('a lot is worth nothing from its expiry instant on', () => {
  const account = accountWith([10, now + hour], [5, null]);
  assert.equal(availableIn(account, now + hour - 1), 15);
  assert.equal(availableIn(account, now + hour), 5);
});

test('points are taken from the lot that expires first, and from the one that never expires last', () => {
  const account = accountWith([5, null], [3, now + 2 * hour], [4, now + hour]);
  assert.deepEqual(takePoints(account, 8), [
    { amount: 4, expiresAt: now + hour },
    { amount: 3, expiresAt: now + 2 * hour },
    { amount: 1, expiresAt: null },
  ]);
});

test('preferred lots are used first, up to the preferred amount', () => {
  const account = accountWith([3, now + hour], [4, now + 2 * hour]);
  assert.deepEqual(takePoints(account, 3, [{ amount: 2, expiresAt: now + 2 * hour }]), [
    { amount: 2, expiresAt: now + 2 * hour },
    { amount: 1, expiresAt: now + hour },
  ]);
});

test('taking more than the lots hold is a bug and throws', () => {
  assert.throws(() => takePoints(accountWith([3, null]), 4), /hold less than its balance/);
});

test('points with the same expiry share a lot', () => {
  const account = accountWith([3, now + hour], [4, now + hour]);
  assert.deepEqual(
    account.lots.map(({ expiresAt, remaining }) => [expiresAt, remaining]),
    [
      [now + hour, 7],
      [null, 0],
    ],
  );
});

test('expired points are written off once, with an entry of their own', () => {
  const account = accountWith([3, now - hour], [4, now + hour]);
  writeOffExpired(account, now);
  writeOffExpired(account, now);
  assert.deepEqual(
    account.entries.map(({ kind, amount, balanceAfter }) => ({ kind, amount, balanceAfter })),
    [{ kind: 'expire', amount: -3, balanceAfter: 4 }],
  );
});

test('the next expiry ignores empty lots and includes lots that were not read', () => {
  const account = accountWith([2, now + hour], [4, now + 2 * hour]);
  takePoints(account, 2);
  assert.equal(nextExpiryAt(account), now + 2 * hour);
  assert.equal(nextExpiryAt({ ...account, unreadExpiryAt: now + hour }), now + hour);
  assert.equal(nextExpiryAt(accountWith([2, null])), null);
});

test('an added entry carries the balance after it', () => {
  const account = accountWith([10, null]);
  const entry = addEntry(account, { kind: 'spend', amount: -4, key: 'k', createdAt: now });
  assert.equal(entry.balanceAfter, 6);
  assert.equal(account.balance, 6);
});

test('lots stay in spending order, and taking keeps the sum, for any lots and amounts', async (t) => {
  const lot = fc.tuple(
    fc.integer({ min: 1, max: 50 }),
    fc.option(fc.integer({ min: 1, max: 6 }).map((hours) => now + hours * hour)),
  );
  await holds(
    t,
    fc.property(fc.array(lot, { maxLength: 8 }), fc.nat({ max: 400 }), (lots, wanted) => {
      const account = accountWith(...lots);
      const order = account.lots.map(({ expiresAt }) => expiresAt ?? Infinity);
      assert.deepEqual(
        order,
        [...order].sort((a, b) => a - b),
      );
      const amount = Math.min(wanted, account.balance);
      const taken = takePoints(account, amount);
      const sum = (parts: readonly { amount: number }[]) =>
        parts.reduce((total, part) => total + part.amount, 0);
      assert.equal(sum(taken), amount);
      assert.equal(
        account.lots.reduce((total, { remaining }) => total + remaining, 0),
        account.balance - amount,
      );
    }),
  );
});
