/** The name of a bot, when it is created and later. */
import { TextField } from '../../components/field.tsx';
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
