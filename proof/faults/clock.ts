/** Clock jumps: the clocks of the web process and the worker go forward and back under load. PostgreSQL's clock stays. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from './fault.ts';

const hourMs = 3_600_000;
const offsets = [hourMs, -hourMs, 26 * hourMs, 0];

/** The file with the offset in ms, which the processes read again and again. */
export const clockFile = join(tmpdir(), `shoal-proof-clock-${process.pid}`);

/** For the processes of a world whose clock can jump. */
export const clockEnvironment = {
  NODE_OPTIONS: `--import=${new URL('shifted-clock.ts', import.meta.url).href}`,
  PROOF_CLOCK_FILE: clockFile,
};

export const clockJumps: Fault = {
  name: 'clock jumps',
  seconds: { full: 20, quick: 2 },
  async run({ seconds }) {
    for (const offset of offsets) {
      writeFileSync(clockFile, String(offset));
      await pause((seconds * 1_000) / offsets.length);
    }
  },
};
