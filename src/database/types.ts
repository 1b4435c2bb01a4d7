/**
 * How values of PostgreSQL's types come and go where the client does not know it: bigint, and lists of every type that is used.
 *
 * The client can ask the server for the types of lists, once for each connection. A connection that is lost just then would
 * end the process, since that question's failure is nobody's to catch; and PostgreSQL's own types have fixed numbers.
 */
import type postgres from 'postgres';
import { parse as parseList } from 'postgres-array';

type Parse = (text: string) => unknown;

const readText: Parse = (text) => text;
const readTime: Parse = (text) => new Date(text);
const readBytes: Parse = (text) => Buffer.from(text.slice(2), 'hex');

/** What an element of a list is read by; the lists by their numbers in `pg_type`, which all versions of PostgreSQL share. */
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

/** The client's setting `types`. A bigint comes as a number; one beyond 2^53 − 1 throws. */
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
    // Lists that are text already (lists.ts) stay as they are.
    serialize: (values: unknown) => (Array.isArray(values) ? `{${values.map(toElement).join(',')}}` : values),
  };
}

/** Of a list that is sent: texts and numbers, and values that JSON can hold. */
function toElement(value: unknown): string {
  if (value === undefined) throw new Error('a list that is sent holds undefined');
  if (value === null) return 'null';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function toSafeInteger(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new Error(`The database holds ${text}, which is no safe integer.`);
  return number;
}
