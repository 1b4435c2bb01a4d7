/** Selects one of several values from a list, for more values than fit side by side. */

export type Choices<Value extends string> = readonly { value: Value; title: string; lang?: string }[];

export type ChoiceProps<Value extends string> = {
  /** For screen readers. */
  label: string;
  choices: Choices<Value>;
  value: Value;
  onChange(value: NoInfer<Value>): void;
};

export function Choice<Value extends string>({ label, ...select }: ChoiceProps<Value>) {
  return (
    <span class="choice">
      <Select {...select} aria-label={label} />
    </span>
  );
}

type SelectProps<Value extends string> = Omit<ChoiceProps<Value>, 'label'> & {
  id?: string;
  'aria-label'?: string;
  'aria-describedby'?: string | undefined;
};

/** A select of typed values. */
export function Select<Value extends string>({ choices, value, onChange, ...select }: SelectProps<Value>) {
  return (
    <select
      class="input"
      {...select}
      value={value}
      onChange={({ currentTarget }) => {
        const chosen = choices.find((choice) => choice.value === currentTarget.value);
        if (chosen) onChange(chosen.value);
      }}
    >
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value} lang={choice.lang}>
          {choice.title}
        </option>
      ))}
    </select>
  );
}
