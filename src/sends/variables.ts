/**
 * The variables of texts, also for the dashboard: `{{name}}`, or with a text for contacts without the value after a bar:
 * `{{name|customer}}`.
 */
export const variableNames = [
  'name',
  'customerId',
  'userName',
  'userEmail',
  'userPhone',
  'userBirthday',
  'userAddress',
] as const;
type VariableName = (typeof variableNames)[number];

/** The values of the variables; null: unknown. */
export type Variables = { [name in VariableName]: string | null };

export const unknownVariables = Object.fromEntries(variableNames.map((name) => [name, null])) as Variables;

const variable = /\{\{\s*([A-Za-z]+)\s*(?:\|([^{}]*))?\}\}/g;

export function hasVariables(text: string): boolean {
  return text.search(variable) >= 0;
}

/** The first name in the text that is not a variable; null: none. */
export function unknownVariable(text: string): string | null {
  const names = Array.from(text.matchAll(variable), ([, name = '']) => name);
  return names.find((name) => !isVariable(name)) ?? null;
}

/** The text with its values; null: none is known. A variable without value and without a text after its bar is empty. */
export function fillVariables(text: string, variables: Variables | null): string {
  return text.replace(variable, (whole, name: string, fallback = '') =>
    isVariable(name) ? (variables?.[name] ?? fallback) : whole,
  );
}

function isVariable(name: string): name is VariableName {
  return variableNames.some((one) => one === name);
}
