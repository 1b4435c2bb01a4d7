/**
 * What the demo remembers in its data folder, so that another run tells the same story and its figures still fit:
 *
 *     demo.json            the world's seed and end, and the bot; readable by its owner only
 *     demo-trickle.ndjson  what the live trickle sent, written down before it is sent
 *
 * Everything that was ever sent is sent again on a later run: the server knows it, and counts only what it has missed.
 */
import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, usingFolder } from '../src/folders.ts';
import type { Happening } from './happening.ts';

/** Goes up when the same seed gives another world than before: then a new story begins. */
const storyVersion = 3;
const storyFile = 'demo.json';
const trickleFile = 'demo-trickle.ndjson';

export type Story = { version: number; seed: number; until: number; botId: string | null };

export class Memory {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The story told so far; a new one of `seed` (null: 1) that ends at `now` when there is none. */
  async story({ seed, now }: { seed: number | null; now: number }): Promise<Story> {
    const kept = await this.#read(storyFile);
    const story: Story | null = kept === '' ? null : JSON.parse(kept);
    if (story?.version === storyVersion && (seed === null || seed === story.seed)) return story;
    await this.#write(trickleFile, '');
    return this.keep({ version: storyVersion, seed: seed ?? 1, until: now, botId: null });
  }

  async keep(story: Story): Promise<Story> {
    await this.#write(storyFile, `${JSON.stringify(story, null, 2)}\n`);
    return story;
  }

  /** What the trickle has sent so far. A line that a power cut tore was never sent, and is left out. */
  async trickled(): Promise<Happening[]> {
    const lines = (await this.#read(trickleFile)).split('\n');
    return lines.flatMap((line) => {
      try {
        const happening: Happening = JSON.parse(line);
        return [happening];
      } catch {
        return [];
      }
    });
  }

  /** Writes down what is about to be sent. */
  async trickle(happening: Happening): Promise<void> {
    // The line break comes first, so that a torn line does not take the next one with it.
    await appendFile(join(this.#folder, trickleFile), `\n${JSON.stringify(happening)}`, { mode: 0o600 });
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
    // As the server makes it: PostgreSQL's user may have to come through.
    await usingFolder(this.#folder, async () => {
      await makeFolder(this.#folder, 0o711);
      await writeFile(`${path}.new`, text, { mode: 0o600 });
      await rename(`${path}.new`, path);
    });
  }
}
