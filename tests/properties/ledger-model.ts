/**
 * A ledger that does everything the slow and plain way: all lots in one list, oldest first, and every question goes through
 * the whole of it.
 */

import { Refusal, type RefusalCode } from '../../src/errors.ts';
import type { PointChange } from '../../src/points/change.ts';
import type { Part } from '../../src/points/entry.ts';
import type { PointResult } from '../../src/points/ledger.ts';

type ModelLot = { owner: string; left: number; expiresAt: number | null };
/** Without the ids of entries, which the database assigns. */
export type ModelResult = Omit<PointResult, 'entryId'>;
export type Outcome = ModelResult | RefusalCode;
type Written = { change: PointChange; result: ModelResult; parts: Part[]; reversed: boolean };

export class Model {
  now: number;
  readonly #lots: ModelLot[] = [];
  readonly #written = new Map<string, Written>();
  /** The key behind an entry, and whether it is the sender's or the receiver's side. */
  readonly #entries = new Map<string, { key: string; sender: boolean }>();
  readonly #joined = new Map<string, string>();

  constructor(now: number) {
    this.now = now;
  }

  owner(contactId: string): string {
    const into = this.#joined.get(contactId);
    return into === undefined ? contactId : this.owner(into);
  }

  available(contactId: string): number {
    return this.#usable(this.owner(contactId)).reduce((sum, lot) => sum + lot.left, 0);
  }

  /** Sets the stored entry of a key. */
  learn(entryId: string, entry: { key: string; sender: boolean }): void {
    this.#entries.set(entryId, entry);
  }

  write(request: PointChange): Outcome {
    const change = this.#led(request);
    const former = this.#written.get(change.key);
    if (former) {
      const { result } = former;
      if (JSON.stringify(this.#led(former.change)) !== JSON.stringify(change)) return 'KEY_REUSED';
      const counterpartId = result.counterpartId && this.owner(result.counterpartId);
      return { ...result, contactId: change.contactId, counterpartId, repeated: true };
    }
    try {
      const { contactId, key, kind } = change;
      const booking = this.#make(change);
      const available = this.available(contactId);
      const { amount, counterpartId = null, parts } = booking;
      const result = {
        contactId,
        key,
        kind,
        amount,
        available,
        counterpartId,
        at: this.now,
        repeated: false,
      };
      this.#written.set(key, { change, result, parts, reversed: false });
      return result;
    } catch (error) {
      if (error instanceof Refusal) return error.code;
      throw error;
    }
  }

  join(from: string, to: string): void {
    this.#joined.set(from, to);
    for (const lot of this.#lots) if (lot.owner === from) lot.owner = to;
  }

  /** The change with the contacts of today; a reversal names the sender's side of a transfer. */
  #led(change: PointChange): PointChange {
    const contactId = this.owner(change.contactId);
    if (change.kind === 'transfer')
      return { ...change, contactId, toContactId: this.owner(change.toContactId) };
    if (change.kind !== 'reverse') return { ...change, contactId };
    const original = this.#originalOf(change.entryId, contactId);
    if (!original) return { ...change, contactId };
    const [entryId = ''] =
      [...this.#entries].find(([, entry]) => entry.key === original.change.key && entry.sender) ?? [];
    return { ...change, contactId: this.owner(original.change.contactId), entryId };
  }

  #originalOf(entryId: string, contactId: string): Written | undefined {
    const { key = '', sender = true } = this.#entries.get(entryId) ?? {};
    const entry = this.#written.get(key);
    const of = sender ? entry?.change.contactId : (entry?.result.counterpartId ?? undefined);
    return of !== undefined && this.owner(of) === contactId ? entry : undefined;
  }

  #make(change: PointChange): { amount: number; counterpartId?: string | null; parts: Part[] } {
    const { contactId } = change;
    switch (change.kind) {
      case 'earn':
        return this.#add(contactId, [change]);
      case 'spend':
        return this.#take(contactId, change.amount);
      case 'clear':
        return this.#take(contactId, this.available(contactId));
      case 'adjust':
        return change.amount > 0 ? this.#add(contactId, [change]) : this.#take(contactId, -change.amount);
      case 'transfer': {
        if (contactId === change.toContactId) throw new Refusal('INPUT_INVALID', '');
        const withdrawal = this.#take(contactId, change.amount);
        this.#add(change.toContactId, withdrawal.parts);
        return { ...withdrawal, counterpartId: change.toContactId };
      }
      case 'reverse':
        return this.#reverse(change);
    }
  }

  #reverse({ contactId, entryId }: Extract<PointChange, { kind: 'reverse' }>) {
    const original = this.#originalOf(entryId, contactId);
    if (!original) throw new Refusal('ENTRY_NOT_FOUND', '');
    const { change, result, reversed } = original;
    if (change.kind === 'reverse' || reversed) throw new Refusal('ENTRY_NOT_REVERSIBLE', '');
    const parts = original.parts.filter(({ expiresAt }) => expiresAt === null || expiresAt > this.now);
    const amount = parts.reduce((sum, part) => sum + part.amount, 0);
    const counterpartId = result.counterpartId && this.owner(result.counterpartId);
    const giver = change.kind === 'transfer' ? counterpartId : result.amount > 0 ? contactId : null;
    const taker = result.amount > 0 ? null : contactId;
    if (giver !== null) this.#take(giver, amount, parts);
    if (taker !== null) this.#add(taker, parts);
    original.reversed = true;
    return { amount: result.amount > 0 ? 0 - amount : amount, counterpartId, parts: [] };
  }

  #add(owner: string, parts: readonly Part[]): { amount: number; parts: Part[] } {
    if (parts.some(({ expiresAt }) => expiresAt !== null && expiresAt <= this.now)) {
      throw new Refusal('INPUT_INVALID', '');
    }
    this.#writeOff(owner);
    const added = parts.map(({ amount, expiresAt }) => ({ amount, expiresAt }));
    for (const { amount: left, expiresAt } of added) this.#lots.push({ owner, left, expiresAt });
    return { amount: added.reduce((sum, { amount }) => sum + amount, 0), parts: added };
  }

  #take(owner: string, amount: number, preferred: readonly Part[] = []): { amount: number; parts: Part[] } {
    if (amount > this.available(owner)) throw new Refusal('POINTS_INSUFFICIENT', '');
    this.#writeOff(owner);
    const parts: Part[] = [];
    const takeFrom = (lots: readonly ModelLot[], requested: number): number => {
      let missing = requested;
      for (const lot of lots) {
        const amount = Math.min(missing, lot.left);
        lot.left -= amount;
        missing -= amount;
        if (amount > 0) parts.push({ amount, expiresAt: lot.expiresAt });
      }
      return requested - missing;
    };
    let outstanding = amount;
    for (const part of preferred) {
      const alike = this.#usable(owner).filter(({ expiresAt }) => expiresAt === part.expiresAt);
      outstanding -= takeFrom(alike, part.amount);
    }
    const order = this.#usable(owner).sort(
      (a, b) => (a.expiresAt ?? Infinity) - (b.expiresAt ?? Infinity) || 0,
    );
    takeFrom(order, outstanding);
    return { amount: 0 - amount, parts };
  }

  /** A write removes expired points for good, even if the next clock is slow. */
  #writeOff(owner: string): void {
    const usable = this.#usable(owner);
    for (const lot of this.#lots) if (lot.owner === owner && !usable.includes(lot)) lot.left = 0;
  }

  #usable(owner: string): ModelLot[] {
    return this.#lots.filter(
      (lot) => lot.owner === owner && lot.left > 0 && (lot.expiresAt === null || lot.expiresAt > this.now),
    );
  }
}
