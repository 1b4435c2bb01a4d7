/** Selects one of several values from a list, for more values than fit side by side. */

export type ChoiceProps<Value extends string> = {
  /** For screen readers. */
  label: string;
  choices: readonly { value: Value; title: string }[];
  value: Value;
  onChange(value: Value): void;
};

export function Choice<Value extends string>({ label, choices, value, onChange }: ChoiceProps<Value>) {
  return (
    <label class="choice">
      <span class="hidden">{label}</span>
      <select
        class="input"
        value={value}
        onChange={({ currentTarget }) => {
          const chosen = choices.find((choice) => choice.value === currentTarget.value);
          if (chosen) onChange(chosen.value);
        }}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.title}
          </option>
        ))}
      </select>
    </label>
  );
}
