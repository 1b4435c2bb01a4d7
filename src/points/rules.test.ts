import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import { Refusal } from '../errors.ts';
import type { Account } from './account.ts';
import { amountMax, balanceMax, checkChange, isSameChange, type PointChange } from './change.ts';
import type { Entry } from './entry.ts';
import { applyChange, type LedgerState } from './rules.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const hour = 3_600_000;
const contactIds = ['ada', 'ben'];

function emptyState(): LedgerState & {
  accounts: Map<string, Account>;
  originals: Map<string, { entry: Entry; pair: Entry | null }>;
} {
  const accounts = new Map(
    contactIds.map((contactId) => [
      contactId,
      {
        contactId,
        balance: 0,
        lots: [{ expiresAt: null, remaining: 0, isRead: true, isChanged: false }],
        place: '(0,1)',
        unreadExpiryAt: null,
        entries: [],
      } satisfies Account,
    ]),
  );
  return { accounts, originals: new Map(), reversed: new Set() };
}

/** Applies the change and stores its entry under the id, so that a reversal can name it. */
function write(state: ReturnType<typeof emptyState>, change: PointChange, at = now): Entry | Refusal {
  checkChange(change);
  const entry = applyChange(change, state, at);
  if (!(entry instanceof Refusal)) {
    const pair = (entry.pair as Entry | null) ?? null;
    state.originals.set(change.key, { entry, pair });
  }
  return entry;
}

const earn = (key: string, amount: number, expiresAt: number | null = null): PointChange => ({
  kind: 'earn',
  contactId: 'ada',
  key,
  amount,
  expiresAt,
});

const refusalCode = (result: Entry | Refusal): string | null =>
  result instanceof Refusal ? result.code : null;

test('a spend above the available points is refused as a whole', () => {
  const state = emptyState();
  write(state, earn('a', 10));
  const refused = write(state, { kind: 'spend', contactId: 'ada', key: 'b', amount: 11 });
  assert.equal(refusalCode(refused), 'POINTS_INSUFFICIENT');
  assert.equal(state.accounts.get('ada')?.balance, 10);
  assert.equal(state.accounts.get('ada')?.entries.length, 1);
});

test('expired points cannot be spent, and the next change writes them off', () => {
  const state = emptyState();
  write(state, earn('a', 10, now + hour));
  write(state, earn('b', 3));
  const refused = write(state, { kind: 'spend', contactId: 'ada', key: 'c', amount: 4 }, now + hour);
  assert.equal(refusalCode(refused), 'POINTS_INSUFFICIENT');
  write(state, { kind: 'spend', contactId: 'ada', key: 'd', amount: 3 }, now + hour);
  assert.deepEqual(
    state.accounts.get('ada')?.entries.map(({ kind, amount }) => [kind, amount]),
    [
      ['earn', 10],
      ['earn', 3],
      ['expire', -10],
      ['spend', -3],
    ],
  );
});

test('points that have expired already cannot be earned', () => {
  assert.equal(refusalCode(write(emptyState(), earn('a', 1, now))), 'INPUT_INVALID');
});

test('a transfer keeps the expiry of what it moves, and its two sides name each other', () => {
  const state = emptyState();
  write(state, earn('a', 10, now + hour));
  const sent = write(state, {
    kind: 'transfer',
    contactId: 'ada',
    toContactId: 'ben',
    key: 'b',
    amount: 4,
  }) as Entry;
  assert.equal(sent.amount, -4);
  assert.deepEqual(
    state.accounts.get('ben')?.lots.map(({ expiresAt, remaining }) => [expiresAt, remaining]),
    [
      [now + hour, 4],
      [null, 0],
    ],
  );
  assert.equal(sent.pair?.contactId, 'ben');
});

test('a transfer to the same contact is refused', () => {
  const state = emptyState();
  write(state, earn('a', 10));
  const refused = write(state, {
    kind: 'transfer',
    contactId: 'ada',
    toContactId: 'ada',
    key: 'b',
    amount: 4,
  });
  assert.equal(refusalCode(refused), 'INPUT_INVALID');
});

test('a reversal returns spent points to the lots they came from, except those that have expired', () => {
  const spentThenReversed = (at: number) => {
    const state = emptyState();
    write(state, earn('1', 5, now + hour));
    write(state, earn('2', 5));
    write(state, { kind: 'spend', contactId: 'ada', key: '3', amount: 8 });
    const reversal = write(state, { kind: 'reverse', contactId: 'ada', key: '4', entryId: '3' }, at) as Entry;
    return [reversal.amount, state.accounts.get('ada')?.lots.map(({ remaining }) => remaining)];
  };
  assert.deepEqual(spentThenReversed(now), [8, [5, 5]]);
  assert.deepEqual(spentThenReversed(now + hour), [3, [0, 5]]);
});

test('an entry is reversed once', () => {
  const state = emptyState();
  write(state, earn('1', 5));
  const reverse = (key: string): PointChange => ({ kind: 'reverse', contactId: 'ada', key, entryId: '1' });
  assert.equal((write(state, reverse('b')) as Entry).amount, -5);
  assert.equal(refusalCode(write(state, reverse('c'))), 'ENTRY_NOT_REVERSIBLE');
});

test('a contact cannot hold more than the largest balance', () => {
  const state = emptyState();
  const account = state.accounts.get('ada');
  assert.ok(account);
  account.balance = balanceMax;
  account.lots = [{ expiresAt: null, remaining: balanceMax, isRead: true, isChanged: false }];
  assert.equal(refusalCode(write(state, earn('a', 1))), 'INPUT_INVALID');
});

test('amounts, keys, reasons and expiries outside their bounds are refused before any account is read', () => {
  const wrong: PointChange[] = [
    earn('a', 0),
    earn('a', 1.5),
    earn('a', amountMax + 1),
    earn('', 1),
    earn('a\u0000', 1),
    earn('\ud800', 1),
    earn('a', 1, Number.MAX_SAFE_INTEGER),
    { kind: 'adjust', contactId: 'ada', key: 'a', amount: -1, expiresAt: now, reason: 'r' },
    { kind: 'adjust', contactId: 'ada', key: 'a', amount: 1, expiresAt: null, reason: '' },
    { kind: 'reverse', contactId: 'ada', key: 'a', entryId: 'x' },
  ];
  for (const change of wrong)
    assert.throws(() => checkChange(change), { code: 'INPUT_INVALID' }, JSON.stringify(change));
});

test('a repetition is the same change only with the same content', () => {
  const state = emptyState();
  const entry = write(state, earn('a', 5, now + hour)) as Entry;
  assert.ok(isSameChange(entry, earn('a', 5, now + hour)));
  assert.ok(!isSameChange(entry, earn('a', 6, now + hour)));
  assert.ok(!isSameChange(entry, earn('a', 5, null)));
  assert.ok(!isSameChange(entry, { kind: 'spend', contactId: 'ada', key: 'a', amount: 5 }));
});

test('after any changes the balance is the sum of the entries and of what the lots hold', async (t) => {
  const change = fc.record({
    kind: fc.constantFrom(
      'earn' as const,
      'earn' as const,
      'spend' as const,
      'transfer' as const,
      'clear' as const,
    ),
    who: fc.nat({ max: 1 }),
    amount: fc.integer({ min: 1, max: 9 }),
    hours: fc.option(fc.integer({ min: 1, max: 5 })),
    passed: fc.nat({ max: 2 }),
  });
  await holds(
    t,
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const state = emptyState();
      let at = now;
      for (const [index, { kind, who, amount, hours, passed }] of changes.entries()) {
        at += passed * hour;
        const contactId = contactIds[who] ?? '';
        const named = { contactId, key: `key ${index}` };
        const expiresAt = hours === null ? null : at + hours * hour;
        const available = (id: string) => {
          const { lots = [] } = state.accounts.get(id) ?? {};
          return lots.reduce(
            (sum, lot) => (lot.expiresAt !== null && lot.expiresAt <= at ? sum : sum + lot.remaining),
            0,
          );
        };
        const before = available(contactId);
        const result = write(
          state,
          kind === 'earn'
            ? { ...named, kind, amount, expiresAt }
            : kind === 'transfer'
              ? { ...named, kind, amount, toContactId: contactIds[1 - who] ?? '' }
              : kind === 'spend'
                ? { ...named, kind, amount }
                : { ...named, kind },
          at,
        );
        const taken = kind === 'earn' ? -amount : kind === 'clear' ? before : amount;
        assert.equal(result instanceof Refusal, taken > before);
        assert.equal(available(contactId), result instanceof Refusal ? before : before - taken);
        for (const account of state.accounts.values()) {
          assert.equal(
            account.entries.reduce((sum, entry) => sum + entry.amount, 0),
            account.balance,
          );
          assert.equal(
            account.lots.reduce((sum, { remaining }) => sum + remaining, 0),
            account.balance,
          );
        }
      }
    }),
  );
});
