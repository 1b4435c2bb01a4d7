/**
 * Measures colours: contrast by WCAG 2.2, and the distance between platforms, also with colour blindness (matrices of Machado, Oliveira and Fernandes, 2009, at full severity; distances in OKLab).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

type Rgb = readonly [number, number, number];

const tokens = readFileSync(new URL('tokens.css', import.meta.url), 'utf8');
const themes = ['light', 'dark'] as const;

const blindness: Record<string, readonly Rgb[]> = {
  none: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** About five times the just noticeable difference. */
const distanceMin = 0.1;

test('texts have a contrast of at least 4.5 : 1 on every background, graphics 3 : 1', () => {
  for (const theme of themes) {
    for (const [text, grounds] of Object.entries({
      text: ['ground', 'surface', 'surface-soft', 'surface-raised', 'accent-soft', 'bad-soft', 'warn-soft'],
      'text-soft': ['ground', 'surface', 'surface-soft', 'bad-soft'],
      accent: ['surface', 'accent-soft', 'ground'],
      'accent-text': ['accent'],
      good: ['surface', 'surface-soft'],
      bad: ['surface', 'surface-soft', 'bad-soft'],
      warn: ['surface', 'warn-soft'],
      'tip-text': ['tip'],
    })) {
      for (const ground of grounds) assertContrast(theme, text, ground, 4.5);
    }
    const drawn = [...tokens.matchAll(/--((?:platform|series)-\w+):/g)].map(([, name]) => name ?? '');
    assert.equal(drawn.length, 13);
    for (const name of [...drawn, 'line-strong']) {
      for (const ground of ['surface', 'tip']) assertContrast(theme, name, ground, 3);
    }
  }
});

test('any two platforms are distinguishable, with any colour vision', () => {
  const platforms = ['line', 'facebook', 'instagram', 'liveChat', 'whatsapp'];
  for (const theme of themes) {
    for (const [kind, matrix] of Object.entries(blindness)) {
      for (const [index, one] of platforms.entries()) {
        for (const other of platforms.slice(index + 1)) {
          const colours = [one, other].map((name) =>
            toOklab(seenWith(matrix, linearOf(colourIn(theme, `platform-${name}`)))),
          );
          const distance = Math.hypot(
            ...[0, 1, 2].map((axis) => (colours[0]?.[axis] ?? 0) - (colours[1]?.[axis] ?? 0)),
          );
          assert.ok(
            distance >= distanceMin,
            `${theme}, ${kind}: ${one} and ${other} are ${distance.toFixed(3)} apart`,
          );
        }
      }
    }
  }
});

function assertContrast(theme: (typeof themes)[number], text: string, ground: string, wanted: number): void {
  const [one, other] = [text, ground].map((name) => luminance(linearOf(colourIn(theme, name))));
  const [lighter, darker] = [one ?? 0, other ?? 0].sort((a, b) => b - a);
  const contrast = ((lighter ?? 0) + 0.05) / ((darker ?? 0) + 0.05);
  assert.ok(contrast >= wanted, `${theme}: ${text} on ${ground} has ${contrast.toFixed(2)} : 1`);
}

function colourIn(theme: (typeof themes)[number], name: string): Rgb {
  const pair = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(tokens);
  const hex = pair?.[theme === 'light' ? 1 : 2];
  assert.ok(hex, `there is no colour ${name}`);
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as unknown as Rgb;
}

function linearOf(colour: Rgb): Rgb {
  return map(colour, (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
}

function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function seenWith(matrix: readonly Rgb[], [red, green, blue]: Rgb): Rgb {
  const [one, two, three] = matrix.map(([r, g, b]) =>
    Math.min(1, Math.max(0, r * red + g * green + b * blue)),
  );
  return [one ?? 0, two ?? 0, three ?? 0];
}

/** Björn Ottosson's OKLab. */
function toOklab([red, green, blue]: Rgb): Rgb {
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const medium = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short,
  ];
}

function map([one, two, three]: Rgb, change: (part: number) => number): Rgb {
  return [change(one), change(two), change(three)];
}
