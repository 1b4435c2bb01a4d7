/** Selects a time zone. */
import { zoneName } from '../format/format.ts';
import { t } from '../texts/frame.ts';
import { SelectField } from './field.tsx';

type Props = { value: string; hint?: string; onValue(zone: string): void };

export function ZoneField({ value, hint, onValue }: Props) {
  const zones = Intl.supportedValuesOf('timeZone');
  const now = Date.now();
  return (
    <SelectField
      label={t('timeZone')}
      hint={hint}
      value={value}
      onValue={onValue}
      choices={[...new Set([value, ...zones])]
        .sort()
        .map((zone) => ({ value: zone, title: zone === value ? zoneName(zone, now) : zone }))}
    />
  );
}
