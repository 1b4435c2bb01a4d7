/**
 * Batches that are read ahead of their turn: while the database writes a batch, its slot reads and parses the next one of the bots with
 * more pending deliveries. Together they are bounded, because each holds up to 8 MB of bodies.
 */
import type { Batch } from './batch.ts';

/** Bots whose next batch is being read. */
export type Group = { botIds: readonly string[]; reading: Promise<Batch> };

/** Begins to read the next batch of the bots, without the bundles in `except`. */
export type ReadGroup = (botIds: readonly string[], except: readonly number[]) => Group;

/** The batches of all slots that are read ahead. */
const groupsMax = 4;

export class ReadAhead {
  readonly #read: ReadGroup;
  /** In the order of their turns. */
  readonly #queue: Group[] = [];
  /** The groups in the queue, those that may enter it, and dropped ones that are still being read. */
  readonly #counted = new Set<Group>();

  constructor(read: ReadGroup) {
    this.#read = read;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /**
   * Begins to read what follows the batch: of each bot apart, if they are few. The fold of a bot is cheaper than that of several. None if
   * there is no room. The caller adds the groups to the queue, or drops them.
   */
  begin({ bots, more }: Batch): readonly Group[] {
    const room = groupsMax - this.#counted.size;
    if (room <= 0 || more.length === 0) return [];
    const except = bots.flatMap(({ bundles }) => bundles.map(({ bundleId }) => bundleId));
    const parts = more.length <= room ? more.map((botId) => [botId]) : [more];
    const groups = parts.map((botIds) => this.#read(botIds, except));
    for (const group of groups) this.#counted.add(group);
    return groups;
  }

  add(groups: readonly Group[]): void {
    this.#queue.push(...groups);
  }

  /** The group whose turn it is. */
  take(): Group | undefined {
    const group = this.#queue.shift();
    if (group) this.#counted.delete(group);
    return group;
  }

  /** Gives up groups that are not in the queue. Each takes its room until it is read. */
  drop(groups: readonly Group[]): void {
    for (const group of groups) {
      const end = () => void this.#counted.delete(group);
      group.reading.then(end, end);
    }
  }

  /** Resolves when nothing is being read. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#counted].map(({ reading }) => reading));
  }
}
