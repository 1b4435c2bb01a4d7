/**
 * Entries: what the ledger's history is made of. One is written for each change of a contact's points, and never altered.
 */

export type EntryKind = 'earn' | 'spend' | 'transfer' | 'adjust' | 'reverse' | 'clear' | 'expire';

/** Points that run out together: at `expiresAt` (ms; null: never). */
export type Part = { amount: number; expiresAt: number | null };

/** Where an entry stands. The id is null until it is stored. */
export type EntryPlace = { contactId: string; entryId: string | null };

/** What the entry that leads a bulk knows of the whole: the hash of its content, its entries and their points. */
export type Bulk = { hash: string; entries: number; points: number };

export type Entry = EntryPlace & {
  kind: EntryKind;
  /** What it adds to the balance. */
  amount: number;
  balanceAfter: number;
  /** ms; of points that came: when they run out (null: never); expire: when they did. */
  expiresAt: number | null;
  /** What was taken, or came by a transfer, by when it runs out; null: as `expiresAt` says. */
  parts: readonly Part[] | null;
  /** Null for `expire`, which nobody asks for. */
  key: string | null;
  /** False for an entry that shares the key of another one, which leads. */
  leads: boolean;
  /** The other side of a transfer or of its reversal. */
  pair: EntryPlace | null;
  /** Id of the contact's entry that this one reverses. */
  reverses: string | null;
  /** Why points were adjusted. */
  reason: string | null;
  bulk: Bulk | null;
  /** ms */
  createdAt: number;
};

/** The entry's points by when they run out, as amounts above 0. */
export function partsOf({ parts, amount, expiresAt }: Entry): readonly Part[] {
  return parts ?? [{ amount: Math.abs(amount), expiresAt }];
}

/** True once points are worth nothing: from their `expiresAt` on. */
export function hasRunOut({ expiresAt }: { expiresAt: number | null }, now: number): boolean {
  return expiresAt !== null && expiresAt <= now;
}

export function sumOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { amount }) => sum + amount, 0);
}
