/** The fields that a bot has when it is created and later. */
import { SelectField, TextField } from '../../components/field.tsx';
import { zoneName } from '../../format/format.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/settings.ts';

export function NameField({
  value,
  onValue,
  isTried,
}: {
  value: string;
  onValue(value: string): void;
  /** The form was submitted; a missing name is now an error. */
  isTried: boolean;
}) {
  return (
    <TextField
      label={t('botName')}
      value={value}
      onValue={onValue}
      maxLength={200}
      required
      error={isTried && value.trim() === '' ? frame('required') : null}
    />
  );
}

export function ZoneField({ value, onValue }: { value: string; onValue(zone: string): void }) {
  const zones = Intl.supportedValuesOf('timeZone');
  const now = Date.now();
  return (
    <SelectField
      label={t('timeZone')}
      hint={t('timeZoneHint')}
      value={value}
      onValue={onValue}
      choices={[...new Set([value, ...zones])]
        .sort()
        .map((zone) => ({ value: zone, title: zone === value ? zoneName(zone, now) : zone }))}
    />
  );
}
