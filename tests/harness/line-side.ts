/**
 * LINE's side for a test: in the test's process, on a free port, with a clock that stands still until it is run forward.
 */
import type { TestContext } from 'node:test';
import { type LineSide, type LineSideOptions, startLineSide } from '../../src/sandbox/line-side/line-side.ts';

/** The time at which a test's LINE side begins: some weeks of its people lie before. A Wednesday, 12:00 in UTC+9. */
export const lineSideStart = Date.parse('2026-03-18T03:00:00.000Z');

/** Starts one with few people and seed 1, unless told otherwise; it is closed when the test ends. */
export async function testLineSide(t: TestContext, options: LineSideOptions = {}): Promise<LineSide> {
  const side = await startLineSide({ clock: () => lineSideStart, seed: 1, people: 60, ...options });
  t.after(() => side.close());
  return side;
}
