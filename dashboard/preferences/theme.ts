/** Light, dark, or as the system has it. Colours themselves stand in style/tokens.css. */
import { signal } from '@preact/signals';
import { readSetting, writeSetting } from './storage.ts';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const kept = readSetting('theme');
/** The reader's choice. */
export const theme = signal<Theme>(kept === 'light' || kept === 'dark' ? kept : 'system');
/** Goes up whenever the colours on the page have changed, so that what is drawn on a canvas is drawn anew. */
export const coloursChanged = signal(0);

/** Chooses a theme for now and the next visits. */
export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  writeSetting('theme', chosen === 'system' ? null : chosen);
  apply(chosen);
}

/** The colour of a custom property as the page has it now, as `rgb(…)`. */
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
// Paper is light, and a canvas is printed as it was drawn.
addEventListener('beforeprint', () => apply('light'));
addEventListener('afterprint', () => apply(theme.value));
