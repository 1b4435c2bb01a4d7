/**
 * Lists as PostgreSQL's array literals, for statements that take many rows through `unnest`.
 *
 * The client's own serializer inspects each element. These functions inspect the list as a whole, which is several times cheaper. The
 * statement must name the type: `unnest(${textList(ids)}::text[])`.
 */

/** Whole numbers; null stays null. */
export function numberList(numbers: readonly (number | null)[]): string {
  return `{${numbers.map((number) => number ?? 'null').join(',')}}`;
}

/** Any texts that PostgreSQL can store; null stays null. */
export function textList(texts: readonly (string | null)[]): string {
  if (texts.length === 0) return '{}';
  if (texts.includes(null) || needsEscape.test(texts.join(''))) return `{${texts.map(element).join(',')}}`;
  return `{"${texts.join('","')}"}`;
}

/** Booleans. */
export function booleanList(booleans: readonly boolean[]): string {
  return `{${booleans.join(',')}}`;
}

const needsEscape = /["\\]/;

function element(text: string | null): string {
  return text === null ? 'null' : `"${text.replace(/["\\]/g, '\\$&')}"`;
}
