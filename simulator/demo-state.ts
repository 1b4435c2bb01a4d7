/**
 * The demo's state in its data folder, so that the next run continues the same world with correct figures:
 *
 *     demo.json            the world's seed and end, and the bot; readable by its owner only
 *     demo-trickle.ndjson  the events of live traffic, each written before it is sent
 *
 * A later run sends all events again. The server ignores duplicates and counts the events that it missed.
 */
import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, usingFolder } from '../src/folders.ts';
import type { SimulatedEvent } from './events/event.ts';

/** Increased when the same seed gives another world than before, or the files change. The demo then starts a new world. */
const worldVersion = 5;
const stateFile = 'demo.json';
const liveEventsFile = 'demo-trickle.ndjson';

export type DemoState = { version: number; seed: number; until: number; botId: string | null };

export class DemoFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The saved state. A new one, with `seed` (null: 1) and the end `now`, when none is saved or its seed differs. */
  async open({ seed, now }: { seed: number | null; now: number }): Promise<DemoState> {
    const text = await this.#read(stateFile);
    const saved: DemoState | null = text === '' ? null : JSON.parse(text);
    if (saved?.version === worldVersion && (seed === null || seed === saved.seed)) return saved;
    await this.#write(liveEventsFile, '');
    return this.save({ version: worldVersion, seed: seed ?? 1, until: now, botId: null });
  }

  async save(state: DemoState): Promise<DemoState> {
    await this.#write(stateFile, `${JSON.stringify(state, null, 2)}\n`);
    return state;
  }

  /** The events of live traffic. A line cut off by a power failure was never sent, so it is omitted. */
  async liveEvents(): Promise<SimulatedEvent[]> {
    const lines = (await this.#read(liveEventsFile)).split('\n');
    return lines.flatMap((line) => {
      try {
        const event: SimulatedEvent = JSON.parse(line);
        return [event];
      } catch {
        return [];
      }
    });
  }

  /** Writes an event of live traffic. Call it before sending the event. */
  async addLiveEvent(event: SimulatedEvent): Promise<void> {
    // The line break comes first, so that a cut-off line does not damage the next one.
    await appendFile(join(this.#folder, liveEventsFile), `\n${JSON.stringify(event)}`, { mode: 0o600 });
  }

  async #read(file: string): Promise<string> {
    try {
      return await readFile(join(this.#folder, file), 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
      throw error;
    }
  }

  async #write(file: string, text: string): Promise<void> {
    const path = join(this.#folder, file);
    // The same mode as the server's: PostgreSQL's user may need to pass through the folder.
    await usingFolder(this.#folder, async () => {
      await makeFolder(this.#folder, 0o711);
      await writeFile(`${path}.new`, text, { mode: 0o600 });
      await rename(`${path}.new`, path);
    });
  }
}
