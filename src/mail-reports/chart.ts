/**
 * Small bar charts as PNG images, in twice their size on the page. A mail shows them next to their numbers, so they have no text.
 */
import { encode } from 'fast-png';

export const chartSize = { width: 560, height: 96 };

const scale = 2;
/** Earlier days, and the days of the period. */
const colours = { earlier: [203, 213, 225], period: [13, 116, 110], axis: [148, 163, 184] } as const;
const channels = 3;
const gapShare = 0.25;

/**
 * One bar for each day, in order; null: unknown, no bar. The days from `periodStart` (an index) on have the strong colour. A value
 * above 0 is at least two pixels high.
 */
export function drawBars(values: readonly (number | null)[], periodStart: number): Uint8Array {
  const width = chartSize.width * scale;
  const height = chartSize.height * scale;
  const data = new Uint8Array(width * height * channels).fill(255);
  const fillBox = (x0: number, y0: number, x1: number, y1: number, colour: readonly number[]) => {
    for (let y = y0; y < y1; y += 1) {
      for (let x = x0; x < x1; x += 1) data.set(colour, (y * width + x) * channels);
    }
  };
  const max = Math.max(1, ...values.map((value) => value ?? 0));
  const slot = width / Math.max(1, values.length);
  const bottom = height - scale;
  for (const [index, value] of values.entries()) {
    if (value === null || value <= 0) continue;
    const barHeight = Math.max(scale, Math.round((value / max) * (bottom - scale)));
    const colour = index >= periodStart ? colours.period : colours.earlier;
    const left = Math.round(slot * (index + gapShare / 2));
    const right = Math.max(left + 1, Math.round(slot * (index + 1 - gapShare / 2)));
    fillBox(left, bottom - barHeight, right, bottom, colour);
  }
  fillBox(0, bottom, width, height, colours.axis);
  return encode({ width, height, data, channels, depth: 8 });
}
