/** The light, dark or system theme. style/tokens.css defines the colours. */
import { signal } from '@preact/signals';
import { readSetting, writeSetting } from './storage.ts';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const stored = readSetting('theme');
/** The chosen theme. */
export const theme = signal<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system');
/** Increases with every change of colours, so that canvases are redrawn. */
export const coloursChanged = signal(0);

/** Sets the theme, also for later visits. */
export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  writeSetting('theme', chosen === 'system' ? null : chosen);
  apply(chosen);
}

/** The current colour of a custom property, as `rgb(…)`. */
export function colourOf(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function apply(chosen: Theme): void {
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  coloursChanged.value += 1;
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  coloursChanged.value += 1;
});
// Paper is light, and the browser prints a canvas with its current colours.
addEventListener('beforeprint', () => apply('light'));
addEventListener('afterprint', () => apply(theme.value));
