/** One of several, chosen from a list that opens: where there are more than stand well side by side. */

export type ChoiceProps<Value extends string> = {
  /** What is chosen, for screen readers. */
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
