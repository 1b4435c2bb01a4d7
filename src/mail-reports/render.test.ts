import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from 'fast-png';
import { drawBars } from './chart.ts';
import { formatChange, formatDays } from './render.ts';
import { languages, texts } from './texts.ts';

test('a change is a whole per cent, and an unknown one a dash', () => {
  assert.deepEqual(
    [0.5764, -0.0312, 0.004, 0, 12.5, null].map((rate) => formatChange('en', rate)),
    ['▲ 58%', '▼ 3%', '0%', '0%', '▲ 1,250%', '–'],
  );
});

test('days are written in the language of the reader', () => {
  assert.equal(formatDays('zh-Hant', '2026-03-01', '2026-03-01'), '2026年3月1日');
  assert.equal(formatDays('ja', '2026-03-02', '2026-03-02'), '2026/03/02');
  assert.match(formatDays('en', '2026-03-02', '2026-03-08'), /^Mar 2.+8, 2026$/);
});

test('the texts of all languages have the same placeholders', () => {
  const placeholders = (value: unknown): unknown =>
    typeof value === 'string'
      ? [...value.matchAll(/\{\w+\}/g)].map(([name]) => name).sort()
      : Object.fromEntries(Object.entries(value as object).map(([key, inner]) => [key, placeholders(inner)]));
  for (const language of languages) assert.deepEqual(placeholders(texts[language]), placeholders(texts.en));
});

test('a chart shows a small value, leaves out an unknown one, and colours the days of the period', () => {
  const { width, height, data, channels } = decode(drawBars([1_000, 1, null, 500], 3));
  const columnOf = (index: number) => Math.floor((width * (index + 0.5)) / 4);
  const barOf = (index: number) => {
    const rows = Array.from({ length: height - 2 }, (_, y) =>
      [
        ...data.subarray(
          (y * width + columnOf(index)) * channels,
          (y * width + columnOf(index) + 1) * channels,
        ),
      ].join(),
    ).filter((colour) => colour !== '255,255,255');
    return { height: rows.length, colour: rows[0] };
  };
  assert.deepEqual(
    [0, 1, 2, 3].map((index) => barOf(index).height),
    [height - 4, 2, 0, (height - 4) / 2],
  );
  assert.notEqual(barOf(0).colour, barOf(3).colour);
});
