/** Ids, cursors and ETags that answers contained, for later calls. */
import type { SeededRandom } from '../../simulator/events/random.ts';

const keptMax = 60;
const readMax = 30_000;
const idMembers =
  /"(contactId|clientId|tagId|autoTagId|customerId|visitorId|deliveryId|noticeId|jobId|tokenId|lineTokenId|userId|entryId|requestId)":\s*"?([^",}\]]+)/g;
const cursorMember = /"(?:cursor|nextCursor|next)":\s*"([^"]+)"/;
/** Names with the ids of another one. */
const aliases: Readonly<Record<string, string>> = {
  clientId: 'contactId',
  toContactId: 'contactId',
  contact: 'contactId',
  contacts: 'contactId',
  clientIds: 'contactId',
  autoTagId: 'tagId',
};

export class Pool {
  readonly #ids = new Map<string, string[]>();
  readonly #protected = new Set<string>();
  #position = 0;

  /** Ids that no call must use, such as those of the fuzzer's own tokens. */
  protect(...ids: readonly string[]): void {
    for (const id of ids) this.#protected.add(id);
  }

  add(name: string, id: string): void {
    if (this.#protected.has(id) || id === 'null') return;
    const key = aliases[name] ?? name;
    // Some answers name a contact by its id on a platform.
    if (key === 'contactId' && !/^[A-Za-z]{1,64}$/.test(id)) return;
    const ids = this.#ids.get(key) ?? [];
    this.#ids.set(key, ids);
    if (ids.includes(id)) return;
    if (ids.length < keptMax) ids.push(id);
    else ids[this.#position++ % keptMax] = id;
  }

  /** Learns from an answer. The lists of an operation have cursors of their own. */
  learn(operationId: string, text: string): void {
    const start = text.slice(0, readMax);
    for (const [, name = '', id = ''] of start.matchAll(idMembers))
      this.add(name === 'tokenId' && operationId.includes('LineToken') ? 'lineTokenId' : name, id);
    const cursor = cursorMember.exec(text)?.[1];
    if (cursor !== undefined) this.add(cursorName(operationId), cursor);
  }

  /** An id of that name, or null if none is known. */
  pick(name: string, random: SeededRandom): string | null {
    const ids = this.#ids.get(aliases[name] ?? name) ?? [];
    return ids[random.integer(0, Math.max(0, ids.length - 1))] ?? null;
  }

  pickCursor(operationId: string, random: SeededRandom): string | null {
    return this.pick(cursorName(operationId), random);
  }

  names(): string[] {
    return [...this.#ids.keys()];
  }
}

function cursorName(operationId: string): string {
  return `cursor of ${operationId}`;
}
