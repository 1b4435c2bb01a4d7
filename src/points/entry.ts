/**
 * Entries: the ledger's history. Each change of a contact's points adds one. Entries are never modified.
 */

export type EntryKind = 'earn' | 'spend' | 'transfer' | 'adjust' | 'reverse' | 'clear' | 'expire';

/** Points with one expiry time (ms; null: they never expire). */
export type Part = { amount: number; expiresAt: number | null };

/** Refers to an entry. The id is null until the entry is stored. */
export type EntryRef = { contactId: string; entryId: string | null };

/** Stored with the first entry of a bulk: the hash of its content, the number of its entries, the sum of their points. */
export type Bulk = { hash: string; entries: number; points: number };

export type Entry = EntryRef & {
  kind: EntryKind;
  /** Added to the balance; negative if points were taken. */
  amount: number;
  balanceAfter: number;
  /** ms; added points: their expiry (null: never); expire: the expiry that passed. */
  expiresAt: number | null;
  /** Taken or transferred points by expiry; null: all have the expiry `expiresAt`. */
  parts: readonly Part[] | null;
  /** Null for `expire`, which no caller requests. */
  key: string | null;
  /** False if another entry with the same key represents the change. */
  leads: boolean;
  /** The other side of a transfer or of its reversal. */
  pair: EntryRef | null;
  /** Id of the contact's entry that this one reverses. */
  reverses: string | null;
  /** Of an adjustment. */
  reason: string | null;
  bulk: Bulk | null;
  /** ms */
  createdAt: number;
};

/** The entry's points by expiry, as amounts above 0. */
export function partsOf({ parts, amount, expiresAt }: Entry): readonly Part[] {
  return parts ?? [{ amount: Math.abs(amount), expiresAt }];
}

/** Points expire at their `expiresAt`. */
export function isExpired({ expiresAt }: { expiresAt: number | null }, now: number): boolean {
  return expiresAt !== null && expiresAt <= now;
}

export function sumOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { amount }) => sum + amount, 0);
}
