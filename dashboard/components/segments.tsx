/** Selects one of a few values, side by side. */

export type SegmentsProps<Value extends string> = {
  /** For screen readers. */
  label: string;
  choices: readonly { value: Value; title: string }[];
  value: Value;
  onChange(value: Value): void;
};

export function Segments<Value extends string>({ label, choices, value, onChange }: SegmentsProps<Value>) {
  return (
    <fieldset class="segments">
      <legend class="hidden">{label}</legend>
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          aria-pressed={choice.value === value}
          onClick={() => onChange(choice.value)}
        >
          {choice.title}
        </button>
      ))}
    </fieldset>
  );
}
