/**
 * Preloaded into the processes of the proof: their clock is that of the system plus an offset, which a file contains and the proof
 * changes while they run.
 */
import { readFileSync } from 'node:fs';

const file = process.env.PROOF_CLOCK_FILE ?? '';
const readEveryMs = 50;
const SystemDate = Date;
let offsetMs = 0;

function read(): void {
  try {
    offsetMs = Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    // There is no file before the first jump.
    offsetMs = 0;
  }
}

class ShiftedDate extends SystemDate {
  constructor(...parts: unknown[]) {
    super(...((parts.length === 0 ? [ShiftedDate.now()] : parts) as [number]));
  }

  static override now(): number {
    return SystemDate.now() + offsetMs;
  }
}

read();
setInterval(read, readEveryMs).unref();
globalThis.Date = ShiftedDate as DateConstructor;
