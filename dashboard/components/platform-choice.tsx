/** Selects one of the platforms, or all of them. */
import { platformTitle } from '../format/platforms.ts';
import type { PlatformOrAll } from '../state/overview.ts';
import { Choice } from './choice.tsx';

export type PlatformChoiceProps = {
  label: string;
  platforms: readonly PlatformOrAll[];
  value: PlatformOrAll;
  onChange(platform: PlatformOrAll): void;
};

export function PlatformChoice({ platforms, ...choice }: PlatformChoiceProps) {
  const values = [...new Set<PlatformOrAll>(['all', ...platforms])];
  return <Choice {...choice} choices={values.map((value) => ({ value, title: platformTitle(value) }))} />;
}
