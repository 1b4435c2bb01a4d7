/**
 * Conversions of PostgreSQL's types that the client lacks: bigint, and arrays of all types in use.
 *
 * The client can query the array types from the server, once per connection. If that connection is lost at this moment, the query's
 * error cannot be caught and ends the process. PostgreSQL's own types have fixed numbers anyway.
 */
import type postgres from 'postgres';
import { parse as parseList } from 'postgres-array';

type Parse = (text: string) => unknown;

const readText: Parse = (text) => text;
const readTime: Parse = (text) => new Date(text);
const readBytes: Parse = (text) => Buffer.from(text.slice(2), 'hex');

/** Parsers of array elements, by the number of the array type in `pg_type`. All versions of PostgreSQL share these numbers. */
const elements: Record<number, Parse> = {
  199: JSON.parse, // json
  1000: (text) => text === 't', // bool
  1001: readBytes, // bytea
  1005: Number, // int2
  1007: Number, // int4
  1009: readText, // text
  1015: readText, // varchar
  1016: toSafeInteger, // int8
  1021: Number, // float4
  1022: Number, // float8
  1182: readTime, // date
  1185: readTime, // timestamptz
  1231: readText, // numeric
  2951: readText, // uuid
  3807: JSON.parse, // jsonb
};

/** The client's setting `types`. A bigint is a number; one beyond 2^53 − 1 throws. */
export const clientTypes: Record<string, postgres.PostgresType> = {
  bigint: { to: 20, from: [20], serialize: String, parse: toSafeInteger },
  ...Object.fromEntries(
    Object.entries(elements).map(([list, parse]) => [`list ${list}`, toListType(Number(list), parse)]),
  ),
};

function toListType(list: number, parse: Parse): postgres.PostgresType {
  return {
    to: list,
    from: [list],
    parse: (text: string) => parseList(text, parse),
    // Lists that are text already (lists.ts) stay unchanged.
    serialize: (values: unknown) => (Array.isArray(values) ? `{${values.map(toElement).join(',')}}` : values),
  };
}

/** Serializes an element: a string, a number, or a JSON value. */
function toElement(value: unknown): string {
  if (value === undefined) throw new Error('a list parameter contains undefined');
  if (value === null) return 'null';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function toSafeInteger(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number))
    throw new Error(`The database returned ${text}, which is not a safe integer.`);
  return number;
}
