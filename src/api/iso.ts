/**
 * Instants as the APIs write them: ISO 8601 in UTC.
 */

export function isoOf(at: number | Date): string {
  return new Date(at).toISOString();
}

export function isoOrNull(at: number | Date | null | undefined): string | null {
  return at === null || at === undefined ? null : isoOf(at);
}

/** The instant (ms) of a checked ISO 8601 text, or null if there is none. */
export function msOf(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text);
}

type IsoDates<Row> = {
  [Name in keyof Row]: [Extract<Row[Name], Date>] extends [never]
    ? Row[Name]
    : Exclude<Row[Name], Date> | string;
};

/** The row with its dates as text. */
export function withIsoDates<Row extends object>(row: Row): IsoDates<Row> {
  const members = Object.entries(row).map(([name, value]) => [
    name,
    value instanceof Date ? isoOf(value) : value,
  ]);
  return Object.fromEntries(members) as IsoDates<Row>;
}
